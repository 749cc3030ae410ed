//! Growth: neurons are appended to the tables of a model, and nothing else changes.

use std::ops::Deref;

use weightware_analysis::LayerTables;
use weightware_model::{LayerWeights, Matrix, Model};

use super::Rom;
use super::read::{has_shape, place, specialised, table_at};
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
        "{0}: what the model has in its weights would change; put the new code and constants beyond the old ones"
    )]
    Changes(&'static str),
    /// The weights would have more than engines look up exactly.
    #[error(
        "layer {0}: the tables of code in the weights are full: with this they would sum to more than is exact; leave it out, or grow another model"
    )]
    Full(usize),
    /// Two parts of what the weights shall have are in one place.
    #[error("{0} overlap at {1}; put each beyond the one before")]
    Overlap(&'static str, u32),
}

impl Rom {
    /// The model with these instructions and this memory in its weights instead of fewer ones.
    ///
    /// Every neuron of the model stays as it is, and new ones follow those of its layer. All other
    /// matrices are the same.
    ///
    /// # Errors
    /// If the model has no tables; if a neuron of it, an instruction or a byte would have to
    /// change; if parts of the new code or memory overlap; or if tables would be too large for
    /// exact sums.
    pub fn grow(&self, model: &Model) -> Result<Model, GrowthError> {
        let blocks = self.library.iter();
        let blocks = blocks.map(|(first, code)| (*first, code.len()));
        let runs = self.memory.iter().map(|(first, run)| (*first, run.len()));
        are_apart("blocks of the library", blocks)?;
        are_apart("runs of the memory", runs)?;
        let profile = model.config.profile.as_deref().and_then(Profile::named);
        let specialised = specialised(model).ok_or(GrowthError::NoTables)?;
        let profile = profile.ok_or(GrowthError::NoTables)?;
        if specialised != self.is_specialised() {
            return Err(GrowthError::Changes("the program"));
        }
        let machine = Machine::with_rom(profile, self.clone());
        let schedule = Schedule::parse(&machine.graph, profile.rom_schedule(specialised));
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
        // New neurons alone may change an old value.
        let [old, new] = [model, &grown].map(Self::read);
        let [old, new] = [old, new].map(|rom| rom.ok_or(GrowthError::NoTables));
        new?.keeps(&old?)?;
        are_tables(model, &grown)?;
        Ok(grown)
    }

    /// Checks that all that another one has is the same here.
    fn keeps(&self, old: &Self) -> Result<(), GrowthError> {
        let is_program_kept = old.program.is_empty() || old.program == self.program;
        if !is_program_kept || !are_kept(&old.library, &self.library) {
            return Err(GrowthError::Changes("rom.code"));
        }
        match are_kept(&old.memory, &self.memory) {
            true => Ok(()),
            false => Err(GrowthError::Changes("rom.memory")),
        }
    }
}

/// Whether all parts, each with its beginning, are the same within new ones.
fn are_kept<T: PartialEq, P: Deref<Target = [T]>>(old: &[(u32, P)], new: &[(u32, P)]) -> bool {
    old.iter().all(|(first, part)| {
        new.iter().any(|(start, whole)| {
            let at = first.checked_sub(*start).map(|at| at as usize);
            at.and_then(|at| whole.get(at..at + part.len())) == Some(&part[..])
        })
    })
}

/// Checks that parts with a beginning and a length are in ascending order and apart.
fn are_apart(
    what: &'static str,
    parts: impl Iterator<Item = (u32, usize)>,
) -> Result<(), GrowthError> {
    let mut next = 0;
    for (first, len) in parts {
        if u64::from(first) < next {
            return Err(GrowthError::Overlap(what, first));
        }
        next = u64::from(first) + len as u64;
    }
    Ok(())
}

/// Checks that all new neurons belong to tables that engines look up.
fn are_tables(model: &Model, grown: &Model) -> Result<(), GrowthError> {
    let [old, new] = [model, grown].map(LayerTables::of);
    let mut layers = old.iter().zip(&new).zip(1..);
    match layers.find(|((old, new), _)| new.others.len() > old.others.len()) {
        Some((_, layer)) => Err(GrowthError::Full(layer)),
        None => Ok(()),
    }
}

/// Appends neurons to a layer: for each the row of its gate, that of its value, and its outputs.
fn append(weights: &mut LayerWeights, neurons: &[[Vec<f64>; 3]]) {
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
