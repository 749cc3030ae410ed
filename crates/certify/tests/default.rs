//! The certificate of the compiled machine, and of machines with a fault.

use weightware_certify::{Certificate, Keys, RunCertificate, RunningSums, Scaling, certify};
use weightware_compiler::machine::Profile;
use weightware_compiler::{default_model, profile_model};
use weightware_model::KeyRange;
use weightware_model::{Model, TokenId};

/// The index of a box in `config.json` whose head orders keys by position, or by a count.
fn bound(certificate: &Certificate, model: &Model, by_position: bool) -> usize {
    let wanted =
        |keys: &Keys| matches!(keys, Keys::Indexed { by_position: by, .. } if *by == by_position);
    let bounds = model.config.key_bounds.iter();
    let heads = bounds.map(|bound| {
        let mut heads = certificate.heads.iter();
        let head = heads.find(|head| (head.layer, head.head) == (bound.layer, bound.head));
        head.expect("a head with a box is live")
    });
    heads
        .into_iter()
        .position(|head| wanted(&head.keys))
        .expect("there is one")
}

#[test]
fn what_the_profiles_state_is_proved() {
    for profile in Profile::ALL {
        let model = profile_model(profile);
        let certificate = certify(&model);
        assert_eq!(certificate.problems().collect::<Vec<_>>(), [""; 0]);
        assert!(certificate.exact_positions() >= model.config.last_position);
        for head in &certificate.heads {
            assert!(!matches!(head.keys, Keys::Unknown(_)), "{head}");
        }
        // Every box belongs to a head with an index, and every such head has a box.
        let heads = certificate.heads.iter();
        let boxes = heads.filter(|head| head.index_box.is_some()).count();
        assert_eq!(boxes, model.config.key_bounds.len());
    }
}

#[test]
fn stock_attention_reproduces_the_stock_profile() {
    let model = default_model();
    assert_eq!(model.config.profile.as_deref(), Some("stock"));
    let certificate = certify(&model);
    assert!(
        certificate.to_string().contains("first to fail: layer"),
        "{certificate}"
    );
    // Softmax is one-hot up to the same position for every scaling.
    for scaling in Scaling::ALL {
        assert!(
            certificate.stock_positions(scaling) >= model.config.last_position,
            "{scaling:?}"
        );
    }
    for head in &certificate.heads {
        if let Some(bounds) = &head.index_box {
            for index in bounds.stock_index {
                assert!(index as f64 >= bounds.index, "{head}");
            }
        }
    }
}

/// The rows of the second part of a head's keys.
fn heights(model: &mut Model, layer: usize, head: usize) -> &mut [f64] {
    let d_model = model.config.shape.d_model;
    model.weights.layers[layer]
        .in_proj
        .row_mut(d_model + 2 * head + 1)
}

fn find(
    certificate: &Certificate,
    layer: usize,
    head: usize,
) -> &weightware_certify::HeadCertificate {
    let mut heads = certificate.heads.iter();
    heads
        .find(|h| (h.layer, h.head) == (layer, head))
        .expect("live")
}

#[test]
fn another_recency_is_another_certificate() {
    let model = default_model();
    let good = certify(&model);
    for by_position in [true, false] {
        let stated = model.config.key_bounds[bound(&good, &model, by_position)];
        let (layer, head) = (stated.layer, stated.head);
        for (numerator, denominator) in
            [(1.0, 3.0), (2.0, 3.0), (4.0, 3.0), (2.0, 1.0), (-1.0, 1.0)]
        {
            let mut broken = model.clone();
            for weight in heights(&mut broken, layer, head) {
                let whole = weight.round();
                *weight = whole + (*weight - whole) * numerator / denominator;
            }
            let certificate = certify(&broken);
            let (have, was) = (find(&certificate, layer, head), find(&good, layer, head));
            let what = format!("{layer}.{head} times {numerator} / {denominator}");
            assert_ne!(have, was, "{what}");
            // A steeper slope exceeds a distance of 1 before the last position. If a count orders
            // the keys, the box ends earlier.
            let wrong = numerator < 0.0 || by_position && numerator > denominator;
            assert_eq!(certificate.problems().count(), usize::from(wrong), "{what}");
            if numerator == 1.0 {
                // Stock softmax no longer distinguishes the latest two keys everywhere in the box.
                let index = have.index_box.as_ref().expect("has a box").stock_index[0];
                assert!((index as f64) < stated.max_abs_x / 2.0, "{have}");
            }
        }
    }
}

