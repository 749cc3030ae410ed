//! Parsing and printing of programs.

use weightware_isa::{Instruction, Op, Program, Resident};

/// The line, column, token and message of the error in a text.
fn error(text: &str) -> (Option<usize>, Option<usize>, Option<String>, String) {
    let error = text.parse::<Program>().expect_err(text);
    assert!(error.to_string().ends_with(&error.remedy()));
    (
        error.line(),
        error.column(),
        error.token().map(str::to_owned),
        error.to_string(),
    )
}

#[test]
fn errors_name_place_token_and_remedy() {
    let rows: &[(&str, usize, usize, Option<&str>, &str)] = &[
        ("", 1, 1, None, "does not begin with `{`; put `{`"),
        ("# nothing\n", 1, 1, None, "does not begin with `{`"),
        ("drop 00 00 00 00", 1, 1, Some("drop"), "put `{` before"),
        ("{", 1, 2, None, "ends before `}`"),
        (
            "{ drop 00 00",
            1,
            13,
            None,
            "immediate byte 3 of `drop` is missing",
        ),
        (
            "{ drop 00 00 00 }",
            1,
            17,
            Some("}"),
            "immediate byte 4 of `drop` is missing",
        ),
        ("{ drop 00 00 0 00 }", 1, 14, Some("0"), "immediate byte 3"),
        (
            "{ drop 00 +1 00 00 }",
            1,
            11,
            Some("+1"),
            "immediate byte 2",
        ),
        (
            "{ drop 00 é1 00 00 }",
            1,
            11,
            Some("é1"),
            "immediate byte 2",
        ),
        (
            "{ drop 00 00 00 00 00 }",
            1,
            20,
            Some("00"),
            "exactly four immediate bytes",
        ),
        (
            "{\n  # é\n\tdorp 00 00 00 00 }",
            3,
            2,
            Some("dorp"),
            "write `drop` if that is meant",
        ),
        (
            "{ frobnicate }",
            1,
            3,
            Some("frobnicate"),
            "write an opcode, or `}`",
        ),
        ("{ } 0", 1, 5, Some("0"), "neither a byte nor `loaded`"),
        ("{ } 00 01", 1, 10, None, "inside data section 0"),
        (
            "{ } 00 loaded",
            1,
            14,
            None,
            "1 data sections for 0 leading",
        ),
        (
            "{ section 00 00 00 00 }",
            1,
            24,
            None,
            "0 data sections for 1 leading",
        ),
        (
            "{ drop 00 00 00 00 section 00 00 00 00 }",
            1,
            20,
            Some("section"),
            "before all other",
        ),
        (
            "{\nbr 02 00 00 00 }",
            2,
            1,
            Some("br"),
            "target 2 lies outside",
        ),
        (
            "{ br_if 00 00 00 01 }",
            1,
            3,
            Some("br_if"),
            "fourth byte be 00",
        ),
        (
            "{ local.get 00 00 00 01 }",
            1,
            3,
            Some("local.get"),
            "fourth byte be 00",
        ),
        (
            "{ section 00 00 00 00 br 00 00 00 00 } loaded",
            1,
            23,
            Some("br"),
            "target 0 is `section`",
        ),
        (
            "{ call 00 00 00 01 }",
            1,
            3,
            Some("call"),
            "put `resume` after",
        ),
        (
            "{ call 00 00 00 00 resume 02 00 00 00 }",
            1,
            3,
            Some("call"),
            "at least 1",
        ),
        (
            "{ call 01 00 00 01 resume 02 00 00 00 }",
            1,
            3,
            Some("call"),
            "go to 2 after it",
        ),
        (
            "{ call 00 00 00 01 resume 01 00 00 00 }",
            1,
            20,
            Some("resume"),
            "immediate be 2",
        ),
        (
            "{ resume 01 00 00 00 }",
            1,
            3,
            Some("resume"),
            "follows no call",
        ),
        ("<begin> 00 00 03 {", 1, 15, Some("03"), "write `00` here"),
        ("<begin> 00 00", 1, 14, None, "write `00` here"),
        (
            "{ i64.const 00 00 00 00 }",
            1,
            3,
            Some("i64.const"),
            "put `i64.const_high` after it",
        ),
        (
            "{ i64.const_high 00 00 00 00 }",
            1,
            3,
            Some("i64.const_high"),
            "follows no `i64.const`",
        ),
    ];
    for &(text, line, column, token, part) in rows {
        let (found_line, found_column, found_token, message) = error(text);
        let place = (found_line, found_column, found_token.as_deref());
        assert_eq!(
            place,
            (Some(line), Some(column), token),
            "{text}: {message}"
        );
        assert!(message.contains(part), "{text}: {message}");
    }
}

