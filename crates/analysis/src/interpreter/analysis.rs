//! Abstract interpretation of the network: what every slot, key, query and value of a token is, as
//! a polynomial, derived on demand.

use std::fmt;
use std::sync::Arc;

use crate::interpreter::memo::Shared;
use crate::interpreter::scope::{Forms, Scope};
use crate::interpreter::transfer::Memo;
use crate::symbolic::atoms::{Atoms, Mark};
use crate::symbolic::hash::{QuickMap, QuickSet};
use crate::symbolic::interval::{Range, power};
use crate::symbolic::polynomial::{Atom, PolyId, Polynomial};
use crate::weights::classes::Classes;
use crate::weights::rows::Row;
use crate::weights::sparse_weights::Offer;
use crate::weights::sparse_weights::{SparseHead, SparseWeights};

/// A live head: its layer, and its place among the live heads of it.
pub type HeadAt = (usize, usize);

/// Why an analysis does not hold, of a model or of the tokens that came, and what to do about it.
///
/// An analysis returns [`Head`](Self::Head) and [`Model`](Self::Model). Whoever decodes by one
/// checks what it leaves open, and returns any of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bailout {
    /// A head attends by position, and what it reads may be rounded; or, while decoding, two
    /// positions have the same greatest score. [Demote](Assumptions::demoted) the head: it gets a
    /// hull, which averages ties.
    Head(HeadAt),
    /// The heads of a group share their keys, and a key lies off their parabola, two keys tie whose
    /// values differ, or a query is so far from all keys that one might win that was left out as
    /// too low. Demote all heads of the group.
    Group(u32),
    /// A running sum leaves the [range](Sum::range) that was assumed, from 0 to a bound. Let sums
    /// be [wide](Assumptions::wide).
    Sums,
    /// The first token's id comes again, though forms hold only of the other ids. Expect no
    /// [sentinel](Assumptions::sentinel).
    Sentinel,
    /// Bounds do not prove that numbers stay finite, that scores are compared exactly, or that
    /// positions are not rounded; or the sequence needs more than whoever decodes has room for.
    /// There is no assumption to give up: decode without an analysis.
    Model,
}

impl fmt::Display for Bailout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Head((layer, head)) => write!(
                f,
                "layer {layer}, live head {head}: its keys and values are not what they were taken for"
            ),
            Self::Group(group) => write!(
                f,
                "group {group} of heads: their keys and values are not what they were taken for"
            ),
            Self::Sums => f.write_str("a running sum leaves the range that was assumed"),
            Self::Sentinel => f.write_str("the first token's id comes again"),
            Self::Model => f.write_str("numbers may overflow, or positions are rounded"),
        }
    }
}

impl std::error::Error for Bailout {}

/// Speculative assumptions about the tokens to come. Forms hold as long as these do; one that fails
/// is dropped.
#[derive(Debug, Clone, Default)]
pub struct Assumptions {
    /// Heads of whose keys nothing is claimed.
    pub demoted: QuickSet<HeadAt>,
    /// Whether running sums may have any value; else those of numbers that may be great or negative
    /// are assumed to stay between 0 and [a bound](Sum::range), which whoever decodes has to check.
    pub wide: bool,
    /// An id that will not come again, the first token's.
    pub sentinel: Option<usize>,
}

impl Assumptions {
    /// The least that a proof assumes: sequences begin with a token that does not come again.
    #[must_use]
    pub fn beginning_with(first: usize) -> Self {
        Self {
            sentinel: Some(first),
            wide: true,
            ..Self::default()
        }
    }
}

/// What the keys of a head are, and its values. Of a part that does not reach the residual stream
/// there is no value.
#[derive(Debug, Clone, Copy)]
pub enum Head {
    /// All keys are equal: every token counts alike. By part, the running sum of its values.
    Mean([Option<u32>; 2]),
    /// Keys are `(a t, -b t^2)` at position t: the nearest position counts.
    Place {
        /// a and b, which are positive.
        key: [f64; 2],
        /// Whether every token attends to itself; then values need not be kept.
        own: bool,
        /// By part, what it says of the token there.
        values: [Option<Value>; 2],
    },
    /// Keys are shared with other heads of the layer.
    Group {
        /// The group.
        group: u32,
        /// By part, which of the group's values.
        values: [Option<u32>; 2],
    },
    /// Any keys: its number among such heads.
    Hull(u32),
}

