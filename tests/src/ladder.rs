//! The ladder: runs cases on rungs.

#[cfg(feature = "candle")]
use std::sync::OnceLock;

use weightware::{Computer, Engine, Profile, RunEnd, profile_model};
#[cfg(feature = "candle")]
use weightware_candle::PlainForward;
use weightware_compiler::machine::{Extension, Machine};
use weightware_frontend::{Options, Pass, Passes};
use weightware_isa::{Interpreter, Outcome, Program, Token, TraceReader};

use crate::case::{Case, Expected, Rung};
use crate::exact::ExactMachine;
use crate::host;
use crate::streams::Streams;

/// The positions, and the tokens after a long prompt, that rungs of quadratic time decode.
const QUADRATIC: (usize, usize) = (1_500, 128);
/// The positions and tokens that the forward pass without a cache decodes.
#[cfg(feature = "candle")]
const CANDLE: (usize, usize) = (600, 48);

/// The plain interpreter's trace of a program.
#[derive(Debug, Clone)]
pub struct Trace {
    /// The tokens after the prompt.
    pub tokens: Vec<Token>,
    /// The bytes of output.
    pub streams: Streams,
    /// How it ended.
    pub outcome: Outcome,
}

impl Trace {
    /// Runs a program in the plain interpreter.
    ///
    /// # Errors
    /// If it has a fault, or does not end within `max_tokens` tokens.
    pub fn of(program: &Program, max_tokens: u64) -> Result<Self, String> {
        let mut run = Interpreter::new(program);
        let mut tokens = vec![];
        for token in run.by_ref() {
            tokens.push(token.map_err(|fault| format!("{fault}, {} tokens on", tokens.len()))?);
            if tokens.len() as u64 > max_tokens {
                return Err(format!("does not end within {max_tokens} tokens"));
            }
        }
        let outcome = run.outcome().ok_or("ends without an outcome")?;
        Ok(Self {
            tokens,
            streams: Streams::new(run.output(), run.stderr()),
            outcome,
        })
    }

    /// A line for each executed instruction.
    #[must_use]
    pub fn lines(&self) -> String {
        let mut reader = TraceReader::new();
        let mut text = String::new();
        for &token in &self.tokens {
            if let Some(line) = reader.feed(token) {
                text.push_str(&line.to_string());
                text.push('\n');
            }
        }
        text
    }

    /// The number of tokens that a rung decodes, given the limit of its positions and of tokens
    /// after a long prompt.
    fn within(&self, program: &Program, (positions, tokens): (usize, usize)) -> usize {
        let left = positions.saturating_sub(program.full_prompt().count());
        self.tokens.len().min(left.max(tokens))
    }

    /// Compares a token of another rung, and describes the difference.
    fn compare(&self, at: usize, found: Option<Token>) -> Result<(), String> {
        let wanted = self.tokens.get(at).copied();
        if found == wanted {
            return Ok(());
        }
        let show =
            |token: Option<Token>| token.map_or("nothing".to_owned(), |token| token.to_string());
        let before: Vec<String> = self.tokens[at.saturating_sub(16)..at]
            .iter()
            .map(Token::to_string)
            .collect();
        let (wanted, found) = (show(wanted), show(found));
        Err(format!(
            "token {at} is {found}, not {wanted}, after ... {}",
            before.join(" ")
        ))
    }
}

/// The model and the machine, built once for all cases.
#[derive(Debug)]
pub struct Ladder {
    computer: Computer,
    exact: ExactMachine,
    #[cfg(feature = "candle")]
    candle: OnceLock<PlainForward>,
}

impl Default for Ladder {
    fn default() -> Self {
        Self::of(Profile::default())
    }
}

impl Ladder {
    /// The ladder of a profile's machine. Its last rung is of the default machine.
    ///
    /// # Panics
    /// If the compiled model lacks a token of the machine.
    #[must_use]
    pub fn of(profile: Profile) -> Self {
        let machine = Machine::with_profile(profile, &Extension::ALL);
        Self {
            computer: Computer::new(profile_model(profile)).expect("the machine's own model"),
            exact: ExactMachine::new(machine),
            #[cfg(feature = "candle")]
            candle: OnceLock::new(),
        }
    }

    /// The model's computer.
    #[must_use]
    pub fn computer(&self) -> &Computer {
        &self.computer
    }

    /// Runs a case on a rung.
    ///
    /// # Errors
    /// The first difference from the expected result.
    pub fn check(&self, rung: Rung, case: &Case) -> Result<(), String> {
        let expected = match &case.expected {
            Expected::Run { streams, outcome } => (streams, *outcome),
            Expected::Refused(texts) => return refused(case.program(), texts),
        };
        if let (Rung::Wasmi, Some(wasm)) = (rung, case.wasm()) {
            let (streams, outcome) = host::run(wasm, &case.input)?;
            return agree((&streams, outcome), expected);
        }
        let program = case.program()?;
        let trace = Trace::of(&program, case.max_tokens)?;
        match rung {
            Rung::Wasmi => Err("is no module".into()),
            Rung::Interpreter => self.interpreter(&trace, expected),
            Rung::Evaluator => self.evaluator(&program, &trace),
            Rung::Softmax => self.decoder(&program, &trace, Engine::Softmax),
            Rung::Hardmax => self.decoder(&program, &trace, Engine::Hardmax),
            Rung::Hull => self.decoder(&program, &trace, Engine::Hull),
            Rung::Plan => self.decoder(&program, &trace, Engine::Plan),
            Rung::Jit => self.decoder(&program, &trace, Engine::Jit),
            #[cfg(feature = "candle")]
            Rung::Candle => self.candle(&program, &trace),
            #[cfg(not(feature = "candle"))]
            Rung::Candle => Err("is built without the feature `candle`".into()),
        }
    }

