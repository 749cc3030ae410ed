//! A generated corpus: little stories from a probabilistic grammar.
//!
//! A story has a hero and a thing. Later sentences name both again and agree in number, so that a
//! model gains by looking back; words, spelling and punctuation are there to be learned first.

use crate::random::{Random, Stream};

const NAMES: [&str; 12] = [
    "Ada", "Alan", "Grace", "Kurt", "Emmy", "Alonzo", "Sofia", "Niels", "Hedy", "Carl", "Mary",
    "Omar",
];
const THINGS: [&str; 12] = [
    "lamp", "stone", "letter", "clock", "boat", "mirror", "kite", "bridge", "garden", "engine",
    "violin", "ladder",
];
const ADJECTIVES: [&str; 10] = [
    "old", "small", "green", "quiet", "broken", "golden", "heavy", "strange", "bright", "cold",
];
const PLACES: [&str; 8] = [
    "by the river",
    "in the tower",
    "under the hill",
    "near the harbour",
    "behind the mill",
    "in the snow",
    "at the market",
    "on the roof",
];
const FINDS: [&str; 5] = ["found", "built", "bought", "saw", "drew"];
const MOVES: [&str; 5] = ["carried", "showed", "lent", "gave", "sent"];
const SAYS: [&str; 4] = ["said", "asked", "whispered", "cried"];
const NUMBERS: [&str; 5] = ["two", "three", "four", "five", "seven"];

/// At least `characters` characters of stories; the same for the same number.
#[must_use]
pub fn corpus(characters: usize) -> String {
    let mut random = Random::new(0, Stream::Corpus, 0);
    let mut text = String::new();
    while text.len() < characters {
        story(&mut text, &mut random);
    }
    text
}

fn pick<'a>(random: &mut Random, words: &[&'a str]) -> &'a str {
    words[random.below(words.len())]
}

fn story(text: &mut String, random: &mut Random) {
    let hero = pick(random, &NAMES);
    let mut friend = pick(random, &NAMES);
    while friend == hero {
        friend = pick(random, &NAMES);
    }
    let (thing, adjective) = (pick(random, &THINGS), pick(random, &ADJECTIVES));
    let is_many = random.below(3) == 0;
    let named = if is_many {
        format!("{} {adjective} {thing}s", pick(random, &NUMBERS))
    } else if adjective.starts_with(['a', 'e', 'i', 'o', 'u']) {
        format!("an {adjective} {thing}")
    } else {
        format!("a {adjective} {thing}")
    };
    let (it, was, again) = if is_many {
        ("them", "were", format!("{thing}s"))
    } else {
        ("it", "was", thing.to_owned())
    };
    text.push_str(&format!(
        "{hero} {} {named} {}.\n",
        pick(random, &FINDS),
        pick(random, &PLACES)
    ));
    for _ in 0..1 + random.below(4) {
        let sentence = match random.below(5) {
            0 => format!(
                "\"Who lost the {again}?\" {} {hero}.\n",
                pick(random, &SAYS)
            ),
            1 => format!("{hero} {} {it} to {friend}.\n", pick(random, &MOVES)),
            2 => format!("The {again} {was} {adjective}, and {friend} liked {it}.\n"),
            3 => format!("{friend} kept the {again} {}.\n", pick(random, &PLACES)),
            _ => format!(
                "\"The {again} {was} {adjective}\", {} {friend}.\n",
                pick(random, &SAYS)
            ),
        };
        text.push_str(&sentence);
    }
    text.push('\n');
}
