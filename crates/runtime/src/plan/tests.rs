//! Plans against the hull engine, number by number.

use weightware_model::Model;

use std::collections::BTreeSet;

use super::*;

#[path = "../../tests/common/mod.rs"]
mod common;

/// Decodes with the hull engine, and compares with the plan engine every number that the unembedding reads. Tells how
/// many numbers were compared, and how many programs followed others; collects the kinds of steps that became code.
fn compare(
    model: &Model,
    prompt: &[u32],
    length: usize,
    translates: bool,
    kinds: &mut BTreeSet<String>,
) -> [usize; 2] {
    let network = Network::new(model);
    let mut planned = Planned::new(model, &network, translates);
    let mut stream = Stream::new(&network);
    let mut hull = Hull::new(&network);
    let mut scratch = Scratch::default();
    let (mut compared, mut followers) = (0, 0);
    let mut next = None;
    for time in 0..length {
        let token = match prompt.get(time) {
            Some(&id) => TokenId(id),
            None => next.unwrap(),
        };
        let expected = stream.forward(&network, &mut hull, token, time as u64);
        let said = planned.advance(&network, token, true);
        match (expected, said) {
            (Ok(()), Ok(said)) => next = said,
            (expected, said) => {
                assert_eq!(expected.err(), said.err());
                return [compared, followers];
            }
        }
        assert_eq!(next, network.unembed.argmax(&stream.x, &mut scratch));
        if let Mode::Plan(plan) = &planned.mode {
            followers = plan.followers();
            if time + 1 == length {
                kinds.extend(plan.translated());
            }
            for (column, &slot) in plan.columns.iter().zip(&planned.rows.columns) {
                assert_eq!(*column, stream.x[slot], "at {time}, slot {slot}");
                compared += 1;
            }
        }
    }
    [compared, followers]
}

#[test]
fn all_numbers_are_those_of_the_hull_engine() {
    let mut compared = [0; 4];
    let mut followers = 0;
    let mut kinds = BTreeSet::new();
    for seed in 0..300 {
        let layers = 1 + seed as usize % 4;
        let models = [
            common::structured(layers, 5 + seed as usize % 5, 4 + seed as usize % 30, seed),
            common::random(layers, 1 + seed as usize % 6, 7, 2, seed),
            common::floats(layers, 1 + seed as usize % 6, 7, seed),
            common::machine(seed),
        ];
        for (model, count) in models.iter().zip(&mut compared) {
            let translates = cfg!(feature = "jit") && seed % 3 > 0;
            let [numbers, following] = compare(model, &[0, 1, 2, 3, 1], 60, translates, &mut kinds);
            *count += numbers;
            followers += following;
        }
    }
    assert!(compared.iter().all(|&count| count > 10_000), "{compared:?}");
    assert!(followers > 500, "{followers}");
    // Steps of all kinds but two became code, and what they computed was compared; gathering and finding without a value
    // take the compiled machine.
    if cfg!(all(feature = "jit", target_arch = "x86_64")) {
        assert!(kinds.len() >= 27, "{} {kinds:?}", kinds.len());
    }
}
