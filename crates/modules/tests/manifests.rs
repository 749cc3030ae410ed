//! Manifests, headers and compiled modules state the same.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use wasmparser::{DataKind, ExternalKind, Operator, Parser, Payload, ValType};
use weightware::Clang;
use weightware_modules::{Module, SHARED, Value};

use crate::driver::{parameters, source};

fn library() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/library"))
}

/// The library embeds every file of every folder, so no source can be forgotten.
#[test]
fn all_files_are_embedded() {
    let mut found = BTreeSet::new();
    for folder in fs::read_dir(library()).expect("a folder") {
        let folder = folder.expect("an entry");
        if !folder.path().is_dir() {
            assert_eq!(folder.file_name(), SHARED.path);
            continue;
        }
        for file in fs::read_dir(folder.path()).expect("a folder") {
            let file = file.expect("an entry").path();
            let path = file.strip_prefix(library()).expect("below");
            let path = path.to_str().expect("UTF-8").replace('\\', "/");
            found.extend((path.ends_with(".c") || path.ends_with(".h")).then_some(path));
        }
    }
    let embedded = Module::all().iter().flat_map(|module| module.files);
    let embedded: BTreeSet<String> = embedded.map(|file| file.path.to_owned()).collect();
    assert_eq!(found, embedded);
}

#[test]
fn sources_are_short_and_freestanding() {
    for module in Module::all() {
        for file in module.files {
            let lines = file.text.lines().count();
            assert!(lines <= 400, "{} has {lines} lines", file.path);
            for line in file.text.lines() {
                let is_foreign = line.starts_with("#include <") && Some(file) != module.libc();
                assert!(!is_foreign, "{}: {line}", file.path);
            }
        }
    }
}

#[test]
fn manifests_are_complete() {
    assert!(Module::named("nothing").is_none());
    for module in Module::all() {
        let name = &module.name;
        assert_eq!(module.licence, "MIT OR Apache-2.0", "{name}");
        assert!(
            !module.version.is_empty() && !module.summary.is_empty(),
            "{name}"
        );
        let names: BTreeSet<&str> = module.functions.iter().map(|f| f.name.as_str()).collect();
        assert_eq!(names.len(), module.functions.len(), "{name}");
        let header = module.files[0];
        assert_eq!(header.path, format!("{name}/{name}.h"));
        for function in &module.functions {
            let declaration = format!(
                "WEIGHTWARE_FUNCTION(\"{name}\", {})\n{};",
                function.name, function.signature
            );
            assert!(
                words(header.text).contains(&words(&declaration)),
                "{}: {declaration}",
                header.path
            );
            assert!(!function.doc.is_empty(), "{}", function.name);
        }
        let declared = header.text.matches("WEIGHTWARE_FUNCTION(").count();
        assert_eq!(declared, module.functions.len(), "{}", header.path);
    }
}

