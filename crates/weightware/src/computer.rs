//! A model of the machine: its tokens and instructions, and the runs of programs on it.

use std::sync::{Arc, OnceLock};

use weightware_certify::{RunCertificate, Scaling};
use weightware_compiler::machine::{Extension, Profile, Rom};
use weightware_isa::{Instruction, Interpreter, Op, Program, Resident, Token, Vocabulary};
use weightware_model::{Config, Model, TokenId};
use weightware_runtime::{Engine, KeyRange};

use crate::{Error, Run, RunEnd, digest};

/// A model that executes programs, with the meaning of its tokens. A token's string decides its
/// meaning, not its id.
#[derive(Debug, Clone)]
pub struct Computer {
    model: Model,
    /// The meaning of each id of the model.
    meanings: Vec<Option<Token>>,
    /// The model's id of each token of the machine's vocabulary.
    ids: Vec<TokenId>,
    vocabulary: Vocabulary,
    /// The instructions that the model lacks, each with a module that the instruction needs.
    missing: Vec<(Op, Extension)>,
    /// The instructions and the memory in its weights, if it may have some.
    rom: Option<Rom>,
    /// The digest of the model, once it was wanted.
    digest: OnceLock<String>,
}

impl Default for Computer {
    fn default() -> Self {
        Self::new(weightware_compiler::default_model()).expect("the compiled model has every token")
    }
}

impl Computer {
    /// A computer that runs on a model, the compiled one or one from a folder.
    ///
    /// # Errors
    /// If the model lacks one of the machine's tokens, or does not state which instructions it has.
    pub fn new(model: Model) -> Result<Self, Error> {
        let vocabulary = Vocabulary::new();
        let tokenizer = &model.tokenizer;
        let meanings = tokenizer
            .strings()
            .iter()
            .map(|string| vocabulary.parse(string))
            .collect();
        let ids = vocabulary.tokens().iter().map(|token| {
            let string = token.to_string();
            tokenizer.id(&string).ok_or(Error::MissingToken(string))
        });
        let ids = ids.collect::<Result<_, _>>()?;
        let missing = missing(&model.config)?;
        let rom = Rom::read(&model);
        Ok(Self {
            model,
            meanings,
            ids,
            vocabulary,
            missing,
            rom,
            digest: OnceLock::new(),
        })
    }

    /// The model that the computer runs on.
    #[must_use]
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The SHA-256 digest of all that decides how a run of the model goes: its weights, position
    /// features, tokens, contexts and horizon. A folder has that of the same weights, compiled.
    #[must_use]
    pub fn digest(&self) -> &str {
        self.digest.get_or_init(|| digest::digest(&self.model))
    }

    /// The profile of the model, if its `config.json` names one of the compiled machine.
    #[must_use]
    pub fn profile(&self) -> Option<Profile> {
        Profile::named(self.model.config.profile.as_deref()?)
    }

    /// The instructions and the memory that the model has in its weights, if it is a machine that
    /// may have some. They are read from the weights.
    #[must_use]
    pub fn rom(&self) -> Option<&Rom> {
        self.rom.as_ref()
    }

    /// Whether a program is in the model's weights: then it runs that program and no other.
    #[must_use]
    pub fn is_specialised(&self) -> bool {
        self.rom.as_ref().is_some_and(Rom::is_specialised)
    }

    /// A program as this model runs it: with what the model has in its weights left out of the
    /// prompt. `inputs` is the number of sections, the last ones, that hold input.
    ///
    /// # Errors
    /// [`Error::OtherProgram`] if another program is in the weights.
    pub fn place(&self, program: Program, inputs: usize) -> Result<Program, Error> {
        let Some(rom) = &self.rom else {
            return Ok(program);
        };
        if !rom.is_specialised() {
            return Ok(Program {
                resident: self.in_weights().resident,
                ..program
            });
        }
        let program = program.specialised(inputs);
        match Rom::of(&program).is_like(rom) {
            true => Ok(program),
            false => Err(Error::OtherProgram),
        }
    }

