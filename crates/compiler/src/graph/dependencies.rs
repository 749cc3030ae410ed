//! Dependencies between writers and dimensions, and a topological order.

use super::{Graph, LinearForm, Part, Writer, WriterIdx};
use crate::form::Dim;

/// Dependencies of writers and dimensions.
impl Graph {
    /// The dimensions that a writer reads; some may occur twice.
    pub(crate) fn reads(&self, writer: WriterIdx) -> Vec<Dim> {
        let mut forms: Vec<&LinearForm> = vec![];
        let mut dims = vec![];
        match &self.writers[writer.index()].writer {
            Writer::Neuron { value, gate } => forms.extend([value, gate]),
            Writer::Lookup {
                query,
                scale,
                key,
                values,
            } => {
                forms.extend([query, scale, &key.index, &key.square, &key.time, &key.clear]);
                forms.extend(values);
            }
            Writer::Average { values } => forms.extend(values),
            Writer::Table { argument, .. } => forms.push(argument),
            Writer::Total { average } => dims.extend([*average, self.time, self.one]),
        }
        dims.extend(
            forms
                .iter()
                .flat_map(|form| form.terms())
                .map(|&(dim, _)| dim),
        );
        dims
    }

    /// The dimensions that a writer adds to, and the coefficients.
    pub fn writes(&self, writer: WriterIdx) -> impl Iterator<Item = (Dim, f64)> + use<> {
        let targets = self.targets(writer).into_iter();
        targets.map(|(dim, part)| {
            let coefficient = part.coefficient as f64;
            (dim, coefficient * 0.5_f64.powi(part.shift.cast_signed()))
        })
    }

    /// The terms of a writer's outputs, each with its dimension.
    pub(crate) fn targets(&self, writer: WriterIdx) -> Vec<(Dim, Part)> {
        let mut targets = vec![];
        for (node, dim) in self.dims.iter().zip(self.dims()) {
            targets.extend(
                node.parts
                    .iter()
                    .filter(|part| part.output.writer == writer)
                    .map(|&part| (dim, part)),
            );
        }
        targets
    }

    /// The writers that must have written in an earlier half-layer: those of the dimensions that
    /// the writer reads, and those that it names.
    pub(crate) fn sources(&self, writer: WriterIdx) -> Vec<WriterIdx> {
        let mut sources = self.writers[writer.index()].after.clone();
        for dim in self.reads(writer) {
            sources.extend(
                self.dims[dim.index()]
                    .parts
                    .iter()
                    .map(|part| part.output.writer),
            );
        }
        sources.sort_unstable();
        sources.dedup();
        sources
    }

    /// All writers in a topological order: each comes after its sources.
    ///
    /// # Panics
    /// If the graph has a cycle.
    pub(crate) fn order(&self) -> Vec<WriterIdx> {
        let sources: Vec<_> = self
            .writers()
            .map(|(writer, _)| self.sources(writer))
            .collect();
        let mut done = vec![false; self.writers.len()];
        let mut order = vec![];
        while order.len() < self.writers.len() {
            let before = order.len();
            for (writer, _) in self.writers() {
                if !done[writer.index()]
                    && sources[writer.index()]
                        .iter()
                        .all(|source| done[source.index()])
                {
                    done[writer.index()] = true;
                    order.push(writer);
                }
            }
            assert!(order.len() > before, "the graph has a cycle");
        }
        order
    }
}