/// A part of the expected problem, and the change that makes the claim.
type Claim<'a> = (&'a str, &'a dyn Fn(&mut Model));

/// Claims beyond the proof, each with a part of the expected problem.
#[test]
fn claims_that_are_not_proved() {
    let model = default_model();
    let good = certify(&model);
    let problems = |break_it: &dyn Fn(&mut Model)| {
        let mut broken = model.clone();
        break_it(&mut broken);
        certify(&broken).problems().collect::<Vec<_>>().join("; ")
    };
    for by_position in [true, false] {
        let at = bound(&good, &model, by_position);
        let stated = model.config.key_bounds[at];
        let cases: [Claim<'_>; 4] = [
            ("the box states", &|model| {
                model.config.key_bounds[at].max_abs_x *= 4.0
            }),
            ("no box", &|model| {
                model.config.key_bounds.remove(at);
            }),
            ("inverse temperature", &|model| {
                let row = model.weights.layers[stated.layer]
                    .in_proj
                    .row_mut(2 * stated.head + 1);
                row.iter_mut().for_each(|weight| *weight *= 1.5);
            }),
            ("the box states", &|model| {
                // The clearing no longer outweighs squared distances.
                for weight in heights(model, stated.layer, stated.head) {
                    if *weight == -2.0_f64.powi(40) {
                        *weight = -(stated.max_abs_x * stated.max_abs_x + 1.0);
                    }
                }
            }),
        ];
        for (says, break_it) in cases {
            let text = problems(break_it);
            assert!(text.contains(says), "{says}: {text:?}");
        }
    }
    let at = bound(&good, &model, false);
    let text = problems(&|model| model.config.key_bounds[at].max_lift = 1.0);
    assert!(text.contains("the box states"), "{text:?}");
    let text = problems(&|model| model.config.last_position = 1 << 25);
    // Positions would no longer order words below a distance of one.
    assert!(text.contains("proved up to position 22369621,"), "{text:?}");
    // A layer that writes into the slot of the square of time.
    let text = problems(&|model| {
        let slot = model.config.position_features[1].slot;
        model.weights.layers[3].out_proj.row_mut(slot)[0] = 1.0;
    });
    assert!(text.contains("layer 4"), "{text:?}");
}

#[test]
fn sums_are_counted() {
    let model = default_model();
    let vocab = u32::try_from(model.config.shape.vocab).expect("few");
    let empty = RunningSums::new(&model);
    let used = |id: u32| {
        let mut sums = empty.clone();
        sums.push(TokenId(id));
        sums.used()
    };
    let largest = (0..vocab).max_by(|&a, &b| used(a).total_cmp(&used(b)));
    let largest = TokenId(largest.expect("a token"));
    // The token that adds most is the one that the certificate assumes for every token.
    let mut sums = empty.clone();
    let proved = certify(&model).stock_sums();
    for _ in 0..=proved {
        sums.push(largest);
    }
    assert!(sums.used() <= 1.0 && sums.proved() == proved, "{sums:?}");
    sums.push(largest);
    assert!(sums.used() > 1.0 && sums.proved() == proved);
    // Bytes add nothing.
    let byte = model.tokenizer.id("07").expect("a token");
    let mut sums = empty;
    for _ in 0..10 {
        sums.push(byte);
    }
    assert_eq!((sums.used(), sums.proved()), (0.0, 9));
}

/// Stock attention follows the long profile while keys stay near the middle and stores are few.
#[test]
fn a_run_is_followed_while_keys_stay_near() {
    let model = profile_model(Profile::LONG);
    let certificate = certify(&model);
    let at = bound(&certificate, &model, false);
    let (layer, head) = (
        model.config.key_bounds[at].layer,
        model.config.key_bounds[at].head,
    );
    let mut run = RunCertificate::new(&model);
    let went = |index: f64, lift: f64| {
        [KeyRange {
            layer,
            head,
            x: [-2.0 * index, 0.0],
            lift,
        }]
    };
    let lift = 0.5;
    for index in [100.0, 1000.0] {
        run.push(TokenId(0));
        run.record_keys(went(index, lift));
        assert_eq!(
            run.stock_position(Scaling::Query),
            run.stock_position(Scaling::Both)
        );
    }
    assert_eq!(run.stock_position(Scaling::Query), 1);
    run.push(TokenId(0));
    run.record_keys(went(65_536.0, lift));
    run.push(TokenId(0));
    run.record_keys(went(1000.0, lift));
    for scaling in Scaling::ALL {
        assert_eq!(run.stock_position(scaling), 1, "{scaling:?}");
    }
}
