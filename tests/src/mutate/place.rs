//! The places of non-zero weights.

use std::fmt;

use weightware_model::{Matrix, Model};

/// A part of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// `tok`.
    Embedding,
    /// The first third of `in_proj`.
    Query,
    /// The second third.
    Key,
    /// The last third.
    Value,
    /// `out_proj`.
    Out,
    /// The first half of `ff_in`.
    Gate,
    /// The second half.
    Factor,
    /// `ff_out`.
    Neuron,
    /// `head`.
    Unembedding,
}

impl Part {
    /// The name of the part.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Embedding => "embedding",
            Self::Query => "query",
            Self::Key => "key",
            Self::Value => "value",
            Self::Out => "out",
            Self::Gate => "gate",
            Self::Factor => "factor",
            Self::Neuron => "neuron out",
            Self::Unembedding => "unembedding",
        }
    }
}

/// A part of a layer, or a part that belongs to no layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Group {
    /// The layer.
    pub layer: Option<usize>,
    /// The part.
    pub part: Part,
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.layer {
            Some(layer) => write!(f, "layer {layer}, {}", self.part.name()),
            None => f.write_str(self.part.name()),
        }
    }
}

/// The place of a weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Its group.
    pub group: Group,
    /// Row of its matrix.
    pub row: usize,
    /// Column of its matrix.
    pub col: usize,
}

impl Place {
    pub(super) fn row_of(self, model: &mut Model) -> &mut [f64] {
        let weights = &mut model.weights;
        let layer = self.group.layer.map(|layer| &mut weights.layers[layer]);
        let matrix = match (self.group.part, layer) {
            (Part::Embedding, _) => &mut weights.tok,
            (Part::Query | Part::Key | Part::Value, Some(layer)) => &mut layer.in_proj,
            (Part::Out, Some(layer)) => &mut layer.out_proj,
            (Part::Gate | Part::Factor, Some(layer)) => &mut layer.ff_in,
            (Part::Neuron, Some(layer)) => &mut layer.ff_out,
            _ => &mut weights.head,
        };
        matrix.row_mut(self.row)
    }

    /// The head that a weight of `in_proj` belongs to.
    pub(super) fn head(self, d_model: usize) -> Option<usize> {
        let has_heads = matches!(self.group.part, Part::Query | Part::Key | Part::Value);
        has_heads.then_some(self.row % d_model / 2)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}, {}]", self.group, self.row, self.col)
    }
}

/// All groups with their non-zero weights.
#[must_use]
pub fn groups(model: &Model) -> Vec<(Group, Vec<Place>)> {
    let weights = &model.weights;
    let (d, f) = (model.config.shape.d_model, model.config.shape.d_ffn);
    let none = |part| Group { layer: None, part };
    let mut groups = vec![places(
        none(Part::Embedding),
        &weights.tok,
        0..weights.tok.rows,
    )];
    for (layer, weights) in weights.layers.iter().enumerate() {
        let group = |part| Group {
            layer: Some(layer),
            part,
        };
        groups.extend([
            places(group(Part::Query), &weights.in_proj, 0..d),
            places(group(Part::Key), &weights.in_proj, d..2 * d),
            places(group(Part::Value), &weights.in_proj, 2 * d..3 * d),
            places(group(Part::Out), &weights.out_proj, 0..d),
            places(group(Part::Gate), &weights.ff_in, 0..f),
            places(group(Part::Factor), &weights.ff_in, f..2 * f),
            places(group(Part::Neuron), &weights.ff_out, 0..d),
        ]);
    }
    groups.push(places(
        none(Part::Unembedding),
        &weights.head,
        0..weights.head.rows,
    ));
    groups
}

fn places(group: Group, matrix: &Matrix, rows: std::ops::Range<usize>) -> (Group, Vec<Place>) {
    let entries = rows.flat_map(|row| (0..matrix.cols).map(move |col| (row, col)));
    let there = entries.filter(|&(row, col)| matrix.row(row)[col] != 0.0);
    (
        group,
        there.map(|(row, col)| Place { group, row, col }).collect(),
    )
}
