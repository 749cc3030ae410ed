//! Programs: what is computed for a token, in order.

/// A place among the numbers that a program computes.
pub(crate) type Register = u16;

/// Some consecutive entries of a program's arrays.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) len: u32,
}

/// A product of a sum.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Product {
    pub(crate) weight: f64,
    pub(crate) register: Register,
    /// Another factor; register [`ONE`] holds 1.
    pub(crate) factor: Register,
}

/// One step of a program.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Op {
    /// The token's embedding in a slot.
    Token { to: Register, slot: u16 },
    /// `start + products`, linear, in order.
    Linear {
        to: Register,
        start: f64,
        products: Span,
    },
    /// `start + products`, of degree 2; exact.
    Quadratic {
        to: Register,
        start: f64,
        products: Span,
    },
    /// `base + (0 + products)`, in order.
    Rounded {
        to: Register,
        base: Register,
        products: Span,
    },
    /// `max(gate, 0) * value`.
    Gated {
        to: Register,
        gate: Register,
        value: Register,
    },
    /// `gate * value`.
    Product {
        to: Register,
        gate: Register,
        value: Register,
    },
    /// The position nearest to a whole number.
    Whole { to: Register, query: Register },
    /// The position nearest to a number.
    Close {
        to: Register,
        query: Register,
        head: u32,
    },
    /// The position at which keys `(2 t, -t^2)`, up to a factor, score most.
    Nearest {
        to: Register,
        query: [Register; 2],
        scale: u32,
        head: u32,
    },
    /// A table's entry for the token at a place.
    Read {
        to: Register,
        place: Register,
        table: u32,
    },
    /// A table's entry for the token at the position nearest to the whole number `start + products`.
    Recall {
        to: Register,
        start: f64,
        products: Span,
        table: u32,
    },
    /// A number kept at a place.
    Kept {
        to: Register,
        place: Register,
        stream: u32,
    },
    /// Keeps a number.
    Keep { stream: u32, value: Register },
    /// Adds to a running sum.
    Add { sum: u32, value: Register },
    /// A running sum.
    Sum { to: Register, sum: u32 },
    /// The integer nearest to a number that is close to one.
    Near { to: Register, of: Register },
    /// The average of a running sum.
    Mean { to: Register, sum: u32 },
    /// A key of a group of which only the highest counts.
    Raise {
        group: u32,
        y: Register,
        values: Span,
    },
    /// A value at the highest key.
    Latest {
        to: Register,
        group: u32,
        value: u32,
    },
    /// A key of a table.
    Insert {
        group: u32,
        x: Register,
        y: Register,
        values: Span,
    },
    /// The entry of a table that scores most.
    Find {
        to: Register,
        group: u32,
        query: [Register; 2],
    },
    /// The entry nearest to a whole number.
    FindWhole {
        to: Register,
        group: u32,
        query: Register,
    },
    /// A value of an entry.
    Found {
        to: Register,
        group: u32,
        entry: Register,
        value: u32,
    },
    /// The entry nearest to the whole number `start + products`, and a value of it.
    Look {
        to: Register,
        entry: Register,
        group: u16,
        value: u16,
        start: f64,
        products: Span,
    },
    /// A key and its values, into a hull.
    Push {
        hull: u32,
        key: [Register; 2],
        values: [Register; 2],
    },
    /// Asks a hull.
    Ask {
        hull: u32,
        query: [Register; 2],
        to: [Register; 2],
    },
}

/// Holds the position.
pub(crate) const TIME: Register = 0;
/// Holds 1.
pub(crate) const ONE: Register = 1;
/// Holds the number by which programs are chosen.
pub(crate) const INDEX: Register = 2;
/// Holds 0.
pub(crate) const ZERO: Register = 3;
/// The first free register.
pub(crate) const FREE: Register = 4;

/// What a program ends with.
#[derive(Debug, Clone)]
pub(crate) enum Output {
    /// Nothing is asked.
    None,
    /// The same token always.
    Token(u32),
    /// The columns that the unembedding reads.
    Columns(Vec<Register>),
}

/// A sequence of steps.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) ops: Vec<Op>,
    pub(crate) products: Vec<Product>,
    pub(crate) registers: Vec<Register>,
    pub(crate) output: Output,
}
