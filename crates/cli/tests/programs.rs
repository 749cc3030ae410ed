//! `run`, `trace` and `tokens`.

use std::fs;
use std::io::{BufRead, BufReader, Read};

use serde_json::Value;

use crate::common::*;

#[test]
fn a_trace_has_one_line_for_each_instruction() {
    let folder = folder("trace");
    let file = file(&folder, "sum.txt", SUM);
    for engine in ["plan", "hull", "linear", "softmax", "hardmax"] {
        let done = weightware(&["trace", &file, "--engine", engine]);
        assert_eq!(ended(&done, 0), "");
        assert_eq!(stdout(&done), SUM_TRACE, "{engine}");
    }
}

#[test]
fn a_run_prints_what_the_program_puts_out() {
    let done = weightware_with(&["run", "-"], SUM.as_bytes());
    assert_eq!(ended(&done, 0), "");
    assert_eq!(done.stdout, [8]);
}

#[test]
fn tokens_are_the_prompt() {
    let folder = folder("tokens");
    let sum = file(&folder, "sum.txt", SUM);
    assert_eq!(stdout(&weightware(&["tokens", &sum])), format!("{SUM}\n"));

    let full = stdout(&weightware(&["tokens", &sum, "--full"]));
    assert!(full.starts_with("<begin> 00 00 00 "));
    assert!(full.ends_with(&format!(
        " 03 03 04 interrupt 00 00 00 00 br 00 00 00 00 00 00 00 00 {SUM}\n"
    )));

    let lines = stdout(&weightware(&["tokens", &sum, "--lines"]));
    assert_eq!(
        lines.lines().take(3).collect::<Vec<_>>(),
        ["{", "i32.const 03 00 00 00", "i32.const 05 00 00 00"]
    );

    for options in [&["--full"][..], &["--lines"], &["--full", "--lines"]] {
        let text = weightware(&[&["tokens", &sum], options].concat()).stdout;
        let again = weightware_with(&["trace", "-"], &text);
        assert_eq!(stdout(&again), SUM_TRACE, "{options:?}");
    }
}

#[test]
fn input_is_read_by_programs_that_read_it() {
    let folder = folder("input");
    let echo = file(&folder, "echo.wat", ECHO);
    let done = weightware_with(&["run", &echo], "zażółć\n\0".as_bytes());
    assert_eq!(ended(&done, 0), "");
    assert_eq!(done.stdout, "zażółć\n\0".as_bytes());

    let with = |input: &str| stdout(&weightware_with(&["tokens", &echo], input.as_bytes()));
    assert_ne!(with("a"), with("b"));
}

#[test]
fn each_stream_of_the_program_is_its_own() {
    let folder = folder("streams");
    let program = file(&folder, "two.wat", STREAMS);
    for engine in ["plan", "hull", "linear", "hardmax"] {
        let done = weightware(&["run", &program, "--engine", engine]);
        assert_eq!(ended(&done, 0), "err\n", "{engine}");
        assert_eq!(stdout(&done), "out\n", "{engine}");
    }
    // `trace` prints which; what the program writes comes nowhere else.
    let done = weightware(&["trace", &program]);
    assert_eq!(ended(&done, 0), "");
    let puts: Vec<_> = stdout(&done)
        .lines()
        .filter(|line| line.ends_with(')') && line.len() == 7)
        .map(ToOwned::to_owned)
        .collect();
    let expected = [
        "out(6f)", "out(75)", "out(74)", "out(0a)", "err(65)", "err(72)", "err(72)", "err(0a)",
    ];
    assert_eq!(puts, expected);
}

/// Where both streams lead to one place, they come in the program's order.
#[cfg(unix)]
#[test]
fn streams_that_lead_to_one_place_keep_their_order() {
    let folder = folder("order");
    let path = string(&folder.join("both"));
    let program = file(&folder, "turns.txt", TURNS);
    let file = fs::File::create(&path).expect("the file is made");
    let same = file.try_clone().expect("the file has another handle");
    let status = command(&["run", &program])
        .stdout(file)
        .stderr(same)
        .status();
    assert_eq!(status.expect("the binary starts").code(), Some(0));
    let both = fs::read_to_string(path).expect("it is text");
    assert_eq!(both, "o1\ne2\no3e4\n");
}