/// A text with one space between its words, and none after an opening parenthesis.
fn words(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").replace("( ", "(")
}

/// The marks around the table of functions in a module's page.
const TABLE: [&str; 2] = ["<!-- functions -->\n", "<!-- end of functions -->"];

/// The table of a module's page lists its functions: `BLESS=1` writes it from the manifest.
#[test]
fn pages_list_all_functions() {
    for module in Module::all() {
        let path = library().join(&module.name).join("README.md");
        let page =
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let (head, rest) = page.split_once(TABLE[0]).expect("a mark before the table");
        let (_, tail) = rest.split_once(TABLE[1]).expect("a mark after the table");
        let mut table = "| function | does |\n|---|---|\n".to_owned();
        for function in &module.functions {
            let names: Vec<String> = parameters(&function.signature)
                .iter()
                .map(|p| parameter_name(p))
                .collect();
            let doc = function.doc.replace('|', "\\|");
            table += &format!("| `{}({})` | {doc} |\n", function.name, names.join(", "));
        }
        let listed = format!("{head}{}{table}{}{tail}", TABLE[0], TABLE[1]);
        if env::var_os("BLESS").is_some() {
            fs::write(&path, &listed).expect("written");
        }
        let page = fs::read_to_string(&path).expect("a page");
        assert!(page == listed, "{}: bless it", path.display());
    }
}

/// The name in a C parameter.
fn parameter_name(parameter: &str) -> String {
    let end = parameter.find(")(").unwrap_or(parameter.len());
    let word = |c: char| !c.is_alphanumeric() && c != '_';
    parameter[..end]
        .rsplit(word)
        .next()
        .unwrap_or(parameter)
        .to_owned()
}

fn value(ty: &ValType) -> Value {
    match ty {
        ValType::I32 => Value::I32,
        ValType::I64 => Value::I64,
        ValType::F32 => Value::F32,
        ValType::F64 => Value::F64,
        _ => panic!("no module has {ty}"),
    }
}

/// Compiles a C source for wasm32 with the names of functions in the module.
pub(crate) fn compile(module: &Module, flags: &[&str], source: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let [main, out] = ["main.c", "out.wasm"].map(|name| folder.path().join(name));
    fs::write(&main, source).expect("written");
    let sources = module.sources().map(|file| library().join(file.path));
    let links = flags.iter().any(|flag| flag.starts_with("-DWEIGHTWARE"));
    let done = Command::new("clang")
        .args([
            "--target=wasm32",
            "-O2",
            "-ffreestanding",
            "-nostdlib",
            "-Wl,--no-entry",
        ])
        .args(["-Wall", "-Wextra", "-Wno-parentheses", "-Werror"])
        .args(flags)
        .arg("-I")
        .arg(library())
        .args(sources.filter(|_| links))
        .arg(&main)
        .arg("-o")
        .arg(&out)
        .output()
        .unwrap_or_else(|error| {
            panic!("clang: {error}; install it (Debian: apt install clang lld)")
        });
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{}: {said}", module.name);
    fs::read(out).expect("a module")
}

/// A function of a module: its name and its types.
type Typed = (String, Vec<Value>, Vec<Value>);

fn stated(module: &Module) -> BTreeSet<Typed> {
    let functions = module.functions.iter();
    functions
        .map(|f| (f.name.clone(), f.params.clone(), f.results.clone()))
        .collect()
}

/// The parts of a compiled module.
#[derive(Default)]
struct Compiled {
    imports: BTreeSet<Typed>,
    exports: BTreeSet<Typed>,
    /// Where its constants are.
    constants: Vec<Range<u64>>,
}

fn read(wasm: &[u8], module: &Module) -> Compiled {
    let (mut types, mut functions, mut compiled) = (vec![], vec![], Compiled::default());
    let typed = |types: &[wasmparser::FuncType], name: &str, index: u32| {
        let ty = &types[index as usize];
        let [params, results] =
            [ty.params(), ty.results()].map(|types| types.iter().map(value).collect());
        (name.to_owned(), params, results)
    };
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.expect("a valid module") {
            Payload::TypeSection(section) => {
                types = section
                    .into_iter_err_on_gc_types()
                    .collect::<Result<_, _>>()
                    .expect("types of functions");
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import.expect("an import");
                    if import.module == "env" {
                        functions.push(0);
                        continue;
                    }
                    assert_eq!(import.module, module.name);
                    let wasmparser::TypeRef::Func(ty) = import.ty else {
                        panic!("{}: {:?}", import.name, import.ty);
                    };
                    functions.push(ty);
                    compiled.imports.insert(typed(&types, import.name, ty));
                }
            }
            Payload::DataSection(section) => {
                for data in section {
                    let data = data.expect("data");
                    let DataKind::Active { offset_expr, .. } = data.kind else {
                        panic!("{}: passive data", module.name);
                    };
                    let offset = offset_expr.get_operators_reader().read();
                    let Ok(Operator::I32Const { value }) = offset else {
                        panic!("{}: {offset:?}", module.name);
                    };
                    let first = u64::from(value as u32);
                    let end = first + data.data.len() as u64;
                    compiled.constants.push(first..end);
                }
            }
            Payload::FunctionSection(section) => {
                functions.extend(section.into_iter().map(|ty| ty.expect("a type")));
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export.expect("an export");
                    if export.kind == ExternalKind::Func {
                        let ty = functions[export.index as usize];
                        compiled.exports.insert(typed(&types, export.name, ty));
                    }
                }
            }
            _ => {}
        }
    }
    compiled
}

