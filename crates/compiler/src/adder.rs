//! A transformer of two layers that adds two numbers of ten digits: 256 weights, of which 66 are
//! not zero. The residual stream has four slots: `one`, `t`, `t^2`, and a digit.
//!
//! The prompt has rows of eleven digits, the lowest first, each after a 0; the third row is zero.
//! The model writes the sum below, also from the lowest digit on. A digit is predicted one position
//! before its own:
//!
//! ```text
//!   0  a0 a1 ... a9          positions  0 to 10
//!   0  b0 b1 ... b9                    11 to 21
//!   0  0  0  ... 0                     22 to 32
//!   0  s0 s1 ... s9 s10                33 to 44; s[i] is predicted at t = 33 + i
//!
//! column = digit + digit[t - 11]                          layer 1, one head: a + b in row 2
//! rest   = column - 10 column[t - 21] - column[t - 22]    layer 2, two heads
//! answer = rest + 100 (rest <= -99)                       layer 2, two neurons
//! logit  = -n answer - 5 n^2                              of the digit n
//! ```
//!
//! The carry `c[i]` into digit `i` needs no circuit, since `a[i] + b[i] + c[i] = s[i] + 10 c[i+1]`:
//!
//! ```text
//! rest = s[i-1] - 10 (a[i] + b[i]) - (a[i-1] + b[i-1])
//!      = -10 (a[i] + b[i] + c[i]) + c[i-1]
//! ```
//!
//! So `rest` is `-10 s[i]`, less 100 if digit `i` carries, up to the 1 of an earlier carry.
//! It is at least -90 or at most -99, and two neurons tell these apart. The logit is greatest for
//! the digit nearest to `-answer / 10`, by 4 at least.
//!
//! Digit, column, rest and answer are one slot: each [continues](Graph::continued) the one before.

use weightware_model::Model;

use crate::assemble::{Blueprint, TokenRow};
use crate::graph::Graph;
use crate::schedule::Budget;
use crate::search::solve;

/// The digits of each number.
pub const DIGITS: usize = 10;

/// The digits of a row, and of the sum.
pub const WIDTH: usize = DIGITS + 1;

/// The tokens of a prompt: three rows, and the 0 before the sum.
const PROMPT: usize = 3 * WIDTH + 1;

/// Builds the model: 2 layers, 4 slots, 2 heads, 2 neurons, 10 tokens.
///
/// ```
/// let model = weightware_compiler::adder::model();
/// assert_eq!(model.config.shape.d_model, 4);
/// ```
///
/// # Panics
/// Never: a test builds it.
#[must_use]
pub fn model() -> Model {
    let mut graph = Graph::new();
    let (one, time) = (graph.one(), graph.time());
    let positions = graph.positions();
    let width = WIDTH as i64;

    let digit = graph.input("digit");
    let [above] = graph.lookup("above", time - one * width, &positions, [digit.into()]);
    let column = graph.continued("column", digit);
    graph.add(column, 1, above);

    let [[here], [before]] = [("here", 2 * width - 1), ("before", 2 * width)]
        .map(|(name, back)| graph.lookup(name, time - one * back, &positions, [column.into()]));
    let rest = graph.continued("rest", column);
    graph.add(rest, -10, here);
    graph.add(rest, -1, before);

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
        layers: 2,
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
        last_position: (PROMPT + WIDTH - 1) as u64,
        bounds: &[],
    };
    blueprint.assemble().expect("a solved schedule fits")
}

/// The prompt that asks for the sum of two numbers, or `None` if one has more than ten digits.
///
/// ```
/// let prompt = weightware_compiler::adder::prompt(12, 3).unwrap();
/// assert!(prompt.starts_with("0 2 1 0 0 0 0 0 0 0 0 0 3 0 "));
/// ```
#[must_use]
pub fn prompt(a: u64, b: u64) -> Option<String> {
    let mut digits = vec!["0".to_owned(); PROMPT];
    for (number, row) in [a, b].into_iter().zip(digits.chunks_mut(WIDTH)) {
        let mut left = number;
        for digit in &mut row[1..] {
            *digit = (left % 10).to_string();
            left /= 10;
        }
        if left > 0 {
            return None;
        }
    }
    Some(digits.join(" "))
}

/// The number that the model's tokens state, or `None` if they are not [`WIDTH`] digits.
///
/// ```
/// let tokens = ["5", "1", "0", "0", "0", "0", "0", "0", "0", "0", "0"];
/// assert_eq!(weightware_compiler::adder::number(tokens), Some(15));
/// ```
#[must_use]
pub fn number<'a>(tokens: impl IntoIterator<Item = &'a str>) -> Option<u64> {
    let mut digits = vec![];
    for token in tokens {
        let digit: u64 = token.parse().ok().filter(|&digit| digit < 10)?;
        digits.push(digit);
    }
    let sum = digits.iter().rev().fold(Some(0_u64), |sum, digit| {
        sum?.checked_mul(10)?.checked_add(*digit)
    });
    sum.filter(|_| digits.len() == WIDTH)
}
