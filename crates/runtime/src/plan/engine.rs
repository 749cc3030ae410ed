//! The engine: tokens in, the next one out.

use std::sync::Arc;

use weightware_analysis::{Expected, HeadAt, Offer, Refusal, Rows};
use weightware_model::{Model, TokenId};

use super::step::Plan;
use crate::HorizonReason;
use crate::cache::{Cache, Call, Full, Hull};
use crate::forward::Stream;
use crate::key_box::Went;
use crate::network::Network;
use crate::said::Said;
use crate::unembed::Scratch;

/// What the first token asks and offers; it attends to itself.
#[derive(Debug, Default)]
struct First(Vec<Vec<Offer>>);

impl Cache for First {
    const EXACT: bool = true;

    fn begin(&mut self) {}

    fn attend(&mut self, _: usize, calls: &[Call], answers: &mut [[f64; 2]]) -> Result<(), Full> {
        for (answer, call) in answers.iter_mut().zip(calls) {
            *answer = call.value.map(|value| value + 0.0);
        }
        let offers = calls.iter().map(|call| Offer {
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

/// The plan engine.
#[derive(Debug)]
pub(crate) struct Planned {
    rows: Arc<Rows>,
    first: Option<(TokenId, Arc<Vec<Vec<Offer>>>)>,
    mode: Mode,
    stream: Stream,
    scratch: Scratch,
    expected: Expected,
    /// Whether programs get machine code.
    translates: bool,
    /// Tokens that were taken in.
    steps: u64,
    replans: u32,
}

#[derive(Debug)]
enum Mode {
    /// No token yet.
    Empty,
    Plan(Box<Plan>),
    /// No plan holds.
    Hull(Box<Hull>, u64),
}

impl Planned {
    pub(crate) fn new(model: &Model, network: &Network, translates: bool) -> Self {
        Self {
            rows: Arc::new(Rows::new(model)),
            first: None,
            mode: Mode::Empty,
            stream: Stream::new(network),
            scratch: Scratch::default(),
            expected: Expected::default(),
            translates,
            steps: 0,
            replans: 0,
        }
    }

    pub(crate) fn reset(&mut self) {
        self.mode = Mode::Empty;
        self.stream.reach.fill(Went::NOWHERE);
        self.first = None;
        self.steps = 0;
        self.replans = 0;
    }

    /// Takes a token in, and says which one follows.
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
                Err(refusal) => self.replan(network, token, refusal, predict),
            },
            Mode::Empty => self.begin(network, token, predict),
            Mode::Hull(..) => self.by_hull(network, token, predict),
        };
        self.steps += 1;
        next
    }

    /// Takes a token in and those that follow, but the last: as many as there is room for, none behind an end token. After an
    /// error, it is the last one that could not be taken in.
    pub(crate) fn advance_far(
        &mut self,
        network: &Network,
        mut token: TokenId,
        said: &mut Said<'_>,
    ) -> Result<(), HorizonReason> {
        while !said.is_full() {
            let before = said.count();
            let last = |said: &Said<'_>| said.last().filter(|_| said.count() > before);
            if let Mode::Plan(plan) = &mut self.mode {
                let went = plan.steps(network, token.0 as u16, said);
                self.steps += (said.count() - before) as u64;
                if let Err(refusal) = went {
                    let token = last(said).unwrap_or(token);
                    let next = self.replan(network, token, refusal, true);
                    self.steps += 1;
                    said.extend(next?);
                } else if let Err(why) = within(plan) {
                    self.steps += 1;
                    return Err(why);
                }
            } else {
                said.extend(self.advance(network, token, true)?);
            }
            match last(said) {
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
        self.first = Some((token, Arc::new(first.0)));
        self.expected = Expected {
            sentinel: Some(token.0 as usize),
            ..Expected::default()
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
        let next = network.unembed.argmax(&self.stream.x, &mut self.scratch);
        next.map(Some).ok_or(HorizonReason::Overflow)
    }

    /// A plan after the first token.
    fn plan(&mut self) -> Option<Plan> {
        let (_, first) = self.first.as_ref()?;
        if self.rows.vocab >= usize::from(u16::MAX) {
            return None;
        }
        loop {
            let (refusal, heads) =
                match Plan::new(&self.rows, first, &self.expected, self.translates) {
                    Ok(plan) => return Some(plan),
                    Err(refusal) => refusal,
                };
            if !concede(refusal, &heads, &mut self.expected) {
                return None;
            }
        }
    }

    /// Makes another plan, or none, and decodes all tokens anew.
    #[cold]
    fn replan(
        &mut self,
        network: &Network,
        token: TokenId,
        refusal: Refusal,
        predict: bool,
    ) -> Result<Option<TokenId>, HorizonReason> {
        let Mode::Plan(old) = std::mem::replace(&mut self.mode, Mode::Empty) else {
            unreachable!("a plan was refused");
        };
        let mut ids = old.memory.ids.clone();
        // The token that was refused may be among them already.
        ids.truncate(self.steps as usize);
        ids.push(token.0 as u16);
        let mut refused = Some((refusal, *old));
        while let Some((refusal, old)) = refused.take() {
            if !concede(refusal, &old.analysis.heads_of(refusal), &mut self.expected) {
                break;
            }
            drop(old);
            self.replans += 1;
            let Some(mut plan) = self.plan() else { break };
            for (i, &id) in ids.iter().enumerate().skip(1) {
                match plan.step(network, id, predict && i + 1 == ids.len()) {
                    Ok(next) if i + 1 == ids.len() => {
                        let within = within(&plan);
                        self.mode = Mode::Plan(Box::new(plan));
                        return within.map(|()| next.map(TokenId));
                    }
                    Ok(_) => {}
                    Err(refusal) => {
                        refused = Some((refusal, plan));
                        break;
                    }
                }
            }
        }
        // Everything before was computed without a fault, as the engines are equal.
        let Some((first, _)) = self.first else {
            unreachable!("there was a plan");
        };
        let mut hull = Hull::new(network);
        self.stream.forward(network, &mut hull, first, 0)?;
        self.mode = Mode::Hull(Box::new(hull), 1);
        for &id in &ids[1..ids.len() - 1] {
            self.by_hull(network, TokenId(id.into()), false)?;
        }
        self.by_hull(network, token, predict)
    }

    fn by_hull(
        &mut self,
        network: &Network,
        token: TokenId,
        predict: bool,
    ) -> Result<Option<TokenId>, HorizonReason> {
        let Mode::Hull(hull, time) = &mut self.mode else {
            unreachable!("asked in this mode");
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
        let later = plan.memory.ids[1..].iter().map(|&id| TokenId(id.into()));
        let mut stream = Stream::new(network);
        let mut hull = Hull::new(network);
        for (time, token) in (0..).zip(std::iter::once(first).chain(later)) {
            // What the plan engine took in, the hull engine takes in.
            let _ = stream.forward(network, &mut hull, token, time);
        }
        network.unembed.logits(&stream.x)
    }

    /// How far the live keys of heads with a box went: layer, number, least and greatest `x`, greatest lift; of no head twice.
    pub(crate) fn reach(&self, network: &Network) -> Vec<(usize, usize, [f64; 3])> {
        match &self.mode {
            Mode::Empty => vec![],
            Mode::Plan(plan) => plan.memory.reach().collect(),
            Mode::Hull(..) => self.stream.reached(network).collect(),
        }
    }

    /// Whether a plan holds, and how many did not.
    pub(crate) fn replans(&self) -> (bool, u32) {
        (matches!(self.mode, Mode::Plan(_)), self.replans)
    }

    /// Stores of keys and of values.
    pub(crate) fn streams(&self) -> (usize, usize) {
        match &self.mode {
            Mode::Empty => (0, 0),
            Mode::Plan(plan) => plan.analysis.streams_kept(),
            Mode::Hull(hull, _) => hull.sharing(),
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        match &self.mode {
            Mode::Empty => 0,
            Mode::Plan(plan) => plan.memory.bytes(),
            Mode::Hull(hull, _) => hull.bytes(),
        }
    }
}

/// Whether the last token's keys are in their boxes.
#[inline]
fn within(plan: &Plan) -> Result<(), HorizonReason> {
    match plan.memory.outside {
        None => Ok(()),
        Some((layer, head, x, lift)) => Err(HorizonReason::KeyBound {
            layer,
            head,
            x,
            lift,
        }),
    }
}

/// Gives up an assumption; `false` if there is none to give up.
fn concede(refusal: Refusal, heads: &[HeadAt], expected: &mut Expected) -> bool {
    match refusal {
        Refusal::Head(_) | Refusal::Group(_) => {
            let before = expected.demoted.len();
            expected.demoted.extend(heads);
            expected.demoted.len() > before
        }
        Refusal::Sums => !std::mem::replace(&mut expected.wide, true),
        Refusal::Sentinel => expected.sentinel.take().is_some(),
        Refusal::Model => false,
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
