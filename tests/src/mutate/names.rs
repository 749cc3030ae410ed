//! What the schedule calls heads, neurons and slots.

use weightware_compiler::machine::Profile;
use weightware_model::Shape;

use super::{Part, Place};

/// The lines of the committed schedule.
#[derive(Debug, Clone)]
pub struct Names {
    /// Half-layer, name: heads and neurons in the order of their rows.
    writers: Vec<(usize, String)>,
    /// Half-layer, slot, name: a head for two, or a neuron for each.
    wipes: Vec<(usize, usize, String)>,
    /// Slot, name, first and last half-layer; the embedding is -1.
    slots: Vec<(usize, String, [i32; 2])>,
}

impl Default for Names {
    /// Those of the default model.
    fn default() -> Self {
        let mut names = Self {
            writers: vec![],
            wipes: vec![],
            slots: vec![],
        };
        for line in Profile::default().schedule().lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[..] {
                ["head" | "neuron", at, name] => {
                    names.writers.push((half_layer(at), name.to_owned()))
                }
                ["wipe", at, name, "#", "slot", slot] => {
                    names
                        .wipes
                        .push((half_layer(at), number(slot), name.to_owned()));
                }
                ["slot", slot, name, "#", from, "to", to] => {
                    let from = if from == "embed" {
                        -1
                    } else {
                        half_layer(from) as i32
                    };
                    let lives = [from, half_layer(to) as i32];
                    names.slots.push((number(slot), name.to_owned(), lives));
                }
                _ => {}
            }
        }
        names
    }
}

fn number(word: &str) -> usize {
    word.parse().expect("a number of the schedule")
}

/// `1.attn` is 0, `1.ffn` 1.
fn half_layer(name: &str) -> usize {
    let (layer, half) = name.split_once('.').expect("a half-layer of the schedule");
    2 * number(layer) - if half == "attn" { 2 } else { 1 }
}

impl Names {
    /// The head or neuron that a weight belongs to, and the dimension that it reads or writes.
    #[must_use]
    pub fn of(&self, place: Place, shape: &Shape) -> String {
        let Some(layer) = place.group.layer else {
            let at = if place.group.part == Part::Embedding {
                -1
            } else {
                2 * shape.layers as i32
            };
            return self.dimension(place.col, at);
        };
        let attention = 2 * layer;
        let (at, number, slot, written) = match place.group.part {
            Part::Query | Part::Key | Part::Value => {
                (attention, place.row % shape.d_model / 2, place.col, false)
            }
            Part::Out => (attention, place.col / 2, place.row, true),
            Part::Gate | Part::Factor => (attention + 1, place.row % shape.d_ffn, place.col, false),
            _ => (attention + 1, place.col, place.row, true),
        };
        // What is written can be read behind the half-layer, what is read was there before it.
        let dimension = self.dimension(slot, at as i32 - i32::from(!written));
        format!(
            "{} {} {dimension}",
            self.writer(at, number),
            if written { "->" } else { "<-" }
        )
    }

    /// The neurons of that name: layer and row.
    pub fn neurons<'n>(&'n self, name: &'n str) -> impl Iterator<Item = (usize, usize)> + 'n {
        let numbered = self.writers.iter().enumerate().map(|(at, writer)| {
            let before = self.writers[..at].iter();
            (writer, before.filter(|other| other.0 == writer.0).count())
        });
        let base = |name: &str| {
            name.trim_end_matches(|c: char| c == '.' || c.is_ascii_digit())
                .to_owned()
        };
        numbered
            .filter(move |((half_layer, its), _)| half_layer % 2 == 1 && base(its) == name)
            .map(|((half_layer, _), number)| (half_layer / 2, number))
    }

    /// The dimension that a weight reads.
    pub(super) fn read(&self, place: Place) -> String {
        let Some(layer) = place.group.layer else {
            return self.dimension(place.col, -1);
        };
        let heads = matches!(place.group.part, Part::Query | Part::Key | Part::Value);
        // What was there before the half-layer.
        self.dimension(place.col, 2 * layer as i32 - i32::from(heads))
    }

    fn writer(&self, at: usize, number: usize) -> String {
        let mut writers = self
            .writers
            .iter()
            .filter(|(half_layer, _)| *half_layer == at);
        if let Some((_, name)) = writers.nth(number) {
            return name.clone();
        }
        let before = self
            .writers
            .iter()
            .filter(|(half_layer, _)| *half_layer == at)
            .count();
        let both = if at.is_multiple_of(2) { 2 } else { 1 };
        let wipes = self
            .wipes
            .iter()
            .filter(|(half_layer, ..)| *half_layer == at);
        let wiped: Vec<_> = wipes
            .skip((number - before) * both)
            .take(both)
            .map(|wipe| &*wipe.2)
            .collect();
        format!("wipe of {}", wiped.join(", "))
    }

    fn dimension(&self, slot: usize, at: i32) -> String {
        let mut there = self
            .slots
            .iter()
            .filter(|(s, _, [first, _])| *s == slot && *first <= at);
        there
            .next_back()
            .map_or("nothing", |(_, name, _)| name)
            .to_owned()
    }
}
