//! The graph: dimensions of the residual stream, and the neurons and heads that write them.
//!
//! A plain transformer computes each of the six primitives directly:
//!
//! | primitive | value | hardware |
//! |---|---|---|
//! | input | a number that the token's embedding, or the position, carries | a column of the embedding |
//! | ReGLU | a · relu(b) | one neuron |
//! | persist | a linear form, given a slot of its own | one neuron |
//! | lookup | a form's value at the token whose key is nearest to the query; of several, the latest | one head |
//! | table | functions of an integer form | one neuron for each bend, beside those of the shape |
//! | running sum | the sum of a form over all tokens so far | one head (an average) and one neuron (times t + 1) |
//!
//! A dimension is the sum of what its writers add to it; it can be read once the last of them has
//! written. So several modules can add to one dimension, and a neuron or head can write to any
//! number of them.

mod dependencies;
mod writer;

pub use writer::{Key, Writer};

use std::sync::Arc;

use crate::form::{Dim, LinearForm};
use crate::table::Table;

/// A neuron or head of the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WriterIdx(pub(crate) u32);

impl WriterIdx {
    /// The writer's index in the graph, in order of creation.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// An output of a writer; a head has up to two, a table one for each column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Output {
    pub(crate) writer: WriterIdx,
    pub(crate) part: usize,
}

/// The origin of a dimension's initial value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Origin {
    /// The token's embedding carries it; writers may add to it.
    Embedding,
    /// A polynomial of the position: coefficients of 1, t, t^2.
    Position([f64; 3]),
    /// The initial value is 0, and only neurons and heads add to it.
    Computed,
    /// The initial value is that of another dimension, whose slot it takes over.
    Continued(Dim),
}

/// The amount by which `clear` lowers a key: more than the greatest squared distance, so that no
/// query finds it, and no more than exactness needs.
pub const CLEARED: i64 = 1 << 40;

/// 1.5 * 2^52: adding it rounds a number below 2^51 to an integer.
const MAGIC: i64 = 3 << 51;

#[derive(Debug, Clone)]
pub(crate) struct DimNode {
    pub(crate) name: String,
    pub(crate) origin: Origin,
    pub(crate) parts: Vec<Part>,
    /// The dimension that takes its slot over.
    pub(crate) heir: Option<Dim>,
    /// Whether it may hold more than an integer below 2^53. Its slot must be wiped, not reused by
    /// adding new - old.
    pub(crate) inexact: bool,
    /// Whether it holds a fraction, at least until it is complete. Its slot must be zero before:
    /// adding new - old would round away the fraction's lowest bits beside a large old value.
    pub(crate) fraction: bool,
}

/// A term of a dimension: `coefficient * 2^-shift` times an output of a writer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Part {
    pub(crate) output: Output,
    pub(crate) coefficient: i64,
    pub(crate) shift: u32,
}

#[derive(Debug, Clone)]
pub(crate) struct WriterNode {
    pub(crate) name: String,
    pub(crate) writer: Writer,
    /// Writers that must have written in an earlier half-layer, besides those of the dimensions
    /// that this writer reads.
    pub(crate) after: Vec<WriterIdx>,
}

/// A graph of dimensions and writers.
#[derive(Debug, Clone)]
pub struct Graph {
    pub(crate) dims: Vec<DimNode>,
    pub(crate) writers: Vec<WriterNode>,
    pub(crate) outputs: Vec<Dim>,
    one: Dim,
    time: Dim,
    time_squared: Dim,
}

impl Default for Graph {
    fn default() -> Self {
        Self::new()
    }
}

impl Graph {
    /// Creates a graph with the three dimensions that every graph has: `one` (1 at every token but
    /// the first), `t` and `t^2`.
    #[must_use]
    pub fn new() -> Self {
        let [one, time, time_squared] = [Dim(0), Dim(1), Dim(2)];
        let mut graph = Self {
            dims: vec![],
            writers: vec![],
            outputs: vec![],
            one,
            time,
            time_squared,
        };
        graph.dim_of("one", Origin::Embedding);
        graph.dim_of("t", Origin::Position([0.0, 1.0, 0.0]));
        graph.dim_of("t^2", Origin::Position([0.0, 0.0, 1.0]));
        graph
    }

    /// The dimension that is 1 at every token but the first. The first token's residual stream is
    /// therefore zero in every layer, and a lookup that finds that token returns 0.
    #[must_use]
    pub const fn one(&self) -> Dim {
        self.one
    }

    /// The position, counted from 0.
    #[must_use]
    pub const fn time(&self) -> Dim {
        self.time
    }

