//! Writes a model of one layer to a folder given on the command line and reads it back.

use weightware_model::{
    Attention, Config, Error, LayerWeights, Matrix, Model, PositionFeature, Shape, TokenId,
    Tokenizer, Weights,
};

fn main() -> Result<(), Error> {
    let dir = std::env::args_os()
        .nth(1)
        .map_or_else(|| std::env::temp_dir().join("weightware-model"), Into::into);
    let shape = Shape {
        layers: 1,
        d_model: 2,
        heads: 1,
        d_ffn: 1,
        vocab: 2,
    };
    let model = Model {
        config: Config {
            shape,
            attention: Attention::Hardmax,
            position_features: vec![PositionFeature {
                slot: 0,
                coefficients: [1.0, 0.0, -0.5],
            }],
            profile: None,
            modules: None,
            context: None,
            last_position: 1_000,
            key_bounds: vec![],
        },
        weights: Weights {
            tok: Matrix::zeros(2, 2),
            layers: vec![LayerWeights {
                in_proj: Matrix::zeros(6, 2),
                out_proj: Matrix::zeros(2, 2),
                ff_in: Matrix::zeros(2, 2),
                ff_out: Matrix::zeros(2, 1),
            }],
            head: Matrix::zeros(2, 2),
        },
        tokenizer: Tokenizer::new(vec!["yes".into(), "no".into()]),
        end_tokens: vec![TokenId(1)],
    };
    model.save(&dir)?;
    assert_eq!(Model::load(&dir)?, model);
    Ok(())
}
