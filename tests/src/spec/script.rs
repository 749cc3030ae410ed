//! Scripts of the official suite, as plain data.

use wasmparser::ValType;
use wast::core::{NanPattern, WastArgCore, WastRetCore};
use wast::lexer::Lexer;
use wast::parser::{self, ParseBuffer};
use wast::{QuoteWat, QuoteWatTest, Wast, WastArg, WastDirective, WastExecute, WastInvoke};
use wast::{WastRet, Wat};

use crate::linked::Value;

/// A command and its line.
#[derive(Debug, Clone)]
pub(crate) struct Command {
    /// The line, counted from 1.
    pub(crate) line: usize,
    /// The content of the command.
    pub(crate) kind: Kind,
}

/// The content of a command.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// Instantiates a module, with or without a name.
    Module(Option<String>, Vec<u8>),
    /// Makes an instance's exports importable under a name.
    Register(String, Option<String>),
    /// Calls a function whose results do not matter.
    Invoke(Action),
    /// A call or the value of a global, and the expected results.
    Return(Action, Vec<Pattern>),
    /// A call that must trap with this message.
    Trap(Action, String),
    /// A call that must exhaust the call stack.
    Exhaustion(Action),
    /// A module whose instantiation must trap with this message.
    ModuleTraps(Vec<u8>, String),
    /// A module whose imports cannot be resolved.
    Unlinkable(Vec<u8>),
    /// A module, binary or text, that is not valid.
    Invalid(Vec<u8>),
    /// A module, binary or text, that cannot be parsed.
    Malformed(Vec<u8>),
    /// A command that WebAssembly 1.0 does not have.
    Foreign(String),
}

impl Kind {
    /// The name of the kind in scripts; instantiations that must trap have one of their own.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Module(..) => "module",
            Self::Register(..) => "register",
            Self::Invoke(_) => "invoke",
            Self::Return(..) => "assert_return",
            Self::Trap(..) => "assert_trap",
            Self::Exhaustion(_) => "assert_exhaustion",
            Self::ModuleTraps(..) => "assert_trap of a module",
            Self::Unlinkable(_) => "assert_unlinkable",
            Self::Invalid(_) => "assert_invalid",
            Self::Malformed(_) => "assert_malformed",
            Self::Foreign(_) => "others",
        }
    }
}

/// A call of an exported function, or a read of an exported global.
#[derive(Debug, Clone)]
pub(crate) struct Action {
    /// The name of the instance; `None` for the latest one.
    pub(crate) instance: Option<String>,
    /// The name of the export.
    pub(crate) export: String,
    /// The arguments; `None` for the read of a global.
    pub(crate) arguments: Option<Vec<Value>>,
}

/// A permitted result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pattern {
    /// This value, bit by bit.
    Exactly(Value),
    /// A NaN whose payload is the topmost bit alone, of either sign.
    CanonicalNan(ValType),
    /// A NaN whose payload has the topmost bit.
    ArithmeticNan(ValType),
}

impl Pattern {
    /// The type of the values.
    #[must_use]
    pub(crate) fn ty(self) -> ValType {
        match self {
            Self::Exactly(value) => value.ty,
            Self::CanonicalNan(ty) | Self::ArithmeticNan(ty) => ty,
        }
    }

    /// Whether the pattern permits a value of its type with these bits.
    #[must_use]
    pub(crate) fn admits(self, bits: u64) -> bool {
        let (quiet, sign) = match self.ty() {
            ValType::F32 => (0x7fc0_0000, 1 << 31),
            _ => (0x7ff8_0000_0000_0000, 1 << 63),
        };
        match self {
            Self::Exactly(value) => bits == value.bits,
            Self::CanonicalNan(_) => bits & !sign == quiet,
            Self::ArithmeticNan(_) => bits & quiet == quiet,
        }
    }
}

/// Reads a script.
///
/// # Errors
/// If it cannot be parsed.
pub(crate) fn parse(text: &str) -> Result<Vec<Command>, String> {
    let mut lexer = Lexer::new(text);
    lexer.allow_confusing_unicode(true);
    let show = |error: wast::Error| error.to_string();
    let buffer = ParseBuffer::new_with_lexer(lexer).map_err(show)?;
    let script = parser::parse::<Wast<'_>>(&buffer).map_err(show)?;
    let command = |directive: WastDirective<'_>| {
        let line = directive.span().linecol_in(text).0 + 1;
        let kind = kind(directive).unwrap_or_else(Kind::Foreign);
        Command { line, kind }
    };
    Ok(script.directives.into_iter().map(command).collect())
}

