//! Reading traces, whole and broken.

use weightware_isa::{End, Op, Outcome, Token, TraceReader, Trap, Vocabulary};

fn read(trace: &str) -> (TraceReader, Vec<String>) {
    let vocabulary = Vocabulary::new();
    let mut reader = TraceReader::new();
    let mut lines = Vec::new();
    for token in trace.split_whitespace() {
        let token = vocabulary.parse(token).unwrap_or_else(|| panic!("{token}"));
        lines.extend(reader.feed(token).map(|line| line.to_string()));
    }
    (reader, lines)
}

#[test]
fn outcomes() {
    let rows = [
        ("halt", Outcome::Halted, "halted"),
        (
            "01 02 00 00 halt(exit)",
            Outcome::Exited(513),
            "exited with code 513",
        ),
        (
            "trap(divide_by_zero)",
            Outcome::Trapped(Trap::DivideByZero),
            "trapped: integer divide by zero",
        ),
    ];
    for (trace, outcome, text) in rows {
        let (mut reader, lines) = read(trace);
        assert_eq!(
            (reader.outcome(), lines),
            (Some(outcome), vec![trace.to_owned()])
        );
        assert_eq!(
            (outcome.to_string().as_str(), reader.malformed()),
            (text, None)
        );
        // What follows is not read.
        assert_eq!(reader.feed(Token::Out(1)), None);
        assert_eq!(
            (reader.output(), reader.outcome()),
            (&[][..], Some(outcome))
        );
    }
}

#[test]
fn broken_traces() {
    let (reader, lines) = read("out(41) 01 02");
    assert_eq!(
        (lines, reader.output()),
        (vec!["out(41)".to_owned()], &b"A"[..])
    );
    assert_eq!(
        reader.unfinished().map(|line| line.to_string()),
        Some("01 02".into())
    );
    assert_eq!((reader.outcome(), reader.malformed()), (None, None));

    let (reader, _) = read("out(41) 01 02 halt(exit)");
    assert_eq!(
        (reader.outcome(), reader.malformed()),
        (Some(Outcome::Exited(0x0201)), Some(3))
    );

    let (reader, lines) = read(&"07 ".repeat(40));
    assert_eq!(
        (reader.malformed(), reader.lines(), lines.len()),
        (Some(15), 2, 2)
    );
    assert_eq!(lines[0].split(' ').count(), TraceReader::LONGEST_LINE);

    for (trace, malformed) in [
        ("{", 0),
        ("drop", 0),
        ("}", 0),
        ("commit(+1,sts=1,bt=0)", 0),
        ("00 out(00)", 1),
        ("00 00 commit(0,sts=0,bt=1)", 2),
        ("00 00 00 00 call(1)", 4),
        ("00 00 00 commit(-2,sts=0,bt=0)", 3),
        ("commit(-1,sts=0,bt=0) loaded", 1),
    ] {
        assert_eq!(read(trace).0.malformed(), Some(malformed), "{trace}");
    }
}

/// What the reader takes for well formed is what the table says instructions make.
#[test]
fn the_reader_agrees_with_the_table() {
    let makes = |token: Token, bytes: usize| {
        Op::ALL.iter().any(|op| {
            let spec = op.spec();
            match (spec.end, token) {
                (End::Commit(commit), Token::Commit(found)) => {
                    let conditional = matches!(op, Op::BrIf | Op::BrUnless);
                    commit == found && bytes == usize::from(spec.bytes)
                        || conditional && commit.not_taken() == found && bytes == 0
                }
                (End::Call, Token::Call(_)) | (End::Return, Token::Return(_)) => bytes == 3,
                (End::Out, Token::Out(_))
                | (End::Err, Token::Err(_))
                | (End::Halt, Token::Halt) => bytes == 0,
                (End::Exit, Token::Exit) => bytes == 4,
                (End::Trap(trap), Token::Trap(found)) => trap == found && bytes == 0,
                _ => false,
            }
        })
    };
    for token in Token::all().filter(|token| token.ends_instruction()) {
        for bytes in 0..=15 {
            let mut reader = TraceReader::new();
            for _ in 0..bytes {
                assert_eq!(reader.feed(Token::byte(1)), None);
            }
            reader.feed(token);
            assert_eq!(
                reader.malformed().is_none(),
                makes(token, bytes),
                "{bytes} bytes, {token}"
            );
        }
    }
}
