//! Reading of traces, whole and malformed.

use weightware_isa::{EndToken, FRAME_LIMIT, Op, Outcome, Token, TraceReader, Trap, Vocabulary};

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
            "01 02 00 00 commit(+1,sts=1,bt=0)\n01 02 00 00 halt(exit)",
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
            (reader.outcome(), lines.join("\n")),
            (Some(outcome), trace.to_owned())
        );
        assert_eq!(
            (outcome.to_string().as_str(), reader.malformed()),
            (text, None)
        );
        // The reader ignores later tokens.
        assert_eq!(reader.feed(Token::Out(1)), None);
        assert_eq!(
            (reader.output(), reader.outcome()),
            (&[][..], Some(outcome))
        );
    }
}

#[test]
fn broken_traces() {
    let (reader, lines) = read("41 00 00 00 commit(+1,sts=1,bt=0) out(41) 01 02");
    assert_eq!(
        (lines.last().map(String::as_str), reader.output()),
        (Some("out(41)"), &b"A"[..])
    );
    assert_eq!(
        reader.unfinished().map(|line| line.to_string()),
        Some("01 02".into())
    );
    assert_eq!((reader.outcome(), reader.malformed()), (None, None));

    // A malformed token is the last one read: it is no outcome, and outputs nothing.
    for (trace, index) in [
        (
            "01 00 00 00 commit(+1,sts=1,bt=0) out(01) 01 02 halt(exit) out(41)",
            8,
        ),
        ("01 00 00 00 commit(+1,sts=1,bt=0) 00 out(01) halt", 6),
        ("01 00 00 00 commit(+1,sts=1,bt=0) 00 err(01) halt", 6),
        ("00 halt", 1),
        ("00 trap(unreachable)", 1),
    ] {
        let (reader, _) = read(trace);
        let last = trace.split(' ').nth(index as usize);
        let unfinished = reader.unfinished().map(|line| line.to_string());
        assert_eq!((reader.outcome(), reader.malformed()), (None, Some(index)));
        assert!(reader.ended());
        assert_eq!(reader.tokens(), index + 1);
        assert!(!reader.output().contains(&b'A') && reader.stderr().is_empty());
        assert_eq!(
            unfinished
                .as_deref()
                .and_then(|line| line.rsplit(' ').next()),
            last
        );
    }

    let (reader, lines) = read(&"07 ".repeat(40));
    assert_eq!(
        (reader.malformed(), reader.lines(), lines.len()),
        (Some(15), 0, 0)
    );
    let unfinished = reader.unfinished().expect("a line has begun");
    assert_eq!(unfinished.tokens().len(), 16);
    assert_eq!(unfinished.end(), None);

    for (trace, malformed) in [
        ("{", 0),
        ("drop", 0),
        ("}", 0),
        ("loaded", 0),
        ("<begin>", 0),
        ("commit(+1,sts=1,bt=0)", 0),
        ("00 out(00)", 1),
        ("00 00 commit(0,sts=0,bt=1)", 2),
        ("00 00 00 00 call(1)", 4),
        ("00 00 00 commit(-2,sts=0,bt=0)", 3),
    ] {
        assert_eq!(read(trace).0.malformed(), Some(malformed), "{trace}");
    }
}