#[test]
fn a_resumed_run_prints_what_is_new_of_both_streams() {
    let folder = folder("resumed-streams");
    let program = file(&folder, "turns.txt", TURNS);
    let saved = string(&folder.join("saved.run"));
    // Six tokens output a byte: six bytes.
    let done = weightware(&["run", &program, "--max-tokens", "36", "--save", &saved]);
    let said = ended(&done, 124);
    assert_eq!(stdout(&done), "o1\n");
    assert!(
        said.starts_with("e2\nbudget: stopped after 36 tokens"),
        "{said}"
    );
    let done = weightware(&["run", "--resume", &saved]);
    assert_eq!(ended(&done, 0), "e4\n");
    assert_eq!(stdout(&done), "o3");
}

/// A report begins a line of its own, also after an unfinished line of the program's on stderr.
#[test]
fn a_report_stands_behind_what_the_program_says() {
    let text = "{ i32.const 65 00 00 00 output.err 00 00 00 00 }";
    let done = weightware_with(&["run", "-", "--json", "-"], text.as_bytes());
    let said = ended(&done, 0);
    let (program, report) = said.split_once('\n').expect("two lines");
    let report: Value = serde_json::from_str(report).expect("the report is JSON");
    assert_eq!(program, "e");
    assert_eq!(
        (&report["stderr_bytes"], &report["output_bytes"]),
        (&1.into(), &0.into())
    );
    let done = weightware_with(&["run", "-", "--stats"], text.as_bytes());
    let said = ended(&done, 0);
    assert!(said.starts_with("e\nprompt: "), "{said}");
    assert!(said.contains("\nstderr: 1 bytes\n"), "{said}");
    // Nothing to report, nothing added.
    assert_eq!(
        ended(&weightware_with(&["run", "-"], text.as_bytes()), 0),
        "e"
    );
}

#[test]
fn exit_codes_are_the_programs_own() {
    let exit = |code: &str| format!("{{ i32.const {code} exit 00 00 00 00 }}");
    for (code, expected) in [("2a 00 00 00", 42), ("07 01 00 00", 7), ("00 00 00 00", 0)] {
        let done = weightware_with(&["run", "-"], exit(code).as_bytes());
        assert_eq!(ended(&done, expected), "", "{code}");
    }
}

#[test]
fn a_trap_is_named() {
    let done = weightware_with(&["run", "-"], TRAP.as_bytes());
    assert_eq!(
        ended(&done, 134),
        "trap: unreachable (unreachable), after 1 token\n"
    );
    let done = weightware_with(&["trace", "-"], TRAP.as_bytes());
    ended(&done, 134);
    assert_eq!(stdout(&done), "trap(unreachable)\n");
}

#[test]
fn what_came_before_the_limit_is_kept() {
    let folder = folder("budget");
    let sum = file(&folder, "sum.txt", SUM);
    let done = weightware(&["trace", &sum, "--max-tokens", "7"]);
    assert!(ended(&done, 124).starts_with("budget: stopped after 7 tokens"));
    assert_eq!(stdout(&done), "03 00 00 00 commit(+1,sts=1,bt=0)\n05 00\n");

    let done = weightware_with(
        &["run", "-", "--max-tokens", "100", "--quiet"],
        SHOUT.as_bytes(),
    );
    ended(&done, 124);
    assert!(stdout(&done).starts_with("!!!!!"));

    // The limit is no end if the program has ended there.
    let done = weightware(&["trace", &sum, "--max-tokens", "17"]);
    ended(&done, 0);
    let done = weightware(&["trace", &sum, "--max-tokens", "0"]);
    ended(&done, 124);
    assert_eq!(stdout(&done), "");
}

