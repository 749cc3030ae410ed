//! The values of instructions are proved on the committed weights, and no others.

use weightware_compiler::machine::{Machine, Module, Profile};
use weightware_compiler::profile_model;
use weightware_compiler::proof::{self, Proof, Verdict};

#[test]
fn values() {
    for profile in Profile::ALL {
        let model = profile_model(profile);
        let start = std::time::Instant::now();
        let proofs = proof::values(profile, &model).unwrap();
        println!("{} {:?}", profile.name, start.elapsed());
        for Proof { op, verdict, .. } in &proofs {
            println!("{op} {verdict:?}");
        }
        let wrong = proofs
            .iter()
            .filter(|proof| matches!(proof.verdict, Verdict::Wrong(..)));
        assert_eq!(wrong.count(), 0);
    }
}

#[test]
fn bytes() {
    proof::arithmetic(&Machine::new(&Module::ALL)).unwrap();
}
