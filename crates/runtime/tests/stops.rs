//! The reasons and positions at which decoding ends.

mod common;

use common::{copier, ids, zero};
use weightware_model::{Attention, KeyBound, TokenId};
use weightware_runtime::{
    Decoder, DecoderOptions, Engine, FinishReason, HorizonReason, KeyRange, PrefillError,
};

#[test]
fn an_end_token_is_given_and_ends() {
    let mut model = copier(9, 3);
    model.end_tokens = ids(&[8]);
    for engine in Engine::available() {
        let mut decoder = Decoder::new(&model, engine).unwrap();
        decoder.prefill(&ids(&[2, 5, 8])).unwrap();
        let tokens: Vec<_> = decoder.generate(None).collect();
        assert_eq!(tokens, ids(&[2, 5, 8]));
        assert_eq!(
            decoder.finish_reason(),
            Some(FinishReason::EndToken(TokenId(8)))
        );
        assert_eq!(decoder.generate(None).next(), None);
        assert_eq!(decoder.prefill(&ids(&[1])), Err(PrefillError::Finished));
        assert_eq!(decoder.len(), 6);
        decoder.reset();
        assert_eq!((decoder.len(), decoder.finish_reason()), (0, None));
    }
}

#[test]
fn a_budget_can_be_renewed() {
    let model = copier(9, 3);
    let mut decoder = Decoder::new(&model, Engine::Hull).unwrap();
    assert_eq!(decoder.generate(None).next(), None);
    assert_eq!(decoder.finish_reason(), None);
    decoder.prefill(&ids(&[2, 5, 8])).unwrap();
    let mut generate = decoder.generate(Some(2));
    assert_eq!(generate.by_ref().count(), 2);
    assert_eq!(generate.finish_reason(), Some(FinishReason::MaxTokens));
    assert_eq!(decoder.generate(Some(0)).next(), None);
    let rest: Vec<_> = decoder.generate(Some(2)).collect();
    assert_eq!(rest, ids(&[8, 2]));
}

/// Decoding into slices of any length, with single tokens in between, generates the tokens of
/// decoding one by one, and ends for the same reason.
#[test]
fn slices_are_filled_with_what_is_generated() {
    let mut model = copier(9, 3);
    model.config.last_position = 30;
    for ends in [ids(&[]), ids(&[8])] {
        model.end_tokens = ends;
        for engine in Engine::available() {
            let mut one_by_one = Decoder::new(&model, engine).unwrap();
            assert_eq!(one_by_one.generate_into(&mut ids(&[1])), 0);
            assert_eq!(one_by_one.finish_reason(), None);
            one_by_one.prefill(&ids(&[2, 5, 4, 8])).unwrap();
            let tokens: Vec<_> = one_by_one.generate(None).collect();
            for length in 1..40 {
                let mut decoder = Decoder::new(&model, engine).unwrap();
                decoder.prefill(&ids(&[2, 5, 4, 8])).unwrap();
                let mut said = vec![];
                loop {
                    let mut slice = vec![TokenId(0); length];
                    let filled = decoder.generate_into(&mut slice);
                    said.extend_from_slice(&slice[..filled]);
                    assert_eq!(decoder.len(), 4 + said.len() as u64);
                    if filled < length {
                        break;
                    }
                    said.extend(decoder.generate(Some(1)));
                    let _ = decoder.generate(Some(0)).next();
                }
                assert_eq!(said, tokens, "{} {length}", engine.name());
                assert_eq!(decoder.finish_reason(), one_by_one.finish_reason());
                assert_eq!(decoder.generate_into(&mut ids(&[1, 2])), 0);
            }
        }
    }
}

#[test]
fn nothing_is_given_beyond_the_last_position() {
    let mut model = copier(9, 3);
    model.config.last_position = 7;
    for engine in Engine::available() {
        let mut decoder = Decoder::new(&model, engine).unwrap();
        decoder.prefill(&ids(&[2, 5, 8])).unwrap();
        assert_eq!(decoder.generate(None).count(), 5);
        let finish = FinishReason::Horizon {
            position: 8,
            reason: HorizonReason::LastPosition(7),
        };
        assert_eq!(decoder.finish_reason(), Some(finish));
        assert_eq!(decoder.generate(None).next(), None);

        decoder.reset();
        let stop = PrefillError::Horizon {
            position: 8,
            reason: HorizonReason::LastPosition(7),
        };
        assert_eq!(decoder.prefill(&[TokenId(1); 9]), Err(stop));
        assert_eq!(decoder.finish_reason(), Some(finish));
        decoder.reset();
        assert_eq!(decoder.prefill(&[TokenId(1); 8]), Ok(()));
        assert_eq!(decoder.generate(None).next(), None);
    }
}