/// What a head that attends by position says of a token.
#[derive(Debug, Clone, Copy)]
pub enum Value {
    /// A function of the token's id, plus `c[0] t + c[1] t^2` at position t.
    Told {
        /// The function.
        table: u32,
        /// c.
        time: [f64; 2],
    },
    /// A number computed at the token and kept.
    Kept {
        /// Which of the numbers that every token keeps.
        stream: u32,
        /// Its bounds.
        range: Range,
    },
}

/// A running sum, over all tokens so far.
#[derive(Debug, Clone)]
pub struct Sum {
    /// A head whose values are summed.
    pub head: HeadAt,
    /// The part of the value.
    pub part: usize,
    /// What a token adds.
    pub form: PolyId,
    /// What the first token adds.
    pub first: f64,
    /// Of the sum at any position. Proved if sums may be [wide](Assumptions::wide), else to be
    /// checked.
    pub range: Range,
    /// What a token adds by its id, if it is a function of that.
    pub by_id: Option<Vec<f64>>,
}

/// Heads of one layer with equal keys.
#[derive(Debug, Clone)]
pub struct Group {
    /// The layer.
    pub layer: usize,
    /// Whether only the highest key counts: all keys have the same x. Otherwise keys are `(2 j,
    /// -j^2 + lift)` with integers j, which whoever decodes has to check.
    pub latest: bool,
    /// Their places among the live heads of the layer.
    pub heads: Vec<usize>,
    /// x and y.
    pub key: [PolyId; 2],
    /// A head and a part of it for every distinct value.
    pub values: Vec<(usize, usize)>,
    /// These values.
    pub forms: Vec<PolyId>,
    /// Their bounds, the first token's values included.
    pub ranges: Vec<Range>,
    /// How far they are from integers at most, if they are proved to be close.
    pub nearness: Vec<Option<f64>>,
}

/// Everything that is known of a model whose first token is given: what the keys of every head are,
/// and forms.
///
/// Forms are those of any token but the first. They grow as they are asked for;
/// [`forget`](Self::forget) drops them.
///
/// A head is taken to find one token. Whoever decodes has to check that no two keys [at a
/// place](Head::Place) or [in a group](Head::Group) score alike, unless their values are equal.
#[derive(Debug)]
pub struct Analysis {
    /// The weights.
    pub rows: Arc<SparseWeights>,
    /// Atoms and forms.
    pub atoms: Atoms,
    /// What the keys of heads are: by layer, by live head.
    pub heads: Vec<Vec<Head>>,
    /// Functions of ids; the last entry is for the first token, whatever its id.
    pub tables: Vec<Vec<f64>>,
    pub(crate) table_ranges: Vec<Range>,
    /// The entry that a table has for all ids, if it has.
    pub(crate) table_constants: Vec<Option<f64>>,
    pub(crate) table_of: QuickMap<(Polynomial, u64), u32>,
    /// Running sums.
    pub sums: Vec<Sum>,
    /// Numbers that every token keeps: the head whose value it is, and the part.
    pub streams: Vec<(HeadAt, usize)>,
    /// Heads with equal keys.
    pub groups: Vec<Group>,
    /// Heads with keys of any kind.
    pub hulls: Vec<HeadAt>,
    /// Classes of token ids.
    pub classes: Classes,
    /// What the first token offers: by layer, by live head.
    pub first: Arc<Vec<Vec<Offer>>>,
    pub(crate) survey: Survey,
    /// The last position that forms hold for: the model's horizon, and at most 2^26.
    pub longest: u64,
    /// A head that asks for a place.
    pub(crate) askers: QuickMap<Atom, HeadAt>,
    pub(crate) made: Memo,
    pub(crate) shared: Shared,
    /// Of the values of heads with keys of any kind.
    pub(crate) hull_ranges: Vec<[Range; 2]>,
    /// Forms that hold for any token but the first.
    pub(crate) common: Forms,
    /// The same, for the next scope.
    pub(crate) spare: Option<Forms>,
}

