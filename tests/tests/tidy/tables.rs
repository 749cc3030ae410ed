//! The tables of pages that list engines, rungs, commands and passes, against the code.

use super::read;
use std::collections::BTreeSet;
use weightware_frontend::Pass;
use weightware_runtime::Engine;
use weightware_tests::Rung;

/// The first cells of a table, which follows a header in a page.
fn first_cells(page: &str, header: &str) -> Vec<String> {
    let text = read(page);
    let (_, table) = text
        .split_once(&format!("\n{header}"))
        .unwrap_or_else(|| panic!("{page} has no table `{header}`"));
    let rows = table.lines().skip(2).take_while(|row| row.starts_with('|'));
    let cells = rows.filter_map(|row| Some(row.split('|').nth(1)?.trim().to_owned()));
    cells.collect()
}

/// The first word of each piece of code in some cells.
fn names(cells: &[String]) -> Vec<String> {
    let code = cells
        .iter()
        .flat_map(|cell| cell.split('`').skip(1).step_by(2));
    let words = code.filter_map(|code| code.split_whitespace().next());
    words.map(str::to_owned).collect()
}

/// Checks that a page names exactly what the code has, each once.
fn check(page: &str, named: &[String], code: &[String]) {
    let [named_once, has] = [named, code].map(|names| names.iter().collect::<BTreeSet<_>>());
    let missing: Vec<_> = has.difference(&named_once).collect();
    let unknown: Vec<_> = named_once.difference(&has).collect();
    assert!(missing.is_empty(), "{page} does not name {missing:?}");
    assert!(unknown.is_empty(), "{page} names {unknown:?}");
    assert_eq!(named.len(), named_once.len(), "{page} repeats a name");
}

fn engines() -> Vec<String> {
    // The package depends on all features of the runtime.
    let names = Engine::available().map(|engine| engine.name().to_owned());
    names.collect()
}

/// The subcommands of `weightware`, from the source of its arguments.
fn commands() -> Vec<String> {
    let source = read("crates/cli/src/args/mod.rs");
    let (_, variants) = source
        .split_once("enum Command {\n")
        .expect("crates/cli/src/args/mod.rs has the commands");
    let (variants, _) = variants.split_once("\n}").expect("the end of the commands");
    let variants = variants.lines().filter_map(|line| {
        let name = line.strip_prefix("    ")?.split(['(', ' ', ',']).next()?;
        let is_variant =
            name.starts_with(|c: char| c.is_ascii_uppercase()) && line.ends_with(['{', ',']);
        is_variant.then(|| name.to_lowercase())
    });
    let commands: Vec<String> = variants.collect();
    assert!(commands.len() > 5, "{commands:?}");
    commands
}

#[test]
fn engines_of_pages() {
    let engines = engines();
    assert!(engines.contains(&"jit".to_owned()), "{engines:?}");
    for (page, header) in [
        ("ARCHITECTURE.md", "| engine | how a head is answered |"),
        ("crates/runtime/README.md", "| engine | attention |"),
    ] {
        let named = names(&first_cells(page, header));
        let named: Vec<String> = named.iter().map(|name| name.to_lowercase()).collect();
        check(page, &named, &engines);
    }
    let page = "crates/cli/README.md";
    let text = read(page);
    let options = text
        .lines()
        .filter_map(|row| row.strip_prefix("| `--engine "));
    let named = options.filter_map(|option| Some(option.split('`').next()?.to_owned()));
    check(page, &named.collect::<Vec<_>>(), &engines);
}

#[test]
fn rungs_of_the_ladder() {
    let rungs = Rung::ALL.map(|rung| format!("{rung:?}").to_lowercase());
    let page = "tests/README.md";
    check(page, &names(&first_cells(page, "| rung | runs |")), &rungs);
}

#[test]
fn passes_of_the_frontend() {
    let passes = Pass::ALL.map(|pass| format!("{pass:?}"));
    let page = "crates/frontend/README.md";
    let named = names(&first_cells(page, "| pass | what it does |"));
    check(page, &named, &passes);
}

#[test]
fn commands_of_weightware() {
    let commands = commands();
    let page = "crates/cli/README.md";
    check(
        page,
        &names(&first_cells(page, "| command | does |")),
        &commands,
    );
    let page = "README.md";
    let text = read(page);
    let (_, examples) = text.split_once("\n## Use\n").expect("examples of commands");
    let (examples, _) = examples.split_once("\n## ").expect("their end");
    let named = examples.split("weightware ").skip(1).filter_map(|after| {
        let name = after.split_whitespace().next()?;
        let is_name = name.chars().all(|c| c.is_ascii_lowercase());
        is_name.then(|| name.to_owned())
    });
    // An example may use a command again.
    let named: BTreeSet<String> = named.collect();
    check(page, &named.into_iter().collect::<Vec<_>>(), &commands);
}
