//! The layering of the crates and the shape of the tree.

use std::fs;
use std::path::{Path, PathBuf};

use weightware_compiler::adder::Layout;

mod prose;
mod tables;

/// The crates of this workspace that each library may import; `dev-dependencies` are free.
const LAYERS: [(&str, &[&str]); 12] = [
    ("isa", &[]),
    ("hull", &[]),
    ("model", &[]),
    ("analysis", &["hull", "model"]),
    ("certify", &["analysis", "model"]),
    ("candle", &[]),
    ("modules", &[]),
    ("frontend", &["isa"]),
    ("compiler", &["analysis", "isa", "model"]),
    ("runtime", &["analysis", "hull", "model"]),
    ("train", &["model", "runtime"]),
    (
        "weightware",
        &["certify", "compiler", "frontend", "isa", "model", "runtime"],
    ),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All Rust files below a folder of the workspace.
fn sources(folder: &str) -> Vec<PathBuf> {
    let mut found = vec![];
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has no sources");
    found
}

#[test]
fn crates_import_what_their_layer_allows() {
    for (name, allowed) in LAYERS {
        let manifest: toml::Table = read(format!("crates/{name}/Cargo.toml"))
            .parse()
            .expect("TOML");
        let Some(dependencies) = manifest.get("dependencies").and_then(toml::Value::as_table)
        else {
            continue;
        };
        for dependency in dependencies.keys() {
            if let Some(layer) = dependency.strip_prefix("weightware-") {
                assert!(allowed.contains(&layer), "{name} must not import {layer}");
            }
        }
    }
}

#[test]
fn decoding_knows_no_instruction() {
    let vocabulary = weightware_isa::Vocabulary::new();
    let telling = |string: &str| string.contains(['.', '_', '(']) && string.len() > 3;
    let strings: Vec<String> = vocabulary
        .tokens()
        .iter()
        .map(ToString::to_string)
        .collect();
    for name in ["runtime", "model", "hull", "analysis", "certify"] {
        for path in sources(&format!("crates/{name}/src")) {
            let text = fs::read_to_string(&path).expect("UTF-8");
            for string in strings.iter().filter(|string| telling(string)) {
                assert!(
                    !text.contains(string.as_str()),
                    "{}: {string}",
                    path.display()
                );
            }
        }
    }
}

/// The one file with unsafe code, which enters machine code.
const FENCED: &str = "crates/runtime/src/plan/jit/x86_64/enter.rs";

#[test]
fn files_are_short_and_libraries_safe() {
    for folder in ["crates", "xtask", "tests", "benches"] {
        for path in sources(folder) {
            let text = fs::read_to_string(&path).expect("UTF-8");
            let lines = text.lines().count();
            assert!(lines <= 600, "{} has {lines} lines", path.display());
            let is_root = path.ends_with("src/lib.rs") || path.ends_with("src/main.rs");
            if is_root {
                let optional = path.ends_with("crates/runtime/src/lib.rs")
                    && text.contains(r#"#![cfg_attr(not(feature = "jit"), forbid(unsafe_code))]"#);
                let safe = text.contains("#![forbid(unsafe_code)]") || optional;
                assert!(safe, "{} does not forbid unsafe code", path.display());
            }
            let unsafe_block = concat!("unsafe", " {");
            let is_safe = path.ends_with(FENCED) || !text.contains(unsafe_block);
            assert!(is_safe, "{} has unsafe code", path.display());
        }
    }
}

/// Where tests are one program, a file that the program does not name would never run.
#[test]
fn every_test_file_is_run() {
    let mut files = 0;
    for package in ["cli", "compiler", "frontend", "model", "modules"]
        .map(|name| format!("crates/{name}"))
        .into_iter()
        .chain(["tests".to_owned()])
    {
        let manifest = read(format!("{package}/Cargo.toml"));
        let program = read(format!("{package}/tests/it.rs"));
        for path in fs::read_dir(root().join(&package).join("tests")).expect("a folder") {
            let path = path.expect("an entry").path();
            let name = path.file_stem().expect("a name").to_string_lossy();
            let is_test = path.extension().is_some_and(|extension| extension == "rs");
            if is_test && name != "it" {
                files += 1;
                assert!(
                    program.contains(&format!("mod {name};"))
                        || manifest.contains(&format!("path = \"tests/{name}.rs\"")),
                    "{package}/tests/it.rs does not name {name}"
                );
            }
        }
    }
    assert!(files > 20, "{files} files");
}

#[test]
fn every_crate_has_a_readme() {
    for (name, _) in LAYERS {
        assert!(
            read(format!("crates/{name}/README.md")).len() > 200,
            "{name}"
        );
    }
}

#[test]
fn the_architecture_counts_the_vocabulary() {
    let count = weightware_isa::Vocabulary::new().len();
    let stated = format!("Vocabulary: {},{:03} tokens", count / 1000, count % 1000);
    assert!(read("ARCHITECTURE.md").contains(&stated), "{stated}");
}

#[test]
fn pages_count_the_weights() {
    let count = weightware_compiler::default_model().weights.count();
    let [all, nonzero] = [count.weights, count.nonzero].map(thousands);
    for (page, stated) in [
        ("README.md", format!("{all} f64 weights")),
        (
            "docs/claims.md",
            format!("{all} weights, of which {nonzero} are not zero"),
        ),
    ] {
        assert!(read(page).contains(&stated), "{page}: {stated}");
    }
    let text = read("crates/compiler/README.md").replace('\n', " ");
    for (layout, name) in Layout::ALL.into_iter().zip(["columns", "rows"]) {
        let count = weightware_compiler::adder::model(layout).weights.count();
        let (all, nonzero) = (count.weights, count.nonzero);
        let stated = format!("by `{name}`, {all} weights, of which {nonzero} are not zero");
        assert!(text.to_lowercase().contains(&stated), "{stated}");
    }
}

/// A number below a million, with a comma before its last three digits.
fn thousands(number: u64) -> String {
    format!("{},{:03}", number / 1000, number % 1000)
}

#[test]
fn documents_name_crates_that_exist() {
    for document in ["README.md", "ARCHITECTURE.md"] {
        for word in read(document).split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')) {
            if let Some(name) = word.strip_prefix("weightware-")
                && !["tests", "benches"].contains(&name)
            {
                assert!(
                    root().join("crates").join(name).is_dir(),
                    "{document}: {word}"
                );
            }
        }
    }
}

/// All pages of the workspace.
fn pages() -> Vec<PathBuf> {
    let mut found = vec![];
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().and_then(|name| name.to_str());
            if path.is_dir() {
                let skipped = name.is_some_and(|name| name.starts_with('.') || name == "target");
                folders.extend((!skipped).then_some(path));
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found
}

#[test]
fn commands_of_pages_are_there() {
    let source = read("xtask/src/main.rs");
    let (_, commands) = source.split_once("enum Command {").expect("commands");
    let (commands, _) = commands.split_once("\n}").expect("their end");
    let names: Vec<String> = commands
        .lines()
        .filter_map(|line| line.trim().split(['(', ',']).next())
        .filter(|name| name.starts_with(char::is_uppercase))
        .map(str::to_lowercase)
        .collect();
    let mut mentioned = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).expect("UTF-8");
        for after in text.split("cargo xtask ").skip(1) {
            let name: String = after.chars().take_while(char::is_ascii_lowercase).collect();
            assert!(names.contains(&name), "{}: xtask {name}", page.display());
            mentioned += 1;
        }
    }
    assert!(mentioned > 50, "pages mention commands");
}

