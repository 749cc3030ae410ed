//! The names of the weights of the default model, by place.

use weightware_compiler::machine::{Extension, Profile};
use weightware_compiler::{NeuronName, compile};
use weightware_model::Shape;

use super::{Part, Place};

/// The names of the default model.
#[derive(Debug, Clone)]
pub struct Names(weightware_compiler::Names);

impl Default for Names {
    fn default() -> Self {
        let compiled = compile(Profile::default(), &Extension::ALL);
        Self(compiled.expect("the committed schedule fits").names)
    }
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
        // A dimension that is written is alive after the half-layer; one that is read, before it.
        let dimension = self.dimension(slot, at as i32 - i32::from(!written));
        format!(
            "{} {} {dimension}",
            self.writer(at, number),
            if written { "->" } else { "<-" }
        )
    }

    /// The neurons with a name, as layer and row.
    pub fn neurons<'n>(&'n self, name: &'n str) -> impl Iterator<Item = (usize, usize)> + 'n {
        let base = |neuron: &NeuronName| {
            neuron
                .name
                .trim_end_matches(|c: char| c == '.' || c.is_ascii_digit())
                .to_owned()
        };
        let layers = self.0.layers.iter().enumerate();
        let neurons = layers.flat_map(|(layer, names)| {
            let rows = names.ffn.neurons.iter().enumerate();
            rows.filter_map(move |(row, neuron)| Some((layer, row, neuron.as_ref()?)))
        });
        neurons
            .filter(move |(.., neuron)| base(neuron) == name)
            .map(|(layer, row, _)| (layer, row))
    }

    /// The dimension that a weight reads.
    pub(super) fn read(&self, place: Place) -> String {
        let Some(layer) = place.group.layer else {
            return self.dimension(place.col, -1);
        };
        let heads = matches!(place.group.part, Part::Query | Part::Key | Part::Value);
        // The dimension is alive before the half-layer.
        self.dimension(place.col, 2 * layer as i32 - i32::from(heads))
    }

    fn writer(&self, at: usize, number: usize) -> &str {
        let name = match at % 2 {
            0 => self.0.head(at / 2, number).map(|head| &head.name),
            _ => self.0.neuron(at / 2, number).map(|neuron| &neuron.name),
        };
        name.map_or("nothing", String::as_str)
    }

    /// The dimension of a slot after a half-layer, or the last one before. Half-layer -1 is the
    /// embedding.
    fn dimension(&self, slot: usize, at: i32) -> String {
        let half_layers = usize::try_from(at + 1).expect("-1 at least");
        let names = (0..=half_layers).rev();
        let mut names = names.filter_map(|half_layers| self.0.slot(half_layers, slot));
        names.next().unwrap_or("nothing").to_owned()
    }
}
