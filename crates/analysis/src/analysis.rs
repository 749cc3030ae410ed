//! What the weights make of a token, as forms: abstract interpretation of the network, on demand.

use std::sync::Arc;

use crate::arithmetic::Made;
use crate::atoms::{Atoms, Mark};
use crate::classes::Classes;
use crate::form::{Atom, Form, FormId};
use crate::hash::{QuickMap, QuickSet};
use crate::interpret::{Forms, Scope};
use crate::range::{Range, power};
use crate::rows::{HeadRows, Rows};
use crate::shared::Shared;
use crate::sparse::Row;

/// A live head: its layer, and its place among the live heads of it.
pub type HeadAt = (usize, usize);

/// What a token offers to those behind it at a head: the first token's, which attends to itself alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Offer {
    /// Its key.
    pub key: [f64; 2],
    /// Its value.
    pub value: [f64; 2],
}

/// Why a plan does not hold, and what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// A head needs a hull of its own.
    Head(HeadAt),
    /// So do all heads of a group.
    Group(u32),
    /// A sum leaves the range that was expected.
    Sums,
    /// The first token's id comes again.
    Sentinel,
    /// The model as a whole, or from here on.
    Model,
}

/// What a plan expects of the tokens to come; given up where they disappoint.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    /// Heads that have hulls of their own, because others stores did not do.
    pub demoted: QuickSet<HeadAt>,
    /// Whether sums may have any value.
    pub wide: bool,
    /// An id that will not come again, the first token's.
    pub sentinel: Option<usize>,
}

/// How the keys of a head are kept.
#[derive(Debug, Clone, Copy)]
pub enum Head {
    /// All keys are equal.
    Mean([Option<u32>; 2]),
    /// Keys are `(a t, -b t^2)`.
    Place {
        key: [f64; 2],
        /// Whether every token attends to itself.
        own: bool,
        values: [Option<Value>; 2],
    },
    /// Keys are kept in a group.
    Group {
        group: u32,
        values: [Option<u32>; 2],
    },
    /// Any keys.
    Hull(u32),
}

/// What a head that attends by position says of a token.
#[derive(Debug, Clone, Copy)]
pub enum Value {
    /// A function of the token's id plus `c[0] t + c[1] t^2`.
    Told { table: u32, time: [f64; 2] },
    /// A number computed at the token and kept.
    Kept { stream: u32, range: Range },
}

/// A running sum.
#[derive(Debug, Clone)]
pub struct Sum {
    pub head: HeadAt,
    pub part: usize,
    pub form: FormId,
    pub first: f64,
    /// Of the sum, to be checked.
    pub range: Range,
    /// By id, if it is a function of that.
    pub by_id: Option<Vec<f64>>,
}

/// Heads of one layer with equal keys.
#[derive(Debug, Clone)]
pub struct Group {
    pub layer: usize,
    /// Whether only the highest key counts: all keys have the same x. Otherwise keys are `(2 j, -j^2 + lift)`.
    pub latest: bool,
    pub heads: Vec<usize>,
    pub key: [FormId; 2],
    /// Head and part of every distinct value.
    pub values: Vec<(usize, usize)>,
    pub forms: Vec<FormId>,
    pub ranges: Vec<Range>,
    /// How far values are from integers at most, if they are close.
    pub nearness: Vec<Option<f64>>,
}

/// Everything found out about a model after its first token.
#[derive(Debug)]
pub struct Analysis {
    pub rows: Arc<Rows>,
    pub atoms: Atoms,
    pub heads: Vec<Vec<Head>>,
    /// Functions of ids; the last entry is for the first token, whatever its id.
    pub tables: Vec<Vec<f64>>,
    pub table_ranges: Vec<Range>,
    /// The entry that a table has for all ids, if it has.
    pub table_constants: Vec<Option<f64>>,
    pub table_of: QuickMap<(Form, u64), u32>,
    pub sums: Vec<Sum>,
    /// Heads and parts whose values are kept per token.
    pub streams: Vec<(HeadAt, usize)>,
    pub groups: Vec<Group>,
    pub hulls: Vec<HeadAt>,
    pub classes: Classes,
    /// What the first token asked and offered, by layer and head.
    pub first: Arc<Vec<Vec<Offer>>>,
    pub survey: Survey,
    pub longest: u64,
    /// A head that asks for a place.
    pub askers: QuickMap<Atom, HeadAt>,
    pub made: Made,
    pub shared: Shared,
    /// Of the values of heads that have hulls.
    pub hull_ranges: Vec<[Range; 2]>,
    /// Forms that hold for any token but the first.
    pub common: Forms,
    /// The same, for the next scope.
    pub spare: Option<Forms>,
}

/// The forms of any token but the first.
#[derive(Debug, Default)]
pub struct Survey {
    pub queries: Vec<(HeadAt, [FormId; 2])>,
    pub gates: Vec<FormId>,
    pub keys: Vec<FormId>,
    pub answers: Vec<(HeadAt, [FormId; 2])>,
}

