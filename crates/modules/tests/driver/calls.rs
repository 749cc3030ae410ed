//! Calls of a module's functions, with what they must return and write.

use std::collections::BTreeSet;
use std::fmt::Write;

use weightware::Outcome;
use weightware_modules::{Module, Value};

use super::Target;
use super::machine::Driver;

/// An argument or a result. A pointer is an offset into the driver's memory.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Argument {
    I32(u32),
    I64(u64),
    F32(f32),
    F64(f64),
}

impl Argument {
    fn value(self) -> Value {
        match self {
            Self::I32(_) => Value::I32,
            Self::I64(_) => Value::I64,
            Self::F32(_) => Value::F32,
            Self::F64(_) => Value::F64,
        }
    }

    fn bytes(self) -> Vec<u8> {
        match self {
            Self::I32(word) => word.to_le_bytes().to_vec(),
            Self::I64(bits) => bits.to_le_bytes().to_vec(),
            Self::F32(value) => value.to_le_bytes().to_vec(),
            Self::F64(value) => value.to_le_bytes().to_vec(),
        }
    }
}

macro_rules! arguments {
    ($($ty:ty => $variant:ident $(as $as:ty)?;)*) => {$(
        impl From<$ty> for Argument {
            fn from(value: $ty) -> Self {
                Self::$variant(value $(as $as)?)
            }
        }
    )*};
}

arguments! {
    u32 => I32; i32 => I32 as u32; u64 => I64; i64 => I64 as u64; f32 => F32; f64 => F64;
}

/// The arguments of a call, of any types.
#[macro_export]
macro_rules! args {
    ($($argument:expr),* $(,)?) => { &[$($crate::driver::Argument::from($argument)),*] };
}

type Check = Box<dyn Fn(&[u8]) -> Result<(), String>>;

/// A reply: what was done before it, its bytes, and what they must be.
struct Reply {
    before: String,
    count: usize,
    check: Check,
}

/// The names of functions that a driver called, all of whose replies were right.
pub(crate) type Called = BTreeSet<String>;

/// A row of requests to a driver.
pub(crate) struct Calls {
    module: &'static Module,
    pub(crate) target: Target,
    requests: Vec<u8>,
    replies: Vec<Reply>,
    called: Called,
    last: String,
    noted: String,
    /// Whether the driver marks the beginning and the end of calls.
    pub(crate) is_measured: bool,
}

/// Characters of a failure's message.
const MESSAGE: usize = 1000;

/// Failures that a test reports.
const REPORTED: usize = 8;

impl Calls {
    pub(crate) fn new(module: &str, target: Target) -> Self {
        Self {
            module: Module::named(module).expect("a module"),
            target,
            requests: vec![],
            replies: vec![],
            called: Called::new(),
            last: String::new(),
            noted: String::new(),
            is_measured: false,
        }
    }

    fn word(&mut self, word: u32) {
        self.requests.extend(word.to_le_bytes());
    }

    /// Writes bytes to the memory.
    pub(crate) fn write(&mut self, offset: u32, bytes: &[u8]) {
        self.requests.push(b'W');
        self.word(offset);
        self.word(u32::try_from(bytes.len()).expect("few bytes"));
        self.requests.extend(bytes);
    }

    /// Writes the address of an offset to the memory.
    pub(crate) fn pointer(&mut self, offset: u32, to: u32) {
        self.requests.push(b'P');
        self.word(offset);
        self.word(to);
    }

    fn reply(&mut self, count: usize, check: Check) {
        let before = format!("{} {}", self.noted, self.last);
        self.replies.push(Reply {
            before,
            count,
            check,
        });
    }

    /// Calls a function; `check` examines the bytes of its result.
    fn call_with(&mut self, name: &str, arguments: &[Argument], check: Check) {
        let number = self.module.functions.iter().position(|f| f.name == name);
        let number = number.unwrap_or_else(|| panic!("{} has no {name}", self.module.name));
        let function = &self.module.functions[number];
        let types: Vec<Value> = arguments.iter().map(|argument| argument.value()).collect();
        assert_eq!(types, function.params, "{name}");
        self.requests
            .push(if self.is_measured { b'T' } else { b'C' });
        self.word(u32::try_from(number).expect("few functions"));
        self.called.insert(name.to_owned());
        self.last = format!("{name}(");
        for argument in arguments {
            self.requests.extend(argument.bytes());
            let _ = write!(self.last, "{argument:?} ");
        }
        self.last.push(')');
        let bytes = match function.results[..] {
            [] => 0,
            [Value::I32 | Value::F32] => 4,
            _ => 8,
        };
        if bytes > 0 {
            self.reply(bytes, check);
        }
    }

    /// Calls a function; its result may be anything.
    pub(crate) fn call(&mut self, name: &str, arguments: &[Argument]) {
        self.call_with(name, arguments, Box::new(|_| Ok(())));
    }

    /// Calls a function, which must return these bits.
    pub(crate) fn returns(
        &mut self,
        name: &str,
        arguments: &[Argument],
        expected: impl Into<Argument>,
    ) {
        let expected = expected.into();
        let bytes = expected.bytes();
        self.call_with(
            name,
            arguments,
            Box::new(move |found| match found == bytes {
                true => Ok(()),
                false => Err(format!(
                    "returns {found:02x?}, not {expected:x?} = {bytes:02x?}"
                )),
            }),
        );
    }

