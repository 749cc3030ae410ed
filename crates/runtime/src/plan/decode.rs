//! Dispatch and execution of one token: a link from the last kernel or the dispatch key selects the
//! kernel, which is lowered if it is new, translated if it is hot, and run.

use std::sync::Arc;

use weightware_analysis::{
    Analysis, Assumptions, Bailout, HeadAt, IRREGULAR, Mark, Offer, SparseWeights,
};

use crate::network::Network;
use crate::plan::exec::predictions::Predictions;
use crate::plan::exec::state::PlanState;
use crate::plan::ir::{Kernel, Output, RegisterLayout};
use crate::plan::jit::{Code, Executor, KernelExit, Layout, Translation, Translator};
use crate::plan::lower::compiler::Constants;
use crate::plan::lower::dispatch::{Dispatch, LoweredKernel, Prologue};

/// Marks a kernel that was not lowered yet.
pub(super) const NONE: u32 = u32::MAX;

/// Marks a link that cannot exist.
pub(super) const NEVER: u32 = u32::MAX - 1;

/// The most kernels of a plan. With more, lowering takes longer than it saves.
const MOST_KERNELS: usize = 1 << 13;

/// The limits of a plan's memory, and the threshold of translation. No option changes a token.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PlanOptions {
    /// The number of forms above which those that only kernels needed are forgotten.
    pub(super) most_forms: usize,
    /// The number of runs after which a kernel is translated to machine code.
    pub(super) translate_after: u32,
    /// Whether the columns that the unembedding reads are kept for every token.
    pub(super) records_columns: bool,
}

impl PlanOptions {
    /// The options that decode fastest.
    pub(super) const DEFAULT: Self = Self {
        most_forms: 1 << 15,
        translate_after: 8,
        records_columns: false,
    };

    /// Options that make rare paths common, for tests.
    #[cfg(test)]
    pub(super) const TESTED: Self = Self {
        most_forms: 1 << 8,
        translate_after: 2,
        records_columns: true,
    };
}

/// The dispatch key: the id of the token that the lookup found, and the index.
#[derive(Debug, Clone, Copy)]
pub(super) struct DispatchKey {
    pub(super) found: usize,
    pub(super) index: f64,
}

impl DispatchKey {
    /// Reads the key from the registers after a prologue ran.
    #[inline]
    pub(super) fn of(state: &mut PlanState, prologue: &Prologue) -> Self {
        let index = prologue.index;
        let index = index.map_or(0.0, |register| state.set_index(register));
        let place = prologue.place;
        let found = place.map_or(0, |register| state.id_at(register));
        Self { found, index }
    }
}

/// A plan: the analysis, the kernels so far, and the decoding state.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) analysis: Analysis,
    pub(super) dispatch: Dispatch,
    /// The prologue of each class.
    pub(super) prologues: Vec<Option<(Prologue, Translation)>>,
    pub(super) kernels: Vec<(LoweredKernel, Translation)>,
    /// The kernel of each dispatch key, by the key's number.
    pub(super) kernel_of: Vec<u32>,
    /// The links of each kernel, by kernel, then by class of the next token.
    pub(super) links: Vec<u32>,
    /// The kernel of the last token.
    pub(super) last: u32,
    /// The first kernel whose forms are not forgotten.
    remembered: u32,
    pub(super) state: PlanState,
    /// The heights of groups after the first token: lower keys never win.
    heights: Vec<f64>,
    /// All live heads.
    pub(super) heads: Vec<HeadAt>,
    pub(super) predictions: Predictions,
    /// The columns that the unembedding reads; otherwise unused ones are recorded for tests.
    pub(super) columns: Vec<f64>,
    /// The interner's mark after the survey and the prologues.
    mark: Mark,
    pub(super) constants: Constants,
    options: PlanOptions,
    /// The translator to machine code, if there is one.
    pub(super) translator: Option<Translator>,
}

