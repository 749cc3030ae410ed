//! General models of every kind: the runtime's logits are those of candle's stock forward pass.

use weightware_candle::GeneralForward;
use weightware_tests::general::{compare, models, tokens};

#[test]
fn candle_computes_equal_logits() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, model) in models() {
        let path = folder.path().join(&name);
        model.save(&path).expect("the folder is written");
        let stock = GeneralForward::load(&path).expect("the folder is read");
        let logits = stock.logits(&tokens()).expect("the tokens are read");
        if let Err(error) = compare(&model, &logits) {
            panic!("model {name}: {error}\n{:?}", model.config);
        }
        let wide = stock.in_f64().expect("numbers are cast");
        let wide = wide.logits(&tokens()).expect("the tokens are read");
        let pairs = logits.iter().flatten().zip(wide.iter().flatten());
        for (narrow, wide) in pairs {
            assert!(
                (narrow - wide).abs() < 1e-3 * wide.abs().max(1.0),
                "{narrow} {wide}"
            );
        }
    }
}
