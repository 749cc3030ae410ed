//! The engine: tokens in, the next one out.

use std::sync::Arc;

use weightware_model::{Model, TokenId};

use super::analysis::{Analysis, Expected, HeadAt, Refusal};
use super::choice::{Choice, Prefix};
use super::classes::IRREGULAR;
use super::compile::Constants;
use super::program::{Output, Program};
use super::rows::Rows;
use super::run::{Memory, Outside};
use crate::Why;
use crate::cache::{Cache, Call, Full, Hull};
use crate::forward::{NOWHERE, Stream};
use crate::network::Network;
use crate::unembed::Scratch;

/// What the first token asks and offers; it attends to itself.
#[derive(Debug, Default)]
struct First(Vec<Vec<Call>>);

impl Cache for First {
    const EXACT: bool = true;

    fn begin(&mut self) {}

    fn attend(&mut self, _: usize, calls: &[Call], answers: &mut [[f64; 2]]) -> Result<(), Full> {
        for (answer, call) in answers.iter_mut().zip(calls) {
            *answer = call.value.map(|value| value + 0.0);
        }
        self.0.push(calls.to_vec());
        Ok(())
    }

    fn bytes(&self) -> usize {
        0
    }
}

/// Predictions by the columns that the unembedding reads.
#[derive(Debug)]
struct Predictions {
    /// Columns and token, by a hash.
    known: Vec<([u64; MOST_COLUMNS], u32)>,
    scratch: Scratch,
}

const MOST_COLUMNS: usize = 4;
const PREDICTIONS: usize = 1 << 13;

impl Predictions {
    fn new() -> Self {
        Self {
            known: Vec::new(),
            scratch: Scratch::default(),
        }
    }

    /// The token of the greatest logit; logits do not overflow.
    #[inline]
    fn of(&mut self, network: &Network, columns: &[f64]) -> u32 {
        if columns.len() > MOST_COLUMNS {
            return self.look(network, columns);
        }
        if self.known.is_empty() {
            // No column is this NaN.
            self.known = vec![([u64::MAX; MOST_COLUMNS], 0); PREDICTIONS];
        }
        let mut key = [0; MOST_COLUMNS];
        let mut hash = 0_u64;
        for (bits, column) in key.iter_mut().zip(columns) {
            *bits = (column + 0.0).to_bits();
            hash = (hash.rotate_left(29) ^ *bits).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
        let at = (hash >> 48) as usize % PREDICTIONS;
        if self.known[at].0 != key {
            self.known[at] = (key, self.look(network, columns));
        }
        self.known[at].1
    }

    #[inline(never)]
    fn look(&mut self, network: &Network, columns: &[f64]) -> u32 {
        network
            .unembed
            .argmax_of(columns, &mut self.scratch)
            .map_or(0, |token| token.0)
    }
}

const NONE: u32 = u32::MAX;

/// With more programs than this, making them takes longer than they save.
const MOST_PROGRAMS: usize = 1 << 13;

/// A plan and what it remembers.
#[derive(Debug)]
struct Plan {
    analysis: Analysis,
    choice: Choice,
    /// By class.
    prefixes: Vec<Option<Prefix>>,
    programs: Vec<Program>,
    /// By number of the choice.
    program_of: Vec<u32>,
    memory: Memory,
    /// All live heads.
    heads: Vec<HeadAt>,
    predictions: Predictions,
    columns: Vec<f64>,
    /// Atoms that all programs may use.
    atoms: usize,
    constants: Constants,
}

impl Plan {
    fn new(
        rows: &Arc<Rows>,
        first: &Arc<Vec<Vec<Call>>>,
        expected: &Expected,
    ) -> Result<Self, (Refusal, Vec<HeadAt>)> {
        let mut analysis =
            Analysis::new(rows, first, expected).map_err(|refusal| (refusal, vec![]))?;
        let choice = Choice::new(&mut analysis);
        let memory = match Memory::new(&analysis) {
            Ok(memory) => memory,
            Err(refusal) => return Err((refusal, heads_of(&analysis, refusal))),
        };
        let heads = analysis.heads.iter().enumerate();
        let heads = heads.flat_map(|(l, heads)| (0..heads.len()).map(move |h| (l, h)));
        Ok(Self {
            heads: heads.collect(),
            prefixes: (0..analysis.classes.count()).map(|_| None).collect(),
            programs: Vec::new(),
            program_of: vec![NONE; choice.programs()],
            memory,
            predictions: Predictions::new(),
            columns: Vec::new(),
            atoms: analysis.atoms.len(),
            constants: Constants::default(),
            choice,
            analysis,
        })
    }

