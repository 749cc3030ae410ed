//! Speculation and deoptimisation: decodes by a plan, drops an assumption that fails and decodes
//! again, and falls back to the hull engine when no assumption is left to drop.

use std::sync::Arc;

use weightware_analysis::{Assumptions, Bailout, HeadAt, Offer, SparseWeights};
use weightware_model::{Model, TokenId};

use crate::HorizonReason;
use crate::argmax_cache::ArgmaxCache;
use crate::cache::{Cache, Full, Hull};
use crate::forward::ResidualStream;
use crate::key_box::KeyExtent;
use crate::network::Network;
use crate::plan::decode::{Plan, PlanOptions};
use crate::plan::text::KernelText;
use crate::qkv::Qkv;
use crate::stats::Bailouts;
use crate::token_buffer::TokenBuffer;

/// A cache for the first token only, which attends to itself. It records the keys and values.
#[derive(Debug, Default)]
struct First(Vec<Vec<Offer>>);

impl Cache for First {
    const EXACT: bool = true;

    fn begin(&mut self) {}

    fn attend(&mut self, _: usize, qkv: &[Qkv], answers: &mut [[f64; 2]]) -> Result<(), Full> {
        for (answer, call) in answers.iter_mut().zip(qkv) {
            *answer = call.value.map(|value| value + 0.0);
        }
        let offers = qkv.iter().map(|call| Offer {
            key: [call.key.x, call.key.y],
            value: call.value,
        });
        self.0.push(offers.collect());
        Ok(())
    }

    fn bytes(&self) -> usize {
        0
    }
}

/// The plan engine: a plan or its fallback, and the assumptions in force.
#[derive(Debug)]
pub(crate) struct PlanEngine {
    pub(super) rows: Arc<SparseWeights>,
    first: Option<(TokenId, Arc<Vec<Vec<Offer>>>)>,
    pub(super) mode: Mode,
    /// The plan of the sequence before.
    kept: Option<Box<Plan>>,
    stream: ResidualStream,
    argmax_cache: ArgmaxCache,
    assumptions: Assumptions,
    options: PlanOptions,
    /// Whether kernels are translated to machine code.
    translates: bool,
    /// The number of tokens processed.
    pub(super) steps: u64,
    deoptimizations: u32,
    bailouts: Bailouts,
}

#[derive(Debug)]
pub(super) enum Mode {
    /// No token yet.
    Empty,
    Plan(Box<Plan>),
    /// No plan holds: the hull cache, and the number of tokens in it.
    Hull(Box<Hull>, u64),
}

impl PlanEngine {
    pub(crate) fn new(model: &Model, network: &Network, translates: bool) -> Self {
        Self::with_options(model, network, PlanOptions::DEFAULT, translates)
    }

    pub(super) fn with_options(
        model: &Model,
        network: &Network,
        options: PlanOptions,
        translates: bool,
    ) -> Self {
        Self {
            options,
            rows: Arc::new(SparseWeights::new(model)),
            first: None,
            mode: Mode::Empty,
            kept: None,
            stream: ResidualStream::new(network),
            argmax_cache: ArgmaxCache::default(),
            assumptions: Assumptions::default(),
            translates,
            steps: 0,
            deoptimizations: 0,
            bailouts: Bailouts::default(),
        }
    }

    /// Returns to the empty sequence. A plan stays for a sequence with the same first token.
    pub(crate) fn reset(&mut self) {
        if let Mode::Plan(plan) = std::mem::replace(&mut self.mode, Mode::Empty) {
            self.kept = Some(plan);
        }
        self.stream.reach.fill(KeyExtent::EMPTY);
        self.steps = 0;
        self.deoptimizations = 0;
        self.bailouts = Bailouts::default();
    }

    /// Processes a token; returns the next token if `predict`.
    #[inline]
    pub(crate) fn advance(
        &mut self,
        network: &Network,
        token: TokenId,
        predict: bool,
    ) -> Result<Option<TokenId>, HorizonReason> {
        let next = match &mut self.mode {
            Mode::Plan(plan) => match plan.step(network, token.0 as u16, predict) {
                Ok(next) => within(plan).map(|()| next.map(TokenId)),
                Err(bailout) => self.deoptimize(network, token, bailout, predict),
            },
            Mode::Empty => self.begin(network, token, predict),
            Mode::Hull(..) => self.decode_by_hull(network, token, predict),
        };
        self.steps += 1;
        next
    }

