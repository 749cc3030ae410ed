//! Saved runs of programs that go on in further contexts.

use std::fs;
use std::io::{BufRead, BufReader, Read};

use crate::common::*;
use crate::contexts::{CONTEXT, LETTERS, OUTPUT, STATUS, report, tokens};

#[test]
fn a_saved_run_has_its_last_context() {
    let folder = folder("contexts-saved");
    let letters = file(&folder, "letters.wat", LETTERS);
    let saved = string(&folder.join("saved.run"));
    let whole = stdout(&weightware(&[&["trace", &letters], &CONTEXT[..]].concat()));
    let (all, contexts) = tokens(&whole);
    // Stops in the program, in the first line of a turn, amid saved memory, after `turned`, amid
    // the restoring, and at the end.
    let second = contexts[2];
    let place = |token: &str, from: usize| {
        let mut rest = all[from..].iter();
        from + rest.position(|other| *other == token).expect("it is there")
    };
    let interrupted = place("interrupted", contexts[1]);
    let stops = [
        500,
        interrupted - 2,
        interrupted + 1,
        place("saving", contexts[1]) + 700,
        second - 1,
        second,
        second + 1,
        place("continued", second),
        place("continued", second) + 1,
        contexts[6] + 2000,
    ];
    let mut printed = String::new();
    let mut from: Option<usize> = None;
    for stop in stops.into_iter().map(Some).chain([None]) {
        let limit = stop.map(|stop| (stop - from.unwrap_or(0)).to_string());
        let mut args = match from {
            None => vec!["run", &letters],
            Some(_) => vec!["run", "--resume", &saved],
        };
        args.extend(["--check", "--json", "-", "--save", &saved]);
        args.extend(CONTEXT);
        if let Some(limit) = &limit {
            args.extend(["--max-tokens", limit]);
        }
        let done = weightware(&args);
        let said = ended(&done, if stop.is_some() { 124 } else { STATUS });
        printed += &stdout(&done);
        let reached = stop.unwrap_or(all.len());
        let context = contexts.iter().filter(|begin| **begin <= reached).count();
        assert_eq!(report(&said)["contexts"]["last"], context, "{stop:?}");
        // The file has the context's tokens, and no others.
        let text = fs::read_to_string(&saved).expect("it is written");
        let mut numbers = text.lines().next().expect("a line").split(' ').skip(2);
        let prompt: usize = numbers.next().expect("a number").parse().expect("one");
        assert_eq!(numbers.next(), Some(context.to_string().as_str()));
        let lines = text.lines().skip(1).filter(|line| !line.starts_with('#'));
        let words: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
        assert_eq!(
            words[prompt..],
            all[contexts[context - 1]..reached],
            "{stop:?}"
        );
        from = Some(reached);
    }
    assert_eq!(printed, OUTPUT);
    // Nothing else is left.
    assert_eq!(fs::read_dir(&folder).expect("a folder").count(), 2);

    // Other contexts would interrupt other jumps.
    let said = ended(&weightware(&["run", "--resume", &saved]), 2);
    assert!(
        said.contains("use --profile stock --context 1500 instead"),
        "{said}"
    );
    for (header, format) in [("2 1", 2), ("3 1 1 3500000", 3)] {
        let old = saved_run(&format!("weightware-run {header}\n{{\n"));
        let path = file(&folder, "old.run", old);
        let said = ended(&weightware(&["run", "--resume", &path]), 2);
        let wanted = format!("a saved run of format {format}");
        assert!(said.contains(&wanted), "{said}");
    }
    for header in [
        "weightware-run 4 1",
        "weightware-run 4 1 1",
        "weightware-run 4 1 -5 0",
        "weightware-run 4 1 1 1 1",
    ] {
        let path = file(&folder, "bad.run", saved_run(&format!("{header}\n{{\n")));
        let said = ended(&weightware(&["run", "--resume", &path]), 2);
        assert!(said.contains("this is not a saved run"), "{said}");
    }
}

#[cfg(unix)]
#[test]
fn what_a_link_leads_to_is_replaced() {
    let folder = folder("contexts-link");
    let letters = file(&folder, "letters.wat", LETTERS);
    let [target, link] = ["target.run", "link.run"].map(|name| string(&folder.join(name)));
    fs::write(&target, "").expect("it is written");
    std::os::unix::fs::symlink(&target, &link).expect("it is made");
    let run = |save: &str| weightware(&[&["run", &letters, "--save", save], &CONTEXT[..]].concat());
    ended(&run(&link), STATUS);
    assert!(
        fs::symlink_metadata(&link)
            .expect("it is there")
            .is_symlink()
    );
    let args = ["run", "--resume", &target];
    assert_eq!(stdout(&weightware(&[&args, &CONTEXT[..]].concat())), "");
    // There is no file to replace.
    let said = ended(&run("/dev/null"), 1);
    assert!(
        said.contains("--save /dev/null: a context has ended"),
        "{said}"
    );
}