/// Every link of a page to a file of the workspace has a target.
#[test]
fn links_of_pages_lead_somewhere() {
    let mut links = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).expect("UTF-8");
        for after in text.split("](").skip(1) {
            let (link, _) = after.split_once(')').expect("the end of a link");
            let path = link.split('#').next().unwrap_or_default();
            if path.is_empty() || path.contains("://") || path.contains(char::is_whitespace) {
                continue;
            }
            let target = page.parent().expect("a folder").join(path);
            assert!(target.exists(), "{}: {link}", page.display());
            links += 1;
        }
    }
    assert!(links > 50, "pages have links");
}

/// Whether a line of a comment can be broken: it is prose, not a table, an address, code or
/// indented text.
fn is_breakable(comment: &str) -> bool {
    let unbreakable = comment.starts_with(['|', '#', ' ']) || comment.contains("://");
    !unbreakable && comment.contains(' ')
}

#[test]
fn comments_have_100_columns() {
    for folder in ["crates", "xtask", "tests", "benches"] {
        for path in sources(folder) {
            let text = fs::read_to_string(&path).expect("UTF-8");
            let mut in_code = false;
            for (number, line) in (1..).zip(text.lines()) {
                let trimmed = line.trim_start();
                let markers = ["//!", "///", "//"];
                let Some(comment) = markers.iter().find_map(|&m| trimmed.strip_prefix(m)) else {
                    in_code = false;
                    continue;
                };
                let comment = comment.strip_prefix(' ').unwrap_or(comment);
                if comment.trim_start().starts_with("```") {
                    in_code = !in_code;
                }
                let long = line.chars().count() > 100 && !in_code && is_breakable(comment);
                assert!(!long, "{}:{number}: beyond 100 columns", path.display());
            }
        }
    }
}

/// Generated pages, whose lines have any length.
const FREE: [&str; 8] = [
    "docs/costs.md",
    "docs/horizons.md",
    "docs/programs.md",
    "docs/proof.md",
    "docs/related.md",
    "tests/long.md",
    "tests/tokens.md",
    "tests/spec.md",
];

#[test]
fn pages_have_100_columns() {
    for page in pages() {
        if FREE.iter().any(|free| page.ends_with(free)) {
            continue;
        }
        let text = fs::read_to_string(&page).expect("UTF-8");
        let mut in_code = false;
        for (number, line) in (1..).zip(text.lines()) {
            in_code ^= line.trim_start().starts_with("```");
            let is_prose = !in_code && is_breakable(line.trim_start());
            let long = is_prose && line.chars().count() > 100;
            assert!(!long, "{}:{number}: beyond 100 columns", page.display());
        }
    }
}
