//! The graph: dimensions, and the neurons and heads that write them.
//!
//! Five primitives, all of which a plain transformer computes as it is:
//!
//! | primitive | value | hardware |
//! |---|---|---|
//! | input | a number that the token's embedding, or the position, carries | a column of the embedding |
//! | ReGLU | a · relu(b) | one neuron |
//! | persist | a linear form, given a slot of its own | one neuron |
//! | lookup | a form's value at the token whose key is nearest to the query; of several, the latest | one head |
//! | running sum | the sum of a form over all tokens so far | one head (an average) and one neuron (times t + 1) |
//!
//! A dimension is the sum of what its writers put into it; it can be read once the last of them has
//! written. Several modules can therefore add to one dimension, and a neuron or head writes into as
//! many as it likes.

mod dependencies;

use crate::form::{Dim, LinearForm};

/// A neuron or head of the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WriterIdx(pub(crate) u32);

impl WriterIdx {
    /// Its index among the graph's writers, in order of creation.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a writer puts out; a head has up to two outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Output {
    pub(crate) writer: WriterIdx,
    pub(crate) part: usize,
}

/// Where a dimension comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Origin {
    /// Carried by the token's embedding; writers may add to it.
    Embedding,
    /// A polynomial of the position: coefficients of 1, t, t^2.
    Position([f64; 3]),
    /// Written by neurons and heads alone.
    Computed,
}

/// The keys of a lookup: the token's key point is `(2 index, -square + 2^-recency * time - CLEARED
/// * clear)`.
///
/// For a query q, or a fraction q = query / scale, the attended token maximises `-(q - index)^2`,
/// then `time`, among the tokens with `clear == 0`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Key {
    /// The integer that queries look for.
    pub index: LinearForm,
    /// Its square.
    pub square: LinearForm,
    /// Orders tokens of equal index, the greatest wins; `2^-recency * time` must stay below 1.
    pub time: LinearForm,
    /// The exponent that scales time.
    pub recency: i32,
    /// 0 where the token is a key, a positive integer where it is not.
    pub clear: LinearForm,
}

/// Lifts a cleared key below every honest one: more than the greatest squared distance, and no more
/// than exactness needs.
pub const CLEARED: i64 = 1 << 40;

/// 1.5 * 2^52: a number below 2^51 that is added to it is rounded to an integer.
const MAGIC: i64 = 3 << 51;

/// A neuron or head.
#[derive(Debug, Clone, PartialEq)]
pub enum Writer {
    /// value · relu(gate).
    Neuron {
        /// The linear factor.
        value: LinearForm,
        /// The rectified factor.
        gate: LinearForm,
    },
    /// A head that finds a key.
    Lookup {
        /// The integer looked for, or the numerator of a fraction whose nearest integer is looked
        /// for.
        query: LinearForm,
        /// The denominator, not negative; usually one.
        scale: LinearForm,
        /// The keys.
        key: Key,
        /// One or two forms, read at the token found.
        values: Vec<LinearForm>,
    },
    /// A head whose keys are all equal: the average of one or two forms over all tokens so far.
    Average {
        /// The forms.
        values: Vec<LinearForm>,
    },
    /// A neuron that multiplies an average by t + 1.
    Total {
        /// A dimension that an `Average` alone writes.
        average: Dim,
    },
}

impl Writer {
    /// Whether a head computes it; else a neuron does.
    #[must_use]
    pub const fn is_head(&self) -> bool {
        matches!(self, Writer::Lookup { .. } | Writer::Average { .. })
    }
}

#[derive(Debug, Clone)]
pub(crate) struct DimNode {
    pub(crate) name: String,
    pub(crate) origin: Origin,
    pub(crate) parts: Vec<Part>,
    /// May hold more than an integer below 2^53: never to be overwritten by adding new - old.
    pub(crate) inexact: bool,
    /// Holds a fraction, or does until it is complete: never to overwrite by adding new - old, of
    /// which the fraction would lose its lowest bits beside a large old.
    pub(crate) fraction: bool,
}