impl Plan {
    pub(super) fn new(
        rows: &Arc<SparseWeights>,
        first: &Arc<Vec<Vec<Offer>>>,
        assumptions: &Assumptions,
        options: PlanOptions,
        translates: bool,
    ) -> Result<Self, (Bailout, Vec<HeadAt>)> {
        let mut analysis =
            Analysis::new(rows, first, assumptions).map_err(|bailout| (bailout, vec![]))?;
        let dispatch = Dispatch::new(&mut analysis);
        // Instructions have 16 bits for the indices of groups and of their values.
        let layout = &analysis.layout;
        let most = layout.groups.iter().map(|group| group.values.len()).max();
        if layout.groups.len().max(most.unwrap_or(0)) > usize::from(u16::MAX) {
            return Err((Bailout::Model, vec![]));
        }
        let registers = RegisterLayout::of(layout);
        let state = PlanState::new(rows, layout, &registers)
            .map_err(|bailout| (bailout, layout.heads_of(bailout)))?;
        Ok(Self {
            heads: layout.live_heads().collect(),
            prologues: (0..analysis.classes.count()).map(|_| None).collect(),
            kernels: Vec::new(),
            kernel_of: vec![NONE; dispatch.kernels()],
            links: Vec::new(),
            last: NONE,
            remembered: 0,
            heights: state.heights(),
            state,
            predictions: Predictions::default(),
            columns: Vec::new(),
            mark: analysis.interner.mark(),
            constants: Constants::new(registers),
            translator: if translates { Translator::new() } else { None },
            options,
            dispatch,
            analysis,
        })
    }

    /// Returns to the state after the first token. Kernels and their code stay.
    pub(super) fn restart(&mut self) -> Result<(), Bailout> {
        let layout = &self.analysis.layout;
        let registers = RegisterLayout::of(layout);
        let rows = Arc::clone(&self.state.rows);
        self.state = PlanState::new(&rows, layout, &registers)?;
        self.state.assume(&self.constants);
        self.last = NONE;
        self.columns.clear();
        Ok(())
    }

    /// Processes a token; returns the next token if `predict`.
    pub(super) fn step(
        &mut self,
        network: &Network,
        token: u16,
        predict: bool,
    ) -> Result<Option<u32>, Bailout> {
        let class = self.class_of(token)?;
        let follows = match predict {
            true => self.link(network, class)?,
            false => None,
        };
        self.state.begin(token)?;
        if let Some(kernel) = follows
            && let Some(ran) = self.run(kernel, predict)?
        {
            return Ok(self.output(network, kernel, ran));
        }
        self.step_by_dispatch(network, class, predict)
    }

    fn class_of(&self, token: u16) -> Result<u16, Bailout> {
        let class = self.analysis.classes.of(token.into());
        if class == IRREGULAR {
            return Err(Bailout::Sentinel);
        }
        if self.state.ids.len() as u64 > self.analysis.interner.last_position() {
            return Err(Bailout::Model);
        }
        Ok(class)
    }

    /// The kernel that is linked to the last one for a token of a class, if its guards hold.
    /// Machine code checks its guards itself.
    #[inline]
    fn link(&mut self, network: &Network, class: u16) -> Result<Option<u32>, Bailout> {
        if self.last == NONE {
            return Ok(None);
        }
        let at = self.last as usize * self.prologues.len() + usize::from(class);
        let mut kernel = self.links[at];
        if kernel == NONE {
            kernel = self.make_link(network, class)?;
        }
        if kernel == NEVER {
            return Ok(None);
        }
        let (lowered, translation) = &self.kernels[kernel as usize];
        let holds = translation.code.is_some() || self.state.holds(&lowered.kernel.guards);
        Ok(holds.then_some(kernel))
    }

    /// Processes the rest of a token that has begun, by dispatch.
    pub(super) fn step_by_dispatch(
        &mut self,
        network: &Network,
        class: u16,
        predict: bool,
    ) -> Result<Option<u32>, Bailout> {
        let key = self.key(class)?;
        self.step_with_key(network, class, key, predict)
    }

    /// Processes the rest of a token that has begun, given its dispatch key.
    pub(super) fn step_with_key(
        &mut self,
        network: &Network,
        class: u16,
        key: DispatchKey,
        predict: bool,
    ) -> Result<Option<u32>, Bailout> {
        let kernel = self.choose(network, class, key, predict)?;
        match self.run(kernel, predict)? {
            Some(ran) => Ok(self.output(network, kernel, ran)),
            None => {
                unreachable!("kernel {kernel} was chosen by dispatch, and only links have guards")
            }
        }
    }

