//! The exact evaluator on machines with planned features: today's programs run unchanged, and the
//! features compute what they should.

use crate::common;
use weightware_compiler::machine::planned::{
    HANDLER, Planned, PlannedToken, ROM_BASE, interrupts_after, rom_table,
};
use weightware_compiler::machine::{Extension, Machine, Profile};
use weightware_compiler::{Evaluator, LinearForm, Schedule};
use weightware_isa::{Instruction, Interpreter, Op, Program, Token, Vocabulary};

/// A token of today's vocabulary, or one of a planned feature.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Any {
    Known(Token),
    Planned(PlannedToken),
}

impl Any {
    fn string(self) -> String {
        match self {
            Any::Known(token) => token.to_string(),
            Any::Planned(token) => format!("{token:?}"),
        }
    }
}

/// A context in which a machine decodes.
struct Context<'m> {
    machine: &'m Machine,
    evaluator: Evaluator<'m>,
    logits: Vec<(Any, LinearForm)>,
    /// The position of the next token.
    position: i64,
}

impl<'m> Context<'m> {
    /// A context that holds the preamble.
    fn new(machine: &'m Machine) -> Self {
        let vocabulary = Vocabulary::new();
        let known = vocabulary.tokens().iter();
        let known = known.map(|&token| (Any::Known(token), machine.logit(token)));
        let interrupted = PlannedToken::Interrupted;
        let planned = (
            Any::Planned(interrupted),
            machine.logit_planned(interrupted),
        );
        let mut context = Self {
            machine,
            evaluator: Evaluator::new(&machine.graph),
            logits: known.chain([planned]).collect(),
            position: 0,
        };
        context.read(Program::preamble());
        let has_rom = [Planned::Rom, Planned::RomCalls].map(|rom| machine.planned().contains(&rom));
        if has_rom.contains(&true) {
            context.read(rom_table());
        }
        context
    }

    fn push(&mut self, token: Any) {
        let row = match token {
            Any::Known(token) => self.machine.embed(token),
            Any::Planned(token) => self.machine.embed_planned(token),
        };
        self.evaluator.push(&row);
        self.position += 1;
    }

    fn read(&mut self, tokens: impl IntoIterator<Item = Token>) {
        tokens
            .into_iter()
            .for_each(|token| self.push(Any::Known(token)));
    }

    /// Decodes one token.
    fn step(&mut self) -> Any {
        let ids = self.logits.iter().zip(0..);
        let best = ids.max_by_key(|((_, logit), id)| (self.evaluator.form(logit), u32::MAX - id));
        let (token, _) = best.expect("tokens").0;
        let token = *token;
        self.push(token);
        token
    }

    /// Decodes a program whose prompt was read, compares with the plain interpreter, and returns
    /// the number of tokens.
    fn follow(&mut self, program: &Program) -> usize {
        let mut recent: Vec<String> = vec![];
        for expected in Interpreter::new(program) {
            let expected = expected.expect("the program has no fault");
            recent.push(expected.to_string());
            let tail = &recent[recent.len().saturating_sub(30)..];
            let planned = self.machine.planned();
            assert_eq!(
                self.step(),
                Any::Known(expected),
                "{planned:?}, after {}",
                tail.join(" ")
            );
        }
        recent.len()
    }

    /// Decodes one instruction, and returns its tokens as text.
    fn instruction(&mut self) -> String {
        let mut strings = vec![];
        loop {
            let token = self.step();
            strings.push(token.string());
            assert!(strings.len() < 1000, "{}", strings.join(" "));
            match token {
                Any::Known(token) if !token.ends_instruction() => {}
                _ => return strings.join(" "),
            }
        }
    }
}

const TURN: [Planned; 4] = [
    Planned::WordGet,
    Planned::Dump,
    Planned::Frames,
    Planned::Interrupt,
];

fn machine(profile: Profile, planned: &[Planned]) -> Machine {
    Machine::with_planned(profile, &Extension::ALL, planned)
}