    /// Decodes from a token on, until the buffer is full or an end token is generated. The last
    /// token is not processed yet. After an error, it is the token that could not be processed.
    pub(crate) fn decode_many(
        &mut self,
        network: &Network,
        mut token: TokenId,
        tokens: &mut TokenBuffer<'_>,
    ) -> Result<(), HorizonReason> {
        while !tokens.is_full() {
            let before = tokens.count();
            let last = |tokens: &TokenBuffer<'_>| tokens.last().filter(|_| tokens.count() > before);
            if let Mode::Plan(plan) = &mut self.mode {
                let result = plan.steps(network, token.0 as u16, tokens);
                self.steps += (tokens.count() - before) as u64;
                if let Err(bailout) = result {
                    let token = last(tokens).unwrap_or(token);
                    let next = self.deoptimize(network, token, bailout, true);
                    self.steps += 1;
                    tokens.extend(next?);
                } else if let Err(why) = within(plan) {
                    self.steps += 1;
                    return Err(why);
                }
            } else {
                tokens.extend(self.advance(network, token, true)?);
            }
            match last(tokens) {
                Some(last) if !network.ends[last.0 as usize] => token = last,
                _ => break,
            }
        }
        Ok(())
    }

    fn begin(
        &mut self,
        network: &Network,
        token: TokenId,
        predict: bool,
    ) -> Result<Option<TokenId>, HorizonReason> {
        let mut first = First::default();
        self.stream.forward(network, &mut first, token, 0)?;
        if let Some(mut plan) = self.kept.take()
            && self
                .first
                .as_ref()
                .is_some_and(|&(first, _)| first == token)
            && plan.restart().is_ok()
        {
            self.mode = Mode::Plan(plan);
            return self.predict(network, predict);
        }
        self.first = Some((token, Arc::new(first.0)));
        self.assumptions = Assumptions {
            sentinel: Some(token.0 as usize),
            ..Assumptions::default()
        };
        self.mode = match self.plan() {
            Some(plan) => Mode::Plan(Box::new(plan)),
            None => {
                let mut hull = Hull::new(network);
                self.stream.forward(network, &mut hull, token, 0)?;
                Mode::Hull(Box::new(hull), 1)
            }
        };
        self.predict(network, predict)
    }

    fn predict(
        &mut self,
        network: &Network,
        predict: bool,
    ) -> Result<Option<TokenId>, HorizonReason> {
        if !predict {
            return Ok(None);
        }
        let next = self.argmax_cache.predict(&network.unembed, &self.stream.x);
        next.map(Some).ok_or(HorizonReason::Overflow)
    }

    /// Compiles a plan for the tokens after the first, under as many assumptions as hold.
    fn plan(&mut self) -> Option<Plan> {
        let (_, first) = self.first.as_ref()?;
        if self.rows.vocab >= usize::from(u16::MAX) {
            self.bailouts.record(Bailout::Model);
            return None;
        }
        loop {
            let (bailout, heads) = match Plan::new(
                &self.rows,
                first,
                &self.assumptions,
                self.options,
                self.translates,
            ) {
                Ok(plan) => return Some(plan),
                Err(bailout) => bailout,
            };
            self.bailouts.record(bailout);
            if !drop_assumption(bailout, &heads, &mut self.assumptions) {
                return None;
            }
        }
    }

    /// Deoptimises: drops an assumption, or plans as a whole, and decodes all tokens again.
    #[cold]
    fn deoptimize(
        &mut self,
        network: &Network,
        token: TokenId,
        bailout: Bailout,
        predict: bool,
    ) -> Result<Option<TokenId>, HorizonReason> {
        let Mode::Plan(old) = std::mem::replace(&mut self.mode, Mode::Empty) else {
            unreachable!("only plan mode deoptimises");
        };
        let mut ids = old.state.ids.clone();
        // The state may have the token of the bailout already.
        ids.truncate(self.steps as usize);
        ids.push(token.0 as u16);
        let mut refused = Some((bailout, *old));
        while let Some((bailout, old)) = refused.take() {
            self.bailouts.record(bailout);
            if !drop_assumption(
                bailout,
                &old.analysis.layout.heads_of(bailout),
                &mut self.assumptions,
            ) {
                break;
            }
            drop(old);
            self.deoptimizations += 1;
            let Some(mut plan) = self.plan() else { break };
            for (i, &id) in ids.iter().enumerate().skip(1) {
                match plan.step(network, id, predict && i + 1 == ids.len()) {
                    Ok(next) if i + 1 == ids.len() => {
                        let within = within(&plan);
                        self.mode = Mode::Plan(Box::new(plan));
                        return within.map(|()| next.map(TokenId));
                    }
                    Ok(_) => {}
                    Err(bailout) => {
                        refused = Some((bailout, plan));
                        break;
                    }
                }
            }
        }
        // The engines decode equal tokens, so those before the bailout are correct.
        let Some((first, _)) = self.first else {
            unreachable!("a plan is compiled only after the first token");
        };
        let mut hull = Hull::new(network);
        self.stream.forward(network, &mut hull, first, 0)?;
        self.mode = Mode::Hull(Box::new(hull), 1);
        for &id in &ids[1..ids.len() - 1] {
            self.decode_by_hull(network, TokenId(id.into()), false)?;
        }
        self.decode_by_hull(network, token, predict)
    }

