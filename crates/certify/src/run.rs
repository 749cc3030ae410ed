//! The certificate of one run: the position up to which stock attention follows it.

use weightware_model::{KeyRange, Model, TokenId};

use crate::{Certificate, RunningSums, Scaling, certify};

/// A certificate that knows the keys and the sums of one run, and so reaches further than the
/// model's.
///
/// ```
/// use weightware_certify::{RunCertificate, Scaling};
/// use weightware_model::TokenId;
///
/// let mut certified = RunCertificate::new(&weightware_compiler::default_model());
/// certified.push(TokenId(0));
/// certified.record_keys([]);
/// assert_eq!(certified.stock_position(Scaling::Query), 0);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct RunCertificate {
    certificate: Certificate,
    sums: RunningSums,
    tokens: u64,
    /// For each scaling, the number of tokens before a head's keys left the range that it can
    /// follow.
    followed: [u64; 3],
    lost: [bool; 3],
}

impl RunCertificate {
    /// Creates the certificate of a run without tokens.
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

    /// The run's running sums.
    #[must_use]
    pub fn sums(&self) -> &RunningSums {
        &self.sums
    }

    /// Appends a token.
    pub fn push(&mut self, token: TokenId) {
        self.tokens += 1;
        self.sums.push(token);
    }

    /// Records the ranges of the keys of the tokens so far, head by head. Later tokens count once
    /// their keys are recorded, too.
    pub fn record_keys(&mut self, ranges: impl IntoIterator<Item = KeyRange>) {
        for range in ranges {
            let mut known = self.certificate.heads.iter();
            let head = known.find(|head| (head.layer, head.head) == (range.layer, range.head));
            for scaling in Scaling::ALL {
                self.lost[scaling as usize] |= !head.is_some_and(|head| {
                    head.reproduces(scaling, range.max_abs_index(), range.lift)
                });
            }
        }
        for (followed, lost) in self.followed.iter_mut().zip(self.lost) {
            if !lost {
                *followed = self.tokens;
            }
        }
    }

    /// The greatest position of the run so far up to which stock softmax is proved to compute the
    /// result of exact hard-max, given the recorded ranges and sums.
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
