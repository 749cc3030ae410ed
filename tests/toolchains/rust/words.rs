//! Counts the words of the standard input.

use std::collections::BTreeMap;
use std::io::{self, Read};

fn main() -> io::Result<()> {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    let mut words = BTreeMap::<&str, usize>::new();
    for word in text.split_whitespace() {
        *words.entry(word).or_default() += 1;
    }
    for (word, count) in words {
        println!("{word} {count}");
    }
    Ok(())
}