    /// A constant: a multiple of `one`.
    #[must_use]
    pub fn constant(&self, value: i64) -> LinearForm {
        self.one * value
    }

    fn dim_of(&mut self, name: &str, origin: Origin) -> Dim {
        assert!(
            self.dims.iter().all(|dim| dim.name != name),
            "two dimensions are called {name}"
        );
        assert!(
            !name.contains(char::is_whitespace),
            "a dimension's name is one word: {name:?}"
        );
        self.dims.push(DimNode {
            name: name.to_owned(),
            origin,
            parts: vec![],
            heir: None,
            inexact: false,
            fraction: false,
        });
        Dim(u32::try_from(self.dims.len() - 1).expect("a graph has fewer than 2^32 dimensions"))
    }

    fn writer(&mut self, name: &str, writer: Writer) -> WriterIdx {
        let index = WriterIdx(
            u32::try_from(self.writers.len()).expect("a graph has fewer than 2^32 writers"),
        );
        let name = if self.writers.iter().any(|node| node.name == name) {
            (2..)
                .map(|n| format!("{name}.{n}"))
                .find(|name| self.writers.iter().all(|node| node.name != *name))
        } else {
            Some(name.to_owned())
        };
        self.writers.push(WriterNode {
            name: name.expect("the numbers of a name do not end"),
            writer,
            after: vec![],
        });
        index
    }

    /// Primitive 1: a dimension that the embedding carries. Writers may add to it.
    pub fn input(&mut self, name: &str) -> Dim {
        self.dim_of(name, Origin::Embedding)
    }

    /// A dimension to which writers will add.
    pub fn dim(&mut self, name: &str) -> Dim {
        self.dim_of(name, Origin::Computed)
    }

    /// A dimension that begins with the value of another one and takes its slot over: what writers
    /// add to it is added there, so that neither a slot nor a wipe is needed.
    ///
    /// In the half-layer in which the first of them writes, the other dimension can still be read,
    /// later it cannot.
    ///
    /// # Panics
    /// If the other dimension is `one`, `t` or `t^2`, holds a fraction, is an output, or has been
    /// taken over.
    pub fn continued(&mut self, name: &str, dim: Dim) -> Dim {
        assert!(dim.index() >= 3, "one, t and t^2 keep their slots");
        assert!(
            !self.outputs.contains(&dim),
            "an output lives to the end, {name} cannot take its slot over"
        );
        let heir = self.dim_of(name, Origin::Continued(dim));
        let old = &mut self.dims[dim.index()];
        assert!(!old.fraction, "a fraction's slot cannot be taken over");
        assert!(old.heir.is_none(), "a dimension is taken over once");
        old.heir = Some(heir);
        self.dims[heir.index()].inexact = self.dims[dim.index()].inexact;
        heir
    }

    /// The dimensions that take over a dimension's slot, one after the other.
    pub(crate) fn heirs(&self, dim: Dim) -> impl Iterator<Item = Dim> {
        std::iter::successors(self.dims[dim.index()].heir, |dim| {
            self.dims[dim.index()].heir
        })
    }

    /// Adds `coefficient` times an output to a dimension.
    pub fn add(&mut self, dim: Dim, coefficient: i64, output: Output) {
        self.add_scaled(dim, coefficient, 0, output);
    }

    /// Adds `coefficient * 2^-shift` times an output to a dimension. The dimension stands for the
    /// integer nearest to the sum of all terms; its readers must not depend on the remainder.
    ///
    /// # Panics
    /// If the dimension has been taken over, or takes another one over and the term is a fraction.
    pub fn add_scaled(&mut self, dim: Dim, coefficient: i64, shift: u32, output: Output) {
        let inexact = match &self.writers[output.writer.index()].writer {
            // The product may be the square of a meaningless number.
            Writer::Neuron { value, gate } => {
                let varies =
                    |form: &LinearForm| form.terms().iter().any(|&(dim, _)| dim != self.one);
                (varies(value) && varies(gate))
                    || self.reads_inexact(value)
                    || self.reads_inexact(gate)
            }
            Writer::Lookup { values, .. } => self.reads_inexact(&values[output.part]),
            Writer::Average { .. } | Writer::Total { .. } => true,
            Writer::Table { argument, .. } => self.reads_inexact(argument),
        };
        let average = matches!(
            self.writers[output.writer.index()].writer,
            Writer::Average { .. }
        );
        let node = &mut self.dims[dim.index()];
        assert!(node.heir.is_none(), "{} has been taken over", node.name);
        node.inexact |= inexact || shift > 0;
        node.fraction |= average || shift > 0;
        assert!(
            !(node.fraction && matches!(node.origin, Origin::Continued(_))),
            "{} begins in a slot that is not zero, so it cannot hold a fraction",
            node.name
        );
        node.parts.push(Part {
            output,
            coefficient,
            shift,
        });
    }

