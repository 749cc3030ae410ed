//! One token by programs.

use std::sync::Arc;

use weightware_analysis::{Analysis, Expected, HeadAt, IRREGULAR, Mark, Offer, Refusal, Rows};

use super::choice::{Choice, Prefix, Written};
use super::compile::Constants;
use super::follow::Lead;
use super::memory::Memory;
use super::native::{Layout, Processor, Ran, Translator};
use super::predict::Predictions;
use super::program::{Fixed, Output, Program};
use crate::network::Network;

/// No program was made yet.
pub(super) const NONE: u32 = u32::MAX;

/// No program can be made.
pub(super) const NEVER: u32 = u32::MAX - 1;

/// With more forms than this, those that only programs needed are forgotten.
const MOST_FORMS: usize = if cfg!(test) { 1 << 8 } else { 1 << 15 };

/// With more programs than this, making them takes longer than they save.
const MOST_PROGRAMS: usize = 1 << 13;

/// After so many runs a program gets machine code.
const OFTEN: u32 = if cfg!(test) { 2 } else { 8 };

/// A plan and what it remembers.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) analysis: Analysis,
    pub(super) choice: Choice,
    /// By class.
    pub(super) prefixes: Vec<Option<Prefix>>,
    pub(super) programs: Vec<Written>,
    /// By number of the choice.
    pub(super) program_of: Vec<u32>,
    /// By program, by class of the next token.
    pub(super) successors: Vec<u32>,
    /// The program of the last token.
    pub(super) last: u32,
    /// Programs before this one were written with forms that are forgotten.
    remembered: u32,
    pub(super) memory: Memory,
    /// All live heads.
    pub(super) heads: Vec<HeadAt>,
    pub(super) predictions: Predictions,
    /// What the unembedding reads; tests look at it, also where nothing else does.
    pub(super) columns: Vec<f64>,
    /// Atoms and forms of the survey and of prefixes.
    mark: Mark,
    constants: Constants,
    /// Where programs get machine code.
    pub(super) translator: Option<Translator>,
}

impl Plan {
    pub(super) fn new(
        rows: &Arc<Rows>,
        first: &Arc<Vec<Vec<Offer>>>,
        expected: &Expected,
        translates: bool,
    ) -> Result<Self, (Refusal, Vec<HeadAt>)> {
        let mut analysis =
            Analysis::new(rows, first, expected).map_err(|refusal| (refusal, vec![]))?;
        let choice = Choice::new(&mut analysis);
        // Steps of programs have 16 bits for these.
        let most = analysis.groups.iter().map(|group| group.values.len()).max();
        if analysis.groups.len().max(most.unwrap_or(0)) > usize::from(u16::MAX) {
            return Err((Refusal::Model, vec![]));
        }
        let latest = analysis.groups.iter();
        let latest = latest.map(|group| group.latest.then_some(group.values.len()));
        let fixed = Fixed::new(analysis.sums.len(), latest);
        let memory = match Memory::new(&analysis, &fixed) {
            Ok(memory) => memory,
            Err(refusal) => return Err((refusal, analysis.heads_of(refusal))),
        };
        let heads = analysis.heads.iter().enumerate();
        let heads = heads.flat_map(|(l, heads)| (0..heads.len()).map(move |h| (l, h)));
        Ok(Self {
            heads: heads.collect(),
            prefixes: (0..analysis.classes.count()).map(|_| None).collect(),
            programs: Vec::new(),
            program_of: vec![NONE; choice.programs()],
            successors: Vec::new(),
            last: NONE,
            remembered: 0,
            memory,
            predictions: Predictions::new(),
            columns: Vec::new(),
            mark: analysis.atoms.mark(),
            constants: Constants::new(fixed),
            translator: if translates { Translator::new() } else { None },
            choice,
            analysis,
        })
    }

    /// Takes a token in, and says which one follows, if asked.
    pub(super) fn step(
        &mut self,
        network: &Network,
        token: u16,
        predict: bool,
    ) -> Result<Option<u32>, Refusal> {
        let class = self.class_of(token)?;
        let follows = match predict {
            true => self.successor(network, class)?,
            false => None,
        };
        self.memory.begin(token)?;
        if let Some(program) = follows
            && let Some(ran) = self.run(program, predict)?
        {
            return Ok(self.output(network, program, ran));
        }
        self.step_by_choice(network, class, predict)
    }

    fn class_of(&self, token: u16) -> Result<u16, Refusal> {
        let class = self.analysis.classes.of(token.into());
        if class == IRREGULAR {
            return Err(Refusal::Sentinel);
        }
        if self.memory.ids.len() as u64 > self.analysis.longest {
            return Err(Refusal::Model);
        }
        Ok(class)
    }