/// The forms of any token but the first.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    pub(crate) queries: Vec<(HeadAt, [PolyId; 2])>,
    pub(crate) gates: Vec<PolyId>,
    pub(crate) keys: Vec<PolyId>,
    pub(crate) answers: Vec<(HeadAt, [PolyId; 2])>,
}

/// No greater position is looked at, so that squares of positions are exact.
const LONGEST: u64 = 1 << 26;

type Result<T> = std::result::Result<T, Bailout>;

impl Analysis {
    /// Looks at all heads and neurons of a model, and finds out what the keys of every head are.
    ///
    /// `first` is what the first token [offers](SparseWeights::offers). Takes O(weights · terms of
    /// a form): milliseconds for a sparse model.
    ///
    /// # Errors
    /// [`Bailout::Model`] if numbers may overflow or leave the range in which scores are compared
    /// exactly, or if position features are rounded; [`Bailout::Head`] if what a head finds is
    /// rounded.
    ///
    /// # Panics
    /// If `first` is of another model, or the sentinel is not below the vocabulary's size.
    pub fn new(
        rows: &Arc<SparseWeights>,
        first: &Arc<Vec<Vec<Offer>>>,
        assumptions: &Assumptions,
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
            classes: Classes::new(rows, assumptions.sentinel),
            first: Arc::clone(first),
            survey: Survey::default(),
            longest,
            askers: QuickMap::default(),
            hull_ranges: Vec::new(),
            made: Memo::default(),
            shared: Shared::default(),
            common: Forms::default(),
            spare: None,
        };
        let mut scope = Scope::new(0, Forms::new(rows));
        for layer in 0..rows.layers.len() {
            all.heads.push(Vec::new());
            for head in 0..rows.layers[layer].heads.len() {
                let at = (layer, head);
                let SparseHead {
                    query, key, value, ..
                } = &rows.layers[layer].heads[head];
                for row in query.iter().chain(key).chain(value) {
                    all.stays_finite(&mut scope, 2 * layer, row)?;
                }
                let kind = all.choose(&mut scope, at, assumptions)?;
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
                // Of a closed gate, or a value of zero, nothing is computed: what overflows there
                // would not be seen.
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
                    return Err(Bailout::Model);
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
            return Err(Bailout::Model);
        }
        all.common = scope.forms;
        Ok(all)
    }

    /// Forgets all atoms and forms that came later: their numbers may be given out again, so that
    /// scopes and numbers of that time must not be used any more.
    pub fn forget(&mut self, mark: Mark) {
        self.atoms.truncate(mark);
        self.made = Memo::default();
        self.shared = Shared::default();
    }

    /// The heads that a bailout is about.
    ///
    /// # Panics
    /// If it names a group of another analysis.
    #[must_use]
    pub fn heads_of(&self, bailout: Bailout) -> Vec<HeadAt> {
        match bailout {
            Bailout::Head(at) => vec![at],
            Bailout::Group(group) => {
                let group = &self.groups[group as usize];
                group
                    .heads
                    .iter()
                    .map(|&head| (group.layer, head))
                    .collect()
            }
            Bailout::Sums | Bailout::Sentinel | Bailout::Model => vec![],
        }
    }

    /// Refuses the model unless no product and no partial sum of a row, nor a product of two rows,
    /// can overflow, whatever cancels.
    fn stays_finite(&mut self, scope: &mut Scope, half: usize, row: &Row) -> Result<()> {
        let mut size = 0.0;
        for entry in row {
            let form = self.slot(scope, half, entry.input.into())?;
            size += entry.weight.abs() * self.atoms.bounds(form).size();
        }
        match size < power(450) {
            true => Ok(()),
            false => Err(Bailout::Model),
        }
    }

    /// How many streams of keys, and of values, have to be kept to decode.
    #[must_use]
    pub fn streams_kept(&self) -> (usize, usize) {
        let values: usize = self.groups.iter().map(|group| group.values.len()).sum();
        let keys = self.groups.len() + self.hulls.len();
        (
            keys,
            values + self.sums.len() + self.streams.len() + 2 * self.hulls.len(),
        )
    }
}
