//! Speculative decoding: one model proposes tokens, another verifies a block of them in one pass.
//!
//! With `p` the verifier's distribution after a token and `q` the draft's, a proposal `x` drawn
//! from `q` is accepted with the probability `min(1, p(x) / q(x))`; if it is rejected, the token is
//! drawn from `max(p - q, 0)`, normalised. So each token has the distribution `p`, for any `q`
//! (Leviathan, Kalman and Matias, *Fast Inference from Transformers via Speculative Decoding*,
//! 2023). For greedy decoding both distributions are certain, and the tokens are the verifier's
//! own, to the bit.

use weightware_model::TokenId;

use super::error::Kind;
use super::{Decoder, Error, Sampler, Sequence, Wanted};

/// A token that a draft proposes, and the distribution that it was drawn from.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// The token.
    pub token: TokenId,
    /// The probability of each token; `None` if this one was certain.
    pub probabilities: Option<Vec<f64>>,
}

/// A source of proposals.
pub trait Draft {
    /// The number of tokens in its vocabulary.
    fn vocab(&self) -> usize;

    /// Proposes up to `count` tokens that follow `context`, of which the first `agreed` tokens are
    /// those that the draft saw or proposed in the call before.
    ///
    /// It may propose fewer, or none.
    ///
    /// # Errors
    /// If the draft cannot read the context.
    fn propose(
        &mut self,
        context: &[TokenId],
        agreed: usize,
        count: usize,
        sampler: &mut Sampler,
    ) -> Result<Vec<Proposal>, Error>;
}

impl<D: Draft + ?Sized> Draft for Box<D> {
    fn vocab(&self) -> usize {
        (**self).vocab()
    }

    fn propose(
        &mut self,
        context: &[TokenId],
        agreed: usize,
        count: usize,
        sampler: &mut Sampler,
    ) -> Result<Vec<Proposal>, Error> {
        (**self).propose(context, agreed, count, sampler)
    }
}

/// A general model that proposes by its own logits.
#[derive(Debug)]
pub struct ModelDraft {
    decoder: Decoder,
    sequence: Sequence,
}

impl ModelDraft {
    /// Makes a draft of a decoder, in a sequence of its own.
    #[must_use]
    pub fn new(mut decoder: Decoder) -> Self {
        let sequence = decoder.begin();
        Self { decoder, sequence }
    }

    /// The decoder.
    #[must_use]
    pub fn decoder(&self) -> &Decoder {
        &self.decoder
    }
}

impl Draft for ModelDraft {
    fn vocab(&self) -> usize {
        self.decoder.vocab()
    }

    fn propose(
        &mut self,
        context: &[TokenId],
        agreed: usize,
        count: usize,
        sampler: &mut Sampler,
    ) -> Result<Vec<Proposal>, Error> {
        // The last token is read again if all of them were, since its logits are wanted.
        let keep = self.decoder.len(self.sequence);
        let keep = keep.min(agreed).min(context.len().saturating_sub(1));
        self.decoder.truncate(self.sequence, keep)?;
        let room = self.decoder.longest().map_or(count, |most| {
            count.min((most + 1).saturating_sub(context.len()))
        });
        let mut unread = context[keep..].to_vec();
        let mut proposals = Vec::with_capacity(room);
        while proposals.len() < room && !unread.is_empty() {
            let logits = self.decoder.read(self.sequence, &unread)?;
            let probabilities = sampler.probabilities(logits.last());
            let token = sampler.pick(&probabilities);
            unread = vec![token];
            proposals.push(Proposal {
                token,
                probabilities: Some(probabilities),
            });
        }
        Ok(proposals)
    }
}

/// A plain executor that proposes the tokens that it decodes.
#[derive(Debug)]
pub struct ExecutorDraft {
    decoder: crate::Decoder,
    vocab: usize,
    /// Tokens that it has decoded beyond the context of the call before.
    ahead: Vec<TokenId>,
}