    /// Runs a case in the plain interpreter, lowered with none of the passes, with each alone, and
    /// with all but each.
    ///
    /// # Errors
    /// The first difference from the expected result.
    pub fn check_passes(case: &Case) -> Result<(), String> {
        let Expected::Run { streams, outcome } = &case.expected else {
            return Ok(());
        };
        let alone = Pass::ALL.map(|pass| Passes::none().with(pass));
        let but = Pass::ALL.map(|pass| Passes::all().without(pass));
        for passes in [Passes::none()].into_iter().chain(alone).chain(but) {
            let program = case.program_with(&Options::default().with_passes(passes))?;
            // With fewer passes the trace is longer, but less than twice as long as the limit.
            let trace = Trace::of(&program, 2 * case.max_tokens)?;
            agree((&trace.streams, trace.outcome), (streams, *outcome))
                .map_err(|problem| format!("{passes:?}: {problem}"))?;
        }
        Ok(())
    }

    fn interpreter(&self, trace: &Trace, expected: (&Streams, Outcome)) -> Result<(), String> {
        agree((&trace.streams, trace.outcome), expected)?;
        let mut reader = TraceReader::new();
        for &token in &trace.tokens {
            let _ = reader.feed(token);
        }
        match (reader.malformed(), reader.outcome()) {
            (Some(at), _) => Err(format!("token {at} cannot stand there in a trace")),
            (None, Some(outcome)) => {
                let streams = Streams::new(reader.output(), reader.stderr());
                agree((&streams, outcome), expected)
            }
            (None, None) => Err("the trace does not tell its outcome".into()),
        }
    }

    /// Checks that a program is valid and that its text reads as itself.
    ///
    /// # Errors
    /// The error of the program or of its text.
    pub fn check_text(case: &Case) -> Result<(), String> {
        let program = case.program()?;
        program.validate().map_err(|error| error.to_string())?;
        let again = format!("{program:#}").parse::<Program>();
        match again.map_err(|error| error.to_string())? == program {
            true => Ok(()),
            false => Err("the program's text reads as another program".into()),
        }
    }

    fn evaluator(&self, program: &Program, trace: &Trace) -> Result<(), String> {
        let mut evaluator = self.exact.after(program.full_prompt());
        let count = trace.within(program, QUADRATIC);
        for (at, &token) in trace.tokens[..count].iter().enumerate() {
            trace.compare(at, self.exact.argmax(&evaluator))?;
            self.exact.push(&mut evaluator, token);
        }
        Ok(())
    }

    fn decoder(&self, program: &Program, trace: &Trace, engine: Engine) -> Result<(), String> {
        let all = trace.tokens.len();
        let count = if engine.is_linear() {
            trace.within(program, QUADRATIC)
        } else {
            all
        };
        let limit = all as u64 + 1;
        let run = self.computer.run(program, engine, Some(limit));
        let mut run = run.map_err(|error| error.to_string())?;
        for at in 0..count {
            let token = run.next();
            trace
                .compare(at, token)
                .map_err(|problem| format!("{problem}: {:?}", run.end()))?;
        }
        if count < all {
            return Ok(());
        }
        if let Some(token) = run.next() {
            return Err(format!("{token} follows the end"));
        }
        match run.end() {
            RunEnd::Outcome(outcome) => {
                let streams = Streams::new(run.reader().output(), run.reader().stderr());
                agree((&streams, outcome), (&trace.streams, trace.outcome))
            }
            end => Err(format!("ends with {end:?}")),
        }
    }

    #[cfg(feature = "candle")]
    fn candle(&self, program: &Program, trace: &Trace) -> Result<(), String> {
        let prompt: Vec<u32> = self
            .computer
            .prompt(program)
            .iter()
            .map(|id| id.0)
            .collect();
        let count = trace.within(program, CANDLE);
        let given = trace.tokens[..count]
            .iter()
            .map(|&token| self.exact.vocabulary().id(token));
        let all: Vec<u32> = prompt.iter().copied().chain(given).collect();
        let said = self.plain_forward().argmax_all(&all[..all.len() - 1]);
        let said = said.map_err(|error| error.to_string())?;
        for (at, &id) in said[prompt.len() - 1..].iter().enumerate() {
            trace.compare(at, self.exact.vocabulary().token(id))?;
        }
        Ok(())
    }

    #[cfg(feature = "candle")]
    fn plain_forward(&self) -> &PlainForward {
        self.candle.get_or_init(|| {
            let folder = tempfile::tempdir().expect("a temporary folder");
            self.computer
                .model()
                .save(folder.path())
                .expect("the model is saved");
            PlainForward::load(folder.path()).expect("the folder is read")
        })
    }
}

fn agree(found: (&Streams, Outcome), expected: (&Streams, Outcome)) -> Result<(), String> {
    if found == expected {
        return Ok(());
    }
    let show = |(streams, outcome): (&Streams, Outcome)| format!("{outcome}, {streams}");
    Err(format!("{}; it must be: {}", show(found), show(expected)))
}

fn refused(result: Result<Program, String>, texts: &[String]) -> Result<(), String> {
    match result {
        Ok(_) => Err("is not refused".into()),
        Err(error) => match texts.iter().find(|text| !error.contains(text.as_str())) {
            Some(text) => Err(format!("is refused without mention of {text:?}: {error}")),
            None => Ok(()),
        },
    }
}
