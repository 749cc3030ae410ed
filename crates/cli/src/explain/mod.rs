//! `explain`: the forward pass that predicts one token of a trace.

mod decoded;
mod explanation;
mod json;
mod layout;
mod text;

use std::io::{self, Write};

use anyhow::{Error, anyhow};
use weightware::{
    Computer, Engine, Extension, Instruction, Names, Op, Program, SavedRun, Token, TokenId,
    compile, inspect,
};

use crate::args::ExplainArgs;
use crate::failure::{Failure, Result, printable};
use crate::input::Loaded;
use crate::machine::Machine;
use crate::names;
use crate::say;
use crate::screen::Screen;
use decoded::{Decoded, decode};
use explanation::{ExecutedInstruction, Explanation, TraceLine};
use layout::Layout;

/// From this many tokens on, two passes take long enough for a line of progress.
const LONG_TRACE: usize = 100_000;

/// The number of best tokens shown.
const BEST: usize = 5;

pub(crate) fn explain(args: &ExplainArgs) -> Result<u8> {
    let engine: Engine = args.engine.into();
    if engine.is_planned() {
        return Err(Failure::Refused(anyhow!(
            "--engine {}: it skips most of the forward pass; use hull, softmax or hardmax",
            engine.name()
        )));
    }
    let machine = Machine(&args.model);
    let (computer, loaded, ready) = machine.load(
        args.source.file.as_deref(),
        &args.source.program,
        args.quiet,
    )?;
    let names = names(args, &computer)?;
    let program = &ready.program;
    computer
        .check(program)
        .map_err(|error| loaded.refused(error))?;
    let Decoded {
        context,
        before,
        prompt,
        trace,
        index,
    } = decode(&computer, program, engine, args.token)?;
    let program = &of_context(program, &computer, &prompt, context)?;

    let prompt_tokens = prompt.len();
    let mut ids = prompt;
    ids.extend(trace[..index].iter().map(|&token| computer.id(token)));
    let mut screen = Screen::new(args.quiet, true);
    if ids.len() >= LONG_TRACE {
        screen.draw(format!("prefilling {} tokens, twice", ids.len()));
    }
    let pass = inspect(computer.model(), engine, &ids);
    drop(screen);
    let pass = pass.map_err(|error| Failure::Refused(Error::new(error)))?;
    let token = trace[index];
    let string = |id: TokenId| computer.model().tokenizer.string(id).unwrap_or("?");
    if pass.next != Some(computer.id(token)) {
        return Err(Failure::Failed(anyhow!(
            "the engine {} decodes `{}` there, the engine of the run `{token}`: the model is not what its config.json says",
            engine.name(),
            pass.next.map_or("nothing", string)
        )));
    }
    let explanation = Explanation {
        index: before + index,
        context,
        token,
        line: line(&trace, index),
        instruction: instruction(&computer, program, &loaded, &trace[..=index]),
        engine,
        strings: ids.iter().map(|&id| string(id).to_owned()).collect(),
        best: best(&pass.logits)
            .map(|(id, logit)| (string(id).to_owned(), logit))
            .collect(),
        pass,
        kernel: match args.kernel {
            true => Some(kernel(&computer, &ready.program, before + index)?),
            false => None,
        },
        layout: Layout::new(program, prompt_tokens, &trace),
        names,
    };
    let mut out = io::stdout().lock();
    match args.json {
        true => writeln!(out, "{:#}", json::of(&explanation)),
        false => write!(out, "{}", text::of(&explanation)),
    }
    .and_then(|()| out.flush())
    .map_err(Failure::stdout)?;
    Ok(0)
}

