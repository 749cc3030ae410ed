//! Digests of models.

use std::collections::HashSet;

use weightware::{Computer, Model, Profile, TokenId, default_model, profile_model};

fn digest(model: Model) -> String {
    let computer = Computer::new(model).expect("a machine");
    computer.digest().to_owned()
}

/// A change of a model.
type Change = fn(&mut Model);

/// One bit is enough, wherever it is.
#[test]
fn any_change_of_a_model_changes_its_digest() {
    let changes: [Change; 14] = [
        |_| {},
        |model| model.weights.tok.entries[0] += 1.0,
        |model| *model.weights.head.entries.last_mut().unwrap() += 1.0,
        |model| model.weights.layers[3].in_proj.entries[77] += 1.0,
        |model| model.weights.layers[3].out_proj.entries[77] += 1.0,
        |model| model.weights.layers[3].ff_in.entries[77] += 1.0,
        |model| model.weights.layers[3].ff_out.entries[77] += 1.0,
        |model| {
            let entries = &mut model.weights.layers[6].ff_in.entries;
            let last = entries.iter_mut().rfind(|entry| **entry != 0.0).unwrap();
            *last = f64::from_bits(last.to_bits() ^ 1);
        },
        // A zero with a sign is another number.
        |model| {
            let entries = &mut model.weights.layers[0].ff_in.entries;
            let zero = entries.iter_mut().find(|entry| entry.to_bits() == 0);
            *zero.unwrap() = -0.0;
        },
        |model| model.weights.layers.swap(1, 2),
        |model| model.config.position_features[0].coefficients[2] += 1.0,
        |model| model.config.last_position += 1,
        |model| model.config.key_bounds[0].max_lift += 1.0,
        |model| model.end_tokens.push(TokenId(0)),
    ];
    let digests = changes.map(|change| {
        let mut model = default_model();
        change(&mut model);
        digest(model)
    });
    let profiles = Profile::ALL
        .into_iter()
        .chain([Profile::STOCK.with_context(900)]);
    let mut digests: Vec<String> = digests.into();
    // The first profile is the default one, which has not been changed.
    digests.extend(profiles.map(profile_model).map(digest));
    let different: HashSet<&String> = digests.iter().collect();
    assert_eq!(different.len(), digests.len() - 1);
    assert_eq!(digests[0], digests[changes.len()]);
    assert_eq!(digests[0], Computer::default().digest());
    assert_eq!(Computer::default().clone().digest(), digests[0]);
}

#[test]
fn names_have_no_part_in_a_digest() {
    let mut model = default_model();
    model.config.profile = None;
    assert_eq!(digest(model), Computer::default().digest());
    let mut model = default_model();
    model
        .config
        .modules
        .iter_mut()
        .for_each(|modules| modules.reverse());
    assert_eq!(digest(model), Computer::default().digest());
}
