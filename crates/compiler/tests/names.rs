//! The names of assembled models.

use weightware_compiler::machine::{Extension, Machine, Profile, Rom};
use weightware_compiler::{Compiled, HeadKind, Names, Schedule, compile, compile_rom};
use weightware_isa::{Instruction, LIBRARY_AT, Op};

fn compiled(profile: Profile) -> Compiled {
    compile(profile, &Extension::ALL).expect("the committed schedule fits")
}

#[test]
fn every_live_head_and_neuron_has_a_name() {
    for profile in Profile::ALL {
        let Compiled {
            model,
            names,
            usage,
        } = compiled(profile);
        names.check(&model).expect("the names are the model's");
        for (names, usage) in names.layers.iter().zip(&usage.layers) {
            let heads = names.attn.heads.iter().flatten();
            let wiping = heads.clone().filter(|head| head.kind == HeadKind::Wipe);
            assert_eq!(
                (heads.count(), wiping.count()),
                (usage.heads, usage.wiping_heads)
            );
            assert_eq!(names.ffn.neurons.iter().flatten().count(), usage.neurons);
        }
    }
}

#[test]
fn a_machine_of_some_modules_has_names() {
    let Compiled { model, names, .. } =
        compile(Profile::default(), &[Extension::Traps]).expect("a schedule is found");
    names.check(&model).expect("the names are the model's");
}

/// Names of machines with code in their weights cover tables of any length: they stay when these
/// grow.
#[test]
fn code_in_the_weights_has_names() {
    let library = |blocks: u32| {
        let block = |number| {
            let code = vec![Instruction::new(Op::Return, 1); 3];
            (LIBRARY_AT + 64 * number, code.into())
        };
        Rom {
            library: (0..blocks).map(block).collect(),
            ..Rom::default()
        }
    };
    for profile in [Profile::STOCK, Profile::FAR] {
        let Compiled { model, names, .. } =
            compile_rom(profile, library(1)).expect("the committed schedule fits");
        names.check(&model).expect("the names are the model's");
        let tables = names.layers.iter().flat_map(|layer| &layer.ffn.tables);
        let names_of: Vec<&str> = tables.map(|table| &table.name[..]).collect();
        assert!(
            names_of.iter().all(|name| name.starts_with("rom.")),
            "{names_of:?}"
        );
        assert!(names_of.len() > 2, "{names_of:?}");
        let grown = library(2).grow(&model).expect("it grows");
        names
            .check(&grown)
            .expect("the names are still the model's");
        let Compiled { model, .. } = compile(profile, &Extension::ALL).expect("it fits");
        names.check(&model).expect_err("another machine's");
    }
}

#[test]
fn slots_have_the_names_of_the_schedule() {
    for profile in Profile::ALL {
        let machine = Machine::with_profile(profile, &Extension::ALL);
        let schedule = Schedule::parse(&machine.graph, profile.schedule())
            .expect("the committed schedule fits");
        let names = Names::new(&machine.graph, &schedule);
        let half_layers = 2 * profile.budget().layers;
        for at in 0..=half_layers {
            let half_layer = i32::try_from(at).expect("few") - 1;
            let readable = schedule.readable(&machine.graph, half_layer);
            for &(slot, dim) in &readable {
                let name = machine.graph.name(dim);
                assert_eq!(names.slot(at, slot), Some(name), "half-layer {at}");
                assert!(
                    !names.is_partial(at, name),
                    "{name} is complete after half-layer {at}"
                );
            }
            // Every other named dimension is not complete.
            let others = (0..profile.budget().d_model)
                .filter(|slot| readable.iter().all(|(complete, _)| complete != slot))
                .filter_map(|slot| names.slot(at, slot));
            for name in others {
                assert!(names.is_partial(at, name), "{name} after half-layer {at}");
            }
        }
        let outputs = machine.graph.outputs().map(|dim| machine.graph.name(dim));
        for name in outputs {
            let slot = names
                .unembedding
                .iter()
                .position(|other| other.as_deref() == Some(name));
            let slot = slot.expect("an output has a slot");
            assert_eq!(names.slot(half_layers, slot), Some(name));
        }
    }
}

#[test]
fn a_name_tells_what_is_read_and_written() {
    let names = compiled(Profile::default()).names;
    let heads = || {
        names
            .layers
            .iter()
            .flat_map(|layer| layer.attn.heads.iter().flatten())
    };
    let target = heads()
        .find(|head| head.name == "target.2")
        .expect("the machine has a head target.2");
    let query = target.query.as_ref().expect("a lookup has a query");
    assert_eq!((query.index.as_str(), query.scale.as_str()), ("t - 2", "1"));
    let [value] = &target.values[..] else {
        panic!("the head target.2 has one value");
    };
    assert_eq!(value.reads, "token.byte|end");
    assert_eq!(
        value.writes.iter().collect::<Vec<_>>(),
        [(&"target".to_owned(), &256.0)]
    );
    let neurons = || {
        names
            .layers
            .iter()
            .flat_map(|layer| layer.ffn.neurons.iter().flatten())
    };
    let index = neurons()
        .find(|neuron| neuron.name == "index")
        .expect("the machine has a neuron index");
    assert_eq!(
        (index.gate.as_str(), index.value.as_str()),
        ("1", "t - latest_end")
    );
}

#[test]
fn names_come_back_from_json() {
    let names = compiled(Profile::FAR).names;
    let text = serde_json::to_string(&names).expect("names are numbers and strings");
    assert_eq!(
        serde_json::from_str::<Names>(&text).expect("names were written as JSON"),
        names
    );
}

#[test]
fn the_names_of_another_model_are_refused() {
    let Compiled { model, names, .. } = compiled(Profile::default());
    let refuses = |names: &Names, words: &str| {
        let error = names.check(&model).expect_err("it is another").to_string();
        assert!(error.contains(words), "{error}");
    };
    refuses(&compiled(Profile::FAR).names, "another shape");
    let mut other = names.clone();
    other.format += 1;
    refuses(&other, "format");
    let mut other = names.clone();
    other.layers[1].attn.heads[2] = None;
    refuses(&other, "head 2 of layer 2 is live");
    let mut other = names.clone();
    let last = other.layers[6].ffn.neurons.len() - 1;
    other.layers[6].ffn.neurons[last] = other.layers[6].ffn.neurons[0].clone();
    refuses(&other, &format!("neuron {last} of layer 7 is dead"));
    let mut other = names;
    other.layers[0].ffn.slots.pop();
    refuses(&other, "another shape");
}
