//! Dependencies between writers and dimensions, and a topological order.

use super::{Graph, LinearForm, Origin, Part, Writer, WriterIdx};
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
    /// the writer reads, those of the dimensions whose slots its dimensions take over, and those
    /// that it names.
    pub(crate) fn sources(&self, writer: WriterIdx) -> Vec<WriterIdx> {
        let mut sources = self.writers[writer.index()].after.clone();
        for dim in self.reads(writer) {
            self.complete(Some(dim), &mut sources);
        }
        for (dim, _) in self.targets(writer) {
            self.complete(self.predecessor(dim), &mut sources);
        }
        sources.sort_unstable();
        sources.dedup();
        sources
    }

    /// The dimension whose slot a dimension takes over.
    fn predecessor(&self, dim: Dim) -> Option<Dim> {
        match self.dims[dim.index()].origin {
            Origin::Continued(old) => Some(old),
            Origin::Embedding | Origin::Position(_) | Origin::Computed => None,
        }
    }

    /// Appends the writers of a dimension, and of those that it continues.
    fn complete(&self, dim: Option<Dim>, writers: &mut Vec<WriterIdx>) {
        for dim in std::iter::successors(dim, |&dim| self.predecessor(dim)) {
            let parts = self.dims[dim.index()].parts.iter();
            writers.extend(parts.map(|part| part.output.writer));
        }
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
