//! Needs of a program, and whether a machine meets them.

use std::fmt::Write as _;

use serde_json::{Value, json};
use weightware::{Op, Profile, Program, TurnCost, WeightCount};

use crate::input::{Loaded, Ready};
use crate::thousands::thousands;
use crate::units::{flag, kibibytes};

/// Bytes of a page of memory.
const PAGE: u64 = 1 << 16;

/// The needs of a program.
pub(crate) struct Needs {
    module_bytes: usize,
    functions: usize,
    instructions: usize,
    prompt_tokens: u64,
    code_tokens: u64,
    data_tokens: u64,
    input_bytes: Option<usize>,
    /// The machine's address after the last byte that the prompt writes.
    end: u64,
    /// Pages of the module's memory: at first, and at most.
    pages: Option<(u32, u32)>,
    /// The first address that the machine holds, and the stack pointer.
    origin: u32,
    stack: Option<u32>,
    imports: Vec<String>,
    /// The cost of a turn, if it is known.
    turn: Option<TurnCost>,
    /// Why the program has one context, if it does.
    why_one: Option<&'static str>,
}

impl Needs {
    pub(crate) fn new(loaded: &Loaded, ready: &Ready) -> Self {
        let program = &ready.program;
        let lowered = loaded.lowered();
        let memory = lowered.map(|lowered| lowered.memory);
        let data = program
            .sections
            .iter()
            .map(|section| section.len() as u64 + 1);
        Self {
            module_bytes: loaded.bytes().len(),
            functions: lowered.map_or(0, |lowered| lowered.functions().count()),
            instructions: loaded.instructions(program),
            prompt_tokens: program.full_prompt().count() as u64,
            code_tokens: 5 * program.code_in_prompt().len() as u64,
            data_tokens: data.sum(),
            input_bytes: lowered
                .filter(|lowered| lowered.reads_bytes)
                .map(|_| ready.input.len()),
            end: end(program),
            pages: memory.map(|memory| (memory.initial, memory.limit)),
            origin: memory.map_or(0, |memory| memory.origin),
            stack: memory.and_then(|memory| memory.stack_pointer),
            imports: lowered.map_or_else(Vec::new, |lowered| lowered.imports.clone()),
            turn: None,
            why_one: program.turns.is_none().then(|| loaded.why_one()),
        }
    }

    /// Counts the tokens of a turn, on the machine of a profile.
    pub(crate) fn with_turn(mut self, program: &Program, profile: &Profile) -> Self {
        self.turn = TurnCost::of(program, profile);
        self
    }

    /// Whether a machine of a profile has it, or where it would stop.
    pub(crate) fn fits(&self, profile: &Profile) -> std::result::Result<(), String> {
        let held = profile.memory_bytes();
        if self.end > held {
            return Err(format!(
                "data and input come to address {} of the machine, and it holds {}",
                thousands(self.end - 1),
                kibibytes(held)
            ));
        }
        let stack = self
            .stack
            .map(|stack| u64::from(stack - self.origin.min(stack)));
        if let Some(stack) = stack.filter(|&stack| stack > held) {
            return Err(format!(
                "the stack begins at address {}, and the machine holds {}: its first store stops the run",
                thousands(stack),
                kibibytes(held)
            ));
        }
        if let Some(cells) = profile.cells
            && self.data_tokens > cells.last().unsigned_abs()
        {
            return Err(format!(
                "data and input have {} bytes, and it holds {} that are written",
                thousands(self.data_tokens),
                thousands(cells.last().unsigned_abs())
            ));
        }
        if self.prompt_tokens > profile.last_position {
            return Err(format!(
                "the prompt has more tokens than the {} that it is exact for",
                thousands(profile.last_position + 1)
            ));
        }
        Ok(())
    }