    #[inline]
    fn step(
        &mut self,
        network: &Network,
        token: u16,
        predict: bool,
    ) -> Result<Option<u32>, Refusal> {
        let class = self.analysis.classes.of(token.into());
        if class == IRREGULAR {
            return Err(Refusal::Sentinel);
        }
        if self.memory.ids.len() as u64 > self.analysis.longest {
            return Err(Refusal::Model);
        }
        self.memory.begin(token)?;
        if self.prefixes[usize::from(class)].is_none() {
            self.make_prefix(class)?;
        }
        let Some(prefix) = &self.prefixes[usize::from(class)] else {
            unreachable!("it is made");
        };
        self.memory.run(&prefix.program, &self.heads)?;
        let index = prefix
            .index
            .map_or(0.0, |register| self.memory.set_index(register));
        let found = prefix
            .place
            .map_or(0, |register| self.memory.id_at(register));
        let number = self.choice.number(class, found, index, predict);
        let mut program = self.program_of[number];
        if program == NONE {
            program = self.make_program(class, (found, index, predict))?;
            self.program_of[number] = program;
        }
        let program = &self.programs[program as usize];
        self.memory.run(program, &self.heads)?;
        Ok(match &program.output {
            Output::None => None,
            Output::Token(token) => {
                self.columns.clear();
                Some(*token)
            }
            Output::Columns(registers) => {
                self.columns.clear();
                let values = registers
                    .iter()
                    .map(|&r| self.memory.registers[usize::from(r)]);
                self.columns.extend(values);
                Some(self.predictions.of(network, &self.columns))
            }
        })
    }

    #[cold]
    fn make_prefix(&mut self, class: u16) -> Result<(), Refusal> {
        let heights = self.memory.heights();
        let prefix =
            self.choice
                .prefix(&mut self.analysis, class, &heights, &mut self.constants)?;
        self.memory.set_constants(&self.constants.values);
        self.prefixes[usize::from(class)] = Some(prefix);
        self.atoms = self.analysis.atoms.len();
        Ok(())
    }

    #[cold]
    fn make_program(&mut self, class: u16, choice: (usize, f64, bool)) -> Result<u32, Refusal> {
        let Some(prefix) = &self.prefixes[usize::from(class)] else {
            unreachable!("it is made");
        };
        if self.programs.len() >= MOST_PROGRAMS {
            return Err(Refusal::Model);
        }
        let heights = self.memory.heights();
        let program = self.choice.program(
            &mut self.analysis,
            prefix,
            class,
            choice,
            &heights,
            &mut self.constants,
        );
        self.memory.set_constants(&self.constants.values);
        self.analysis.atoms.truncate(self.atoms);
        self.programs.push(program?);
        Ok(self.programs.len() as u32 - 1)
    }
}

/// The plan engine.
#[derive(Debug)]
pub(crate) struct Planned {
    rows: Arc<Rows>,
    first: Option<(TokenId, Arc<Vec<Vec<Call>>>)>,
    mode: Mode,
    stream: Stream,
    scratch: Scratch,
    expected: Expected,
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
    pub(crate) fn new(model: &Model, network: &Network) -> Self {
        Self {
            rows: Arc::new(Rows::new(model)),
            first: None,
            mode: Mode::Empty,
            stream: Stream::new(network),
            scratch: Scratch::default(),
            expected: Expected::default(),
            steps: 0,
            replans: 0,
        }
    }

