//! Batches of the tasks against their definitions.

use std::collections::HashMap;

use weightware_train::Settings;
use weightware_train::task::{Batch, Task, corpus};

fn task(keys: &str) -> Box<dyn Task> {
    let text = format!("[training]\nsteps = 1\nbatch = 1\nlearning_rate = 0.1\n[task]\n{keys}");
    Settings::parse(&text, "the test")
        .unwrap()
        .task
        .open()
        .unwrap()
}

/// The words of a sequence, and the supervised positions with their targets.
type Words = (Vec<String>, Vec<(usize, String)>);

fn words(task: &dyn Task, batch: &Batch) -> Vec<Words> {
    let tokenizer = task.tokenizer();
    let word = |id: u32| tokenizer.strings()[id as usize].clone();
    let rows: Vec<u32> = match &batch.rows {
        Some(rows) => rows.clone(),
        None => (0..batch.tokens.len() as u32).collect(),
    };
    assert_eq!(batch.tokens.len(), batch.sequences * batch.length);
    assert_eq!(rows.len(), batch.targets.len());
    assert!(rows.is_sorted());
    (0..batch.sequences)
        .map(|i| {
            let tokens = &batch.tokens[i * batch.length..][..batch.length];
            let supervised = rows
                .iter()
                .zip(&batch.targets)
                .filter_map(|(&row, &target)| {
                    let position = (row as usize).checked_sub(i * batch.length)?;
                    (position < batch.length).then(|| (position, word(target)))
                });
            (
                tokens.iter().map(|&id| word(id)).collect(),
                supervised.collect(),
            )
        })
        .collect()
}

fn batches(task: &dyn Task) -> Vec<Batch> {
    let mut random = weightware_train::Random::seeded(1);
    let mut batches = vec![task.train(&mut random, 50), task.train(&mut random, 50)];
    batches.extend((0..task.tests().len()).map(|test| task.test(test, 0, &mut random, 20)));
    batches
}

#[test]
fn recall_queries_every_pair_once() {
    let task = task(
        "kind = \"recall\"\nvocab = 64\nlength = 32\npairs = [2, 8]\ntests = [[32, 8], [96, 20]]",
    );
    for batch in batches(&*task) {
        for (words, supervised) in words(&*task, &batch) {
            let pairs = supervised.len();
            let (context, queries) = words.split_at(2 * pairs);
            let known: HashMap<&String, &String> =
                context.chunks(2).map(|pair| (&pair[0], &pair[1])).collect();
            assert_eq!(known.len(), pairs, "keys differ");
            assert!(known.keys().all(|key| key.starts_with('k')));
            assert!(known.values().all(|value| value.starts_with('v')));
            let mut queried: Vec<&String> = Vec::new();
            for (position, value) in &supervised {
                assert!(*position >= 2 * pairs);
                assert_eq!(known[&words[*position]], value);
                assert_eq!(&words[position + 1], value);
                queried.push(&words[*position]);
            }
            queried.sort();
            queried.dedup();
            assert_eq!(queried.len(), pairs);
            let blank = queries.iter().filter(|word| *word == "_").count();
            assert_eq!(blank, queries.len() - 2 * pairs);
        }
    }
}

#[test]
fn copies_equal_their_strings() {
    let task = task("kind = \"copying\"\nletters = 5\nlengths = [1, 9]\ntests = [9, 30]");
    for batch in batches(&*task) {
        for (words, supervised) in words(&*task, &batch) {
            let bar = words.iter().position(|word| word == "|").unwrap();
            let string = &words[1..bar];
            assert_eq!(words[0], "^");
            assert_eq!(&words[bar + 1..], string);
            let answer: Vec<&str> = supervised.iter().map(|(_, word)| word.as_str()).collect();
            let must: Vec<&str> = string.iter().map(String::as_str).chain(["$"]).collect();
            assert_eq!(answer, must);
            assert_eq!(supervised[0].0, bar);
        }
    }
}

#[test]
fn parity_counts_ones() {
    let task = task("kind = \"tracking\"\ngroup = \"z2\"\nlength = 12\ntests = [40]");
    for batch in batches(&*task) {
        for (words, supervised) in words(&*task, &batch) {
            let mut ones = 0;
            assert_eq!(words[0], "^");
            assert_eq!(supervised.len(), words.len() - 1);
            for (word, (_, parity)) in words[1..].iter().zip(&supervised) {
                ones += usize::from(word == "g1");
                assert_eq!(*parity, format!("g{}", ones % 2));
            }
        }
    }
}

#[test]
fn validation_covers_the_last_tenth_once() {
    let task = task("kind = \"text\"\ncharacters = 5000\nlength = 16");
    let text: Vec<char> = corpus(5000).chars().collect();
    let cut = text.len() / 10 * 9;
    let mut random = weightware_train::Random::seeded(1);
    let mut seen = String::new();
    let mut windows = 0;
    loop {
        let batch = task.test(0, windows, &mut random, 7);
        if batch.sequences == 0 {
            break;
        }
        windows += batch.sequences;
        for (_, supervised) in words(&*task, &batch) {
            seen.extend(supervised.into_iter().map(|(_, character)| character));
        }
    }
    let must: String = text[cut + 1..].iter().take(16 * windows).collect();
    assert_eq!(seen, must);
    assert!(windows == (text.len() - 1 - cut) / 16);
    for (words, _) in words(&*task, &task.train(&mut random, 50)) {
        let training: String = text[..cut].iter().collect();
        assert!(training.contains(&words.concat()));
    }
}