fn kind(directive: WastDirective<'_>) -> Result<Kind, String> {
    Ok(match directive {
        WastDirective::Module(mut module) => {
            let name = module.name().map(|id| id.name().to_owned());
            let encoded = module.encode().map_err(|error| error.to_string())?;
            Kind::Module(name, encoded)
        }
        WastDirective::Register { name, module, .. } => {
            Kind::Register(name.to_owned(), module.map(|id| id.name().to_owned()))
        }
        WastDirective::Invoke(call) => Kind::Invoke(invoke(call)?),
        WastDirective::AssertReturn { exec, results, .. } => {
            let patterns = results.into_iter().map(pattern);
            Kind::Return(execute(exec)?, patterns.collect::<Result<_, _>>()?)
        }
        WastDirective::AssertTrap { exec, message, .. } => match exec {
            WastExecute::Wat(module) => Kind::ModuleTraps(encode(module)?, message.to_owned()),
            exec => Kind::Trap(execute(exec)?, message.to_owned()),
        },
        WastDirective::AssertExhaustion { call, .. } => Kind::Exhaustion(invoke(call)?),
        WastDirective::AssertUnlinkable { module, .. } => Kind::Unlinkable(encode(module)?),
        WastDirective::AssertInvalid { module, .. } => Kind::Invalid(source(module)?),
        WastDirective::AssertMalformed { module, .. } => Kind::Malformed(source(module)?),
        _ => return Err("a command that WebAssembly 1.0 has not".into()),
    })
}

fn encode(mut module: Wat<'_>) -> Result<Vec<u8>, String> {
    module.encode().map_err(|error| error.to_string())
}

/// The source of a module. A text in quotes is not encoded, for it may be malformed.
fn source(mut module: QuoteWat<'_>) -> Result<Vec<u8>, String> {
    match module.to_test().map_err(|error| error.to_string())? {
        QuoteWatTest::Binary(bytes) | QuoteWatTest::Text(bytes) => Ok(bytes),
    }
}

fn invoke(call: WastInvoke<'_>) -> Result<Action, String> {
    let arguments = call.args.into_iter().map(argument);
    Ok(Action {
        instance: call.module.map(|id| id.name().to_owned()),
        export: call.name.to_owned(),
        arguments: Some(arguments.collect::<Result<_, _>>()?),
    })
}

fn execute(exec: WastExecute<'_>) -> Result<Action, String> {
    match exec {
        WastExecute::Invoke(call) => invoke(call),
        WastExecute::Get { module, global, .. } => Ok(Action {
            instance: module.map(|id| id.name().to_owned()),
            export: global.to_owned(),
            arguments: None,
        }),
        WastExecute::Wat(_) => Err("an instantiation that is no trap".into()),
    }
}

fn argument(argument: WastArg<'_>) -> Result<Value, String> {
    let (ty, bits) = match argument {
        WastArg::Core(WastArgCore::I32(value)) => (ValType::I32, value.cast_unsigned().into()),
        WastArg::Core(WastArgCore::I64(value)) => (ValType::I64, value.cast_unsigned()),
        WastArg::Core(WastArgCore::F32(value)) => (ValType::F32, value.bits.into()),
        WastArg::Core(WastArgCore::F64(value)) => (ValType::F64, value.bits),
        _ => return Err("an argument of a type that WebAssembly 1.0 has not".into()),
    };
    Ok(Value { ty, bits })
}

fn pattern(result: WastRet<'_>) -> Result<Pattern, String> {
    let exactly = |ty, bits| Pattern::Exactly(Value { ty, bits });
    Ok(match result {
        WastRet::Core(WastRetCore::I32(value)) => {
            exactly(ValType::I32, value.cast_unsigned().into())
        }
        WastRet::Core(WastRetCore::I64(value)) => exactly(ValType::I64, value.cast_unsigned()),
        WastRet::Core(WastRetCore::F32(value)) => nan(ValType::F32, value, |f| f.bits.into()),
        WastRet::Core(WastRetCore::F64(value)) => nan(ValType::F64, value, |f| f.bits),
        _ => return Err("a result of a type that WebAssembly 1.0 has not".into()),
    })
}

fn nan<F>(ty: ValType, pattern: NanPattern<F>, bits: impl Fn(F) -> u64) -> Pattern {
    match pattern {
        NanPattern::CanonicalNan => Pattern::CanonicalNan(ty),
        NanPattern::ArithmeticNan => Pattern::ArithmeticNan(ty),
        NanPattern::Value(value) => Pattern::Exactly(Value {
            ty,
            bits: bits(value),
        }),
    }
}