#[test]
fn a_saved_run_goes_on() {
    let folder = folder("save");
    let sum = file(&folder, "sum.txt", SUM);
    let saved = |name: &str| string(&folder.join(name));
    let whole = saved("whole.run");
    ended(&weightware(&["trace", &sum, "--save", &whole]), 0);

    // In steps of seven tokens, by changing engines.
    let (mut from, mut output): (Option<String>, _) = (None, String::new());
    for (step, engine) in ["hull", "plan", "hardmax"].into_iter().enumerate() {
        let to = saved(&format!("{step}.run"));
        let mut args = vec![
            "run",
            "--engine",
            engine,
            "--max-tokens",
            "7",
            "--save",
            &to,
        ];
        match &from {
            None => args.push(&sum),
            Some(from) => args.extend(["--resume", from.as_str()]),
        }
        let done = weightware(&args);
        let expected = if step < 2 { 124 } else { 0 };
        let said = ended(&done, expected);
        assert_eq!(
            step < 2,
            said.ends_with(&format!("; --resume {to} goes on\n")),
            "{said}"
        );
        output += &stdout(&done);
        from = Some(to);
    }
    assert_eq!(output, "\u{8}");
    let read = |path: &str| fs::read_to_string(path).expect("it is written");
    assert_eq!(read(&from.expect("three steps")), read(&whole));

    // A run that has ended is not decoded again; trace prints what is new.
    let done = weightware(&["trace", "--resume", &whole]);
    ended(&done, 0);
    assert_eq!(stdout(&done), "");
    let done = weightware(&["trace", "--resume", &saved("1.run")]);
    ended(&done, 0);
    assert_eq!(
        stdout(&done),
        "08 00 00 00 commit(-1,sts=1,bt=0)\nout(08)\nhalt\n"
    );

    for (text, why) in [
        (String::new(), "this is not a saved run"),
        ("{ }".to_owned(), "this is not a saved run"),
        (format!("{}\n{{ }}\n", first_line(1)), "has no digest"),
        (
            saved_run(&format!("{}\n{{ }}\n", first_line(9))),
            "should have 9 tokens",
        ),
        (
            saved_run(&format!("{}\n{{ nonsense\n", first_line(1))),
            "nonsense",
        ),
        (
            read(&whole).replacen("\n03", "\n04", 1),
            "the file was changed",
        ),
        (
            read(&whole).replace("out(08)", "out(09)"),
            "the file was changed",
        ),
    ] {
        let path = file(&folder, "bad.run", &text);
        let done = weightware(&["run", "--resume", &path]);
        let said = ended(&done, 2);
        assert!(said.contains("--resume") && said.contains(why), "{said}");
    }
    // Tokens after the last digest, of a writer that was killed, are decoded again.
    let path = file(&folder, "killed.run", read(&whole) + "ff ff ff ff");
    ended(&weightware(&["trace", "--resume", &path]), 0);
    let done = weightware(&["run", &sum, "--resume", &whole]);
    ended(&done, 2);
}

#[test]
fn json_tells_how_it_ended() {
    let folder = folder("json");
    let json = |name: &str, program: &str, args: &[&str]| -> Value {
        let path = string(&folder.join(name));
        let args = [&["run", "-", "--json", &path], args].concat();
        let done = weightware_with(&args, program.as_bytes());
        let json: Value = serde_json::from_str(&fs::read_to_string(&path).expect("it is there"))
            .expect("it is JSON");
        assert_eq!(json["exit_status"].as_i64(), status(&done).map(i64::from));
        json
    };
    let halt = json("halt", SUM, &[]);
    assert_eq!(halt["outcome"], "halt");
    assert_eq!(halt["code"], Value::Null);
    assert_eq!(halt["trap"], Value::Null);
    assert_eq!(halt["horizon"], Value::Null);
    assert_eq!(halt["tokens"], 17);
    assert_eq!(halt["lines"], 5);
    assert_eq!(
        (&halt["output_bytes"], &halt["stderr_bytes"]),
        (&1.into(), &0.into())
    );
    assert_eq!(halt["prompt_tokens"], 319 + 22);
    for reason in ["place", "keys", "sum", "tables", "sentinel", "model"] {
        assert_eq!(halt["bailouts"][reason], 0, "{reason}");
    }
    for key in ["seconds", "tokens_per_second", "lines_per_second"] {
        assert!(
            halt[key].as_f64().is_some_and(|number| number > 0.0),
            "{key}"
        );
    }
    if cfg!(target_os = "linux") {
        assert!(
            halt["peak_memory_bytes"]
                .as_u64()
                .is_some_and(|bytes| bytes > 1 << 20)
        );
    }

    let exit = json("exit", "{ i32.const 2a 01 00 00 exit 00 00 00 00 }", &[]);
    assert_eq!(
        (&exit["outcome"], &exit["code"]),
        (&"exit".into(), &298.into())
    );
    assert_eq!(exit["exit_status"], 42);
    let trap = json("trap", TRAP, &[]);
    assert_eq!(
        (&trap["outcome"], &trap["trap"]),
        (&"trap".into(), &"unreachable".into())
    );
    let budget = json("budget", LOOP, &["--max-tokens", "50"]);
    assert_eq!(
        (&budget["outcome"], &budget["tokens"]),
        (&"budget".into(), &50.into())
    );

    let done = weightware_with(&["run", "-", "--json", "-"], SUM.as_bytes());
    let said: Value = serde_json::from_str(&stderr(&done)).expect("stderr is JSON");
    assert_eq!(said["outcome"], "halt");
}