#[test]
fn programs_of_today_run_as_ever() {
    let alone = Planned::ALL.map(|planned| vec![planned]);
    let sets = alone
        .into_iter()
        .chain([TURN.to_vec(), Planned::ALL.to_vec()]);
    let mut total = 0;
    for (set, seed) in sets.zip(100..) {
        let machine = machine(Profile::STOCK, &set);
        let program = common::random_program(seed, 60);
        let mut context = Context::new(&machine);
        context.read(program.prompt());
        total += context.follow(&program);
    }
    let all = machine(Profile::FAR, &Planned::ALL);
    let program = common::random_program(200, 60);
    let mut context = Context::new(&all);
    context.read(program.prompt());
    total += context.follow(&program);
    assert!(total > 2_000, "{total} tokens are too few to tell");
}

/// Four programs in one context, with any tokens between them. None sees the memory or the locals
/// of another.
#[test]
fn programs_anywhere() {
    let mut total = 0;
    let sets = [&[Planned::Anywhere][..], &Planned::ALL];
    for (profile, seed) in [Profile::STOCK, Profile::STOCK, Profile::FAR]
        .into_iter()
        .zip(0..)
    {
        let machine = machine(profile, sets[(seed % 2) as usize]);
        let mut context = Context::new(&machine);
        for number in 0..4 {
            let mut program = common::random_program(100 * seed + number, 40);
            // The last instruction of a program has the immediate 0.
            program.code.push(Instruction::new(Op::Unreachable, 0));
            context.read(program.prompt());
            total += context.follow(&program);
            context.read((0..seed + number).map(|byte| Token::byte(7 * byte as u8 + 200)));
        }
    }
    assert!(total > 3_000, "{total} tokens are too few to tell");
}

/// Runs a program of instructions of both kinds, and compares the trace line of each.
fn run(machine: &Machine, code: &[(Any, u32)], expected: &[&str]) {
    let mut context = Context::new(machine);
    context.read([Token::Open]);
    for &(op, immediate) in code {
        context.push(op);
        context.read(immediate.to_le_bytes().map(Token::byte));
    }
    context.read([Token::Close]);
    for (line, number) in expected.iter().zip(0..) {
        assert_eq!(context.instruction(), *line, "instruction {number}");
    }
}

fn known(op: Op, immediate: u32) -> (Any, u32) {
    (Any::Known(Token::Op(op)), immediate)
}

fn planned(op: PlannedToken, immediate: u32) -> (Any, u32) {
    (Any::Planned(op), immediate)
}

const PUSHED: &str = "commit(+1,sts=1,bt=0)";
const BINARY: &str = "commit(-1,sts=1,bt=0)";
const POPPED: &str = "commit(-1,sts=0,bt=0)";
const JUMPED: &str = "commit(-1,sts=0,bt=1)";

/// The bytes of a word as on the trace.
fn bytes(word: u32) -> String {
    let bytes = word.to_le_bytes().map(|byte| format!("{byte:02x}"));
    bytes.join(" ")
}

#[test]
fn words_by_number() {
    let code = [
        known(Op::I32Const, 0x1122_3344),
        known(Op::GlobalSet, 5),
        known(Op::I64Const, 0x5566_7788),
        known(Op::I64ConstHigh, 0x99aa_bbcc),
        known(Op::GlobalSet64, 300),
        known(Op::I32Const, 3),
        planned(PlannedToken::WordGet, 2),
        known(Op::I32Const, 300),
        planned(PlannedToken::WordGet64, 0),
        known(Op::GlobalGet, 5),
    ];
    let expected = [
        "44 33 22 11 commit(+1,sts=1,bt=0)",
        "44 33 22 11 commit(-1,sts=0,bt=0)",
        "88 77 66 55 cc bb aa 99 commit(+1,sts=1,bt=0,skip=1)",
        "88 77 66 55 cc bb aa 99 commit(-1,sts=0,bt=0)",
        "03 00 00 00 commit(+1,sts=1,bt=0)",
        "44 33 22 11 commit(0,sts=1,bt=0)",
        "2c 01 00 00 commit(+1,sts=1,bt=0)",
        "88 77 66 55 cc bb aa 99 commit(0,sts=1,bt=0)",
        "44 33 22 11 commit(+1,sts=1,bt=0)",
        "halt",
    ];
    for set in [&[Planned::WordGet][..], &Planned::ALL] {
        run(&machine(Profile::STOCK, set), &code, &expected);
    }
}