    /// The part of a program in the weights: its instructions if no prompt has any, and functions
    /// that it may use.
    pub(crate) fn in_weights(&self) -> Program {
        let resident = self.rom.as_ref().map(|rom| Resident {
            code: rom.is_specialised(),
            memory: rom.memory.clone(),
            library: rom.library.clone(),
        });
        Program {
            code: self
                .rom
                .as_ref()
                .map_or_else(Vec::new, |rom| rom.program.clone()),
            resident,
            ..Program::default()
        }
    }

    /// Whether the weights have a block of code: instructions from a number on.
    #[must_use]
    pub fn has_block(&self, first: u32, code: &Arc<[Instruction]>) -> bool {
        let alone = |code: &Arc<[Instruction]>| Rom {
            library: vec![(first, Arc::clone(code))],
            ..Rom::default()
        };
        let mut blocks = self.rom.iter().flat_map(|rom| &rom.library);
        let own = blocks.find(|(number, _)| *number == first);
        own.is_some_and(|(_, own)| alone(own).is_like(&alone(code)))
    }

    /// The plain interpreter of a program, with the contexts and the memory of this model.
    #[must_use]
    pub fn interpreter<'p>(&self, program: &'p Program) -> Interpreter<'p> {
        let mut interpreter = Interpreter::new(program);
        if let Some(tokens) = self.model.config.context {
            interpreter = interpreter.with_context(tokens);
        }
        if let Some(profile) = self.profile() {
            interpreter = interpreter.with_nearest(profile.nearest());
        }
        interpreter
    }

    /// The whole prompt of a program, preamble included, in the model's ids.
    #[must_use]
    pub fn prompt(&self, program: &Program) -> Vec<TokenId> {
        program.full_prompt().map(|token| self.id(token)).collect()
    }

    /// Starts a run of a program: prefills the prompt. The run then decodes tokens on demand, at
    /// most `limit`.
    ///
    /// # Errors
    /// If the model cannot be decoded with this engine, or lacks an instruction of the prompt. A
    /// prompt beyond the horizon is not an error: the run then ends at once, with
    /// [`RunEnd::Horizon`].
    pub fn run(
        &self,
        program: &Program,
        engine: Engine,
        limit: Option<u64>,
    ) -> Result<Run<'_>, Error> {
        self.resume(&self.prompt(program), &[], engine, limit)
    }

    /// Resumes a run from its tokens: those of its prompt, in the model's ids, and those of its
    /// trace so far. The run decodes at most `limit` more tokens.
    ///
    /// The tokens are prefilled again, at the engine's speed: decoding is a function of the tokens
    /// alone.
    ///
    /// # Errors
    /// The errors of [`run`](Self::run).
    pub fn resume(
        &self,
        prompt: &[TokenId],
        trace: &[Token],
        engine: Engine,
        limit: Option<u64>,
    ) -> Result<Run<'_>, Error> {
        Run::new(self, prompt, trace, engine, limit)
    }

    /// Runs a program to its end, at most `limit` tokens, and records what is proved of the run: of
    /// its context that stock attention follows least, and of equal ones the longest.
    ///
    /// # Errors
    /// The errors of [`run`](Self::run).
    pub fn certify(&self, program: &Program, limit: Option<u64>) -> Result<CertifiedRun, Error> {
        // Tokens between two records of the extent of keys.
        const LOOK: usize = 1 << 12;
        let blank = RunCertificate::new(&self.model);
        let mut run = self.run(program, Engine::Plan, limit)?;
        let mut weakest: Option<CertifiedRun> = None;
        loop {
            let context = run.contexts();
            let mut certified = blank.clone();
            for &token in run.prompt() {
                certified.push(token);
            }
            certified.record_keys(run.key_ranges());
            let (mut tokens, prompt) = (0, run.prompt_tokens());
            while run.contexts() == context {
                let decoded = run.steps(LOOK, |token, _| certified.push(self.id(token)));
                tokens += decoded as u64;
                if decoded == 0 {
                    break;
                }
                if run.contexts() == context {
                    certified.record_keys(run.key_ranges());
                }
            }
            let turned = run.contexts() > context;
            let key_ranges: Vec<KeyRange> = match turned {
                true => run.key_ranges_before().to_vec(),
                false => run.key_ranges().collect(),
            };
            certified.record_keys(key_ranges.iter().copied());
            let position = (prompt + tokens).saturating_sub(1);
            let this = CertifiedRun {
                position,
                end: run.end(),
                contexts: run.contexts(),
                context,
                key_ranges,
                certified,
            };
            let this = match weakest {
                Some(weakest) if weakest.weakness() >= this.weakness() => weakest,
                _ => this,
            };
            if !turned {
                return Ok(CertifiedRun {
                    end: run.end(),
                    contexts: run.contexts(),
                    ..this
                });
            }
            weakest = Some(this);
        }
    }

    /// Checks that the model has every instruction of a program, so that it executes it correctly.
    ///
    /// # Errors
    /// [`Error::MissingModule`] for the first instruction that the model lacks.
    pub fn check(&self, program: &Program) -> Result<(), Error> {
        for (instruction, index) in program.code.iter().zip(0..) {
            self.check_instruction(index, instruction.op)?;
        }
        Ok(())
    }

    fn check_instruction(&self, index: usize, op: Op) -> Result<(), Error> {
        match self.missing.iter().find(|(lacked, _)| *lacked == op) {
            Some(&(op, module)) => Err(Error::MissingModule { index, op, module }),
            None => Ok(()),
        }
    }

    /// Refuses a prompt with an instruction that the model lacks.
    pub(crate) fn check_instructions(&self, prompt: &[TokenId]) -> Result<(), Error> {
        if self.missing.is_empty() {
            return Ok(());
        }
        let tokens = prompt.iter().map(|&id| self.meaning(id));
        let code = tokens.skip_while(|token| *token != Some(Token::Open));
        let ops = code.filter_map(|token| match token {
            Some(Token::Op(op)) => Some(op),
            _ => None,
        });
        ops.zip(0..)
            .try_for_each(|(op, index)| self.check_instruction(index, op))
    }

    /// The model's id of a token of the machine.
    #[must_use]
    pub fn id(&self, token: Token) -> TokenId {
        self.ids[self.vocabulary.id(token) as usize]
    }

    /// The token of the machine that an id of the model stands for, if there is one.
    #[must_use]
    pub fn meaning(&self, id: TokenId) -> Option<Token> {
        self.meanings.get(id.0 as usize).copied().flatten()
    }
}