#[test]
fn a_live_key_outside_its_box_ends() {
    let mut model = copier(9, 3);
    let bound = KeyBound {
        layer: 0,
        head: 0,
        max_abs_x: 12.0,
        max_lift: 0.0,
    };
    model.config.key_bounds = vec![bound];
    for engine in Engine::available() {
        let mut decoder = Decoder::new(&model, engine).unwrap();
        decoder.prefill(&ids(&[2, 5, 8])).unwrap();
        // The key of position 7 is (14, -49): token 8, which depends on it, is not generated.
        assert_eq!(decoder.generate(None).count(), 5);
        let reason = HorizonReason::KeyBound {
            layer: 0,
            head: 0,
            x: 14.0,
            lift: 0.0,
        };
        assert_eq!(
            decoder.finish_reason(),
            Some(FinishReason::Horizon {
                position: 8,
                reason
            })
        );
        let reach = KeyRange {
            layer: 0,
            head: 0,
            x: [2.0, 12.0],
            lift: 0.0,
        };
        let reached: Vec<_> = decoder.key_ranges().collect();
        assert_eq!(reached, [reach], "{}", engine.name());
        decoder.reset();
        assert_eq!(decoder.key_ranges().count(), 0);
    }
    // Cleared keys are unbounded: lower all keys.
    let mut cleared = model.clone();
    cleared.weights.layers[0].in_proj.row_mut(7)[0] = -1.0;
    let mut decoder = Decoder::new(&cleared, Engine::Hull).unwrap();
    decoder.prefill(&ids(&[2, 5, 8])).unwrap();
    assert_eq!(decoder.generate(Some(50)).count(), 50);
    // A lift above its limit, in the prompt.
    model.weights.layers[0].in_proj.row_mut(7)[3] = 0.125;
    let mut decoder = Decoder::new(&model, Engine::Hull).unwrap();
    let reason = HorizonReason::KeyBound {
        layer: 0,
        head: 0,
        x: 2.0,
        lift: 0.625,
    };
    assert_eq!(
        decoder.prefill(&ids(&[0, 5, 8])),
        Err(PrefillError::Horizon {
            position: 2,
            reason
        })
    );
}

#[test]
fn numbers_out_of_range_end() {
    let mut model = zero(1, 2, 1, 2);
    model.weights.tok.entries.fill(1e100);
    model.weights.layers[0].in_proj.row_mut(0)[0] = 1e100;
    model.weights.layers[0].in_proj.row_mut(4)[0] = 1.0;
    model.weights.layers[0].out_proj.row_mut(0)[0] = 1.0;
    let reason = HorizonReason::Range { layer: 0, head: 0 };
    for engine in Engine::available() {
        let mut decoder = Decoder::new(&model, engine).unwrap();
        assert_eq!(
            decoder.prefill(&ids(&[0])),
            Err(PrefillError::Horizon {
                position: 1,
                reason
            })
        );
    }
    let mut model = zero(1, 2, 1, 2);
    model.weights.tok.entries.fill(1e200);
    model.weights.head.entries.fill(1e200);
    let mut decoder = Decoder::new(&model, Engine::Hull).unwrap();
    assert_eq!(
        decoder.prefill(&ids(&[0])),
        Err(PrefillError::Horizon {
            position: 1,
            reason: HorizonReason::Overflow
        })
    );
}

#[test]
fn sums_that_are_no_floats_do_not_depend_on_order() {
    // Every key is the same, so all values tie; 1e16 + 1 is not a float.
    let mut model = zero(1, 2, 1, 3);
    for (token, value) in [(0, 1e16), (1, 1.0), (2, -1e16)] {
        model.weights.tok.row_mut(token)[0] = value;
    }
    model.weights.layers[0].in_proj.row_mut(4)[0] = 1.0;
    model.weights.layers[0].out_proj.row_mut(1)[0] = 1.0;
    model.weights.head.row_mut(0)[1] = 1.0;
    for engine in [Engine::Hardmax, Engine::Hull] {
        let mut decoder = Decoder::new(&model, engine).unwrap();
        decoder.prefill(&ids(&[0, 1, 2, 1])).unwrap();
        assert_eq!(decoder.logits(), [0.5, 0.0, 0.0]);
    }
}

#[test]
fn bad_input_is_refused() {
    let mut model = copier(9, 3);
    let mut decoder = Decoder::new(&model, Engine::Hull).unwrap();
    let stop = PrefillError::UnknownToken {
        index: 1,
        token: TokenId(9),
        vocab: 9,
    };
    assert_eq!(decoder.prefill(&ids(&[0, 9])), Err(stop));
    assert!(decoder.is_empty());

    model.config.attention = Attention::Softmax;
    for engine in [Engine::Hull, Engine::Hardmax] {
        let error = Decoder::new(&model, engine).unwrap_err();
        assert!(error.can_be_forced() && error.to_string().contains(engine.name()));
        Decoder::with_options(&model, engine, DecoderOptions { force: true }).unwrap();
    }
    Decoder::new(&model, Engine::Softmax).unwrap();

    model.weights.tok.entries.pop();
    let error = Decoder::new(&model, Engine::Softmax).unwrap_err();
    assert!(
        !error.can_be_forced() && error.to_string().contains("tok.weight"),
        "{error}"
    );
}