    /// Runs a kernel for the last token. `None` if a guard fails.
    #[inline]
    fn run(&mut self, kernel: u32, predict: bool) -> Result<Option<KernelExit>, Bailout> {
        let after = self.options.translate_after;
        if self.translator.is_some() && self.kernels[kernel as usize].1.is_due(after) {
            self.translate();
        }
        let (lowered, translation) = &self.kernels[kernel as usize];
        let lines = &self.predictions.tokens;
        let kernel_and_code = (&lowered.kernel, translation.code.as_ref());
        let ran = run(kernel_and_code, &mut self.state, &self.heads, lines)?;
        if ran == KernelExit::Unguarded {
            return Ok(None);
        }
        self.last = if predict { kernel } else { NONE };
        Ok(Some(ran))
    }

    /// The prediction of a kernel that ran.
    #[inline]
    pub(super) fn output(
        &mut self,
        network: &Network,
        kernel: u32,
        ran: KernelExit,
    ) -> Option<u32> {
        if let (KernelExit::Token(token), false) = (ran, self.options.records_columns) {
            return Some(token);
        }
        let registers = &self.state.registers;
        let token = match &self.kernels[kernel as usize].0.kernel.output {
            Output::None => None,
            Output::Token(token) => {
                self.columns.clear();
                Some(*token)
            }
            Output::Column { register, line } => {
                let column = registers[usize::from(*register)];
                if self.options.records_columns {
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
        let agrees = !matches!(ran, KernelExit::Token(predicted) if Some(predicted) != token);
        debug_assert!(
            agrees,
            "code and registers of kernel {kernel} predict different tokens"
        );
        token
    }

    /// The dispatch key of the token that has begun.
    fn key(&mut self, class: u16) -> Result<DispatchKey, Bailout> {
        if self.prologues[usize::from(class)].is_none() {
            self.make_prologue(class)?;
        }
        let after = self.options.translate_after;
        let prologue = self.prologues[usize::from(class)].as_mut();
        if self.translator.is_some() && prologue.is_some_and(|(_, its)| its.is_due(after)) {
            self.translate();
        }
        let Some((prologue, translation)) = &self.prologues[usize::from(class)] else {
            unreachable!("the prologue of class {class} was made above");
        };
        let kernel_and_code = (&prologue.kernel, translation.code.as_ref());
        run(kernel_and_code, &mut self.state, &self.heads, &[])?;
        Ok(DispatchKey::of(&mut self.state, prologue))
    }

    /// The kernel for the token that has begun.
    fn choose(
        &mut self,
        network: &Network,
        class: u16,
        DispatchKey { found, index }: DispatchKey,
        predict: bool,
    ) -> Result<u32, Bailout> {
        let number = self.dispatch.number(class, found, index, predict);
        if self.kernel_of[number] == NONE {
            let kernel = self.make_kernel(network, class, (found, index, predict))?;
            self.kernel_of[number] = kernel;
        }
        Ok(self.kernel_of[number])
    }

    /// Translates all kernels that ran more than once.
    #[cold]
    fn translate(&mut self) {
        let layout = Layout {
            slots: self.analysis.rows.d_model,
            columns: self.state.columns.all.clone(),
            sums: self.constants.layout.sums(),
        };
        let prologues = self.prologues.iter_mut().flatten();
        let prologues = prologues.map(|(prologue, its)| (&prologue.kernel, its));
        let kernels = self.kernels.iter_mut();
        let kernels = kernels.map(|(lowered, its)| (&lowered.kernel, its));
        let lacking = |(_, its): &(&Kernel, &mut Translation)| its.code.is_none() && its.runs > 1;
        let mut due: Vec<(&Kernel, &mut Translation)> =
            prologues.chain(kernels).filter(lacking).collect();
        let translated = self.translator.as_ref().and_then(|translator| {
            let kernels: Vec<&Kernel> = due.iter().map(|(kernel, _)| *kernel).collect();
            translator.translate(&kernels, &layout)
        });
        match translated {
            Some(codes) => {
                for ((_, translation), code) in due.iter_mut().zip(codes) {
                    translation.code = code;
                }
            }
            // If there is no memory for code, kernels are interpreted.
            None => self.translator = None,
        }
    }

    #[cold]
    fn make_prologue(&mut self, class: u16) -> Result<(), Bailout> {
        let prologue = self.dispatch.prologue(
            &mut self.analysis,
            class,
            &self.heights,
            &mut self.constants,
        )?;
        self.state.assume(&self.constants);
        self.prologues[usize::from(class)] = Some((prologue, Translation::default()));
        self.mark = self.analysis.interner.mark();
        Ok(())
    }

    #[cold]
    fn make_kernel(
        &mut self,
        network: &Network,
        class: u16,
        dispatch: (usize, f64, bool),
    ) -> Result<u32, Bailout> {
        let Some((prologue, _)) = &self.prologues[usize::from(class)] else {
            unreachable!("the prologue of class {class} ran for this token");
        };
        if self.kernels.len() >= MOST_KERNELS {
            return Err(Bailout::Model);
        }
        let lowered = self.dispatch.kernel(
            &mut self.analysis,
            prologue,
            class,
            dispatch,
            &self.heights,
            &mut self.constants,
        )?;
        Ok(self.keep(network, lowered))
    }

    /// Lowers the link from the last kernel for a token of a class; [`NEVER`] if there cannot be
    /// one.
    #[cold]
    fn make_link(&mut self, network: &Network, class: u16) -> Result<u32, Bailout> {
        let mut kernel = NEVER;
        // Half of the kernels are reserved for dispatch.
        if self.last >= self.remembered && self.kernels.len() < MOST_KERNELS / 2 {
            if self.prologues[usize::from(class)].is_none() {
                self.make_prologue(class)?;
            }
            let last = &self.kernels[self.last as usize].0;
            let prologues = [last.class, class].map(|class| {
                let prologue = self.prologues[usize::from(class)].as_ref();
                prologue.map(|(prologue, _)| prologue)
            });
            let lowered = self.dispatch.link(
                &mut self.analysis,
                prologues,
                last,
                class,
                &self.heights,
                &mut self.constants,
            )?;
            if let Some(lowered) = lowered {
                kernel = self.keep(network, lowered);
            }
        }
        let at = self.last as usize * self.prologues.len() + usize::from(class);
        self.links[at] = kernel;
        Ok(kernel)
    }

    fn keep(&mut self, network: &Network, mut lowered: LoweredKernel) -> u32 {
        self.state.assume(&self.constants);
        let output = std::mem::replace(&mut lowered.kernel.output, Output::None);
        let constants = &self.constants;
        let is_constant = |register| constants.holds(register);
        lowered.kernel.output =
            self.predictions
                .simplified(network, output, &self.state, is_constant);
        self.kernels.push((lowered, Translation::default()));
        let links = self.kernels.len() * self.prologues.len();
        self.links.resize(links, NONE);
        if self.analysis.interner.forms() > self.options.most_forms {
            self.analysis.forget(self.mark);
            self.remembered = self.kernels.len() as u32;
        }
        self.kernels.len() as u32 - 1
    }
}

/// Runs a kernel for the last token, by machine code if it has any.
#[inline]
fn run(
    (kernel, code): (&Kernel, Option<&Code>),
    state: &mut PlanState,
    heads: &[HeadAt],
    lines: &[u16],
) -> Result<KernelExit, Bailout> {
    if let Some(code) = code {
        return Executor::new(state, heads, lines).run(kernel, code);
    }
    state.run(kernel, .., heads)?;
    Ok(KernelExit::Unknown)
}

#[cfg(test)]
impl Plan {
    /// The kinds of steps of kernels that have code.
    pub(super) fn translated(&self) -> impl Iterator<Item = String> + '_ {
        let translated = self.kernels.iter().filter(|(_, its)| its.code.is_some());
        let kind = |op| format!("{op:?}").split(' ').next().map(str::to_owned);
        translated.flat_map(move |(lowered, _)| lowered.kernel.ops.iter().filter_map(kind))
    }

    /// The number of links.
    pub(super) fn followers(&self) -> usize {
        self.links.iter().filter(|&&to| to < NEVER).count()
    }
}
