//! Adversarial programs, up to a horizon and not beyond it.

use weightware::{Computer, Engine, RunEnd, default_model};
use weightware_tests::horizon::{adversaries, at_positions, beside, farthest, most_stores, nearer};

/// A model whose `config.json` states a nearer horizon stops there, with every engine at the same
/// token.
#[test]
fn all_engines_stop_at_the_same_token() {
    const TOKENS: u64 = 600;
    const STORES: u64 = 9;
    let whole = Computer::default();
    let farthest = farthest(&whole);
    for adversary in adversaries(farthest)
        .iter()
        .filter(|adversary| !adversary.soon)
    {
        let prompt = adversary.program.full_prompt().count() as u64;
        for most in [STORES, TOKENS] {
            let model = nearer(default_model(), prompt + TOKENS - 1, most);
            let computer = Computer::new(model).expect("a model of the machine");
            let stopped = Engine::available().map(|engine| {
                beside(&computer, &adversary.program, engine, None)
                    .unwrap_or_else(|problem| panic!("{}: {problem}", adversary.name))
            });
            let stopped: Vec<_> = stopped.collect();
            let first = &stopped[0];
            for other in &stopped[1..] {
                assert_eq!(other, first, "{}", adversary.name);
            }
            assert!(
                matches!(first.end, RunEnd::Horizon { .. }),
                "{}: {:?}",
                adversary.name,
                first.end
            );
            match adversary.stores && most == STORES {
                // The store before would have been the last one that is distinguished from the
                // next.
                true => assert_eq!(first.stores, STORES, "{}", adversary.name),
                false => assert_eq!(first.tokens, TOKENS, "{}", adversary.name),
            }
        }
    }
}

/// Limits that a program reaches within thousands of tokens, with the original model.
#[test]
fn the_machine_s_own_limits_are_horizons() {
    let computer = Computer::default();
    for adversary in adversaries(farthest(&computer))
        .iter()
        .filter(|adversary| adversary.soon)
    {
        let stopped = [Engine::Hull, Engine::Plan].map(|engine| {
            beside(&computer, &adversary.program, engine, Some(200_000))
                .unwrap_or_else(|problem| panic!("{}: {problem}", adversary.name))
        });
        assert_eq!(stopped[0], stopped[1], "{}", adversary.name);
        assert!(
            matches!(stopped[0].end, RunEnd::Horizon { .. }),
            "{}: {:?}",
            adversary.name,
            stopped[0].end
        );
    }
}

#[test]
fn the_farthest_address_is_beyond_two_pages() {
    let computer = Computer::default();
    assert!(farthest(&computer) >= 2 << 16);
    assert!(most_stores(computer.model()).is_some_and(|stores| stores > 100_000));
}

/// Stock softmax attends to one token where the certificate says so, and averages elsewhere.
#[test]
fn stock_softmax_at_sampled_positions() {
    let computer = Computer::default();
    for adversary in &adversaries(farthest(&computer))[..4] {
        let prompt = adversary.program.full_prompt().count() as u64;
        let positions = [prompt, prompt + 400, prompt + 3_000];
        let sampled =
            at_positions(&computer, &adversary.program, &positions).expect("a program that runs");
        assert_eq!(sampled.len(), 3);
        for at in sampled {
            assert!(at.wrong.is_empty(), "{}: {at:?}", adversary.name);
            assert_eq!((at.missed, at.tied), (0, 0), "{}: {at:?}", adversary.name);
            assert!(
                at.one_hot > 50 && at.averages.0 == 2 && at.averages.1 < 1.0 / 32.0,
                "{}: {at:?}",
                adversary.name
            );
        }
    }
}