#[test]
fn stats_go_to_stderr() {
    let done = weightware_with(&["trace", "-", "--stats"], SUM.as_bytes());
    let said = ended(&done, 0);
    assert_eq!(stdout(&done), SUM_TRACE);
    for words in [
        "prompt: 341 tokens",
        "trace: 17 tokens",
        "lines: 5",
        "cached keys and values",
        "bailouts: none",
    ] {
        assert!(said.contains(words), "{words} in {said}");
    }
}

#[test]
fn output_arrives_while_the_program_runs() {
    let folder = folder("stream");
    let shout = file(&folder, "shout.txt", SHOUT);
    let mut child = command(&["run", &shout])
        .spawn()
        .expect("the binary starts");
    let mut out = child.stdout.take().expect("stdout is a pipe");
    let mut bytes = [0; 10];
    out.read_exact(&mut bytes).expect("output arrives");
    assert_eq!(&bytes, b"!!!!!!!!!!");

    // A reader that goes away ends the run without a word.
    drop(out);
    let done = child.wait_with_output().expect("the binary ends");
    assert_eq!(ended(&done, 141), "");

    // A closed stderr ends the run too.
    let shout = file(
        &folder,
        "shout-err.txt",
        SHOUT.replace("output", "output.err"),
    );
    let mut child = command(&["run", &shout])
        .spawn()
        .expect("the binary starts");
    let mut err = child.stderr.take().expect("stderr is a pipe");
    err.read_exact(&mut bytes).expect("output arrives");
    assert_eq!(&bytes, b"!!!!!!!!!!");
    drop(err);
    let done = child.wait_with_output().expect("the binary ends");
    assert_eq!((status(&done), done.stdout), (Some(141), vec![]));
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_tells_what_it_did() {
    let folder = folder("interrupt");
    let shout = file(&folder, "loop.txt", SHOUT);
    let json = string(&folder.join("end.json"));
    let mut child = command(&["trace", &shout, "--json", &json])
        .spawn()
        .expect("the binary starts");
    let mut out = BufReader::new(child.stdout.take().expect("stdout is a pipe"));
    let mut line = String::new();
    out.read_line(&mut line).expect("output arrives");
    assert_eq!(line, "21 00 00 00 commit(+1,sts=1,bt=0)\n");

    let id = child.id().to_string();
    let sent = std::process::Command::new("kill")
        .args(["-INT", &id])
        .status();
    assert!(sent.expect("kill is there").success());
    let mut rest = String::new();
    out.read_to_string(&mut rest).expect("the rest arrives");
    assert!(rest.ends_with('\n'));
    let done = child.wait_with_output().expect("the binary ends");
    assert!(ended(&done, 130).starts_with("interrupted after "));

    let json: Value =
        serde_json::from_str(&fs::read_to_string(json).expect("it is there")).expect("it is JSON");
    assert_eq!(json["outcome"], "interrupted");
    let tokens = (line + &rest).split_whitespace().count();
    assert_eq!(json["tokens"].as_u64(), Some(tokens as u64));
}