    /// Calls a function, whose result of type `f64` must pass a check.
    pub(crate) fn returns_f64(
        &mut self,
        name: &str,
        arguments: &[Argument],
        check: impl Fn(f64) -> Result<(), String> + 'static,
    ) {
        self.call_with(
            name,
            arguments,
            Box::new(move |found| match found.try_into() {
                Ok(bytes) => check(f64::from_le_bytes(bytes)),
                Err(_) => Err("the result is no f64".into()),
            }),
        );
    }

    /// Calls a function, whose integer result must pass a check.
    pub(crate) fn returns_u64(
        &mut self,
        name: &str,
        arguments: &[Argument],
        check: impl Fn(u64) -> Result<(), String> + 'static,
    ) {
        self.call_with(
            name,
            arguments,
            Box::new(move |found| {
                let mut bytes = [0; 8];
                bytes[..found.len()].copy_from_slice(found);
                check(u64::from_le_bytes(bytes))
            }),
        );
    }

    /// The memory must now have these bytes.
    pub(crate) fn reads(&mut self, offset: u32, expected: &[u8]) {
        let expected = expected.to_vec();
        self.reads_with(offset, expected.len(), move |found| {
            if found == expected {
                return Ok(());
            }
            let at = (0..found.len()).find(|&at| found[at] != expected[at]);
            let [found_text, expected_text] = [found, &expected].map(String::from_utf8_lossy);
            Err(format!(
                "byte {at:?} differs:\n  {found:02x?} {found_text:?}\n, not\n  {expected:02x?} {expected_text:?}"
            ))
        });
    }

    /// Some bytes of the memory must now pass a check.
    pub(crate) fn reads_with(
        &mut self,
        offset: u32,
        count: usize,
        check: impl Fn(&[u8]) -> Result<(), String> + 'static,
    ) {
        self.requests.push(b'R');
        self.word(offset);
        self.word(u32::try_from(count).expect("few bytes"));
        self.reply(count, Box::new(check));
    }

    /// Compares the replies of the driver on a target with those of an oracle, which stands for
    /// functions of the module in a driver of the host.
    pub(crate) fn run_against(
        oracle: &str,
        module: &str,
        target: Target,
        build: impl Fn(&mut Self),
    ) -> Called {
        let [mut expected, mut found] =
            [Target::Native, target].map(|target| Self::new(module, target));
        build(&mut expected);
        build(&mut found);
        let output = super::native::replies(expected.module, oracle, &expected.requests);
        let mut rest = &output[..];
        for reply in &mut found.replies {
            let (bytes, after) = rest.split_at(reply.count);
            rest = after;
            let bytes = bytes.to_vec();
            reply.check = Box::new(move |found| match found == bytes {
                true => Ok(()),
                false => {
                    let [found, expected] =
                        [found, &bytes].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
                    Err(format!("{found:?}\n, not\n{expected:?}"))
                }
            });
        }
        assert!(rest.is_empty(), "the oracle replies to the same requests");
        found.run()
    }

    /// Notes what a failure of the next replies mentions.
    pub(crate) fn note(&mut self, text: &str) {
        self.noted = text.to_owned();
    }

    fn driver(&self) -> Driver {
        Driver::new(self.module, &super::source(self.module, ""), self.target)
    }

    /// Runs the driver through the weights, where its last call must trap.
    pub(crate) fn traps(self) {
        let outcome = self.driver().outcome(&self.requests);
        assert!(
            matches!(outcome, Outcome::Trapped(_)),
            "{}: {outcome:?}",
            self.last
        );
    }

    /// The tokens that the calls took through the weights, each without the driver's own.
    pub(crate) fn tokens(mut self) -> Vec<u64> {
        self.requests.push(b'N');
        let marks = self.driver().marks(&self.requests);
        let spans: Vec<u64> = marks
            .chunks_exact(2)
            .map(|pair| pair[1] - pair[0])
            .collect();
        let (nothing, calls) = spans.split_last().expect("the driver marks nothing last");
        calls.iter().map(|tokens| tokens - nothing).collect()
    }

    /// Runs the driver, and checks all replies.
    pub(crate) fn run(self) -> Called {
        let output = self.target.replies(self.module, &self.requests);
        let total: usize = self.replies.iter().map(|reply| reply.count).sum();
        assert!(total > 0, "a test checks something");
        assert_eq!(output.len(), total, "bytes of all replies");
        let (mut rest, mut failures) = (&output[..], vec![]);
        for reply in &self.replies {
            let (found, after) = rest.split_at(reply.count);
            rest = after;
            if let Err(message) = (reply.check)(found) {
                let message: String = message.chars().take(MESSAGE).collect();
                failures.push(format!("{}: {message}", reply.before));
            }
        }
        let (count, target) = (failures.len(), self.target);
        failures.truncate(REPORTED);
        let list = failures.join("\n");
        let of = self.replies.len();
        assert!(
            count == 0,
            "{target:?}: {count} of {of} replies are wrong\n{list}"
        );
        self.called
    }
}
