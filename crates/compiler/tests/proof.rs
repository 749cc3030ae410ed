//! The values of instructions are proved for the committed weights, and for no others.

use weightware_compiler::machine::{Extension, Machine, Profile};
use weightware_compiler::profile_model;
use weightware_compiler::proof::{self, Proof, Verdict};
use weightware_isa::Op;

#[test]
fn every_profile() {
    // The instructions without an equation: and, or, xor; shifts and rotations; products; digits of
    // quotients; counts of bits; numbers of the state, which the multiplier outputs.
    let tested: Vec<Op> = Op::ALL
        .iter()
        .copied()
        .filter(|op| {
            let name = op.spec().name;
            let (_, kind) = name.split_once('.').unwrap_or((name, name));
            let kinds = [
                "and", "or", "xor", "shl", "shr_s", "shr_u", "rotl", "rotr", "mul", "mul_high",
            ];
            kinds.contains(&kind)
                || ["clz", "ctz", "popcnt"].contains(&kind)
                || ["div.digits", "interrupt", "frame.get", "depth.get"].contains(&name)
        })
        .collect();
    assert_eq!(tested.len(), 28);
    for profile in Profile::ALL {
        let proofs = proof::values(profile, &profile_model(profile))
            .expect("the analysis accepts the weights");
        assert_eq!(
            proofs.len(),
            Op::ALL.iter().filter(|&&op| proof::is_executed(op)).count()
        );
        for Proof { op, verdict, .. } in &proofs {
            match verdict {
                Verdict::Proved(cases) => assert_eq!(*cases, usize::from(op.spec().bytes) + 1),
                Verdict::Tested(_) => assert!(tested.contains(op), "{op} is not proved"),
                Verdict::Wrong(index, why) => panic!("{}, {op}, byte {index}: {why}", profile.name),
            }
        }
    }
}

#[test]
fn memory_that_was_never_written() {
    for profile in Profile::ALL {
        let model = profile_model(profile);
        let found = proof::unwritten(profile, &model).expect("the analysis accepts the weights");
        assert!(found.holds(), "{}: {found:?}", profile.name);
        // Loads query all addresses.
        assert!(found.asked >= 2_f64.powi(32));
        // With a weaker clearing, loads from 1 GiB on find cleared keys.
        let mut model = model;
        for layer in &mut model.weights.layers {
            for row in 0..layer.ff_in.rows {
                for weight in layer.ff_in.row_mut(row) {
                    *weight *= if weight.abs() >= 2_f64.powi(32) {
                        2_f64.powi(-12)
                    } else {
                        1.0
                    };
                }
            }
        }
        let found = proof::unwritten(profile, &model).expect("the analysis accepts the weights");
        assert!(!found.holds(), "{}: {found:?}", profile.name);
    }
}

#[test]
fn bytes_add_up() {
    proof::arithmetic(&Machine::new(&Extension::ALL)).unwrap();
}

/// Doubles the values of a head, layer by layer. The proof must fail, except where the head finds a
/// word: the equations are over the values of lookups. It fails for a byte, a code or a condition.
#[test]
fn other_weights_compute_something_else() {
    let profile = Profile::STOCK;
    let good = profile_model(profile);
    let mut noticed = vec![];
    for layer in 0..good.weights.layers.len() {
        let mut model = good.clone();
        let out = &mut model.weights.layers[layer].out_proj;
        // The first live head of the layer returns twice its value.
        let column =
            (0..out.cols).find(|&column| (0..out.rows).any(|row| out.row(row)[column] != 0.0));
        let column = column.expect("a live head");
        (0..out.rows).for_each(|row| out.row_mut(row)[column] *= 2.0);
        noticed.push(match proof::values(profile, &model) {
            Ok(proofs) => proofs
                .iter()
                .any(|proof| matches!(proof.verdict, Verdict::Wrong(..))),
            Err(_) => true,
        });
    }
    assert_eq!(noticed, [true, false, true, false, true, false, true]);
}