/// Interrupted at any time, a run goes on from its file.
#[cfg(unix)]
#[test]
fn an_interrupted_run_loses_nothing() {
    let folder = folder("contexts-interrupted");
    let letters = file(&folder, "letters.wat", LETTERS);
    let saved = string(&folder.join("saved.run"));
    let mut args = vec!["run", &letters];
    let mut printed = String::new();
    let mut amid_turns = 0;
    for _ in 0..200 {
        args.extend(["--context", "30", "--save", &saved]);
        let mut child = command(&args).spawn().expect("the binary starts");
        let mut out = BufReader::new(child.stdout.take().expect("stdout is a pipe"));
        // Until something is printed, or the end.
        let first = out.fill_buf().expect("output arrives").to_vec();
        out.consume(first.len());
        printed += &String::from_utf8(first).expect("it is text");
        let id = child.id().to_string();
        let sent = std::process::Command::new("kill")
            .args(["-INT", &id])
            .status();
        sent.expect("kill is there");
        out.read_to_string(&mut printed).expect("the rest arrives");
        let done = child.wait_with_output().expect("the binary ends");
        if status(&done) == Some(STATUS) {
            break;
        }
        assert!(ended(&done, 130).starts_with("interrupted after "));
        let text = fs::read_to_string(&saved).expect("it is written");
        let last = |token| text.rfind(token).unwrap_or(0);
        let begins = ["interrupted\n", "turned\n"].map(last).into_iter().max();
        amid_turns += u32::from(begins > Some(last("continued\n")));
        args = vec!["run", "--resume", &saved];
    }
    assert_eq!(printed, OUTPUT);
    assert!(amid_turns > 0, "all interrupts came between turns");
}

/// Outputs a text, a byte a turn of a loop.
fn says(text: &str) -> String {
    format!(
        r#"(module
        (import "env" "putchar" (func $put (param i32)))
        (memory 1)
        (data (i32.const 100) "{text}\00")
        (func (export "main") (local $at i32)
            (local.set $at (i32.const 100))
            (loop $next
                (call $put (i32.load8_u (local.get $at)))
                (local.set $at (i32.add (local.get $at) (i32.const 1)))
                (br_if $next (i32.load8_u (local.get $at))))))"#
    )
}

/// The weights decide what a prompt means, if they have code. Each run goes on only with its own,
/// and the refusal of others names them.
#[test]
fn a_saved_run_goes_on_with_its_own_weights_alone() {
    let folder = folder("saved-models");
    let alpha = file(&folder, "alpha.wat", says("alpha"));
    let omega = file(&folder, "omega.wat", says("omega"));
    let sorted = file(&folder, "sorted.wat", SORTED);
    let name = |name: &str| string(&folder.join(name));
    let [one, other, compiled, stock, library] =
        ["one", "other", "compiled", "stock", "library"].map(name);
    let made: [&[&str]; 7] = [
        &["weights", "--rom", "none", "--out", &one],
        &["weights", "--rom", "none", "--out", &other],
        &["grow", &one, "--program", &alpha, "--as", "p"],
        &["grow", &other, "--program", &omega, "--as", "p"],
        &["compile", &alpha, "--out", &compiled],
        &["weights", "--out", &stock],
        &["weights", "--rom", "software,sorting", "--out", &library],
    ];
    for args in made {
        ended(&weightware(args), 0);
    }
    let [one, other, compiled, stock, library] =
        [&one, &other, &compiled, &stock, &library].map(|folder| ["--model", folder]);
    let own = |machine: &[&str; 2]| format!("use {} {} instead", machine[0], machine[1]);
    let (wide, default) = (["--profile", "wide"], ["--profile", "stock"]);
    let import = format!(
        "use --model DIR of `weightware weights --rom software,sorting {} --out DIR` instead",
        default.join(" ")
    );
    // Arguments of a run, the machines on which it goes on, those that are refused, the remedy.
    type Machines<'a> = &'a [&'a [&'a str]];
    let cases: [(&[&str], Machines, Machines, String); 6] = [
        (
            &["--program", "p", one[0], one[1]],
            &[&one],
            &[&[], &other, &compiled, &wide],
            own(&one),
        ),
        (
            &[&alpha, one[0], one[1]],
            &[&one],
            &[&[], &other],
            own(&one),
        ),
        (
            &compiled,
            &[&compiled],
            &[&[], &one, &stock],
            own(&compiled),
        ),
        (
            &[&alpha],
            &[&[], &default, &stock],
            &[&one, &wide, &["--context", "900"]],
            own(&default),
        ),
        (
            &[&alpha, wide[0], wide[1]],
            &[&wide],
            &[&[], &one, &stock],
            own(&wide),
        ),
        (&[&sorted], &[&library], &[&[], &stock, &one], import),
    ];
    let saved = name("saved.run");
    for (run, same, others, remedy) in cases {
        let limit = ["--max-tokens", "90", "--save", &saved];
        let done = weightware(&[&["run"], run, &limit].concat());
        ended(&done, 124);
        let begun = stdout(&done);
        for machine in same {
            let resumed = ["run", "--resume", &saved, "--check", "--quiet"];
            let done = weightware(&[&resumed[..], machine].concat());
            let (status, whole) = match run == [&sorted] {
                true => (5, ""),
                false => (0, "alpha"),
            };
            assert_eq!(ended(&done, status), "", "{run:?} on {machine:?}");
            let printed = format!("{begun}{}", stdout(&done));
            assert_eq!(printed, whole, "{run:?} on {machine:?}");
        }
        for machine in others {
            let done = weightware(&[&["run", "--resume", &saved], *machine].concat());
            let said = ended(&done, 2);
            assert!(said.contains(&remedy), "{run:?} on {machine:?}: {said}");
            assert_eq!(stdout(&done), "", "{run:?} on {machine:?}");
        }
    }

    // More neurons are other weights.
    let args = ["run", "--program", "p", one[0], one[1], "--save", &saved];
    ended(&weightware(&args), 0);
    let args = ["grow", one[1], "--program", &omega, "--as", "q"];
    ended(&weightware(&args), 0);
    let said = ended(&weightware(&["run", "--resume", &saved, one[0], one[1]]), 2);
    assert!(said.contains("has grown since"), "{said}");
}