/// The instructions that a model lacks, each with a module that the instruction needs.
fn missing(config: &Config) -> Result<Vec<(Op, Extension)>, Error> {
    let modules = config.modules.as_ref().ok_or(Error::NoModules)?;
    let others = [Extension::CORE, Rom::NAME, Rom::SPECIALISED];
    let names = modules
        .iter()
        .filter(|name| !others.contains(&name.as_str()));
    let extensions: Vec<Extension> = names.map(|name| name.parse()).collect::<Result<_, _>>()?;
    let lacked = Op::ALL.iter().filter_map(|&op| {
        let needed = Extension::needed_by(op).iter();
        let module = needed
            .copied()
            .find(|module| !extensions.contains(module))?;
        Some((op, module))
    });
    Ok(lacked.collect())
}

/// The result of [`Computer::certify`]: how far a run went, and what is proved of it.
#[derive(Debug, Clone)]
pub struct CertifiedRun {
    /// How the run ended.
    pub end: RunEnd,
    /// The number of its contexts.
    pub contexts: u64,
    /// The number of the context that the rest is about, from 1.
    pub context: u64,
    /// The last position of the context, the prompt included.
    pub position: u64,
    /// The extent of the live keys of heads with a key box.
    pub key_ranges: Vec<KeyRange>,
    /// The certificate of the context.
    pub certified: RunCertificate,
}

impl CertifiedRun {
    /// The positions that stock attention is not proved to follow, and then all positions.
    fn weakness(&self) -> (u64, u64) {
        let followed = Scaling::ALL.map(|scaling| self.certified.stock_position(scaling));
        let followed = followed.into_iter().min().unwrap_or(0);
        (self.position.saturating_sub(followed), self.position)
    }
}