    fn decode_by_hull(
        &mut self,
        network: &Network,
        token: TokenId,
        predict: bool,
    ) -> Result<Option<TokenId>, HorizonReason> {
        let Mode::Hull(hull, time) = &mut self.mode else {
            unreachable!("only hull mode decodes by the hull");
        };
        self.stream.forward(network, &mut **hull, token, *time)?;
        *time += 1;
        self.predict(network, predict)
    }

    /// The logits after the last token.
    pub(crate) fn logits(&self, network: &Network) -> Vec<f64> {
        let Some((first, _)) = self.first else {
            return network.unembed.logits(&self.stream.x);
        };
        let Mode::Plan(plan) = &self.mode else {
            return network.unembed.logits(&self.stream.x);
        };
        let later = plan.state.ids[1..].iter().map(|&id| TokenId(id.into()));
        let mut stream = ResidualStream::new(network);
        let mut hull = Hull::new(network);
        for (time, token) in (0..).zip(std::iter::once(first).chain(later)) {
            stream
                .forward(network, &mut hull, token, time)
                .expect("the hull engine decodes every token that a plan has decoded");
        }
        network.unembed.logits(&stream.x)
    }

    /// The extent of live keys of each head with a box: layer, number in the weights, least and
    /// greatest `x`, greatest lift.
    pub(crate) fn reach(&self, network: &Network) -> Vec<(usize, usize, [f64; 3])> {
        match &self.mode {
            Mode::Empty => vec![],
            Mode::Plan(plan) => plan.state.reach().collect(),
            Mode::Hull(..) => self.stream.reached(network).collect(),
        }
    }

    /// The kernel that ran for the last token, as text.
    pub(crate) fn kernel(&self) -> Option<String> {
        match &self.mode {
            Mode::Plan(plan) => KernelText::last(plan).map(|kernel| kernel.to_string()),
            Mode::Empty | Mode::Hull(..) => None,
        }
    }

    /// Whether a plan holds, the number of deoptimisations, and all bailouts.
    pub(crate) fn deoptimizations(&self) -> (bool, u32, Bailouts) {
        let holds = matches!(self.mode, Mode::Plan(_));
        (holds, self.deoptimizations, self.bailouts)
    }

    /// The numbers of streams of keys and of values.
    pub(crate) fn streams(&self) -> (usize, usize) {
        match &self.mode {
            Mode::Empty => (0, 0),
            Mode::Plan(plan) => plan.analysis.layout.streams_kept(),
            Mode::Hull(hull, _) => hull.sharing(),
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        match &self.mode {
            Mode::Empty => 0,
            Mode::Plan(plan) => plan.state.bytes(),
            Mode::Hull(hull, _) => hull.bytes(),
        }
    }
}

/// Checks that the last token's keys are in their boxes.
#[inline]
fn within(plan: &Plan) -> Result<(), HorizonReason> {
    match plan.state.outside {
        None => Ok(()),
        Some((layer, head, x, lift)) => Err(HorizonReason::KeyBound {
            layer,
            head,
            x,
            lift,
        }),
    }
}

/// Gives up an assumption; returns `false` if there is none to give up.
fn drop_assumption(bailout: Bailout, heads: &[HeadAt], assumptions: &mut Assumptions) -> bool {
    match bailout {
        Bailout::Tie(_) => {
            // One head at a time: the others of its group may find single keys.
            let last = heads.iter().rev().copied();
            let mut others = last.filter(|at| !assumptions.averaged.contains(at));
            let next = others.next();
            assumptions.averaged.extend(next);
            next.is_some()
        }
        Bailout::Head(_) | Bailout::Group(_) => {
            let before = assumptions.demoted.len();
            assumptions.demoted.extend(heads);
            assumptions.demoted.len() > before
        }
        Bailout::Sums => !std::mem::replace(&mut assumptions.wide, true),
        Bailout::Tables => !std::mem::replace(&mut assumptions.reads_tables, true),
        Bailout::Sentinel => assumptions.sentinel.take().is_some(),
        Bailout::Model => false,
    }
}