/// A module by itself needs nothing of anyone, and exports what its manifest states.
#[test]
fn modules_export_what_they_state() {
    for module in Module::all() {
        let compiled = read(&compile(module, &["-DWEIGHTWARE_EXPORT"], ""), module);
        assert_eq!(compiled.exports, stated(module), "{}", module.name);
        assert!(compiled.imports.is_empty(), "{}", module.name);
    }
}

/// So does the module that is embedded. Its constants are where the manifest states, and no more.
#[test]
fn embedded_modules_are_those_of_the_manifests() {
    for module in Module::all() {
        let (name, compiled) = (&module.name, read(module.wasm, module));
        assert_eq!(compiled.exports, stated(module), "{name}");
        assert!(compiled.imports.is_empty(), "{name}");
        let first = u64::from(module.address);
        let window = first..first + (64 << 10);
        for constants in &compiled.constants {
            assert!(
                window.start <= constants.start && constants.end <= window.end,
                "{name}: {constants:#x?}"
            );
        }
        let bytes: u64 = compiled.constants.iter().map(|c| c.end - c.start).sum();
        assert!(bytes <= u64::from(module.tables), "{name}: {bytes} bytes");
    }
    let addresses: BTreeSet<u32> = Module::all().iter().map(|m| m.address >> 16).collect();
    assert_eq!(addresses.len(), Module::all().len(), "one window for each");
}

#[test]
#[ignore = "the bytes are those of clang 14: cargo test -p weightware-modules -- --ignored"]
fn embedded_modules_are_what_clang_makes() {
    for module in Module::all() {
        let sources = module.sources().map(|file| library().join(file.path));
        let compiled = Clang::new(sources).as_library(module.address).compile();
        let compiled = compiled.unwrap_or_else(|error| panic!("{}: {error}", module.name));
        assert!(
            compiled.module == module.wasm,
            "{}: `cargo xtask modules` writes what this clang makes",
            module.name
        );
    }
}

/// The driver, compiled without the module's sources, imports what the manifest states.
#[test]
fn drivers_import_what_manifests_state() {
    let headers = concat!("-I", env!("CARGO_MANIFEST_DIR"), "/tests/driver");
    for module in Module::all() {
        let compiled = read(&compile(module, &[headers], &source(module, "")), module);
        assert_eq!(compiled.imports, stated(module), "{}", module.name);
    }
}

/// No module has mutable static data: the linker's map of its objects has no `.data` and no `.bss`.
#[test]
fn modules_have_no_mutable_data() {
    for module in Module::all() {
        for file in module.sources() {
            let folder = tempfile::tempdir().expect("a folder");
            let object = folder.path().join("object.o");
            let done = Command::new("cc")
                .args([
                    "-O2",
                    "-std=gnu11",
                    "-ffreestanding",
                    "-DWEIGHTWARE_LINK_STATIC",
                    "-c",
                ])
                .arg(library().join(file.path))
                .arg("-o")
                .arg(&object)
                .status()
                .expect("cc starts; install a C compiler");
            assert!(done.success(), "{}", file.path);
            let listed = Command::new("size")
                .arg("-B")
                .arg(&object)
                .output()
                .expect("size starts; install binutils");
            let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
            let fields: Vec<&str> = listed
                .lines()
                .nth(1)
                .expect("a row")
                .split_whitespace()
                .collect();
            assert_eq!(fields[1..3], ["0", "0"], "{}: .data and .bss", file.path);
        }
    }
}
