//! Lockstep decoding: every token is compared with the plain interpreter's.

use weightware::{Computer, Engine, Program, Run, RunEnd, Token};
use weightware_isa::{Commit, Fault, Interpreter};

/// Tokens between two checks of whether one differed.
const LOOK: usize = 1 << 12;

/// The end of a run, or its state so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Stopped {
    /// Tokens of the trace, all of them equal to the plain interpreter's.
    pub tokens: u64,
    /// Stores among them.
    pub stores: u64,
    /// How it ended.
    pub end: RunEnd,
}

/// A program decoded in lockstep with the plain interpreter.
#[derive(Debug)]
pub struct Beside<'c, 'p> {
    engine: Engine,
    run: Run<'c>,
    interpreter: Interpreter<'p>,
    tokens: u64,
    stores: u64,
}

impl<'c, 'p> Beside<'c, 'p> {
    /// Begins at the start of the trace, for at most `limit` tokens.
    ///
    /// # Errors
    /// If the model cannot be decoded with this engine.
    pub fn new(
        computer: &'c Computer,
        program: &'p Program,
        engine: Engine,
        limit: Option<u64>,
    ) -> Result<Self, String> {
        Self::resumed(computer, program, engine, 0, limit)
    }

    /// Begins after the first tokens of the trace, which are the plain interpreter's, for at most
    /// `limit` more.
    ///
    /// # Errors
    /// If the model cannot be decoded with this engine, or the trace is shorter.
    pub fn resumed(
        computer: &'c Computer,
        program: &'p Program,
        engine: Engine,
        from: u64,
        limit: Option<u64>,
    ) -> Result<Self, String> {
        let mut interpreter = computer.interpreter(program);
        let mut trace = vec![];
        for _ in 0..from {
            match next(&mut interpreter) {
                Some(Ok(token)) => trace.push(token),
                Some(Err(fault)) => return Err(fault.to_string()),
                None => return Err(format!("the trace has no {from} tokens")),
            }
        }
        let run = computer.resume(&computer.prompt(program), &trace, engine, limit);
        Ok(Self {
            engine,
            run: run.map_err(|error| error.to_string())?,
            interpreter,
            tokens: from,
            stores: trace.iter().copied().filter(is_store).count() as u64,
        })
    }

    /// Continues for about `most` tokens, and returns whether more may follow.
    ///
    /// # Errors
    /// The first token that differs.
    pub fn go(&mut self, most: usize) -> Result<bool, String> {
        let mut gone = 0;
        while gone < most {
            let mut differs = None;
            let decoded = self.run.steps(LOOK, |token, _| {
                let wanted = next(&mut self.interpreter).and_then(Result::ok);
                if Some(token) != wanted && differs.is_none() {
                    differs = Some((self.tokens, token, wanted));
                }
                self.tokens += 1;
                self.stores += u64::from(is_store(&token));
            });
            if let Some((at, token, wanted)) = differs {
                let wanted = wanted.map_or("the end".to_owned(), |token| token.to_string());
                let engine = self.engine.name();
                return Err(format!("{engine}: token {at} is {token}, not {wanted}"));
            }
            if decoded == 0 {
                return Ok(false);
            }
            gone += decoded;
        }
        Ok(true)
    }

    /// The tokens of the trace so far.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.tokens
    }

    /// The run, with its output.
    #[must_use]
    pub fn run(&self) -> &Run<'c> {
        &self.run
    }

    /// How the run ended; for a run that has not ended, the limit counts as its end.
    #[must_use]
    pub fn stopped(&self) -> Stopped {
        Stopped {
            tokens: self.tokens,
            stores: self.stores,
            end: self.run.end(),
        }
    }
}

/// The interpreter's next token, of the next context if this one has ended.
pub(crate) fn next(interpreter: &mut Interpreter<'_>) -> Option<Result<Token, Fault>> {
    let token = interpreter.next();
    match token {
        None if interpreter.turn() => interpreter.next(),
        token => token,
    }
}

/// Decodes at most `limit` tokens of a program in lockstep with the plain interpreter.
///
/// # Errors
/// The first token that differs.
pub fn beside(
    computer: &Computer,
    program: &Program,
    engine: Engine,
    limit: Option<u64>,
) -> Result<Stopped, String> {
    let mut beside = Beside::new(computer, program, engine, limit)?;
    while beside.go(usize::MAX)? {}
    Ok(beside.stopped())
}

/// Whether the token ends a store to the memory.
pub(crate) fn is_store(token: &Token) -> bool {
    matches!(
        token,
        Token::Commit(Commit {
            delta: -2,
            stored: false,
            ..
        })
    )
}
