//! A transformer of two layers that decides whether a sentence has an odd or an even number of
//! verbs. It is written in the graph language of the machine, and is the smallest example of a
//! computation as an append-only trace.
//!
//! The prompt is the sentence and a colon. For every word the model generates the parity of the
//! verbs up to it, `E0` or `O1`, and at the end the verdict:
//!
//! ```text
//! the cat runs and the dog jumps :   E0 E0 O1 O1 O1 O1 E0   even
//!
//! colon  = position of the colon                          layer 1: looks back at the colon
//! word   = verb, colon at position t - colon + 1          layer 2: looks back at one word of the prompt
//! parity = word.verb + parity - 2 word.verb parity        of the token itself
//! code   = parity + 4 word.colon
//! ```

use weightware_model::Model;

use crate::assemble::{Blueprint, TokenRow};
use crate::form::{Dim, LinearForm};
use crate::graph::Graph;
use crate::schedule::Budget;
use crate::search::solve;

/// The words of the vocabulary, and whether each is a verb.
pub const WORDS: [(&str, bool); 20] = [
    ("the", false),
    ("a", false),
    ("cat", false),
    ("dog", false),
    ("bird", false),
    ("fences", false),
    ("trees", false),
    ("and", false),
    ("over", false),
    ("under", false),
    ("quickly", false),
    ("quietly", false),
    ("runs", true),
    ("jumps", true),
    ("sleeps", true),
    ("sings", true),
    ("sees", true),
    ("eats", true),
    ("climbs", true),
    ("flies", true),
];

/// The sentence of the demonstration: two verbs.
pub const SENTENCE: &str = "the cat runs and the dog jumps over fences quickly";

/// The tokens that the model generates, and their codes: parities, then verdicts.
const OUTPUTS: [(&str, i64); 4] = [("E0", 0), ("O1", 1), ("even", 4), ("odd", 5)];

/// Builds the model: 2 layers, 10 slots, 5 heads, 3 neurons.
///
/// ```
/// let model = weightware_compiler::parity::model();
/// assert_eq!(model.config.shape.layers, 2);
/// ```
///
/// # Panics
/// Never: a test builds it.
#[must_use]
pub fn model() -> Model {
    let mut graph = Graph::new();
    let (one, time) = (graph.one(), graph.time());
    let verb = graph.input("verb");
    let is_colon = graph.input("is_colon");
    let parity = graph.input("parity");
    // 1 at every token except the colon: a token where it is 0 is a live key.
    let other = graph.input("other");

    let colons = graph.latest(other.into());
    let [colon] = graph.lookup("colon", LinearForm::zero(), &colons, [time.into()]);
    let colon = graph.hold("colon", colon);

    let positions = graph.positions();
    let at = time - colon + one;
    let [word_verb, end] = graph.lookup("word", at, &positions, [verb.into(), is_colon.into()]);
    let word_verb = graph.hold("word.verb", word_verb);

    // The code is summed up in the dimension of the parity.
    let both = graph.reglu("both", word_verb, parity);
    let code = graph.persist("code", word_verb + parity);
    graph.add(code, -2, both);
    graph.add(code, 4, end);
    graph.output(code);
    graph.output(one);

    let mut tokens = vec![];
    let mut token = |name: &str, embedding: Vec<(Dim, i64)>, logit: LinearForm| {
        tokens.push(TokenRow {
            string: name.to_owned(),
            embedding,
            logit,
        });
    };
    let never = || one * -(1 << 20);
    token("<begin>", vec![], never());
    token(":", vec![(one, 1), (is_colon, 1)], never());
    for (word, is_verb) in WORDS {
        let row = vec![(one, 1), (other, 1), (verb, i64::from(is_verb))];
        token(word, row, never());
    }
    for (name, value) in OUTPUTS {
        let row = vec![(one, 1), (other, 1), (parity, value % 4)];
        token(name, row, code * (2 * value) - one * (value * value));
    }
    let ends = tokens
        .iter()
        .zip(0..)
        .filter(|(token, _)| ["even", "odd"].contains(&token.string.as_str()));
    let end_tokens = ends.map(|(_, id)| id).collect();

    let budget = Budget {
        layers: 2,
        d_model: 10,
        d_ffn: 3,
    };
    let schedule = solve(&graph, budget, 1, 2000).expect("a small graph fits");
    let blueprint = Blueprint {
        graph: &graph,
        schedule: &schedule,
        tokens,
        end_tokens,
        profile: None,
        modules: None,
        context: None,
        last_position: crate::machine::Profile::STOCK.last_position,
        bounds: &[],
    };
    blueprint.assemble().expect("a solved schedule fits")
}

/// The prompt that asks for the parity of a sentence of [`WORDS`]: `<begin>`, the sentence, `:`.
#[must_use]
pub fn prompt(sentence: &str) -> String {
    format!("<begin> {sentence} :")
}
