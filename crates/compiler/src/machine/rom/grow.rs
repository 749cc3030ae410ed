//! Growth: neurons are appended to the tables of a model, and nothing else changes.

use weightware_model::{LayerWeights, Matrix, Model};

use super::Rom;
use super::read::{Place, has_shape, place, table_at};
use crate::machine::{Machine, Profile};
use crate::schedule::Schedule;

/// The reason why a model cannot grow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GrowthError {
    /// The model has no tables.
    #[error(
        "the model has no room for code in its weights: write one that has, `weightware weights --rom none --out DIR`"
    )]
    NoTables,
    /// The model would have to change.
    #[error(
        "{0}: a neuron of the model would change, so what it has in its weights would; put the new code and constants beyond the old ones"
    )]
    Changes(&'static str),
}

impl Rom {
    /// The model with these instructions and this memory in its weights instead of fewer ones.
    ///
    /// Every neuron of the model stays as it is, and new ones follow those of its layer. All other
    /// matrices are the same.
    ///
    /// # Errors
    /// If the model has no tables, or a neuron of it would have to change.
    pub fn grow(&self, model: &Model) -> Result<Model, GrowthError> {
        let profile = model.config.profile.as_deref().and_then(Profile::named);
        let has_rom = model
            .config
            .modules
            .iter()
            .flatten()
            .any(|name| name == Self::NAME);
        let profile = profile.filter(|_| has_rom).ok_or(GrowthError::NoTables)?;
        let machine = Machine::with_rom(profile, self.clone());
        let schedule = Schedule::parse(&machine.graph, profile.rom_schedule());
        let schedule = schedule.map_err(|_| GrowthError::NoTables)?;
        if !has_shape(model, &schedule) {
            return Err(GrowthError::NoTables);
        }
        let mut grown = model.clone();
        for name in ["rom.code", "rom.immediate", "rom.bytes", "rom.memory"] {
            let place = place(&machine, &schedule, name).ok_or(GrowthError::NoTables)?;
            let weights = &mut grown.weights.layers[place.layer];
            let old = table_at(&place, weights, &schedule).ok_or(GrowthError::NoTables)?;
            let mut new = place.table.bends().iter().peekable();
            let mut added = vec![];
            for bend in old.bends() {
                while let Some(other) = new.next_if(|other| other.at < bend.at) {
                    added.push(other);
                }
                let kept = new.next_if(|other| other.at == bend.at);
                if kept.is_none_or(|other| other.changes != bend.changes) {
                    return Err(GrowthError::Changes(name));
                }
            }
            added.extend(new);
            let neurons = added.iter().map(|bend| place.neuron(bend));
            append(weights, &neurons.collect::<Vec<_>>());
        }
        let widths = grown.weights.layers.iter().map(LayerWeights::neurons);
        grown.config.shape.d_ffn = widths.max().unwrap_or(0);
        Ok(grown)
    }
}

/// The row of a gate, that of a value, and a column of outputs.
pub(super) type Neuron = [Vec<f64>; 3];

impl Place<'_> {
    /// The neuron of a bend.
    fn neuron(&self, bend: &crate::table::Bend) -> Neuron {
        let width = self.argument.len();
        let mut gate = self.argument.clone();
        gate[self.unit] -= bend.at as f64;
        let mut value = vec![0.0; width];
        value[self.unit] = 1.0;
        let mut outputs = vec![0.0; width];
        for &(slot, part, factor) in &self.targets {
            outputs[slot] += factor * bend.changes[part] as f64;
        }
        [gate, value, outputs]
    }
}

/// Appends neurons to a layer.
fn append(weights: &mut LayerWeights, neurons: &[Neuron]) {
    let (old, count) = (weights.neurons(), neurons.len());
    let width = weights.ff_in.cols;
    let mut ff_in = Matrix::zeros(2 * (old + count), width);
    for third in 0..2 {
        for at in 0..old {
            let from = weights.ff_in.row(third * old + at);
            ff_in
                .row_mut(third * (old + count) + at)
                .copy_from_slice(from);
        }
        for (neuron, at) in neurons.iter().zip(old..) {
            let into = ff_in.row_mut(third * (old + count) + at);
            into.copy_from_slice(&neuron[third]);
        }
    }
    let mut ff_out = Matrix::zeros(weights.ff_out.rows, old + count);
    for slot in 0..weights.ff_out.rows {
        let row = ff_out.row_mut(slot);
        row[..old].copy_from_slice(weights.ff_out.row(slot));
        for (neuron, at) in neurons.iter().zip(old..) {
            row[at] = neuron[2][slot];
        }
    }
    weights.ff_in = ff_in;
    weights.ff_out = ff_out;
}
