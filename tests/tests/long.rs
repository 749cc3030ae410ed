//! Long runs of C programs: all of them by an independent engine and by the plain interpreter, some
//! by the weights.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use weightware::{Computer, Engine, Profile, default_model, profile_model};
use weightware_tests::horizon::nearer;
use weightware_tests::long::{Long, Whole, page, programs};

static PROGRAMS: LazyLock<Vec<Long>> =
    LazyLock::new(|| programs().unwrap_or_else(|problem| panic!("{problem}")));

fn whole(name: &str) -> Whole {
    let long = PROGRAMS.iter().find(|long| long.name == name);
    let whole = long.expect("a program of that name").whole(None);
    whole.unwrap_or_else(|problem| panic!("{name}: {problem}"))
}

/// Building the page compares all programs with an independent engine.
#[test]
fn the_page_is_up_to_date() {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = vec![];
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(long) = PROGRAMS.get(index) else {
                break done;
            };
            done.push((index, long.whole(None)));
        }
    };
    let mut done = std::thread::scope(|scope| {
        let other = scope.spawn(work);
        let mut done = work();
        done.extend(other.join().expect("no panic"));
        done
    });
    done.sort_by_key(|(index, _)| *index);
    let runs: Vec<_> = done
        .iter()
        .map(|(index, whole)| {
            let long = &PROGRAMS[*index];
            let problem = |problem: &String| panic!("{}: {problem}", long.name);
            (long, whole.as_ref().unwrap_or_else(problem))
        })
        .collect();
    assert!(runs.len() >= 32);
    let readme = include_str!("../../programs/README.md");
    for (long, whole) in &runs {
        assert!(
            (1_000_000..21_000_000).contains(&whole.tokens) && whole.stores < 320_000,
            "{}: {} tokens, {} stores",
            long.name,
            whole.tokens,
            whole.stores
        );
        assert!(
            readme.contains(&format!("| `{}.c` | `-{}` |", long.name, long.level)),
            "programs/README.md does not tell of {}",
            long.name
        );
    }
    let page = page(&runs);
    assert!(
        page == include_str!("../long.md"),
        "cargo xtask long --bless writes it anew:\n{page}"
    );
}

/// Programs without optimisation, with divisions and with floats, each of more than two million
/// tokens.
#[test]
fn whole_runs_by_the_weights() {
    let computer = Computer::default();
    for (name, engine) in [
        ("language", Engine::Plan),
        ("matrix", Engine::Jit),
        ("pi", Engine::Plan),
    ] {
        let decoded = whole(name).decode(&computer, engine, 0, None, |_| {});
        decoded.unwrap_or_else(|problem| panic!("{name}: {problem}"));
    }
}

/// Contexts that turn, by the default machine and by one whose memory has cells.
#[test]
fn contexts_by_the_weights() {
    for (profile, engine) in [
        (Profile::STOCK, Engine::Plan),
        (Profile::STOCK, Engine::Jit),
        (Profile::WIDE, Engine::Jit),
    ] {
        let profile = profile.with_context(400_000);
        let pi = PROGRAMS.iter().find(|long| long.name == "pi");
        let whole = pi.expect("pi").whole(Some(profile));
        let whole = whole.unwrap_or_else(|problem| panic!("{problem}"));
        assert!(whole.contexts > 5);
        let computer = Computer::new(profile_model(profile)).expect("the machine");
        let decoded = whole.decode(&computer, engine, 0, None, |_| {});
        decoded.unwrap_or_else(|problem| panic!("{}: {problem}", profile.name));
    }
}

/// The last tokens, after the rest of the trace was prefilled.
#[test]
fn slices_by_the_weights() {
    let computer = Computer::default();
    let queens = whole("queens");
    for (engine, from, limit) in [
        (Engine::Hull, 0, Some(30_000)),
        (Engine::Hull, 30_000, Some(10_000)),
        (Engine::Plan, queens.tokens - 100_000, None),
    ] {
        let decoded = queens.decode(&computer, engine, from, limit, |_| {});
        decoded.unwrap_or_else(|problem| panic!("from {from} on: {problem}"));
    }
}

/// A run that stops early, has another output or ends differently is a failure.
#[test]
fn differences_are_reported() {
    let mut whole = whole("matrix");
    let prompt = whole.prompt;
    let nearer = Computer::new(nearer(default_model(), prompt + 9_999, 300_000));
    let nearer = nearer.expect("a model of the machine");
    let problem = whole.decode(&nearer, Engine::Plan, 0, None, |_| {});
    assert!(problem.is_err_and(|problem| problem.contains("Horizon")));
    let problem = whole.decode(&nearer, Engine::Plan, 0, Some(20_000), |_| {});
    assert!(problem.is_err_and(|problem| problem.contains("Horizon")));
    assert_eq!(
        whole.decode(&nearer, Engine::Plan, 0, Some(10_000), |_| {}),
        Ok(())
    );
    let computer = Computer::default();
    let last = whole.tokens - 10;
    whole.said.streams.output[3] ^= 1;
    let problem = whole.decode(&computer, Engine::Plan, last, None, |_| {});
    assert!(problem.is_err_and(|problem| problem.contains("byte 3")));
    whole.said.streams.output[3] ^= 1;
    whole.said.streams.stderr.pop();
    let problem = whole.decode(&computer, Engine::Plan, last, None, |_| {});
    assert!(problem.is_err_and(|problem| problem.contains("standard error")));
    whole.said.streams.stderr.push(b'\n');
    let mut model = default_model();
    model.weights.layers[2].out_proj.entries.fill(0.0);
    let broken = Computer::new(model).expect("a model of the machine");
    let problem = whole.decode(&broken, Engine::Plan, 0, None, |_| {});
    assert!(problem.is_err_and(|problem| problem.contains("plan: token")));
}