/// Dumps of no byte, of a few, and of more than a byte can count; of memory that was never written,
/// and beyond the memory.
#[test]
fn dumps() {
    let page = 1 << 24;
    let mut code = vec![
        known(Op::I32Const, 100),
        known(Op::I32Const, 0xddcc_bbaa),
        known(Op::I32Store, page),
    ];
    let mut expected = vec![
        format!("{} {PUSHED}", bytes(100)),
        format!("{} {PUSHED}", bytes(0xddcc_bbaa)),
        "aa bb cc dd commit(-2,sts=0,bt=0)".to_owned(),
    ];
    let zeros = |count: usize| "00 ".repeat(count);
    let all = format!("{}aa bb cc dd {}", zeros(100), zeros(196));
    let dumps = [
        (6, 98, 0, "00 00 aa bb cc dd ".to_owned()),
        (0, 98, 0, String::new()),
        (2, 98, 2, "aa bb ".to_owned()),
        (300, 0, 0, all),
    ];
    for (size, address, offset, said) in dumps {
        code.extend([known(Op::I32Const, size), known(Op::I32Const, address)]);
        code.push(planned(PlannedToken::Dump, page + offset));
        expected.extend([size, address].map(|word| format!("{} {PUSHED}", bytes(word))));
        expected.push(format!("{said}commit(-2,sts=0,bt=0)"));
    }
    code.extend([known(Op::I32Const, 2), known(Op::I32Const, 0xffff)]);
    code.push(planned(PlannedToken::Dump, page));
    expected.extend([2, 0xffff].map(|word| format!("{} {PUSHED}", bytes(word))));
    expected.push("trap(out_of_bounds)".to_owned());
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    for profile in [Profile::STOCK, Profile::FAR] {
        for set in [&[Planned::Dump][..], &Planned::ALL] {
            run(&machine(profile, set), &code, &expected);
        }
    }
}

#[test]
fn frames() {
    let call = |to: u32, size: u32| known(Op::Call, to | size << 24);
    let code = [
        call(3, 200),
        known(Op::Resume, 2),
        known(Op::Unreachable, 0),
        call(6, 250),
        known(Op::Resume, 5),
        known(Op::Unreachable, 0),
        planned(PlannedToken::FrameGet, 0),
        planned(PlannedToken::Record, 0),
        planned(PlannedToken::Leave, 9),
        planned(PlannedToken::FrameGet, 0),
        planned(PlannedToken::Record, 0),
        planned(PlannedToken::Leave, 12),
        planned(PlannedToken::FrameGet, 0),
    ];
    let expected = [
        "03 00 00 call(200)",
        "06 00 00 call(250)",
        "c2 01 00 00 commit(+1,sts=1,bt=0)",
        "05 00 00 fa commit(+1,sts=1,bt=0)",
        "09 00 00 return(250)",
        "c8 00 00 00 commit(+1,sts=1,bt=0)",
        "02 00 00 c8 commit(+1,sts=1,bt=0)",
        "0c 00 00 return(200)",
        "00 00 00 00 commit(+1,sts=1,bt=0)",
        "halt",
    ];
    for set in [&[Planned::Frames][..], &Planned::ALL] {
        run(&machine(Profile::STOCK, set), &code, &expected);
    }
}

