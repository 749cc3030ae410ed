//! The words of comments and pages, against the table of `docs/style.md`.

use super::{pages, read, root, sources};
use std::fs;
use std::path::Path;

/// The page that states the rules quotes the words to avoid.
const RULES: &str = "docs/style.md";

/// No sentence begins with these: the subject comes first.
const INVERTED: [&str; 3] = ["of", "as", "what"];

/// No comment begins with this: documentation shows each item alone.
const REFERRING: [&str; 2] = ["the", "same"];

/// A row of the table, for each of its phrases: the phrase, word by word, and what to write.
type Rule = (Vec<String>, String);

/// The phrases that a machine can check, read from the page of rules.
fn rules() -> Vec<Rule> {
    let page = read(RULES);
    let (_, rows) = page
        .split_once("| instead of | write | checked |")
        .expect("docs/style.md has the table of words to avoid");
    let mut rules = vec![];
    for row in rows
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
    {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [_, avoided, instead, checked, _, _] = cells[..] else {
            panic!("{RULES}: a row of words to avoid has 4 cells: {row}");
        };
        assert!(
            ["yes", "no"].contains(&checked),
            "{RULES}: a row says yes or no under `checked`: {row}"
        );
        if checked == "yes" {
            for phrase in avoided.split(", ") {
                let words = phrase.split(' ').map(str::to_lowercase).collect();
                rules.push((words, instead.to_owned()));
            }
        }
    }
    rules
}

/// A word of a text and the number of its line. A word that begins a paragraph or follows the end
/// of a sentence begins a sentence.
struct Word {
    text: String,
    line: usize,
    begins_sentence: bool,
}

/// The words of numbered lines of one text, without its code, links' addresses and headings.
fn words<'t>(lines: impl Iterator<Item = (usize, &'t str)>) -> Vec<Word> {
    let mut words: Vec<Word> = vec![];
    let mut in_block = false;
    let mut in_span = false;
    let mut begins_sentence = true;
    for (number, line) in lines {
        let line = line.trim_start();
        if line.starts_with("```") {
            in_block ^= true;
            begins_sentence = true;
            continue;
        }
        let is_table = line.starts_with('|');
        if in_block || line.is_empty() || line.starts_with('#') {
            (in_span, begins_sentence) = (false, true);
            continue;
        }
        let item = line.trim_start_matches(|c: char| c.is_ascii_digit());
        if ["- ", "* ", ". "]
            .iter()
            .any(|bullet| item.starts_with(bullet))
        {
            begins_sentence = true;
        }
        // Code becomes a word of its own that no rule names.
        let mut prose = String::new();
        for (part, text) in line.split('`').enumerate() {
            if part > 0 {
                in_span = !in_span;
            }
            prose.push_str(if in_span { "`" } else { text });
        }
        for word in prose.split_whitespace() {
            let text = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '`');
            if text.is_empty() {
                continue;
            }
            words.push(Word {
                text: text.to_lowercase(),
                line: number,
                begins_sentence: begins_sentence && !is_table,
            });
            let end = word.trim_end_matches(['*', '_', ')', '"']);
            begins_sentence = end.ends_with(['.', '!', '?']);
        }
    }
    words
}

/// The faults of a text, a line each.
fn faults(place: &Path, words: &[Word], rules: &[Rule], found: &mut Vec<String>) {
    let phrase_at = |at: usize, phrase: &[String]| {
        let here = words[at..].iter().map(|word| &word.text);
        here.take(phrase.len()).eq(phrase)
    };
    for (at, word) in words.iter().enumerate() {
        let place = format!("{}:{}", place.display(), word.line);
        for (phrase, instead) in rules {
            if phrase_at(at, phrase) {
                let phrase = phrase.join(" ");
                found.push(format!("{place}: instead of \"{phrase}\" write: {instead}"));
            }
        }
        if word.begins_sentence && INVERTED.contains(&word.text.as_str()) {
            let first = &word.text;
            found.push(format!(
                "{place}: a sentence begins with \"{first}\": say the subject first"
            ));
        }
        if at == 0 && phrase_at(at, &REFERRING.map(str::to_owned)) {
            found.push(format!(
                "{place}: a comment begins with \"the same\": state the item itself"
            ));
        }
    }
}

/// The comment blocks of a source file, each as its numbered lines without their markers.
fn comments(text: &str) -> Vec<Vec<(usize, &str)>> {
    let mut blocks: Vec<Vec<(usize, &str)>> = vec![];
    let mut marker_before = None;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim_start();
        let marker = ["//!", "///", "//"]
            .into_iter()
            .find(|m| line.starts_with(m));
        if let Some(marker) = marker {
            if marker_before != Some(marker) {
                blocks.push(vec![]);
            }
            let block = blocks.last_mut().expect("a block was begun");
            block.push((number, &line[marker.len()..]));
        }
        marker_before = marker;
    }
    blocks
}

fn is_exempt(path: &Path) -> bool {
    path == Path::new(RULES)
}

#[test]
fn words_to_avoid() {
    let rules = rules();
    assert!(rules.len() > 10, "{RULES}: {} phrases", rules.len());
    let relative = |path: &Path| path.strip_prefix(root()).expect("below").to_owned();
    let mut found = vec![];
    for folder in ["crates", "xtask", "tests", "benches"] {
        for path in sources(folder) {
            let place = relative(&path);
            if !is_exempt(&place) {
                let text = fs::read_to_string(&path).expect("UTF-8");
                for block in comments(&text) {
                    faults(&place, &words(block.into_iter()), &rules, &mut found);
                }
            }
        }
    }
    for path in pages() {
        let place = relative(&path);
        if !is_exempt(&place) {
            let text = fs::read_to_string(&path).expect("UTF-8");
            faults(&place, &words((1..).zip(text.lines())), &rules, &mut found);
        }
    }
    let list = found.join("\n");
    assert!(found.is_empty(), "see {RULES}\n{list}");
}

/// The checks find what they should in a text that breaks each rule once, and nothing in code.
#[test]
fn faults_are_found() {
    let text = "\
> The guard stands behind the loop. A sentence.
> What follows is inverted, `what` in code is not, nor is
> what follows in a sentence, so
> many of them.
fn f() {}
> ```
> behind
> ```
> As a list:
> - Of an item
fn g() {}
> The same, for `g`.
"
    .replace('>', "///");
    let rules = rules();
    let mut found = vec![];
    for block in comments(&text) {
        faults(
            Path::new("f"),
            &words(block.into_iter()),
            &rules,
            &mut found,
        );
    }
    let places: Vec<&str> = found
        .iter()
        .map(|fault| fault.split(": ").next().expect("a place"))
        .collect();
    assert_eq!(
        places,
        ["f:1", "f:2", "f:3", "f:9", "f:10", "f:12"],
        "{found:?}"
    );
}
