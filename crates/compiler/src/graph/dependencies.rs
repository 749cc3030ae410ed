//! Dependencies between writers and dimensions, and the topological order that they allow.

use super::{Graph, LinearForm, Part, Writer, WriterIdx};
use crate::form::Dim;

/// How writers and dimensions depend on each other.
impl Graph {
    /// Dimensions that a writer reads, some perhaps twice.
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

    /// The dimensions that a writer adds to, and with which coefficients.
    pub fn writes(&self, writer: WriterIdx) -> impl Iterator<Item = (Dim, f64)> + use<> {
        let targets = self.targets(writer).into_iter();
        targets.map(|(dim, part)| {
            let coefficient = part.coefficient as f64;
            (dim, coefficient * 0.5_f64.powi(part.shift.cast_signed()))
        })
    }

    /// Where a writer's outputs go.
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

    /// Writers that must have written in an earlier half-layer: those of the dimensions it reads,
    /// and those it names.
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

    /// The writers in an order in which each comes after its sources.
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