    pub(crate) fn text(
        &self,
        own: Option<&Profile>,
        count: &WeightCount,
        context: Option<u64>,
    ) -> String {
        let mut text = format!(
            "program   {} bytes, {} functions, {} instructions\nprompt    {} tokens, of which code {}, data and input {}\n",
            thousands(self.module_bytes as u64),
            thousands(self.functions as u64),
            thousands(self.instructions as u64),
            thousands(self.prompt_tokens),
            thousands(self.code_tokens),
            thousands(self.data_tokens)
        );
        if let Some((initial, limit)) = self.pages {
            let size = |pages: u32| kibibytes(u64::from(pages) * PAGE);
            let grows = match limit > initial {
                true => format!("may grow to {}", size(limit)),
                false => "does not grow".to_owned(),
            };
            let stack = self.stack.map_or_else(String::new, |stack| {
                format!("; stack from address {} down", thousands(stack.into()))
            });
            let held = match self.origin {
                0 => String::new(),
                origin => format!(
                    "; the machine holds it from address {} on",
                    thousands(origin.into())
                ),
            };
            let _ = writeln!(text, "memory    {}, {grows}{stack}{held}", size(initial));
        }
        let input = match self.input_bytes {
            Some(bytes) => format!("reads stdin: {} bytes", thousands(bytes as u64)),
            None => "reads none".to_owned(),
        };
        let _ = writeln!(text, "input     {input}");
        let imports = match self.imports.is_empty() {
            true => "none".to_owned(),
            false => self.imports.join(" "),
        };
        let _ = writeln!(text, "imports   {imports}");
        let _ = writeln!(text, "contexts  {}", self.contexts(context));
        let _ = writeln!(
            text,
            "weights   {}, of which {} are not zero, {} different values; {} bytes dense, {} sparse",
            thousands(count.weights),
            thousands(count.nonzero),
            thousands(count.distinct),
            thousands(count.dense_bytes),
            thousands(count.sparse_bytes)
        );
        for profile in Profile::ALL {
            let mark = if own.is_some_and(|own| own.name == profile.name) {
                "*"
            } else {
                " "
            };
            let fits = match self.fits(&profile) {
                Ok(()) => format!(
                    "fits: {} positions are left, memory {}, {} stores",
                    thousands(profile.last_position - self.prompt_tokens),
                    kibibytes(profile.memory_bytes()),
                    thousands(profile.last_store())
                ),
                Err(why) => format!("does not fit: {why}"),
            };
            let _ = writeln!(text, "{mark} {:<8}{fits}", profile.name);
        }
        if let Some(own) = own
            && self.fits(own).is_err()
            && let Some(other) = Profile::ALL.iter().find(|other| self.fits(other).is_ok())
        {
            let _ = writeln!(text, "{} runs it", flag(other));
        }
        text
    }

    /// Whether the program goes on when a context is full, and what that costs.
    fn contexts(&self, length: Option<u64>) -> String {
        let length = match (self.why_one, length) {
            (Some(why), _) => return format!("one: {why}"),
            (None, None) => return "one: the model goes on in no other".to_owned(),
            (None, Some(length)) => thousands(length),
        };
        let cost = match self.turn {
            None => "what that costs is not known".to_owned(),
            Some(turn) => format!(
                "at its first jump, that takes {} tokens, a prompt of {}, and {} tokens; each KiB that it writes adds 1,025 at least to turn and prompt",
                thousands(turn.saving),
                thousands(turn.prompt),
                thousands(turn.restoring)
            ),
        };
        format!("goes on in another one after {length} tokens; {cost}")
    }

    pub(crate) fn json(
        &self,
        own: Option<&Profile>,
        count: &WeightCount,
        context: Option<u64>,
    ) -> Value {
        let profiles = Profile::ALL.iter().map(|profile| {
            let fits = self.fits(profile);
            json!({
                "profile": profile.name,
                "fits": fits.is_ok(),
                "why_not": fits.err(),
                "positions": profile.last_position + 1,
                "stores": profile.last_store(),
                "memory_bytes": profile.memory_bytes(),
            })
        });
        json!({
            "module_bytes": self.module_bytes,
            "functions": self.functions,
            "instructions": self.instructions,
            "prompt_tokens": self.prompt_tokens,
            "code_tokens": self.code_tokens,
            "data_tokens": self.data_tokens,
            "input_bytes": self.input_bytes,
            "memory_pages": self.pages.map(|(initial, limit)| json!({"initial": initial, "limit": limit})),
            "stack_pointer": self.stack,
            "imports": self.imports,
            "contexts": {
                "length": context.filter(|_| self.why_one.is_none()),
                "why_one": self.why_one,
                "turn": self.turn.map(|turn| json!({
                    "saving_tokens": turn.saving,
                    "prompt_tokens": turn.prompt,
                    "restoring_tokens": turn.restoring,
                })),
            },
            "weights": {
                "count": count.weights,
                "nonzero": count.nonzero,
                "distinct": count.distinct,
                "dense_bytes": count.dense_bytes,
                "sparse_bytes": count.sparse_bytes,
            },
            "profile": own.map(|profile| profile.name),
            "profiles": profiles.collect::<Vec<_>>(),
        })
    }
}

/// The machine's address after the last byte that the prompt writes.
fn end(program: &Program) -> u64 {
    let heads = program
        .code
        .iter()
        .take_while(|head| head.op == Op::Section);
    let ends = heads.zip(&program.sections);
    let ends = ends.map(|(head, bytes)| u64::from(head.low()) + bytes.len() as u64);
    ends.max().unwrap_or(0)
}