impl ExecutorDraft {
    /// Makes a draft of a decoder that has read nothing yet, of a model with `vocab` tokens.
    #[must_use]
    pub fn new(decoder: crate::Decoder, vocab: usize) -> Self {
        Self {
            decoder,
            vocab,
            ahead: Vec::new(),
        }
    }

    /// Makes the decoder's tokens begin with the context.
    fn follow(&mut self, context: &[TokenId]) {
        let own = self.decoder.len() as usize - self.ahead.len();
        let new = context.get(own..).unwrap_or(&[]);
        let known = new.len().min(self.ahead.len());
        let begun = own > 0 && self.ahead[..known] == new[..known];
        if begun && own <= context.len() {
            self.ahead.drain(..known);
            let rest = &new[known..];
            let mut decoded = vec![TokenId(0); rest.len()];
            let count = self.decoder.generate_into(&mut decoded);
            if decoded[..count] == *rest {
                return;
            }
        }
        self.decoder.reset();
        self.ahead.clear();
        // A prompt beyond the horizon leaves nothing to propose.
        let _ = self.decoder.prefill(context);
    }
}

impl Draft for ExecutorDraft {
    fn vocab(&self) -> usize {
        self.vocab
    }

    fn propose(
        &mut self,
        context: &[TokenId],
        _agreed: usize,
        count: usize,
        _sampler: &mut Sampler,
    ) -> Result<Vec<Proposal>, Error> {
        self.follow(context);
        let missing = count.saturating_sub(self.ahead.len());
        let mut decoded = vec![TokenId(0); missing];
        let generated = self.decoder.generate_into(&mut decoded);
        self.ahead.extend(&decoded[..generated]);
        let tokens = self.ahead.iter().take(count);
        let certain = |&token| Proposal {
            token,
            probabilities: None,
        };
        Ok(tokens.map(certain).collect())
    }
}

/// Counts of speculative decoding.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Acceptance {
    /// Passes of the verifier.
    pub passes: u64,
    /// Tokens generated: those accepted, and one of the verifier's own for each pass.
    pub generated: u64,
    /// Proposals at each index of a block.
    pub proposed: Vec<u64>,
    /// Accepted proposals at each index of a block.
    pub accepted: Vec<u64>,
}

impl Acceptance {
    /// The mean number of tokens that a pass generates; 1 without speculation.
    #[must_use]
    pub fn length(&self) -> f64 {
        self.generated as f64 / (self.passes as f64).max(1.0)
    }

    /// The share of proposals that were accepted.
    #[must_use]
    pub fn rate(&self) -> f64 {
        let sum = |counts: &[u64]| counts.iter().sum::<u64>() as f64;
        sum(&self.accepted) / sum(&self.proposed).max(1.0)
    }

    /// At each index of a block, the share of accepted ones among the proposals whose predecessors
    /// were accepted.
    #[must_use]
    pub fn conditional_rates(&self) -> Vec<f64> {
        let reached = |index: usize| match index.checked_sub(1) {
            None => self.proposed[0],
            // A block may end with fewer proposals.
            Some(before) => self.accepted[before].min(self.proposed[index]),
        };
        let rate = |(index, &accepted)| accepted as f64 / (reached(index) as f64).max(1.0);
        self.accepted.iter().enumerate().map(rate).collect()
    }
}

/// A draft that proposes, and a verifier that decides.
///
/// Each [`step`](Self::step) costs one pass of the verifier over a block of tokens, and as many of
/// the draft as it proposes. It pays where the draft is much cheaper and often right.
#[derive(Debug)]
pub struct Speculative<D> {
    draft: D,
    verifier: Decoder,
    sequence: Sequence,
    tokens: Vec<TokenId>,
    /// The leading tokens that the draft saw or proposed.
    agreed: usize,
    block: usize,
    sampler: Sampler,
    acceptance: Acceptance,
}

