//! `cargo xtask imports`: the imports between the files of a crate, their levels, and the circles
//! among them.
//!
//! A file is at level 0 if it imports no other file of its crate, else one level above the highest
//! that it imports. Files that import one another share a level and are a circle (a strongly
//! connected component, by Tarjan's algorithm). An import is a path that begins with `crate`,
//! `super`, `self` or a child module, in a `use` or in code. A re-export leads to the origin of the
//! name, and is not an import itself. Unit tests are left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use clap::Args;

use crate::workspace;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Crates, by folder; all of them if left out
    crates: Vec<String>,
    /// Print every file with its level and what it imports
    #[arg(long)]
    files: bool,
}

impl Arguments {
    pub(crate) fn run(self) -> Result<()> {
        let crates = match self.crates.is_empty() {
            true => all_crates()?,
            false => self.crates,
        };
        println!("| crate | files | imports | levels | circles |");
        println!("|---|---:|---:|---:|---|");
        for name in &crates {
            let graph = Graph::of(name)?;
            let circles: Vec<String> = graph.circles().map(|circle| circle.join(", ")).collect();
            let circles = match circles.is_empty() {
                true => "none".to_owned(),
                false => circles.join("; "),
            };
            println!(
                "| {name} | {} | {} | {} | {circles} |",
                graph.modules.len(),
                graph.edges.iter().map(BTreeSet::len).sum::<usize>(),
                graph.levels.iter().max().map_or(0, |level| level + 1),
            );
            if self.files {
                graph.print_files();
            }
        }
        Ok(())
    }
}

/// The folders of `crates`.
fn all_crates() -> Result<Vec<String>> {
    let mut names = vec![];
    for entry in fs::read_dir(workspace::path("crates"))? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// The files of a crate, as modules, and their imports.
struct Graph {
    /// The paths of the modules: empty for the root, `a::b` for others.
    modules: Vec<String>,
    /// For each module, the modules that it imports.
    edges: Vec<BTreeSet<usize>>,
    /// The level of each module.
    levels: Vec<usize>,
    /// For each module, the first module of its circle, or itself.
    circle_of: Vec<usize>,
}

impl Graph {
    /// Reads `crates/NAME/src`.
    fn of(name: &str) -> Result<Self> {
        let root = workspace::path("crates").join(name).join("src");
        let mut sources = BTreeMap::new();
        read(&root, &root, &mut sources).with_context(|| root.display().to_string())?;
        Ok(Self::new(&sources))
    }

    /// Builds the graph of source texts by module path.
    fn new(sources: &BTreeMap<String, String>) -> Self {
        let modules: Vec<String> = sources.keys().cloned().collect();
        let texts: Vec<Vec<String>> = sources.values().map(|text| tokens(text)).collect();
        let paths: Vec<(Vec<Import>, Vec<Vec<String>>)> =
            texts.iter().map(|text| paths(text)).collect();
        let resolver = Resolver {
            modules: &modules,
            imports: paths
                .iter()
                .map(|(imports, _)| imports.as_slice())
                .collect(),
        };
        let edges: Vec<BTreeSet<usize>> = paths
            .iter()
            .enumerate()
            .map(|(from, (imports, inline))| {
                let used = imports.iter().filter(|import| !import.reexports);
                let used = used.map(|import| &import.path).chain(inline);
                let found = used.filter_map(|path| resolver.resolve(from, path, 0));
                found.filter(|&to| to != from).collect()
            })
            .collect();
        let (circle_of, levels) = levels(&edges);
        Self {
            modules,
            edges,
            levels,
            circle_of,
        }
    }

    /// The circles: groups of two or more files that import one another.
    fn circles(&self) -> impl Iterator<Item = Vec<&str>> {
        let firsts: BTreeSet<usize> = self.circle_of.iter().copied().collect();
        let circles = firsts.into_iter().map(move |first| {
            let members = (0..self.modules.len()).filter(move |&m| self.circle_of[m] == first);
            members.map(|m| self.name(m)).collect::<Vec<_>>()
        });
        circles.filter(|circle| circle.len() > 1)
    }

    fn name(&self, module: usize) -> &str {
        match self.modules[module].as_str() {
            "" => "lib",
            name => name,
        }
    }

    fn print_files(&self) {
        let mut order: Vec<usize> = (0..self.modules.len()).collect();
        order.sort_by_key(|&module| self.levels[module]);
        for module in order {
            let imported: Vec<&str> = self.edges[module].iter().map(|&to| self.name(to)).collect();
            println!(
                "{:3}  {}: {}",
                self.levels[module],
                self.name(module),
                imported.join(", ")
            );
        }
    }
}

/// Reads a folder's files, by module path.
fn read(root: &Path, folder: &Path, sources: &mut BTreeMap<String, String>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            read(root, &path, sources)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let inside = path.strip_prefix(root)?.with_extension("");
            let mut parts: Vec<String> = inside
                .iter()
                .map(|part| part.to_string_lossy().into_owned())
                .collect();
            if parts.last().is_some_and(|last| last == "mod") {
                parts.pop();
            }
            if parts == ["lib"] || parts == ["main"] {
                parts.clear();
            }
            if parts.last().is_some_and(|last| last == "tests") {
                continue;
            }
            sources.insert(parts.join("::"), fs::read_to_string(&path)?);
        }
    }
    Ok(())
}

