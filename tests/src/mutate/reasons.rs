//! Why some mutations cannot be noticed.
//!
//! | what is doubled | why nothing follows |
//! |---|---|
//! | anything of the embedding of a token that ends the run | it never goes through the layers |
//! | the time of a query that asks for its own position | beyond its own position there is none |
//! | a query of keys without an index | the keys differ in height alone, whatever the query's size |
//! | what pushes a query below zero | the first token is found, however far below |
//! | what clears a key, alone in its row | it lies below all others, however far |
//! | a count that closes a gate from 1 on | at 0 it adds nothing; from 1 on the gate stays closed: relu(c - 2 w n) = relu(c - w n) = 0 for n >= 1, c <= w |
//!
//! The first three follow from the weights and the certificate. The others need to know of a slot that it holds an integer
//! that is never negative: [`COUNTS`] names dimensions that do, and a test holds the exact evaluator to it.

use weightware::{Certificate, Keys};
use weightware_model::Model;

use super::{Mutation, Names, Part, Place};

/// Dimensions that are integers from 0 to a greatest value, by what they are: counts of bytes, bytes, words, flags, steps of
/// rectified sums.
pub const COUNTS: [(&str, f64); 17] = [
    ("index", f64::INFINITY),
    ("top", WORD),
    ("second", WORD),
    ("lower_top", WORD),
    ("lower_second", WORD),
    ("a", 255.0),
    ("b", 255.0),
    ("fourth", 255.0),
    ("fetched.width", 8.0),
    ("immediate", 16_777_215.0),
    ("zero", 1.0),
    ("compare.decided", 1.0),
    ("top.negative", 1.0),
    ("beyond", f64::INFINITY),
    ("within", f64::INFINITY),
    ("memory.clear", f64::INFINITY),
    ("frame", 16_383.0),
];

const WORD: f64 = 4_294_967_295.0;
/// Greater than any position.
const PUSH: f64 = (1_u64 << 26) as f64;

/// What a reason follows from.
#[derive(Debug)]
pub(super) struct Grounds<'m> {
    pub(super) model: &'m Model,
    pub(super) certificate: &'m Certificate,
    pub(super) names: &'m Names,
}

impl Grounds<'_> {
    /// Why a mutation cannot be noticed, where that is so. `row` is the row before it.
    pub(super) fn reason(
        &self,
        place: Place,
        mutation: Mutation,
        row: &[f64],
    ) -> Option<&'static str> {
        if place.group.part == Part::Embedding {
            let mut ends = self.model.end_tokens.iter();
            return ends
                .any(|token| token.0 as usize == place.row)
                .then_some("the embedding of a token that ends the run is never read");
        }
        if mutation != Mutation::Scale {
            return None;
        }
        let weight = row[place.col];
        let dimension = self.names.read(place);
        let is_count = most(&dimension).is_some();
        let head = place.head(self.model.config.shape.d_model);
        let mut heads = self.certificate.heads.iter();
        let head = heads.find(|h| Some(h.layer) == place.group.layer && Some(h.head) == head);
        match (
            place.group.part,
            head.map(|head| (&head.keys, head.temperature)),
        ) {
            (Part::Query, Some((Keys::Positions { own: true, .. }, _))) if place.row % 2 == 0 => {
                Some("a query beyond its own position finds its own position")
            }
            (Part::Query, Some((Keys::Latest { .. }, _))) => {
                Some("of keys without an index, a query of any size finds the same")
            }
            (Part::Query, Some((Keys::Positions { .. }, temperature)))
                if is_count && weight <= -temperature * PUSH =>
            {
                Some("a query pushed below zero finds the first token, however far below")
            }
            (Part::Key, Some((Keys::Latest { clearing } | Keys::Indexed { clearing, .. }, _)))
                if weight <= -*clearing
                    && row
                        .iter()
                        .filter(|weight| weight.abs() >= *clearing)
                        .count()
                        == 1 =>
            {
                Some("a cleared key is low enough, however low")
            }
            (Part::Gate, _) if is_count && self.rest(place, row) <= -weight => {
                Some("a count that closes a gate from 1 on closes it, however often it counts")
            }
            _ => None,
        }
    }

    /// The most that a gate's other terms add up to; infinite if nothing bounds them.
    fn rest(&self, place: Place, row: &[f64]) -> f64 {
        let named = |col| self.names.read(Place { col, ..place });
        let mut class = [None; 2];
        let mut most_of_rest = 0.0;
        for (col, &weight) in row
            .iter()
            .enumerate()
            .filter(|&(col, &weight)| col != place.col && weight != 0.0)
        {
            let name = named(col);
            most_of_rest += match name.as_str() {
                "one" => weight.max(0.0),
                "fetched.class" => {
                    class[0] = Some(weight);
                    0.0
                }
                "fetched.class^2" => {
                    class[1] = Some(weight);
                    0.0
                }
                name => match most(name) {
                    Some(_) if weight < 0.0 => 0.0,
                    Some(most) => weight * most,
                    None => return f64::INFINITY,
                },
            };
        }
        // Class and square are one number, and `one` completes the square: added exactly, and not twice.
        if let [Some(linear), Some(square)] = class {
            let one = row
                .iter()
                .enumerate()
                .find(|&(col, _)| named(col) == "one")
                .map_or(0.0, |(_, &w)| w);
            let form = |k: i32| one + linear * f64::from(k) + square * f64::from(k * k);
            let classes = 0..64;
            return most_of_rest - one.max(0.0)
                + classes.map(form).fold(f64::NEG_INFINITY, f64::max);
        }
        match class {
            [None, None] => most_of_rest,
            _ => f64::INFINITY,
        }
    }
}

fn most(name: &str) -> Option<f64> {
    COUNTS
        .iter()
        .find(|(count, _)| *count == name)
        .map(|&(_, most)| most)
}
