//! Proofs that some mutations cannot be noticed.
//!
//! | what is doubled | why nothing follows |
//! |---|---|
//! | anything of the embedding of a token that ends the run | it never goes through the layers |
//! | the time of a query for the token's own position | there is no position beyond its own |
//! | a query of keys without an index | the keys differ in height alone, for any size of the query |
//! | what pushes a query below zero | the first token is found, however far below |
//! | what clears a key, alone in its row, or the flag that it multiplies | it lies below all others, however far |
//! | what makes up for the clearing, in keys of the latest of a kind | all keys of the kind are lifted alike |
//! | the one negative logit of a token that is never generated | it becomes even less likely; no other logit changes |
//! | a term of a comparison | `compare` holds [s + b >= 1]: s is a term times -1, 0 or 1, b is 0 or 1, so that 2 s + b falls on the same side |
//! | a count that closes a gate from 1 on | at 0 it adds nothing; from 1 on the gate stays closed: relu(c - 2 w n) = relu(c - w n) = 0 for n >= 1, c <= w |
//!
//! Most proofs follow from the weights and the certificate. The others need that a slot holds an
//! integer which is never negative: [`COUNTS`] names the dimensions that do, and a test checks them
//! with the exact evaluator.

use weightware::{Certificate, Keys};
use weightware_model::Model;

use super::{Mutation, Names, Part, Place};

/// Dimensions that are integers from 0 to a greatest value, in the order of their meanings: counts
/// of bytes, bytes, words, flags, steps of rectified sums.
pub const COUNTS: [(&str, f64); 24] = [
    ("index", f64::INFINITY),
    ("top", f64::INFINITY),
    ("second", f64::INFINITY),
    ("lower_top", f64::INFINITY),
    ("lower_second", f64::INFINITY),
    ("a", CODE),
    ("b", CODE),
    ("fourth", CODE),
    ("fetched.width", CODE),
    ("immediate", f64::INFINITY),
    ("zero", 1.0),
    ("compare.decided", 1.0),
    ("top.negative", 1.0),
    ("beyond", f64::INFINITY),
    ("within", f64::INFINITY),
    ("memory.clear", f64::INFINITY),
    ("local.clear", f64::INFINITY),
    ("div.missing.0", f64::INFINITY),
    ("div.missing.1", f64::INFINITY),
    ("div.missing.2", f64::INFINITY),
    ("shift.high.not_above", f64::INFINITY),
    ("shift.low.not_above", f64::INFINITY),
    ("frame", f64::INFINITY),
    ("missed", f64::INFINITY),
];

/// Greater than any byte or end token's code, which share one column.
const CODE: f64 = 1023.0;
/// Greater than any position.
const PUSH: f64 = (1_u64 << 26) as f64;

/// The weights that scale a term of a comparison.
const COMPARISON: [&str; 4] = [
    "compare.rise <- fetched.rise",
    "compare.fall <- fetched.fall",
    "compare.rise ->",
    "compare.fall ->",
];

/// The premises of a reason.
#[derive(Debug)]
pub(super) struct Grounds<'m> {
    pub(super) model: &'m Model,
    pub(super) certificate: &'m Certificate,
    pub(super) names: &'m Names,
}

