//! Runs that leave the rails, and runs that the plain interpreter follows.

use std::path::Path;

use serde_json::Value;
use weightware::Model;

use crate::common::*;

/// Writes a model that says one token where the machine says the other.
fn exchanging(folder: &Path, one: &str, other: &str) -> String {
    let path = folder.join(format!("{one}-{other}"));
    let name = string(&path);
    ended(&weightware(&["weights", "--out", &name]), 0);
    let mut model = Model::load(&path).expect("a model folder");
    let row = |string: &str| model.tokenizer.id(string).expect("a token").0 as usize;
    let (one, other) = (row(one), row(other));
    let width = model.config.shape.d_model;
    let entries = &mut model.weights.head.entries;
    for column in 0..width {
        entries.swap(one * width + column, other * width + column);
    }
    model.save(&path).expect("the folder is written");
    name
}

/// The report of a command that wrote it to stderr, and what it said before.
fn report(said: &str) -> (&str, Value) {
    let (before, json) = said.trim_end().rsplit_once('\n').unwrap_or(("", said));
    (
        before,
        serde_json::from_str(json).expect("the last line is JSON"),
    )
}

/// With any options, `halt` and the exit code of such a run mean nothing.
#[test]
fn a_run_that_derails_ends_at_once() {
    let folder = folder("derailed");
    let sum = file(&folder, "sum.txt", SUM);
    let exit = file(
        &folder,
        "exit.txt",
        "{ i32.const 07 00 00 00 exit 00 00 00 00 }",
    );
    // Says `halt` where an instruction ends, and the other way round.
    let halts = exchanging(&folder, "commit(-1,sts=1,bt=0)", "halt");
    let exits = exchanging(&folder, "commit(+1,sts=1,bt=0)", "halt(exit)");
    let option_sets: [&[&str]; 5] = [
        &[],
        &["--quiet"],
        &["--engine", "hull"],
        &["--engine", "linear"],
        &["--max-tokens", "15"],
    ];
    for options in option_sets {
        let args = ["run", &sum, "--model", &halts, "--json", "-"];
        let done = weightware(&[&args, options].concat());
        let said = ended(&done, 122);
        assert_eq!(done.stdout, b"", "nothing was put out before");
        let (remark, json) = report(&said);
        assert!(
            remark.starts_with(
                "derailed: no program makes token 14 of the trace (position 355, prompt included; both counted from 0), `halt`; "
            ),
            "{remark}"
        );
        assert!(remark.contains("weightware weights --out") && remark.contains("--check"));
        assert_eq!(
            (&json["outcome"], &json["exit_status"]),
            (&"derailed".into(), &122.into())
        );
        assert_eq!(
            json["derailed"],
            serde_json::json!({"index": 14, "position": 355, "token": "halt"})
        );
        assert_eq!((&json["code"], &json["trap"]), (&Value::Null, &Value::Null));
        assert_eq!(
            (&json["check"], &json["tokens"]),
            (&Value::Null, &15.into())
        );
    }
    let done = weightware(&["run", &exit, "--model", &exits]);
    assert!(ended(&done, 122).starts_with("derailed: no program makes token 4 "));
    // The trace shows the token, and nothing after it.
    let done = weightware(&["trace", &sum, "--model", &halts]);
    ended(&done, 122);
    let expected = SUM_TRACE.lines().take(2).collect::<Vec<_>>().join("\n");
    assert_eq!(stdout(&done), format!("{expected}\n08 00 00 00 halt\n"));
    // Checked, it tells what should have come.
    let done = weightware(&["run", &sum, "--model", &halts, "--check", "--json", "-"]);
    let said = ended(&done, 122);
    let (remark, json) = report(&said);
    assert!(
        remark.contains("the plain interpreter says `commit(-1,sts=1,bt=0)` there"),
        "{remark}"
    );
    assert_eq!(json["check"]["agreed"], 14);
    assert_eq!(
        json["check"]["divergence"]["expected"],
        "commit(-1,sts=1,bt=0)"
    );
    // Its proof is worth nothing.
    let done = weightware(&["certify", &sum, "--model", &halts]);
    let said = ended(&done, 1);
    assert!(
        said.starts_with("error: the program: derailed: no program makes token 14"),
        "{said}"
    );
    assert!(stdout(&done).contains("; derailed: "));
    let done = weightware(&["certify", &sum, "--model", &halts, "--json"]);
    ended(&done, 1);
    let json: Value = serde_json::from_slice(&done.stdout).expect("JSON");
    assert_eq!(json["program"]["outcome"], "derailed");
}

/// The trace is one that another program makes: only `--check` sees it.
#[test]
fn a_check_ends_a_run_at_its_first_wrong_token() {
    let folder = folder("differs");
    let sum = file(&folder, "sum.txt", SUM);
    let model = exchanging(&folder, "08", "09");
    let done = weightware(&["run", &sum, "--model", &model]);
    assert_eq!(ended(&done, 0), "");
    assert_eq!(done.stdout, [9]);

    for engine in ["plan", "hull", "linear", "hardmax"] {
        let args = [
            "--model", &model, "--check", "--json", "-", "--engine", engine,
        ];
        let done = weightware(&[&["run", &sum], &args[..]].concat());
        let said = ended(&done, 123);
        assert_eq!(done.stdout, b"", "the wrong byte is not put out");
        let (remark, json) = report(&said);
        assert!(
            remark.starts_with(
                "check failed: token 10 of the trace (position 351, prompt included; both counted from 0) is `09`, the plain \
                 interpreter says `08`; "
            ),
            "{remark}"
        );
        assert_eq!(
            (&json["outcome"], &json["exit_status"]),
            (&"differs".into(), &123.into())
        );
        let check = serde_json::json!({
            "agreed": 10,
            "divergence": {"index": 10, "position": 351, "expected": "08", "found": "09", "fault": null},
        });
        assert_eq!((&json["check"], &json["derailed"]), (&check, &Value::Null));
        let done = weightware(&[&["trace", &sum], &args[..]].concat());
        ended(&done, 123);
        assert!(stdout(&done).ends_with("\n09\n"), "{}", stdout(&done));
    }

    // A run is checked from its beginning, wherever it was resumed.
    let saved = string(&folder.join("saved.run"));
    let args = ["run", &sum, "--model", &model, "--save", &saved];
    for tokens in ["5", "13"] {
        ended(
            &weightware(&[&args[..], &["--max-tokens", tokens]].concat()),
            124,
        );
        let args = ["run", "--resume", &saved, "--model", &model];
        ended(&weightware(&args), 0);
        let done = weightware(&[&args[..], &["--check"]].concat());
        assert!(ended(&done, 123).starts_with("check failed: token 10 of the trace"));
        assert_eq!(done.stdout, b"");
    }
}