/// Traces that are possible without knowing the program, and a last token for each that makes it
/// impossible.
#[test]
fn invariants_of_all_programs_are_checked() {
    const PUSH: &str = "05 01 00 80 commit(+1,sts=1,bt=0)";
    const PUSH64: &str = "05 01 00 00 00 00 00 80 commit(+1,sts=1,bt=0,skip=1)";
    // After this the stack has values that the reader does not know.
    let some = format!("{PUSH} {PUSH} {PUSH} commit(-1,sts=0,bt=0)");
    let rows: &[(&str, &str, &str)] = &[
        // The operands exist.
        ("", "00 00 00 commit(0,sts=0,bt=1)", "commit(-1,sts=0,bt=0)"),
        ("", "halt", "out(05)"),
        ("", "halt", "err(05)"),
        ("", "halt", "05 00 00 00 halt(exit)"),
        ("", "halt", "00 00 00 00 commit(0,sts=0,bt=0)"),
        ("", "halt", "00 00 00 00 commit(0,sts=1,bt=0)"),
        ("", "halt", "00 00 00 commit(-1,sts=0,bt=1)"),
        ("", "halt", "00 00 00 00 commit(-1,sts=0,bt=0,grow=1)"),
        (PUSH, "out(05)", "00 00 00 00 commit(-1,sts=1,bt=0)"),
        (PUSH, "out(05)", "05 commit(-2,sts=0,bt=0)"),
        (
            "PUSH2",
            "00 00 00 00 commit(-1,sts=1,bt=0)",
            "00 00 00 00 commit(-2,sts=1,bt=0)",
        ),
        (
            "PUSH2",
            "05 commit(-2,sts=0,bt=0)",
            "00 00 00 00 commit(-2,sts=1,bt=0)",
        ),
        // A value copied, stored, output or used as the exit code is the value pushed.
        (
            PUSH,
            "05 01 00 80 commit(0,sts=0,bt=0)",
            "05 01 00 81 commit(0,sts=0,bt=0)",
        ),
        (
            PUSH,
            "05 01 00 80 commit(-1,sts=0,bt=0)",
            "04 01 00 80 commit(-1,sts=0,bt=0)",
        ),
        (
            PUSH,
            "05 01 00 80 commit(-1,sts=0,bt=0)",
            "05 01 00 80 00 00 00 00 commit(-1,sts=0,bt=0)",
        ),
        (
            PUSH,
            "05 01 00 80 commit(-1,sts=0,bt=0,grow=1)",
            "05 01 00 00 commit(-1,sts=0,bt=0,grow=1)",
        ),
        (PUSH, "out(05)", "out(01)"),
        (PUSH, "err(05)", "err(04)"),
        (PUSH, "05 01 00 80 halt(exit)", "05 01 00 00 halt(exit)"),
        (
            PUSH64,
            "05 01 00 00 00 00 00 80 commit(0,sts=0,bt=0)",
            "05 01 00 00 commit(0,sts=0,bt=0)",
        ),
        (
            PUSH64,
            "05 01 00 00 00 00 00 80 commit(-1,sts=0,bt=0)",
            "05 01 00 00 00 00 00 00 commit(-1,sts=0,bt=0)",
        ),
        (PUSH64, "commit(-1,sts=0,bt=0)", "out(05)"),
        (PUSH64, "commit(-1,sts=0,bt=0)", "05 01 00 00 halt(exit)"),
        (
            "PUSH2",
            "05 commit(-2,sts=0,bt=0)",
            "01 commit(-2,sts=0,bt=0)",
        ),
        (
            "PUSH2",
            "05 01 commit(-2,sts=0,bt=0)",
            "05 00 commit(-2,sts=0,bt=0)",
        ),
        (
            "PUSH2",
            "05 01 00 80 commit(-2,sts=0,bt=0)",
            "05 01 00 80 00 00 00 00 commit(-2,sts=0,bt=0)",
        ),
        (
            "PUSH64",
            "05 01 00 00 commit(-2,sts=0,bt=0)",
            "05 01 00 80 commit(-2,sts=0,bt=0)",
        ),
        (
            "PUSH64",
            "05 01 00 00 00 00 00 80 commit(-2,sts=0,bt=0)",
            "05 01 00 00 00 00 00 00 commit(-2,sts=0,bt=0)",
        ),
        // The top is still known after instructions that leave it: a copy, a jump, a call, a
        // return.
        (
            PUSH,
            "05 01 00 80 commit(0,sts=0,bt=0) 00 00 00 commit(0,sts=0,bt=1) 00 00 00 call(3) 00 00 00 return(3) out(05)",
            "05 01 00 80 commit(0,sts=0,bt=0) 00 00 00 commit(0,sts=0,bt=1) 00 00 00 call(3) 00 00 00 return(3) out(06)",
        ),
        // The last bytes of a count become the top.
        (
            "SOME",
            "08 09 0a 0b 00 00 00 commit(0,sts=1,bt=0) out(0b)",
            "08 09 0a 0b 00 00 00 commit(0,sts=1,bt=0) out(08)",
        ),
        // The top is unknown after a pop.
        (
            "SOME",
            "00 00 00 07 commit(-1,sts=0,bt=0)",
            "00 00 07 commit(-1,sts=0,bt=0)",
        ),
        // Flags of a line are those of a sum, or those of a difference.
        ("SOME", "fe+ ff+ 01 00 commit(-1,sts=1,bt=0)", "ff+"),
        ("SOME", "fe+ 01 00 00+ commit(-1,sts=1,bt=0)", "fe+ 00"),
        ("SOME", "01- 00- fe 00 commit(-1,sts=1,bt=0)", "00-"),
        ("SOME", "01- fe 00 01- commit(-1,sts=1,bt=0)", "01- ff"),
        ("SOME", "00+ 01 00+ 01 commit(-1,sts=1,bt=0)", "00+ 01 01-"),
        ("SOME", "01- 00 01- 00 commit(-1,sts=1,bt=0)", "01- 00+"),
        (
            "SOME",
            "00 00 00 00 00 00 00 00+ commit(-1,sts=1,bt=0)",
            "00 00 00 00 00 00 00 00 00+",
        ),
        (
            "SOME",
            "00+ 01 00 00 commit(-1,sts=1,bt=0)",
            "00+ 01 00 00 00 00 00 00 00",
        ),
        (
            "SOME",
            "00 00 00 00+ commit(-1,sts=1,bt=0)",
            "00 00 00 00+ commit(+1,sts=1,bt=0)",
        ),
        (
            "SOME",
            "00 00 00 00 commit(-1,sts=0,bt=0)",
            "00 00 00 00+ commit(-1,sts=0,bt=0)",
        ),
        ("SOME", "00 00 00 call(1)", "00 00 00+ call(1)"),
        ("SOME", "00 00 00 00 halt(exit)", "00 00 00 00+ halt(exit)"),
        // A negation: zeros, then borrowed bytes.
        (
            "SOME",
            "00 00 01- 00- commit(0,sts=1,bt=0)",
            "00 00 00 00+ commit(0,sts=1,bt=0)",
        ),
        (
            "SOME",
            "00 00 01- ff- commit(0,sts=1,bt=0)",
            "00 00 01- 00 commit(0,sts=1,bt=0)",
        ),
        (
            "SOME",
            "00 01- ff- ff- commit(0,sts=1,bt=0)",
            "01 01- ff- ff- commit(0,sts=1,bt=0)",
        ),
        // Counts: none exceeds the number of bits, and zeros follow them.
        (
            "SOME",
            "08 10 18 20 00 00 00 commit(0,sts=1,bt=0)",
            "08 11 18 20 00 00 00 commit(0,sts=1,bt=0)",
        ),
        (
            "SOME",
            "00 00 00 20 00 00 00 commit(0,sts=1,bt=0)",
            "00 00 00 20 00 00 01 commit(0,sts=1,bt=0)",
        ),
        (
            "SOME",
            "08 10 18 20 28 30 38 40 00 00 00 00 00 00 00 commit(0,sts=1,bt=0)",
            "08 10 18 20 28 30 38 41 00 00 00 00 00 00 00 commit(0,sts=1,bt=0)",
        ),
        // Frames are entered before they are left.
        (
            "",
            "00 00 00 call(3) 00 00 00 return(3)",
            "00 00 00 return(3)",
        ),
        (
            "",
            "00 00 00 call(3) 00 00 00 return(3)",
            "00 00 00 call(3) 00 00 00 return(2)",
        ),
        (
            "",
            "00 00 00 call(3) 00 00 00 return(3)",
            "00 00 00 call(3) 00 00 00 return(4)",
        ),
        (
            "",
            "00 00 00 call(3) 00 00 00 call(5) 00 00 00 return(5)",
            "00 00 00 call(3) 00 00 00 call(5) 00 00 00 return(8)",
        ),
    ];
    for &(before, good, bad) in rows {
        let before = match before {
            "SOME" => some.clone(),
            "PUSH2" => format!("{PUSH} {PUSH}"),
            "PUSH64" => format!("{PUSH} {PUSH64}"),
            other => other.to_owned(),
        };
        let good = format!("{before} {good}");
        let (reader, _) = read(&good);
        assert_eq!(
            (reader.malformed(), reader.unfinished()),
            (None, None),
            "{good}"
        );
        let bad = format!("{before} {bad}");
        let last = bad.split_whitespace().count() as u64 - 1;
        assert_eq!(read(&bad).0.malformed(), Some(last), "{bad}");
    }
}

