//! Transformers that add two numbers of ten digits, in two layouts of the prompt: one layer with
//! 168 weights, or two layers with 256. The residual stream has four slots: `one`, `t`, `t^2`, and
//! a digit.
//!
//! Numbers are written from the lowest digit on, and so is the sum that the model appends. Each
//! digit `s[i]` is predicted at the digit before it, `s[i-1]`:
//!
//! ```text
//! rest   = s[i-1] - 10 (a[i] + b[i]) - (a[i-1] + b[i-1])      attention
//!        = -10 (a[i] + b[i] + c[i]) + c[i-1]
//! answer = rest + 100 (rest <= -99)                           two neurons
//! logit  = -n answer - 5 n^2                                  of the digit n
//! ```
//!
//! No circuit computes the carry `c[i]` into digit `i`. The second line is the first one, since
//! `a[i-1] + b[i-1] + c[i-1] = s[i-1] + 10 c[i]`. So `rest` is `-10 s[i]`, less 100 if digit `i`
//! carries, and off by the earlier carry, 0 or 1. It is at least -90 or at most -99, and two
//! neurons tell these apart. The logit is greatest for the digit nearest to `-answer / 10`, by at
//! least 4.
//!
//! In [`Layout::Columns`] the digits of a column are neighbours. The position between them is
//! equally near to both, so that a head returns their average:
//!
//! ```text
//!   0 0  a0 b0  a1 b1  ...  a9 b9  0 0  s0 s1 ... s10     s[i] is predicted at t = 23 + i
//!
//! pair(p) = digit[p - 1/2] + digit[p + 1/2]
//! rest    = digit - 10 pair(2t - 43.5) - pair(2t - 45.5)    layer 1, two heads
//! ```
//!
//! In [`Layout::Rows`] one number comes after the other. A first layer adds to each digit the one
//! above it; the third row is zero, so that it adds nothing to the digits of the sum:
//!
//! ```text
//!   0  a0 a1 ... a9          positions  0 to 10
//!   0  b0 b1 ... b9                    11 to 21
//!   0  0  0  ... 0                     22 to 32
//!   0  s0 s1 ... s9 s10                33 to 44           s[i] is predicted at t = 33 + i
//!
//! column = digit + digit[t - 11]                            layer 1, one head
//! rest   = column - 10 column[t - 21] - column[t - 22]      layer 2, two heads
//! ```
//!
//! Digit, column, rest and answer are one slot: each [continues](Graph::continued) the one before.

use weightware_model::Model;

use crate::assemble::{Blueprint, TokenRow};
use crate::form::Dim;
use crate::graph::{Graph, Key};
use crate::schedule::Budget;
use crate::search::solve;

/// The digits of each number.
pub const DIGITS: usize = 10;

/// The digits of the sum.
pub const SUM_DIGITS: usize = DIGITS + 1;

/// The order of the digits in a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// The digits of a column side by side: one layer.
    Columns,
    /// One number after the other: two layers.
    Rows,
}

impl Layout {
    /// All layouts, the one of the smallest model first.
    pub const ALL: [Layout; 2] = [Layout::Columns, Layout::Rows];

    /// The tokens of a prompt.
    const fn prompt_tokens(self) -> usize {
        match self {
            Layout::Columns => 2 * (DIGITS + 2),
            Layout::Rows => 3 * SUM_DIGITS + 1,
        }
    }

    /// The position of digit `i` of one of the two numbers.
    const fn position(self, number: usize, i: usize) -> usize {
        match self {
            Layout::Columns => 2 * (i + 1) + number,
            Layout::Rows => SUM_DIGITS * number + 1 + i,
        }
    }
}