    /// The program that follows the last one for a token of a class, if it is certain which. Code looks after its guards
    /// itself.
    #[inline]
    fn successor(&mut self, network: &Network, class: u16) -> Result<Option<u32>, Refusal> {
        if self.last == NONE {
            return Ok(None);
        }
        let at = self.last as usize * self.prefixes.len() + usize::from(class);
        let mut program = self.successors[at];
        if program == NONE {
            program = self.make_successor(network, class)?;
        }
        if program == NEVER {
            return Ok(None);
        }
        let written = &self.programs[program as usize].program;
        let holds = written.code.is_some() || self.memory.holds(&written.guards);
        Ok(holds.then_some(program))
    }

    /// The rest of a token that has begun, and whose program does not follow from the last one.
    pub(super) fn step_by_choice(
        &mut self,
        network: &Network,
        class: u16,
        predict: bool,
    ) -> Result<Option<u32>, Refusal> {
        let lead = self.lead(class)?;
        self.step_led(network, class, lead, predict)
    }

    /// The rest of a token that has begun, when it is known what its program is chosen by.
    pub(super) fn step_led(
        &mut self,
        network: &Network,
        class: u16,
        lead: Lead,
        predict: bool,
    ) -> Result<Option<u32>, Refusal> {
        let program = self.choose(network, class, lead, predict)?;
        match self.run(program, predict)? {
            Some(ran) => Ok(self.output(network, program, ran)),
            None => unreachable!("a program that is chosen has no guards"),
        }
    }

    /// Runs a program for the last token; none if it does not hold.
    #[inline]
    fn run(&mut self, program: u32, predict: bool) -> Result<Option<Ran>, Refusal> {
        if self.translator.is_some() && self.programs[program as usize].program.is_due() {
            self.translate();
        }
        let written = &self.programs[program as usize].program;
        let lines = &self.predictions.tokens;
        let ran = run(written, &mut self.memory, &self.heads, lines)?;
        if ran == Ran::Unguarded {
            return Ok(None);
        }
        self.last = if predict { program } else { NONE };
        Ok(Some(ran))
    }

    /// The token that follows after a program ran.
    #[inline]
    pub(super) fn output(&mut self, network: &Network, program: u32, ran: Ran) -> Option<u32> {
        if let (Ran::Token(token), false) = (ran, cfg!(test)) {
            return Some(token);
        }
        if cfg!(test) {
            self.columns.clear();
        }
        let registers = &self.memory.registers;
        let token = match &self.programs[program as usize].program.output {
            Output::None => None,
            Output::Token(token) => Some(*token),
            Output::Column { register, line } => {
                let column = registers[usize::from(*register)];
                if cfg!(test) {
                    self.columns = self.predictions.columns(*line, column);
                }
                Some(self.predictions.along(network, *line, column))
            }
            Output::Columns(columns) => {
                self.columns.clear();
                let columns = columns.iter().map(|&r| registers[usize::from(r)]);
                self.columns.extend(columns);
                Some(self.predictions.of(network, &self.columns))
            }
        };
        let agrees = !matches!(ran, Ran::Token(said) if Some(said) != token);
        debug_assert!(agrees, "what code says is what registers say");
        token
    }

    /// What the program of the token that has begun is chosen by.
    fn lead(&mut self, class: u16) -> Result<Lead, Refusal> {
        if self.prefixes[usize::from(class)].is_none() {
            self.make_prefix(class)?;
        }
        let prefix = self.prefixes[usize::from(class)].as_mut();
        if self.translator.is_some() && prefix.is_some_and(|prefix| prefix.program.is_due()) {
            self.translate();
        }
        let Some(prefix) = &self.prefixes[usize::from(class)] else {
            unreachable!("it is made");
        };
        run(&prefix.program, &mut self.memory, &self.heads, &[])?;
        Ok(Lead::of(&mut self.memory, prefix))
    }

    /// The program for the token that has begun.
    fn choose(
        &mut self,
        network: &Network,
        class: u16,
        Lead { found, index }: Lead,
        predict: bool,
    ) -> Result<u32, Refusal> {
        let number = self.choice.number(class, found, index, predict);
        if self.program_of[number] == NONE {
            let program = self.make_program(network, class, (found, index, predict))?;
            self.program_of[number] = program;
        }
        Ok(self.program_of[number])
    }