/// A call whose frame would begin beyond the last possible word has to trap.
#[test]
fn frames_end_somewhere() {
    let deep = "00 00 00 call(255) ".repeat(usize::try_from(FRAME_LIMIT).unwrap() / 255);
    let left = FRAME_LIMIT % 255;
    assert!(left > 0);
    let (reader, _) = read(&format!(
        "{deep} 00 00 00 call({left}) trap(call_stack_exhausted)"
    ));
    assert_eq!(reader.malformed(), None);
    let (reader, _) = read(&format!("{deep} 00 00 00 call({})", left + 1));
    assert_eq!(reader.malformed(), Some(reader.tokens() - 1));
}

/// The reader accepts exactly the lines that the opcode table allows.
#[test]
fn the_reader_agrees_with_the_table() {
    let makes = |token: Token, bytes: usize| {
        Op::ALL.iter().any(|op| {
            let spec = op.spec();
            match (spec.end, token) {
                (EndToken::Commit(commit), Token::Commit(found)) => {
                    let conditional = matches!(op, Op::BrIf | Op::BrUnless);
                    commit == found && bytes == usize::from(spec.bytes)
                        || conditional && commit.not_taken() == found && bytes == 0
                }
                (EndToken::Call, Token::Call(_)) | (EndToken::Return, Token::Return(_)) => {
                    bytes == 3
                }
                (EndToken::Out, Token::Out(_))
                | (EndToken::Err, Token::Err(_))
                | (EndToken::Halt, Token::Halt) => bytes == 0,
                (EndToken::Exit, Token::Exit) => bytes == 4,
                (EndToken::Trap(trap), Token::Trap(found)) => trap == found && bytes == 0,
                (EndToken::Loaded, Token::Loaded)
                | (EndToken::Interrupted, Token::Interrupted)
                | (EndToken::Stepping, Token::Stepping)
                | (EndToken::Continued, Token::Continued)
                | (EndToken::Saving, Token::Saving)
                | (EndToken::Turned, Token::Turned)
                | (EndToken::Refused, Token::Refused) => {
                    *op != Op::Section && bytes == usize::from(spec.bytes)
                }
                _ => false,
            }
        })
    };
    // After four operands, a call and a pop the reader knows the number of operands, not their
    // values.
    let before = "01 01 01 01 commit(+1,sts=1,bt=0) ".repeat(4) + "commit(-1,sts=0,bt=0)";
    for token in Token::all().filter(|token| token.ends_instruction()) {
        let frame = match token {
            Token::Return(frame) => format!("01 01 01 call({frame})"),
            _ => String::new(),
        };
        let (before, _) = read(&format!("{before} {frame}"));
        assert_eq!(before.malformed(), None);
        for bytes in (0..=16).chain(1022..=1025) {
            // Zeros follow the counts.
            let zeros_from = if bytes > 8 {
                8
            } else if bytes == 7 {
                4
            } else {
                8
            };
            let mut reader = before.clone();
            for at in 0..bytes {
                let byte = u8::from(at < zeros_from);
                assert_eq!(reader.feed(Token::byte(byte)), None);
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
