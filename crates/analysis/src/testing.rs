//! What tests begin with.

use std::sync::Arc;

use weightware_model::{Attention, Config, LayerWeights, Matrix, Model, Shape, Tokenizer, Weights};

use crate::interpreter::analysis::{Analysis, Assumptions};
use crate::symbolic::atoms::{AtomKind, Atoms};
use crate::symbolic::interval::Range;
use crate::symbolic::polynomial::Atom;
use crate::weights::sparse_weights::SparseWeights;

/// Random numbers, the same for a seed.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// An integer from the first to the last, which lie less than 2^53 apart.
    pub(crate) fn integer(&mut self, first: i64, last: i64) -> i64 {
        self.0 = (self.0)
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        // The upper bits are the better ones.
        let width = (last - first + 1) as u128;
        first + ((u128::from(self.0) * width) >> 64) as i64
    }

    /// One of some things.
    pub(crate) fn one_of<T: Copy>(&mut self, things: &[T]) -> T {
        things[self.integer(0, things.len() as i64 - 1) as usize]
    }
}

/// An analysis of a model whose weights are all zero.
pub(crate) fn blank() -> Analysis {
    let layer = LayerWeights {
        in_proj: Matrix::zeros(6, 2),
        out_proj: Matrix::zeros(2, 2),
        ff_in: Matrix::zeros(2, 2),
        ff_out: Matrix::zeros(2, 1),
    };
    let model = Model {
        config: Config {
            shape: Shape {
                layers: 1,
                d_model: 2,
                heads: 1,
                d_ffn: 1,
                vocab: 2,
            },
            attention: Attention::Hardmax,
            position_features: vec![],
            profile: None,
            modules: None,
            last_position: 1 << 20,
            key_bounds: vec![],
        },
        weights: Weights {
            tok: Matrix::zeros(2, 2),
            layers: vec![layer],
            head: Matrix::zeros(2, 2),
        },
        tokenizer: Tokenizer::new(vec!["yes".into(), "no".into()]),
        end_tokens: vec![],
    };
    let rows = Arc::new(SparseWeights::new(&model));
    let first = Arc::new(rows.offers(0));
    Analysis::new(&rows, &first, &Assumptions::default()).expect("zeros do not overflow")
}

impl Atoms {
    /// A number of which nothing is known but this.
    pub(crate) fn unknown(&mut self, number: u32, range: Range) -> Atom {
        let kind = AtomKind::Kept {
            place: 0,
            stream: number,
        };
        self.get(kind, || range)
    }
}
