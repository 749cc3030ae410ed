//! A sample of `cargo xtask mutate`, and changes that must not be noticed.

use weightware::default_model;
use weightware_tests::Random;
use weightware_tests::mutate::{Corpus, Fate, Mutation, Mutator, Part, groups, sample};

#[test]
fn queries_and_keys_set_to_zero() {
    let model = default_model();
    let corpus = Corpus::new(&model, 4, 30);
    assert_eq!(corpus.first_difference(&model), None);
    let mut mutator = Mutator::new(&corpus, model.clone());
    let mut random = Random::new(1);
    let mut noticed = 0;
    for (group, places) in groups(&model) {
        if !matches!(group.part, Part::Query | Part::Key) {
            continue;
        }
        for place in sample(places, 2, &mut random) {
            let fate = mutator.fate(place, Mutation::Zero);
            noticed += u32::from(matches!(
                fate,
                Some(Fate::Tokens | Fate::Certificate | Fate::Slots)
            ));
        }
    }
    assert_eq!(noticed, 27);
}

#[test]
fn a_changed_weight_is_changed_back() {
    let model = default_model();
    let corpus = Corpus::new(&model, 1, 10);
    let mut mutator = Mutator::new(&corpus, model.clone());
    let (_, places) = &groups(&model)[1];
    for mutation in Mutation::ALL {
        let _ = mutator.fate(places[0], mutation);
    }
    assert_eq!(
        mutator.weight(places[0]),
        model.weights.layers[0].in_proj.row(places[0].row)[places[0].col]
    );
}