#[test]
fn validation_without_a_text_names_the_instruction() {
    let code = vec![Instruction::new(Op::Drop, 0), Instruction::new(Op::Br, 3)];
    let error = Program {
        code,
        ..Program::default()
    }
    .validate()
    .unwrap_err();
    assert_eq!(
        (error.instruction(), error.line(), error.token()),
        (Some(1), None, Some("br"))
    );
    assert_eq!(
        error.to_string(),
        "instruction 1: `br`: the target 3 lies outside the program of 2 instructions; go to an index from 0 to 2"
    );
}

/// In a later context, four tokens are read as the first section's bytes.
#[test]
fn the_first_section_of_a_program_with_a_handler_has_four_bytes() {
    let text = |bytes: &str, handler: &str| {
        format!("{{ section ff 03 00 00 drop 00 00 00 00 }} {bytes} loaded{handler}")
    };
    let parsed = |text: &str| text.parse::<Program>().map_err(|error| error.to_string());
    let handler = " 01 00 00 ready";
    assert!(parsed(&text("01", "")).is_ok());
    assert!(parsed(&text("01 00 00 00", handler)).is_ok());
    for bytes in ["", "01", "01 02 03"] {
        let refused = parsed(&text(bytes, handler)).unwrap_err();
        assert!(refused.contains("4 bytes are needed"), "{refused}");
    }
}

#[test]
fn layouts_and_comments_do_not_matter() {
    let flat = "{ section 00 00 00 00 i32.const FF 00 00 0a drop 00 00 00 00 } 00 ab loaded";
    let spread = "# a program\n{ section 00 00 00 00;no space\r\ni32.const ff 00 00 0A\n\
                  drop 00 00\n00 00 } 00 # first byte\n ab loaded ; end";
    let program: Program = flat.parse().unwrap();
    assert_eq!(spread.parse(), Ok(program.clone()));
    assert_eq!(program.to_string(), flat.to_lowercase());
    let lines = "{\nsection 00 00 00 00\ni32.const ff 00 00 0a\ndrop 00 00 00 00\n}\n00 ab loaded";
    assert_eq!(format!("{program:#}"), lines);
    assert_eq!(lines.parse(), Ok(program.clone()));
    let full: Vec<String> = program
        .full_prompt()
        .map(|token| token.to_string())
        .collect();
    assert_eq!(full.join(" ").parse(), Ok(program));
}

#[test]
fn disassembly_names_immediates() {
    let text = "{ section 00 01 00 00 i32.const fe ff ff ff local.set 03 00 00 00
                  call 06 00 00 04 resume 05 00 00 00 br 06 00 00 00 i32.store8 01 00 00 02 } 00 loaded";
    let expected = "\
0: section 256
1: i32.const -2
2: local.set 3
3: call 6 frame 4
4: resume 5
5: br 6
6: i32.store8 offset 1 pages 2
7: }
";
    assert_eq!(
        text.parse::<Program>().unwrap().disassemble().to_string(),
        expected
    );
}

/// A prompt does not have the code that a model has in its weights.
#[test]
fn prompts_are_read_with_what_the_weights_have() {
    let text = "{ section 07 00 00 00 section 09 00 00 00 br 03 00 00 00 drop 00 00 00 00 }
        2a 2b 2c 2d loaded 01 loaded 02 00 00 ready";
    let whole: Program = text.parse().unwrap();
    let code = whole.clone().specialised(1);
    let library = Program {
        resident: Some(Resident::default()),
        ..whole.clone()
    };
    for program in [&whole, &code, &library] {
        let weights = Program {
            sections: vec![],
            turns: None,
            ..program.clone()
        };
        let full: Vec<String> = program
            .full_prompt()
            .map(|token| token.to_string())
            .collect();
        for text in [full.join(" "), program.to_string()] {
            assert_eq!(weights.clone().with_prompt(&text).as_ref(), Ok(program));
        }
        // The preamble of another kind of model.
        let other = match program.resident {
            None => &library,
            Some(_) => &whole,
        };
        let full: Vec<String> = other.full_prompt().map(|token| token.to_string()).collect();
        let error = weights.with_prompt(&full.join(" ")).unwrap_err();
        assert!(error.to_string().contains("the preamble's next"), "{error}");
        assert_eq!(error.column(), Some(921));
    }
    for (text, message) in [
        (
            "{ drop 00 00 00 00 } loaded",
            "line 1, column 3: `drop`: the model has the instructions in its weights",
        ),
        ("{ }", "0 data sections for 2"),
        ("{ } 00 loaded 00 loaded ff 00 00 ready", "the target 255"),
    ] {
        let error = code.clone().with_prompt(text).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}