    /// Makes code of all programs that ran more than once.
    #[cold]
    fn translate(&mut self) {
        let layout = Layout {
            slots: self.analysis.rows.d_model,
            sums: self.constants.fixed.sums(),
        };
        let prefixes = self.prefixes.iter_mut().flatten();
        let prefixes = prefixes.map(|prefix| &mut prefix.program);
        let programs = self.programs.iter_mut().map(|written| &mut written.program);
        let lacking = |program: &&mut Program| program.code.is_none() && program.runs > 1;
        let mut programs: Vec<&mut Program> = prefixes.chain(programs).filter(lacking).collect();
        let translated = self.translator.as_ref().and_then(|translator| {
            let programs: Vec<&Program> = programs.iter().map(|program| &**program).collect();
            translator.translate(&programs, &layout)
        });
        match translated {
            Some(codes) => {
                for (program, code) in programs.iter_mut().zip(codes) {
                    program.code = code;
                }
            }
            // Without room for code, programs run as they are.
            None => self.translator = None,
        }
    }

    #[cold]
    fn make_prefix(&mut self, class: u16) -> Result<(), Refusal> {
        let heights = self.memory.heights();
        let prefix =
            self.choice
                .prefix(&mut self.analysis, class, &heights, &mut self.constants)?;
        self.memory.set_constants(&self.constants.values);
        self.prefixes[usize::from(class)] = Some(prefix);
        self.mark = self.analysis.atoms.mark();
        Ok(())
    }

    #[cold]
    fn make_program(
        &mut self,
        network: &Network,
        class: u16,
        choice: (usize, f64, bool),
    ) -> Result<u32, Refusal> {
        let Some(prefix) = &self.prefixes[usize::from(class)] else {
            unreachable!("it is made");
        };
        if self.programs.len() >= MOST_PROGRAMS {
            return Err(Refusal::Model);
        }
        let heights = self.memory.heights();
        let written = self.choice.program(
            &mut self.analysis,
            prefix,
            class,
            choice,
            &heights,
            &mut self.constants,
        )?;
        Ok(self.keep(network, written))
    }

    /// Makes the program that follows the last one for a token of a class, if it can be.
    #[cold]
    fn make_successor(&mut self, network: &Network, class: u16) -> Result<u32, Refusal> {
        let mut program = NEVER;
        // Where there are many programs, others need the room.
        if self.last >= self.remembered && self.programs.len() < MOST_PROGRAMS / 2 {
            if self.prefixes[usize::from(class)].is_none() {
                self.make_prefix(class)?;
            }
            let heights = self.memory.heights();
            let written = self.choice.successor(
                &mut self.analysis,
                &self.prefixes,
                &self.programs[self.last as usize],
                class,
                &heights,
                &mut self.constants,
            )?;
            if let Some(written) = written {
                program = self.keep(network, written);
            }
        }
        let at = self.last as usize * self.prefixes.len() + usize::from(class);
        self.successors[at] = program;
        Ok(program)
    }

    fn keep(&mut self, network: &Network, mut written: Written) -> u32 {
        self.memory.set_constants(&self.constants.values);
        let output = std::mem::replace(&mut written.program.output, Output::None);
        let constants = &self.constants;
        let is_constant = |register| constants.holds(register);
        written.program.output =
            self.predictions
                .simplified(network, output, &self.memory, is_constant);
        self.programs.push(written);
        let successors = self.programs.len() * self.prefixes.len();
        self.successors.resize(successors, NONE);
        if self.analysis.atoms.forms() > MOST_FORMS {
            self.analysis.forget(self.mark);
            self.remembered = self.programs.len() as u32;
        }
        self.programs.len() as u32 - 1
    }
}

/// Runs a program for the last token, by its code if it has any.
#[inline]
fn run(
    program: &Program,
    memory: &mut Memory,
    heads: &[HeadAt],
    lines: &[u16],
) -> Result<Ran, Refusal> {
    if program.code.is_some() {
        return Processor::new(memory, heads, lines).run(program);
    }
    memory.run(program, .., heads)?;
    Ok(Ran::Unknown)
}

impl Program {
    /// Counts a run without code, and tells if that was often enough to make some.
    #[inline]
    fn is_due(&mut self) -> bool {
        self.runs += u32::from(self.code.is_none());
        self.code.is_none() && self.runs == OFTEN
    }
}

#[cfg(test)]
impl Plan {
    /// The kinds of steps of programs that have code.
    pub(super) fn translated(&self) -> impl Iterator<Item = String> + '_ {
        let programs = self.programs.iter().map(|written| &written.program);
        let translated = programs.filter(|program| program.code.is_some());
        let kind = |op| format!("{op:?}").split(' ').next().map(str::to_owned);
        translated.flat_map(move |program| program.ops.iter().filter_map(kind))
    }

    /// How many programs there are that follow others.
    pub(super) fn followers(&self) -> usize {
        self.successors.iter().filter(|&&to| to < NEVER).count()
    }
}