/// What a writer puts into a dimension: `coefficient * 2^-shift` times an output.
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
    /// Writers that must have written in an earlier half-layer, beside those of the dimensions
    /// read.
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
    /// A graph with the three dimensions that every graph has: `one` (1 at every token but the
    /// first), `t` and `t^2`.
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

    /// 1 at every token but the first, whose residual stream is therefore zero in every layer: it
    /// answers 0.
    #[must_use]
    pub const fn one(&self) -> Dim {
        self.one
    }

    /// The position, counted from 0.
    #[must_use]
    pub const fn time(&self) -> Dim {
        self.time
    }

    /// A constant, as a form.
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
            inexact: false,
            fraction: false,
        });
        Dim(u32::try_from(self.dims.len() - 1).expect("few dimensions"))
    }

    fn writer(&mut self, name: &str, writer: Writer) -> WriterIdx {
        let index = WriterIdx(u32::try_from(self.writers.len()).expect("few writers"));
        let name = if self.writers.iter().any(|node| node.name == name) {
            (2..)
                .map(|n| format!("{name}.{n}"))
                .find(|name| self.writers.iter().all(|node| node.name != *name))
        } else {
            Some(name.to_owned())
        };
        self.writers.push(WriterNode {
            name: name.expect("unbounded"),
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

    /// Adds `coefficient` times an output to a dimension.
    pub fn add(&mut self, dim: Dim, coefficient: i64, output: Output) {
        self.add_scaled(dim, coefficient, 0, output);
    }

    /// Adds `coefficient * 2^-shift` times an output to a dimension. The integer that the dimension
    /// stands for is the one nearest to the sum of all that is added; what is made of it must not
    /// notice the rest.
    pub fn add_scaled(&mut self, dim: Dim, coefficient: i64, shift: u32, output: Output) {
        let inexact = match &self.writers[output.writer.index()].writer {
            // A product may be a square of garbage.
            Writer::Neuron { value, gate } => {
                let varies =
                    |form: &LinearForm| form.terms().iter().any(|&(dim, _)| dim != self.one);
                (varies(value) && varies(gate))
                    || self.reads_inexact(value)
                    || self.reads_inexact(gate)
            }
            Writer::Lookup { values, .. } => self.reads_inexact(&values[output.part]),
            Writer::Average { .. } | Writer::Total { .. } => true,
        };
        let average = matches!(
            self.writers[output.writer.index()].writer,
            Writer::Average { .. }
        );
        let node = &mut self.dims[dim.index()];
        node.inexact |= inexact || shift > 0;
        node.fraction |= average || shift > 0;
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

    /// Primitive 3: a linear form in a slot of its own, so that its parts can die.
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

    /// A lookup whose query is a fraction: by position, a division that rounds to the nearest
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

    /// Another value at the token that a lookup with a single one finds.
    ///
    /// # Panics
    /// If the output is not that of a lookup with one value.
    pub fn second_value(&mut self, output: Output, value: impl Into<LinearForm>) -> Output {
        match &mut self.writers[output.writer.index()].writer {
            Writer::Lookup { values, .. } if values.len() == 1 => values.push(value.into()),
            _ => panic!("a lookup with one value is asked for another"),
        }
        Output { part: 1, ..output }
    }

    /// The keys of a lookup by position. A query below zero finds the first token, which answers 0.
    #[must_use]
    pub fn positions(&self) -> Key {
        Key {
            index: self.time.into(),
            square: self.time_squared.into(),
            ..Key::default()
        }
    }

    /// The keys of a lookup of the latest token of a kind: `clear` is 0 for that kind.
    #[must_use]
    pub fn latest(&self, clear: LinearForm) -> Key {
        Key {
            time: self.time.into(),
            clear,
            ..Key::default()
        }
    }

    /// Primitive 5: the sums of one or two forms over all tokens so far, off by rounding errors far
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

    /// A dimension that holds the integer nearest to `2^-shift` times one output, below 2^51: 1.5 *
    /// 2^52 is added with it and taken away in a later half-layer, which leaves no room for a
    /// fraction.
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
        // Rounded: the integer is exact, and no residue is left.
        self.dims[dim.index()].inexact = false;
        dim
    }

    /// The integer nearest to an output, below 2^51, a half-layer before
    /// [`hold_rounded`](Self::hold_rounded) has it: a dimension holds it with 1.5 * 2^52, and the
    /// form takes that away wherever it is read. A form that adds anything else would be rounded.
    pub fn hold_lifted(&mut self, name: &str, output: Output) -> LinearForm {
        let up = self.reglu(&format!("{name}:up"), self.constant(MAGIC), self.one);
        let dim = self.hold(name, output);
        self.add(dim, 1, up);
        // Rounded: the integer is exact.
        self.dims[dim.index()].inexact = false;
        dim - self.constant(MAGIC)
    }

    /// Says that a dimension may be so large that what its slot held before would be rounded beside
    /// it: the slot is zero before.
    pub fn alone(&mut self, dim: Dim) {
        self.dims[dim.index()].fraction = true;
    }

    /// Says that a dimension holds integers below 2^53 whatever a program does, though it is a
    /// product: its slot is written over as any other.
    pub fn exact(&mut self, dim: Dim) {
        self.dims[dim.index()].inexact = false;
    }

    /// Whether a dimension holds an integer below 2^53 at every token, so that its slot need not be
    /// zero before it is used again.
    #[must_use]
    pub fn is_exact(&self, dim: Dim) -> bool {
        !self.dims[dim.index()].inexact
    }

    /// Declares a dimension that the unembedding reads.
    pub fn output(&mut self, dim: Dim) {
        self.outputs.push(dim);
    }

    /// The dimensions that the unembedding reads.
    pub fn outputs(&self) -> impl Iterator<Item = Dim> + use<> {
        self.outputs.clone().into_iter()
    }

    /// A dimension's name.
    #[must_use]
    pub fn name(&self, dim: Dim) -> &str {
        &self.dims[dim.index()].name
    }

    /// A writer's name.
    #[must_use]
    pub fn writer_name(&self, writer: WriterIdx) -> &str {
        &self.writers[writer.index()].name
    }

    /// All dimensions, in order of creation.
    pub fn dims(&self) -> impl Iterator<Item = Dim> + use<> {
        (0..u32::try_from(self.dims.len()).expect("few dimensions")).map(Dim)
    }

    /// All writers, in order of creation.
    pub fn writers(&self) -> impl Iterator<Item = (WriterIdx, &Writer)> {
        self.writers
            .iter()
            .zip(0..)
            .map(|(node, index)| (WriterIdx(index), &node.writer))
    }
}