    fn reads_inexact(&self, form: &LinearForm) -> bool {
        form.terms()
            .iter()
            .any(|&(dim, _)| self.dims[dim.index()].inexact)
    }

    /// A dimension that holds one output.
    pub fn hold(&mut self, name: &str, output: Output) -> Dim {
        let dim = self.dim(name);
        self.add(dim, 1, output);
        dim
    }

    /// Primitive 2: `value * relu(gate)`.
    pub fn reglu(
        &mut self,
        name: &str,
        value: impl Into<LinearForm>,
        gate: impl Into<LinearForm>,
    ) -> Output {
        let writer = self.writer(
            name,
            Writer::Neuron {
                value: value.into(),
                gate: gate.into(),
            },
        );
        Output { writer, part: 0 }
    }

    /// `relu(gate)`: a ReGLU whose value is one.
    pub fn relu(&mut self, name: &str, gate: impl Into<LinearForm>) -> Output {
        self.reglu(name, self.one, gate)
    }

    /// Primitive 5: functions of an integer, one output for each column. Its neurons are not
    /// counted against a schedule's budget.
    pub fn table(
        &mut self,
        name: &str,
        argument: impl Into<LinearForm>,
        table: Table,
    ) -> Vec<Output> {
        let columns = table.columns();
        let writer = self.writer(
            name,
            Writer::Table {
                argument: argument.into(),
                table: Arc::new(table),
            },
        );
        (0..columns).map(|part| Output { writer, part }).collect()
    }

    /// Primitive 3: a linear form in a slot of its own, so that the slots of its terms become free.
    pub fn persist(&mut self, name: &str, form: impl Into<LinearForm>) -> Dim {
        let output = self.reglu(name, form, self.one);
        self.hold(name, output)
    }

    /// Primitive 4: the values at the token that the query finds.
    ///
    /// # Panics
    /// If there are not one or two values.
    pub fn lookup<const N: usize>(
        &mut self,
        name: &str,
        query: impl Into<LinearForm>,
        key: &Key,
        values: [LinearForm; N],
    ) -> [Output; N] {
        self.lookup_fraction(name, query, self.one, key, values)
    }

    /// A lookup whose query is a fraction. By position, it is a division that rounds to the nearest
    /// integer.
    ///
    /// # Panics
    /// If there are not one or two values.
    pub fn lookup_fraction<const N: usize>(
        &mut self,
        name: &str,
        query: impl Into<LinearForm>,
        scale: impl Into<LinearForm>,
        key: &Key,
        values: [LinearForm; N],
    ) -> [Output; N] {
        assert!((1..=2).contains(&N), "a head has one or two values");
        let (query, scale) = (query.into(), scale.into());
        let writer = self.writer(
            name,
            Writer::Lookup {
                query,
                scale,
                key: key.clone(),
                values: values.to_vec(),
            },
        );
        std::array::from_fn(|part| Output { writer, part })
    }

    /// Adds a second value to a lookup that has one.
    ///
    /// # Panics
    /// If the output is not that of a lookup with one value.
    pub fn second_value(&mut self, output: Output, value: impl Into<LinearForm>) -> Output {
        match &mut self.writers[output.writer.index()].writer {
            Writer::Lookup { values, .. } if values.len() == 1 => values.push(value.into()),
            _ => panic!("second_value needs an output of a lookup with one value"),
        }
        Output { part: 1, ..output }
    }

    /// The keys of a lookup by position. A query below zero finds the first token, whose values are
    /// 0.
    #[must_use]
    pub fn positions(&self) -> Key {
        Key {
            index: self.time.into(),
            square: self.time_squared.into(),
            ..Key::default()
        }
    }

    /// The keys of a lookup for the latest token of a kind: `clear` is 0 at tokens of that kind.
    #[must_use]
    pub fn latest(&self, clear: LinearForm) -> Key {
        Key {
            time: self.time.into(),
            clear,
            ..Key::default()
        }
    }