    pub(crate) fn reset(&mut self) {
        self.mode = Mode::Empty;
        self.stream.reach.fill(NOWHERE);
        self.first = None;
        self.steps = 0;
        self.replans = 0;
    }

    /// Takes a token in, and says which one follows.
    pub(crate) fn advance(
        &mut self,
        network: &Network,
        token: TokenId,
        predict: bool,
    ) -> Result<Option<TokenId>, Why> {
        let next = match &mut self.mode {
            Mode::Plan(plan) => match plan.step(network, token.0 as u16, predict) {
                Ok(next) => match plan.memory.outside {
                    None => Ok(next.map(TokenId)),
                    Some(outside) => Err(horizon(outside)),
                },
                Err(refusal) => self.replan(network, token, refusal, predict),
            },
            Mode::Empty => self.begin(network, token, predict),
            Mode::Hull(..) => self.by_hull(network, token, predict),
        };
        self.steps += 1;
        next
    }

    fn begin(
        &mut self,
        network: &Network,
        token: TokenId,
        predict: bool,
    ) -> Result<Option<TokenId>, Why> {
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
                let mut hull = Hull::new(network.heads().map(|head| head.live));
                self.stream.forward(network, &mut hull, token, 0)?;
                Mode::Hull(Box::new(hull), 1)
            }
        };
        self.predict(network, predict)
    }

    fn predict(&mut self, network: &Network, predict: bool) -> Result<Option<TokenId>, Why> {
        if !predict {
            return Ok(None);
        }
        let next = network.unembed.argmax(&self.stream.x, &mut self.scratch);
        next.map(Some).ok_or(Why::Overflow)
    }

    /// A plan after the first token.
    fn plan(&mut self) -> Option<Plan> {
        let (_, first) = self.first.as_ref()?;
        if self.rows.vocab >= usize::from(u16::MAX) {
            return None;
        }
        loop {
            let (refusal, heads) = match Plan::new(&self.rows, first, &self.expected) {
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
    ) -> Result<Option<TokenId>, Why> {
        let Mode::Plan(old) = std::mem::replace(&mut self.mode, Mode::Empty) else {
            unreachable!("a plan was refused");
        };
        let mut ids = old.memory.ids.clone();
        // The token that was refused may be among them already.
        ids.truncate(self.steps as usize);
        ids.push(token.0 as u16);
        let mut refused = Some((refusal, *old));
        while let Some((refusal, old)) = refused.take() {
            if !concede(
                refusal,
                &heads_of(&old.analysis, refusal),
                &mut self.expected,
            ) {
                break;
            }
            drop(old);
            self.replans += 1;
            let Some(mut plan) = self.plan() else { break };
            for (i, &id) in ids.iter().enumerate().skip(1) {
                match plan.step(network, id, predict && i + 1 == ids.len()) {
                    Ok(next) if i + 1 == ids.len() => {
                        let outside = plan.memory.outside;
                        self.mode = Mode::Plan(Box::new(plan));
                        return match outside {
                            None => Ok(next.map(TokenId)),
                            Some(outside) => Err(horizon(outside)),
                        };
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
        let mut hull = Hull::new(network.heads().map(|head| head.live));
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
    ) -> Result<Option<TokenId>, Why> {
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
        let mut hull = Hull::new(network.heads().map(|head| head.live));
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

fn horizon((layer, head, x, lift): Outside) -> Why {
    Why::KeyBound {
        layer,
        head,
        x,
        lift,
    }
}

/// The heads that a refusal is about.
fn heads_of(analysis: &Analysis, refusal: Refusal) -> Vec<HeadAt> {
    match refusal {
        Refusal::Head(at) => vec![at],
        Refusal::Group(group) => {
            let group = &analysis.groups[group as usize];
            group
                .heads
                .iter()
                .map(|&head| (group.layer, head))
                .collect()
        }
        Refusal::Sums | Refusal::Sentinel | Refusal::Model => vec![],
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