/// The words and punctuation of a source, without comments, strings, attributes and inline test
/// modules.
fn tokens(text: &str) -> Vec<String> {
    let text = text
        .split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or(text);
    let mut tokens = vec![];
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if first == '"' {
            string_length(rest)
        } else if first.is_alphanumeric() || first == '_' {
            let word = |c: char| !(c.is_alphanumeric() || c == '_');
            let length = rest.find(word).unwrap_or(rest.len());
            tokens.push(rest[..length].to_owned());
            length
        } else if rest.starts_with("::") {
            tokens.push("::".to_owned());
            2
        } else {
            if !first.is_whitespace() {
                tokens.push(first.to_string());
            }
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    tokens
}

/// The length of a string literal, quotes included.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '"' if !escaped => return at + 1,
            _ => escaped = c == '\\' && !escaped,
        }
    }
    text.len()
}

/// A path of a `use`, and its name in this file.
struct Import {
    path: Vec<String>,
    name: String,
    /// Whether other modules may import it from here.
    reexports: bool,
}

/// Paths of `use` items, and paths in code that begin with `crate` or `super`.
fn paths(tokens: &[String]) -> (Vec<Import>, Vec<Vec<String>>) {
    let (mut imports, mut inline) = (vec![], vec![]);
    let mut at = 0;
    while at < tokens.len() {
        let token = tokens[at].as_str();
        // `+ use<..>` captures lifetimes.
        if token == "use" && tokens.get(at + 1).is_some_and(|next| next != "<") {
            // `pub use`, `pub(crate) use`. Children may use the name too, but it is not exported to
            // them.
            let before = &tokens[..at];
            let reexports = before
                .last()
                .is_some_and(|last| last == "pub" || last == ")");
            at += 1;
            at += tree(&tokens[at..], &[], reexports, &mut imports);
        } else if matches!(token, "crate" | "super")
            && tokens.get(at + 1).is_some_and(|t| t == "::")
        {
            let mut path = vec![];
            while tokens.get(at + 1).is_some_and(|next| next == "::") {
                path.push(tokens[at].clone());
                at += 2;
            }
            path.extend(tokens.get(at).cloned());
            inline.push(path);
        }
        at += 1;
    }
    (imports, inline)
}

/// Reads a tree of a `use` after a prefix, and returns the number of its tokens.
fn tree(tokens: &[String], prefix: &[String], reexports: bool, imports: &mut Vec<Import>) -> usize {
    let mut path = prefix.to_vec();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token.as_str() {
            "::" => {}
            "{" => {
                at += 1;
                while tokens.get(at).is_some_and(|token| token != "}") {
                    at += tree(&tokens[at..], &path, reexports, imports);
                    at += usize::from(tokens.get(at).is_some_and(|token| token == ","));
                }
                return at + 1;
            }
            "as" => {
                let name = tokens.get(at + 1).cloned().unwrap_or_default();
                imports.push(Import {
                    path,
                    name,
                    reexports,
                });
                return at + 2;
            }
            "," | ";" | "}" => break,
            word => path.push(word.to_owned()),
        }
        at += 1;
    }
    if let Some(name) = path.last().cloned() {
        imports.push(Import {
            path,
            name,
            reexports,
        });
    }
    at
}

/// Resolves paths to modules.
struct Resolver<'m> {
    modules: &'m [String],
    /// The imports of each module.
    imports: Vec<&'m [Import]>,
}

impl Resolver<'_> {
    fn resolve(&self, from: usize, path: &[String], depth: usize) -> Option<usize> {
        let mut here = self.modules[from].clone();
        let mut rest = path;
        let mut local = false;
        while let [first, others @ ..] = rest {
            match first.as_str() {
                "crate" => here = String::new(),
                "self" => {}
                "super" => {
                    here = here
                        .rsplit_once("::")
                        .map_or("", |(parent, _)| parent)
                        .to_owned()
                }
                _ => break,
            }
            local = true;
            rest = others;
        }
        while let [first, others @ ..] = rest {
            let child = match here.as_str() {
                "" => first.clone(),
                here => format!("{here}::{first}"),
            };
            let Some(module) = self.index(&here) else {
                break;
            };
            if self.index(&child).is_some() {
                here = child;
                local = true;
                rest = others;
                continue;
            }
            let named = self.imports[module]
                .iter()
                .find(|import| import.name == *first);
            match named {
                Some(import) if local && depth < 8 => {
                    return self.resolve(module, &import.path, depth + 1);
                }
                _ => break,
            }
        }
        if local { self.index(&here) } else { None }
    }

    fn index(&self, path: &str) -> Option<usize> {
        self.modules
            .binary_search_by(|module| module.as_str().cmp(path))
            .ok()
    }
}