impl Grounds<'_> {
    /// The reason for which a mutation cannot be noticed, if there is one. `row` is the original
    /// row.
    pub(super) fn reason(
        &self,
        place: Place,
        mutation: Mutation,
        row: &[f64],
    ) -> Option<&'static str> {
        if place.group.part == Part::Embedding {
            let mut ends = self.model.end_tokens.iter();
            if ends.any(|token| token.0 as usize == place.row) {
                return Some("the embedding of a token that ends the run is never read");
            }
            // Only keys read the dimension, as their clearing term, and wipes.
            let clears = mutation == Mutation::Scale && self.names.read(place) == "token.unstored";
            return clears.then_some("a cleared key is low enough, however low");
        }
        if mutation != Mutation::Scale {
            return None;
        }
        let weight = row[place.col];
        let alone = row.iter().filter(|&&weight| weight != 0.0).count() == 1;
        if place.group.part == Part::Unembedding {
            let never = alone && weight < 0.0 && self.names.read(place) == "one";
            return never
                .then_some("a token that is never said is said no more if it is less likely");
        }
        if matches!(place.group.part, Part::Factor | Part::Neuron) {
            let name = self.names.of(place, &self.model.config.shape);
            let compares = COMPARISON.iter().any(|term| name.starts_with(term));
            return compares.then_some("a comparison decides at 1, however far from it");
        }
        let dimension = self.names.read(place);
        let is_count = most(&dimension).is_some();
        let head = place.head(self.model.config.shape.d_model);
        let mut heads = self.certificate.heads.iter();
        let head = heads.find(|h| Some(h.layer) == place.group.layer && Some(h.head) == head);
        match (
            place.group.part,
            head.map(|head| (&head.keys, head.temperature)),
        ) {
            (Part::Query, Some((Keys::Positions { own: true, .. }, _)))
                if place.row.is_multiple_of(2) =>
            {
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
            (Part::Key, Some((Keys::Latest { clearing }, _)))
                if weight >= *clearing && row.contains(&-weight) =>
            {
                Some("the keys that are not cleared are lifted alike")
            }
            (Part::Gate, _) if is_count && self.rest(place, row) <= -weight => {
                Some("a count that closes a gate from 1 on closes it, however often it counts")
            }
            _ => None,
        }
    }

    /// The greatest sum of a gate's other terms; infinite if nothing bounds them.
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
        // Class and square are functions of one number, and `one` completes the square: it is exact
        // and added once.
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

#[cfg(test)]
mod tests {
    use weightware_compiler::Evaluator;
    use weightware_compiler::machine::{Extension, Machine};
    use weightware_isa::{Interpreter, Op, Token};

    use super::COUNTS;
    use crate::mutate::programs::small;

    /// The premise of doubled comparisons: signs in the columns `rise` and `fall`, 0 or 1 in
    /// `bias`.
    #[test]
    fn comparisons_have_signs_and_a_bit() {
        let machine = Machine::new(&Extension::ALL);
        let graph = &machine.graph;
        let column = |name: &str| {
            let dim = graph.dims().find(|&dim| graph.name(dim) == name);
            dim.unwrap_or_else(|| panic!("no dimension is called {name}"))
        };
        let [rise, fall, bias] = [
            "token.rise|quarter",
            "token.fall|power",
            "token.bias|coarse",
        ]
        .map(column);
        let relations = ["eq", "ne", "lt", "gt", "le", "ge"];
        let compares = |op: &Op| {
            let (_, operator) = op.spec().name.split_once('.').unwrap_or_default();
            let relation = operator.split('_').next().unwrap_or_default();
            relations.contains(&relation)
        };
        let comparisons: Vec<_> = Op::ALL.iter().copied().filter(compares).collect();
        assert_eq!(comparisons.len(), 20);
        for op in comparisons {
            let embedding = machine.embed(Token::Op(op));
            let of = |dim| {
                let entry = embedding.iter().find(|(at, _)| *at == dim);
                entry.map_or(0, |&(_, value)| value)
            };
            assert!((-1..=1).contains(&of(rise)), "{op}");
            assert!((-1..=1).contains(&of(fall)), "{op}");
            assert!((0..=1).contains(&of(bias)), "{op}");
        }
    }

    /// The exact evaluator, on programs that touch every instruction.
    #[test]
    fn counts_are_never_negative() {
        let machine = Machine::new(&Extension::ALL);
        let graph = &machine.graph;
        let dims = COUNTS.map(|(name, most)| {
            let dim = graph.dims().find(|&dim| graph.name(dim) == name);
            (
                dim.unwrap_or_else(|| panic!("no dimension is called {name}")),
                most,
            )
        });
        for program in small() {
            let mut evaluator = Evaluator::new(graph);
            let trace = Interpreter::new(&program).map(|token| token.expect("no fault"));
            for token in program.full_prompt().chain(trace) {
                evaluator.push(&machine.embed(token));
                for &(dim, most) in &dims {
                    let value = evaluator.value(dim) as f64;
                    assert!(
                        (0.0..=most).contains(&value),
                        "{} is {value} at {token}",
                        graph.name(dim)
                    );
                }
            }
        }
    }
}