/// No position is greater in a plan, so that squares of positions are exact.
const LONGEST: u64 = 1 << 26;

type Result<T> = std::result::Result<T, Refusal>;

impl Analysis {
    /// Looks at all heads and neurons, and chooses how the keys of every head are kept.
    pub fn new(
        rows: &Arc<Rows>,
        first: &Arc<Vec<Vec<Offer>>>,
        expected: &Expected,
    ) -> Result<Self> {
        let longest = rows.last_position.min(LONGEST);
        let mut all = Self {
            rows: Arc::clone(rows),
            atoms: Atoms::new(longest),
            heads: Vec::new(),
            tables: Vec::new(),
            table_ranges: Vec::new(),
            table_constants: Vec::new(),
            table_of: QuickMap::default(),
            sums: Vec::new(),
            streams: Vec::new(),
            groups: Vec::new(),
            hulls: Vec::new(),
            classes: Classes::new(rows, expected.sentinel),
            first: Arc::clone(first),
            survey: Survey::default(),
            longest,
            askers: QuickMap::default(),
            hull_ranges: Vec::new(),
            made: Made::default(),
            shared: Shared::default(),
            common: Forms::default(),
            spare: None,
        };
        let mut scope = Scope::new(0, Forms::new(rows));
        for layer in 0..rows.layers.len() {
            all.heads.push(Vec::new());
            for head in 0..rows.layers[layer].heads.len() {
                let at = (layer, head);
                let HeadRows {
                    query, key, value, ..
                } = &rows.layers[layer].heads[head];
                for row in query.iter().chain(key).chain(value) {
                    all.stays_finite(&mut scope, 2 * layer, row)?;
                }
                let kind = all.choose(&mut scope, at, expected)?;
                all.heads[layer].push(kind);
            }
            for head in 0..rows.layers[layer].heads.len() {
                let answers = all.answers(&mut scope, (layer, head))?;
                all.survey.answers.push(((layer, head), answers));
            }
            for slot in 0..rows.d_model {
                all.slot(&mut scope, 2 * layer + 1, slot)?;
            }
            for (neuron, rows) in rows.layers[layer].neurons.iter().enumerate() {
                // Of a closed gate, or a value of zero, nothing is computed: what overflows there would not be seen.
                for row in rows {
                    all.stays_finite(&mut scope, 2 * layer + 1, row)?;
                }
                all.neuron(&mut scope, layer, neuron)?;
                let gate = all.gate(&mut scope, layer, neuron)?;
                all.survey.gates.push(gate);
            }
            for slot in 0..rows.d_model {
                let form = all.slot(&mut scope, 2 * layer + 2, slot)?;
                if all.atoms.bounds(form).size() >= power(900) {
                    return Err(Refusal::Model);
                }
            }
        }
        let mut size = 0.0;
        for (c, &slot) in rows.columns.iter().enumerate() {
            let form = all.slot(&mut scope, 2 * rows.layers.len(), slot)?;
            let largest = rows.head[c].iter().fold(0.0, |a: f64, w| a.max(w.abs()));
            size += largest * all.atoms.bounds(form).size();
        }
        // The logits never overflow.
        if size >= 1e280 || size.is_nan() {
            return Err(Refusal::Model);
        }
        all.common = scope.forms;
        Ok(all)
    }

    /// Forgets all atoms and forms that came later.
    pub fn forget(&mut self, mark: Mark) {
        self.atoms.truncate(mark);
        self.made = Made::default();
        self.shared = Shared::default();
    }

    /// The heads that a refusal is about.
    pub fn heads_of(&self, refusal: Refusal) -> Vec<HeadAt> {
        match refusal {
            Refusal::Head(at) => vec![at],
            Refusal::Group(group) => {
                let group = &self.groups[group as usize];
                group
                    .heads
                    .iter()
                    .map(|&head| (group.layer, head))
                    .collect()
            }
            Refusal::Sums | Refusal::Sentinel | Refusal::Model => vec![],
        }
    }

    /// Refuses the model unless no product and no partial sum of a row, nor a product of two rows, can overflow, whatever
    /// cancels.
    fn stays_finite(&mut self, scope: &mut Scope, half: usize, row: &Row) -> Result<()> {
        let mut size = 0.0;
        for entry in row {
            let form = self.slot(scope, half, entry.input.into())?;
            size += entry.weight.abs() * self.atoms.bounds(form).size();
        }
        match size < power(450) {
            true => Ok(()),
            false => Err(Refusal::Model),
        }
    }
    /// Stores of keys and of values.
    pub fn streams_kept(&self) -> (usize, usize) {
        let values: usize = self.groups.iter().map(|group| group.values.len()).sum();
        let keys = self.groups.len() + self.hulls.len();
        (
            keys,
            values + self.sums.len() + self.streams.len() + 2 * self.hulls.len(),
        )
    }
}