/// The kernel that the plan engine runs to predict the token of an index.
fn kernel(computer: &Computer, program: &Program, index: usize) -> Result<String> {
    let limit = u64::try_from(index).unwrap_or(u64::MAX).saturating_add(1);
    let refused = |error| Failure::Refused(Error::new(error).context("--kernel"));
    let run = computer.run(program, Engine::Plan, Some(limit));
    let mut run = run.map_err(refused)?;
    while run.steps(usize::MAX, |_, _| {}) > 0 {}
    run.kernel().ok_or_else(|| {
        Failure::Refused(anyhow!(
            "--kernel: no plan holds for this model or this token"
        ))
    })
}

/// The names of heads, neurons and slots, if there are some.
fn names(args: &ExplainArgs, computer: &Computer) -> Result<Option<Names>> {
    let Some(folder) = &args.model.folder else {
        let profile = computer.profile().unwrap_or_default();
        let compiled = compile(profile, &Extension::ALL)
            .map_err(|error| Failure::Failed(Error::new(error)))?;
        return Ok(Some(compiled.names));
    };
    let names = names::read(computer.model(), folder);
    if let Err(error) = &names
        && !args.quiet
    {
        let why = printable(&format!("{error:#}"));
        say(&format!("slots and heads are shown by number: {why}"));
    }
    Ok(names.ok())
}

/// The program as the prompt of one of its contexts has it.
fn of_context(
    program: &Program,
    computer: &Computer,
    prompt: &[TokenId],
    context: u64,
) -> Result<Program> {
    if context == 1 {
        return Ok(program.clone());
    }
    let saved = SavedRun {
        prompt: prompt.to_vec(),
        trace: vec![],
        context,
    };
    saved.program(computer).map_err(|error| {
        Failure::Failed(Error::new(error).context(format!("the prompt of context {context}")))
    })
}

fn line(trace: &[Token], index: usize) -> TraceLine {
    let ends = |token: &Token| token.ends_instruction();
    let number = trace[..index].iter().filter(|token| ends(token)).count();
    let start = trace[..index].iter().rposition(ends).map_or(0, |at| at + 1);
    let end = trace[index..]
        .iter()
        .position(ends)
        .map_or(trace.len(), |at| index + at + 1);
    TraceLine {
        number,
        tokens: trace[start..end].to_vec(),
        at: index - start,
    }
}

/// The instruction of the last token; `None` if the plain interpreter does not confirm the trace.
fn instruction(
    computer: &Computer,
    program: &Program,
    loaded: &Loaded,
    trace: &[Token],
) -> Option<ExecutedInstruction> {
    let mut interpreter = computer.interpreter(program);
    let mut index = interpreter.cursor();
    let mut begins = true;
    for &token in trace {
        if begins {
            index = interpreter.cursor();
        }
        if interpreter.next()?.ok()? != token {
            return None;
        }
        begins = token.ends_instruction();
    }
    // Instructions of the preamble have negative numbers.
    let number = index.cast_signed() as i64;
    if number < 0 {
        let handler = program.turns.as_ref()?.handler;
        let (op, immediate) = match number == Program::INTERRUPT {
            true => (Op::Interrupt, None),
            false => (Op::Br, Some(handler)),
        };
        let operand = immediate.map_or_else(String::new, |target| format!(" {target}"));
        return Some(ExecutedInstruction {
            index: number,
            opcode: op.to_string(),
            text: format!("{op}{operand}, in the preamble"),
            immediate,
            function: None,
        });
    }
    let executed = program.instruction(index);
    Some(ExecutedInstruction {
        index: number,
        opcode: executed.map_or_else(|| "}".to_owned(), |executed| executed.op.to_string()),
        immediate: executed.map(Instruction::immediate),
        text: executed.map_or_else(|| "}".to_owned(), Instruction::readable),
        function: loaded.function(index),
    })
}

/// The tokens with the greatest logits; among equal logits the lowest id comes first, as in
/// decoding.
fn best(logits: &[f64]) -> impl Iterator<Item = (TokenId, f64)> + use<> {
    let mut all: Vec<(u32, f64)> = (0..).zip(logits.iter().copied()).collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    all.truncate(BEST);
    all.into_iter().map(|(id, logit)| (TokenId(id), logit))
}