/// A loop that is interrupted in every turn after a position, and continues correctly. A branch
/// that is not taken is never interrupted.
#[test]
fn interrupts() {
    let profile = Profile {
        last_position: 560,
        ..Profile::STOCK
    };
    let after = interrupts_after(profile.last_position);
    let shift = [known(Op::I32Const, 8), known(Op::I32ShrU, 0)];
    let branches = [(Op::BrIf, 1), (Op::BrUnless, 0)];
    for ((op, taken), set) in branches
        .into_iter()
        .zip([&[Planned::Interrupt][..], &Planned::ALL])
    {
        let mut code = vec![
            known(Op::I32Const, 1 - taken),
            known(op, 9),
            known(Op::I32Const, taken),
            known(op, 0),
        ];
        code.resize(HANDLER as usize, known(Op::Unreachable, 0));
        code.extend(shift);
        code.extend([known(Op::BrStack, 0)]);
        let machine = machine(profile, set);
        let mut context = Context::new(&machine);
        context.read([Token::Open]);
        for &(op, immediate) in &code {
            context.push(op);
            context.read(immediate.to_le_bytes().map(Token::byte));
        }
        context.read([Token::Close]);
        let mut turns = [0, 0];
        while context.position < after + 60 {
            assert_eq!(
                context.instruction(),
                format!("{} {PUSHED}", bytes(1 - taken))
            );
            assert_eq!(context.instruction(), POPPED);
            assert_eq!(context.instruction(), format!("{} {PUSHED}", bytes(taken)));
            // The end token follows the third byte.
            let late = context.position + 2 > after;
            turns[usize::from(late)] += 1;
            if late {
                assert_eq!(context.instruction(), "00 00 00 Interrupted");
                assert_eq!(context.instruction(), format!("{} {PUSHED}", bytes(8)));
                assert_eq!(context.instruction(), format!("{} {BINARY}", bytes(0)));
            }
            assert_eq!(context.instruction(), format!("00 00 00 {JUMPED}"));
        }
        assert!(turns[0] > 1 && turns[1] > 1, "{turns:?}");
    }
}

/// `x -- 2 x + 0x01010101` in the weights, called from the prompt and from the weights.
#[test]
fn code_in_the_weights() {
    let doubled = |x: u32| 2 * x + 0x0101_0101;
    let called = |x: u32| {
        [
            format!("{} {POPPED}", bytes(x)),
            format!("{} {PUSHED}", bytes(x)),
            format!("{} {PUSHED}", bytes(x)),
            format!("{} {BINARY}", bytes(2 * x)),
            format!("{} {PUSHED}", bytes(0x0101_0101)),
            format!("{} {BINARY}", bytes(doubled(x))),
        ]
    };
    let base = ROM_BASE as u32;
    let code = [
        known(Op::I32Const, 5),
        known(Op::Call, base | 3 << 24),
        known(Op::Resume, 3),
        known(Op::Call, (base + 7) | (4 << 24)),
        known(Op::Resume, 5),
        known(Op::Output, 0),
    ];
    let mut expected = vec![
        format!("{} {PUSHED}", bytes(5)),
        "00 00 10 call(3)".to_owned(),
    ];
    expected.extend(called(5));
    expected
        .extend(["03 00 00 return(3)", "07 00 10 call(4)", "00 00 10 call(7)"].map(String::from));
    let without_calls = expected.len() - 1;
    expected.extend(called(doubled(5)));
    expected.extend(["08 00 10 return(7)", "00 00 10 commit(0,sts=0,bt=1)"].map(String::from));
    expected.extend(called(doubled(doubled(5))));
    expected.extend(["05 00 00 return(4)", "out(2f)", "halt"].map(String::from));
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();

    let anywhere = [Planned::Anywhere, Planned::Rom];
    for set in [&[Planned::Rom][..], &anywhere] {
        run(
            &machine(Profile::STOCK, set),
            &code,
            &expected[..without_calls],
        );
    }
    for set in [&[Planned::RomCalls][..], &Planned::ALL] {
        run(&machine(Profile::STOCK, set), &code, &expected);
    }
}

#[test]
fn planned_features_are_not_assembled() {
    let machine = machine(Profile::STOCK, &[Planned::WordGet]);
    let schedule = Schedule::parse(
        &Machine::new(&Extension::ALL).graph,
        Profile::STOCK.schedule(),
    );
    let error = machine
        .assemble(&schedule.expect("fits"))
        .expect_err("planned");
    assert!(error.to_string().contains("word-get is planned"), "{error}");
}