/// Builds the model: 4 slots, 2 heads and 2 neurons a layer, 10 tokens.
///
/// ```
/// use weightware_compiler::adder::{Layout, model};
///
/// let shape = model(Layout::Columns).config.shape;
/// assert_eq!((shape.layers, shape.d_model, shape.d_ffn), (1, 4, 2));
/// ```
///
/// # Panics
/// Never: a test builds it.
#[must_use]
pub fn model(layout: Layout) -> Model {
    let mut graph = Graph::new();
    let one = graph.one();
    let digit = graph.input("digit");
    let (rest, layers) = match layout {
        Layout::Columns => (rest_of_columns(&mut graph, digit), 1),
        Layout::Rows => (rest_of_rows(&mut graph, digit), 2),
    };

    // 20 (relu(x - 90) - relu(x - 95)) is 0 for x <= 90, and 100 for x >= 95.
    let [over_90, over_95] = [("over_90", 90), ("over_95", 95)]
        .map(|(name, bound)| graph.relu(name, -rest - one * bound));
    let answer = graph.continued("answer", rest);
    graph.add(answer, 20, over_90);
    graph.add(answer, -20, over_95);
    graph.output(answer);
    graph.output(one);

    let tokens = (0..10).map(|n| TokenRow {
        string: n.to_string(),
        embedding: vec![(one, 1), (digit, n)],
        logit: answer * -n - one * (5 * n * n),
    });
    let budget = Budget {
        layers,
        d_model: 4,
        d_ffn: 2,
    };
    let schedule = solve(&graph, budget, 1, 2000).expect("a small graph fits");
    let blueprint = Blueprint {
        graph: &graph,
        schedule: &schedule,
        tokens: tokens.collect(),
        end_tokens: vec![],
        profile: None,
        modules: None,
        context: None,
        last_position: (layout.prompt_tokens() + SUM_DIGITS - 1) as u64,
        bounds: &[],
    };
    blueprint.assemble().expect("a solved schedule fits")
}

fn rest_of_columns(graph: &mut Graph, digit: Dim) -> Dim {
    let (one, time) = (graph.one(), graph.time());
    // All is doubled, so that indices are even, and a query between two tokens is odd.
    let positions = graph.positions();
    let doubled = Key {
        index: positions.index * 2,
        square: positions.square * 4,
        ..Key::default()
    };
    let [[here], [before]] = [("here", 87), ("before", 91)].map(|(name, back)| {
        let query = time * 4 - one * back;
        // The average of two digits, doubled: their sum.
        graph.lookup(name, query, &doubled, [digit * 2])
    });
    let rest = graph.continued("rest", digit);
    graph.add(rest, -10, here);
    graph.add(rest, -1, before);
    rest
}

fn rest_of_rows(graph: &mut Graph, digit: Dim) -> Dim {
    let (one, time) = (graph.one(), graph.time());
    let positions = graph.positions();
    let [above] = graph.lookup("above", time - one * 11, &positions, [digit.into()]);
    let column = graph.continued("column", digit);
    graph.add(column, 1, above);

    let [[here], [before]] = [("here", 21), ("before", 22)].map(|(name, back)| {
        let query = time - one * back;
        graph.lookup(name, query, &positions, [column.into()])
    });
    let rest = graph.continued("rest", column);
    graph.add(rest, -10, here);
    graph.add(rest, -1, before);
    rest
}

/// The prompt that asks for the sum of two numbers, or `None` if one has more than ten digits.
///
/// ```
/// use weightware_compiler::adder::{Layout, prompt};
///
/// assert!(prompt(Layout::Columns, 12, 3).unwrap().starts_with("0 0 2 3 1 0 0 0 "));
/// assert!(prompt(Layout::Rows, 12, 3).unwrap().starts_with("0 2 1 0 0 0 0 0 0 0 0 0 3 0 "));
/// ```
#[must_use]
pub fn prompt(layout: Layout, a: u64, b: u64) -> Option<String> {
    let mut tokens = vec!["0".to_owned(); layout.prompt_tokens()];
    for (number, mut left) in [a, b].into_iter().enumerate() {
        for i in 0..DIGITS {
            tokens[layout.position(number, i)] = (left % 10).to_string();
            left /= 10;
        }
        if left > 0 {
            return None;
        }
    }
    Some(tokens.join(" "))
}

/// The number that the model's tokens state, or `None` if they are not [`SUM_DIGITS`] digits.
///
/// ```
/// let tokens = ["5", "1", "0", "0", "0", "0", "0", "0", "0", "0", "0"];
/// assert_eq!(weightware_compiler::adder::sum(tokens), Some(15));
/// ```
#[must_use]
pub fn sum<'a>(tokens: impl IntoIterator<Item = &'a str>) -> Option<u64> {
    let digits = tokens.into_iter().map(|token| {
        let digit: u64 = token.parse().ok()?;
        (digit < 10).then_some(digit)
    });
    let digits: Vec<u64> = digits.collect::<Option<_>>()?;
    // Eleven digits are below 2^64.
    (digits.len() == SUM_DIGITS).then(|| digits.iter().rev().fold(0, |sum, digit| sum * 10 + digit))
}
