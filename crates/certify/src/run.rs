//! Up to where stock attention follows one run.

use weightware_model::{Model, TokenId};

use crate::{Certificate, RunningSums, Scaling, certify};

/// How far the live keys of a head with a box went.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Went {
    /// The layer.
    pub layer: usize,
    /// The head within the layer.
    pub head: usize,
    /// Greatest `|index|`.
    pub index: f64,
    /// Greatest `slope * time`.
    pub lift: f64,
}

/// A certificate that knows what one run does: how far its keys go, and what it sums.
///
/// ```
/// use weightware_certify::{Certified, Scaling};
/// use weightware_model::TokenId;
///
/// let mut certified = Certified::new(&weightware_compiler::default_model());
/// certified.push(TokenId(0));
/// certified.went([]);
/// assert_eq!(certified.stock_position(Scaling::Query), 0);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Certified {
    certificate: Certificate,
    sums: RunningSums,
    tokens: u64,
    /// By scaling: tokens before heads with a box went too far, as far as is known.
    followed: [u64; 3],
    lost: [bool; 3],
}

impl Certified {
    /// Of a run that has no token yet.
    ///
    /// # Panics
    /// If the model is inconsistent, which [`Model::validate`] excludes.
    #[must_use]
    pub fn new(model: &Model) -> Self {
        Self {
            certificate: certify(model),
            sums: RunningSums::new(model),
            tokens: 0,
            followed: [0; 3],
            lost: [false; 3],
        }
    }

    /// The model's certificate.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// What the run sums.
    #[must_use]
    pub fn sums(&self) -> &RunningSums {
        &self.sums
    }

    /// Appends a token.
    pub fn push(&mut self, token: TokenId) {
        self.tokens += 1;
        self.sums.push(token);
    }

    /// Tells how far keys have gone. Until it is told again, no more tokens are followed.
    pub fn went(&mut self, heads: impl IntoIterator<Item = Went>) {
        for went in heads {
            let mut known = self.certificate.heads.iter();
            let head = known.find(|head| (head.layer, head.head) == (went.layer, went.head));
            for scaling in Scaling::ALL {
                self.lost[scaling as usize] |=
                    !head.is_some_and(|head| head.reproduces(scaling, went.index, went.lift));
            }
        }
        for (followed, lost) in self.followed.iter_mut().zip(self.lost) {
            if !lost {
                *followed = self.tokens;
            }
        }
    }

    /// The greatest position of the run so far up to which stock softmax is proved to compute what exact hard-max does: with keys
    /// that went no further, and sums of what was summed.
    #[must_use]
    pub fn stock_position(&self, scaling: Scaling) -> u64 {
        let sums = self.sums.proved();
        let heads = self.certificate.heads.iter();
        let others = heads.filter(|head| !head.averages() && head.index_box.is_none());
        let others = others.map(|head| head.stock_positions[scaling as usize]);
        let followed = self.followed[scaling as usize].saturating_sub(1);
        others.min().unwrap_or(u64::MAX).min(sums).min(followed)
    }
}