/// For each module, the first module of its circle, and its level.
fn levels(edges: &[BTreeSet<usize>]) -> (Vec<usize>, Vec<usize>) {
    let mut search = Search {
        edges,
        seen: vec![None; edges.len()],
        lowest: vec![0; edges.len()],
        stack: vec![],
        count: 0,
        circle_of: vec![usize::MAX; edges.len()],
        levels: vec![0; edges.len()],
    };
    for module in 0..edges.len() {
        if search.seen[module].is_none() {
            search.visit(module);
        }
    }
    (search.circle_of, search.levels)
}

/// Tarjan's search for strongly connected components. It finds a component after those that it
/// reaches.
struct Search<'e> {
    edges: &'e [BTreeSet<usize>],
    seen: Vec<Option<usize>>,
    lowest: Vec<usize>,
    stack: Vec<usize>,
    count: usize,
    circle_of: Vec<usize>,
    levels: Vec<usize>,
}

impl Search<'_> {
    fn visit(&mut self, module: usize) {
        let number = self.count;
        self.count += 1;
        self.seen[module] = Some(number);
        self.lowest[module] = number;
        self.stack.push(module);
        for &to in &self.edges[module] {
            match self.seen[to] {
                None => {
                    self.visit(to);
                    self.lowest[module] = self.lowest[module].min(self.lowest[to]);
                }
                Some(other) if self.circle_of[to] == usize::MAX => {
                    self.lowest[module] = self.lowest[module].min(other);
                }
                Some(_) => {}
            }
        }
        if self.lowest[module] == number {
            let first = self.stack.iter().rposition(|&other| other == module);
            let members = self
                .stack
                .split_off(first.expect("the stack holds the component"));
            let below = members.iter().flat_map(|&member| &self.edges[member]);
            let below = below.filter(|to| !members.contains(to));
            let level = below.map(|&to| self.levels[to] + 1).max().unwrap_or(0);
            let name = members.iter().copied().min().expect("at least one");
            for member in members {
                self.circle_of[member] = name;
                self.levels[member] = level;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(sources: &[(&str, &str)]) -> Graph {
        let sources = sources
            .iter()
            .map(|&(path, text)| (path.to_owned(), text.to_owned()));
        Graph::new(&sources.collect())
    }

    #[test]
    fn finds_imports_levels_and_circles() {
        let graph = graph(&[
            ("", "mod a; mod b; pub use a::Top;"),
            (
                "a",
                "use crate::b::{self, c::Deep as Other}; // use crate::a::no;\n fn f() {}",
            ),
            (
                "b",
                "mod c; pub(crate) use c::Deep; const TEXT: &str = \"crate::a\";",
            ),
            ("b::c", "use super::d::D; use std::fmt;"),
            ("b::d", "fn f() { crate::b::Deep::new(); }"),
        ]);
        let imports = |name: &str| {
            let at = graph.modules.iter().position(|m| m == name).unwrap();
            let names: Vec<&str> = graph.edges[at].iter().map(|&to| graph.name(to)).collect();
            (names.join(" "), graph.levels[at])
        };
        assert_eq!(imports("a"), ("b b::c".to_owned(), 1));
        assert_eq!(imports("b"), (String::new(), 0));
        assert_eq!(imports("b::c"), ("b::d".to_owned(), 0));
        // A re-export leads to the origin of the name.
        assert_eq!(imports("b::d"), ("b::c".to_owned(), 0));
        assert_eq!(imports(""), (String::new(), 0));
        assert_eq!(graph.circles().collect::<Vec<_>>(), [["b::c", "b::d"]]);
    }

    /// Intended circles with their reasons: recursive structures have no levels.
    const RECURSIVE: [(&str, &str, &str); 5] = [
        (
            "cli",
            "failure, screen",
            "a failure of the screen is a failure",
        ),
        (
            "compiler",
            "machine, machine::fetch, machine::memory, machine::nibbles, machine::planned, machine::planned::anywhere, \
             machine::rom, machine::stack, machine::state, machine::turn, machine::wide",
            "the machine is built by its sections, and sections are methods of the machine",
        ),
        (
            "hull",
            "error, point",
            "an error shows the point that is out of range",
        ),
        (
            "isa",
            "interpreter, interpreter::turning, interpreter::value",
            "the interpreter holds the state of turns, and values may stop it",
        ),
        (
            "weightware",
            "computer, contexts, error, run, saved",
            "a computer makes runs, and a run knows its computer",
        ),
    ];

    #[test]
    fn circles_are_recursion() {
        let mut circles = vec![];
        for name in all_crates().unwrap() {
            for circle in Graph::of(&name).unwrap().circles() {
                circles.push((name.clone(), circle.join(", ")));
            }
        }
        let known = RECURSIVE.map(|(of, files, _)| (of.to_owned(), files.to_owned()));
        assert_eq!(circles, known);
    }
}