impl<D: Draft> Speculative<D> {
    /// Makes a decoder of two models of one vocabulary, with blocks of up to `block` proposals.
    ///
    /// # Errors
    /// If the vocabularies have different sizes.
    pub fn new(
        draft: D,
        mut verifier: Decoder,
        block: usize,
        sampler: Sampler,
    ) -> Result<Self, Error> {
        if draft.vocab() != verifier.vocab() {
            return Err(Error::from(Kind::Vocabularies {
                draft: draft.vocab(),
                verifier: verifier.vocab(),
            }));
        }
        Ok(Self {
            draft,
            sequence: verifier.begin(),
            verifier,
            tokens: Vec::new(),
            agreed: 0,
            block,
            sampler,
            acceptance: Acceptance {
                proposed: vec![0; block],
                accepted: vec![0; block],
                ..Acceptance::default()
            },
        })
    }

    /// Appends tokens of a prompt.
    ///
    /// # Errors
    /// If the verifier cannot read them.
    pub fn prefill(&mut self, prompt: &[TokenId]) -> Result<(), Error> {
        let Some((&last, before)) = prompt.split_last() else {
            return Ok(());
        };
        // The last token stays unread, so that each block begins with one.
        let pending = self.tokens[self.verifier.len(self.sequence)..].to_vec();
        let unread = [&pending, before].concat();
        let batch = [(self.sequence, &unread[..])];
        self.verifier.read_batch(&batch, Wanted::None)?;
        self.tokens.extend(before);
        self.tokens.push(last);
        Ok(())
    }

    /// Generates tokens, one at least and one more than a block at most.
    ///
    /// # Errors
    /// If there is no prompt (an empty sequence has no logits), or a model cannot read the tokens.
    pub fn step(&mut self) -> Result<&[TokenId], Error> {
        let begin = self.tokens.len();
        let Some(&pending) = self.tokens.last() else {
            return Err(Error::from(Kind::NoPrompt));
        };
        let room = self.verifier.longest();
        let room = room.map_or(self.block, |most| {
            self.block.min(most.saturating_sub(begin))
        });
        let proposals = (self.draft).propose(&self.tokens, self.agreed, room, &mut self.sampler)?;
        let mut block = vec![pending];
        block.extend(proposals.iter().take(room).map(|proposal| proposal.token));
        let logits = (self.verifier).read_batch(&[(self.sequence, &block)], Wanted::All)?;

        let mut accepted = 0;
        let own = loop {
            let mut p = self.sampler.probabilities(logits.row(accepted));
            let Some(proposal) = proposals.get(accepted).filter(|_| accepted < room) else {
                break self.sampler.pick(&p);
            };
            self.acceptance.proposed[accepted] += 1;
            let token = proposal.token.0 as usize;
            let q = proposal.probabilities.as_ref();
            let ratio = p[token] / q.map_or(1.0, |q| q[token]);
            if self.sampler.uniform() < ratio {
                self.acceptance.accepted[accepted] += 1;
                accepted += 1;
                continue;
            }
            match q {
                None => p[token] = 0.0,
                Some(q) => {
                    for (p, q) in p.iter_mut().zip(q) {
                        *p = (*p - q).max(0.0);
                    }
                }
            }
            break self.sampler.pick(&p);
        };
        // Proposals after the first rejected one count as rejected.
        for index in accepted + 1..block.len() - 1 {
            self.acceptance.proposed[index] += 1;
        }
        self.verifier.truncate(self.sequence, begin + accepted)?;
        self.tokens.extend(&block[1..=accepted]);
        self.agreed = self.tokens.len();
        self.tokens.push(own);
        self.acceptance.passes += 1;
        self.acceptance.generated += accepted as u64 + 1;
        Ok(&self.tokens[begin..])
    }

    /// All tokens, the prompt included.
    #[must_use]
    pub fn tokens(&self) -> &[TokenId] {
        &self.tokens
    }

    /// Counts since the decoder was made.
    #[must_use]
    pub fn acceptance(&self) -> &Acceptance {
        &self.acceptance
    }

    /// The draft.
    #[must_use]
    pub fn draft(&self) -> &D {
        &self.draft
    }

    /// The verifier.
    #[must_use]
    pub fn verifier(&self) -> &Decoder {
        &self.verifier
    }
}