#[test]
fn a_check_of_what_is_right_changes_nothing() {
    let folder = folder("agrees");
    let sum = file(&folder, "sum.txt", SUM);
    let model = string(&folder.join("model"));
    ended(&weightware(&["weights", "--out", &model]), 0);
    let option_sets: [&[&str]; 6] = [
        &[],
        &["--engine", "hull"],
        &["--engine", "linear"],
        &["--model", &model],
        &["--profile", "long"],
        &["--profile", "far"],
    ];
    for options in option_sets {
        let args = [&["trace", &sum, "--check", "--json", "-"], options].concat();
        let done = weightware(&args);
        let said = ended(&done, 0);
        let (_, json) = report(&said);
        assert_eq!(stdout(&done), SUM_TRACE);
        assert_eq!(
            json["check"],
            serde_json::json!({"agreed": 17, "divergence": null}),
            "{options:?}"
        );
    }
    // Arguments, input and both streams.
    let streams = file(&folder, "streams.wat", STREAMS);
    let done = weightware(&["run", &streams, "--check"]);
    assert_eq!(
        (ended(&done, 0).as_str(), stdout(&done).as_str()),
        ("err\n", "out\n")
    );
    let echo = file(&folder, "echo.wat", ECHO);
    let done = weightware_with(&["run", &echo, "--check"], b"hello");
    assert_eq!(
        (ended(&done, 0).as_str(), stdout(&done).as_str()),
        ("", "hello")
    );
    // Limits, traps and exit codes are what they are.
    let exit = file(
        &folder,
        "exit.txt",
        "{ i32.const 07 00 00 00 exit 00 00 00 00 }",
    );
    let trap = file(&folder, "trap.txt", TRAP);
    let endless = file(&folder, "loop.txt", LOOP);
    for (program, code) in [(&exit, 7), (&trap, 134), (&endless, 124)] {
        let done = weightware(&["run", program, "--check", "--max-tokens", "1000"]);
        ended(&done, code);
    }
    // In steps, each of them checked from the beginning.
    let saved = string(&folder.join("saved.run"));
    let mut args = vec![
        "trace",
        &sum,
        "--check",
        "--max-tokens",
        "7",
        "--save",
        &saved,
    ];
    let mut trace = String::new();
    for code in [124, 124, 0] {
        let done = weightware(&args);
        ended(&done, code);
        trace += stdout(&done).trim_end();
        trace.push(' ');
        args = vec![
            "trace",
            "--resume",
            &saved,
            "--check",
            "--max-tokens",
            "7",
            "--save",
            &saved,
        ];
    }
    let words = |text: &str| {
        text.split_whitespace()
            .map(ToOwned::to_owned)
            .collect::<Vec<_>>()
    };
    assert!(words(&trace).ends_with(&words("08 00 00 00 commit(-1,sts=1,bt=0) out(08) halt")));
}

/// It is the program that is wrong: the message blames it, and not the weights.
#[test]
fn a_program_that_is_none_cannot_be_checked() {
    let folder = folder("faults");
    let empty = file(&folder, "drop.txt", "{ drop 00 00 00 00 }");
    let unwritten = file(
        &folder,
        "unwritten.txt",
        "{ i32.const 01 00 00 00 local.get 07 00 00 00 output 00 00 00 00 }",
    );
    for (program, index, why) in [
        (&empty, 0, "instruction 0: the operand stack is empty"),
        (
            &unwritten,
            5,
            "instruction 1: word 7 is read before it is written",
        ),
    ] {
        let done = weightware(&["run", program, "--check", "--json", "-"]);
        let said = ended(&done, 121);
        let (remark, json) = report(&said);
        assert!(
            remark.starts_with(&format!("check impossible from token {index} of the trace")),
            "{remark}"
        );
        assert!(remark.contains(why), "{remark}");
        assert_eq!(
            (&json["outcome"], &json["exit_status"]),
            (&"fault".into(), &121.into())
        );
        assert_eq!(
            (
                &json["check"]["agreed"],
                &json["check"]["divergence"]["fault"]
            ),
            (&index.into(), &why.into())
        );
    }
    let done = weightware(&["run", &empty]);
    assert!(ended(&done, 122).contains("a token program takes what is not there"));

    // The prompt of a saved run may be anything.
    for prompt in ["<begin> { }", "{ }", "<begin> 00 00"] {
        let count = prompt.split(' ').count();
        let saved = file(
            &folder,
            "prompt.run",
            saved_run(&format!("{}\n{prompt}\n", first_line(count))),
        );
        let done = weightware(&["run", "--resume", &saved, "--check"]);
        let said = ended(&done, 2);
        assert!(said.contains("--check needs a program: "), "{said}");
    }
}