    /// Primitive 6: the sums of one or two forms over all tokens so far. Rounding errors are far
    /// below 1/2.
    pub fn running_sums<const N: usize>(
        &mut self,
        names: [&str; N],
        forms: [LinearForm; N],
    ) -> [Output; N] {
        assert!((1..=2).contains(&N), "a head has one or two values");
        let head = self.writer(
            &format!("average:{}", names.join("+")),
            Writer::Average {
                values: forms.to_vec(),
            },
        );
        std::array::from_fn(|part| {
            let average = self.hold(
                &format!("average:{}", names[part]),
                Output { writer: head, part },
            );
            let writer = self.writer(&format!("total:{}", names[part]), Writer::Total { average });
            Output { writer, part: 0 }
        })
    }

    /// A dimension that holds the integer nearest to `2^-shift` times one output, below 2^51.
    ///
    /// In one half-layer 1.5 * 2^52 is added with the output, which leaves no room for a fraction;
    /// in a later one it is subtracted.
    pub fn hold_rounded(&mut self, name: &str, output: Output, shift: u32) -> Dim {
        let up = self.reglu(&format!("{name}:up"), self.constant(MAGIC), self.one);
        let key = self.positions();
        let [down] = self.lookup(
            &format!("{name}:down"),
            self.time,
            &key,
            [self.constant(MAGIC)],
        );
        self.writers[down.writer.index()].after = vec![output.writer, up.writer];
        let dim = self.dim(name);
        self.add_scaled(dim, 1, shift, output);
        self.add(dim, 1, up);
        self.add(dim, -1, down);
        // The addition of 1.5 * 2^52 has rounded it: the integer is exact, and no residue is left.
        self.dims[dim.index()].inexact = false;
        dim
    }

    /// The integer nearest to an output, below 2^51, one half-layer earlier than
    /// [`hold_rounded`](Self::hold_rounded) provides it.
    ///
    /// A dimension holds the integer plus 1.5 * 2^52, and the returned form subtracts that wherever
    /// it is read. Rounding would spoil a form that adds anything else to it.
    pub fn hold_lifted(&mut self, name: &str, output: Output) -> LinearForm {
        let up = self.reglu(&format!("{name}:up"), self.constant(MAGIC), self.one);
        let dim = self.hold(name, output);
        self.add(dim, 1, up);
        // The addition of 1.5 * 2^52 has rounded it: the integer is exact.
        self.dims[dim.index()].inexact = false;
        dim - self.constant(MAGIC)
    }

    /// Requires that a dimension's slot is zero before it is written. Needed if the dimension may
    /// be so large that the slot's old value would be rounded beside it.
    pub fn alone(&mut self, dim: Dim) {
        self.dims[dim.index()].fraction = true;
    }

    /// Declares that a product is always an integer below 2^53, in every program. Its slot can then
    /// be reused by adding new - old.
    pub fn exact(&mut self, dim: Dim) {
        self.dims[dim.index()].inexact = false;
    }

    /// Whether a dimension holds an integer below 2^53 at every token, so that its slot can be
    /// reused without a wipe.
    #[must_use]
    pub fn is_exact(&self, dim: Dim) -> bool {
        !self.dims[dim.index()].inexact
    }

    /// Declares a dimension that the unembedding reads.
    ///
    /// # Panics
    /// If the dimension has been taken over.
    pub fn output(&mut self, dim: Dim) {
        let node = &self.dims[dim.index()];
        assert!(node.heir.is_none(), "{} has been taken over", node.name);
        self.outputs.push(dim);
    }

    /// The dimensions that the unembedding reads.
    pub fn outputs(&self) -> impl Iterator<Item = Dim> + use<> {
        self.outputs.clone().into_iter()
    }

    /// The name of a dimension, given when it was added.
    ///
    /// # Panics
    /// If the dimension belongs to another graph, which has more.
    #[must_use]
    pub fn name(&self, dim: Dim) -> &str {
        &self.dims[dim.index()].name
    }

    /// The name of a writer, given when it was added; names and errors show it.
    ///
    /// # Panics
    /// If the writer belongs to another graph, which has more.
    #[must_use]
    pub fn writer_name(&self, writer: WriterIdx) -> &str {
        &self.writers[writer.index()].name
    }

    /// All dimensions, in order of creation.
    pub fn dims(&self) -> impl Iterator<Item = Dim> + use<> {
        (0..u32::try_from(self.dims.len()).expect("a graph has fewer than 2^32 dimensions"))
            .map(Dim)
    }

    /// All writers, in order of creation.
    pub fn writers(&self) -> impl Iterator<Item = (WriterIdx, &Writer)> {
        self.writers
            .iter()
            .zip(0..)
            .map(|(node, index)| (WriterIdx(index), &node.writer))
    }
}
