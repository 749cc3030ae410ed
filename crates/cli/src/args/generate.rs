//! The arguments of `generate`.

use std::path::PathBuf;

use clap::ValueEnum;
use weightware::Engine;

use super::values::{count, keys, mass, positive, share};

#[derive(Debug, clap::Args)]
pub(crate) struct GenerateArgs {
    /// The model folder
    #[arg(long, value_name = "DIR")]
    pub(crate) model: PathBuf,

    /// The prompt: tokens, @FILE for those in a file, `-` for those on stdin
    #[arg(long, value_name = "TOKENS|@FILE|-")]
    pub(crate) prompt: String,

    /// Stop after this many tokens, with exit code 124 [default: go on to the horizon]
    #[arg(long, value_name = "N", value_parser = count, allow_hyphen_values = true)]
    pub(crate) max_tokens: Option<u64>,

    /// How to attend to past tokens [default: plan for plain models, softmax for general ones]
    #[arg(long, value_enum)]
    pub(crate) engine: Option<GenerateEngine>,

    /// Let the engines plan, hull and hardmax decode a model that says it needs softmax: its tokens
    /// may differ then
    #[arg(long)]
    pub(crate) force: bool,

    #[command(flatten)]
    pub(crate) general: GeneralArgs,
}

/// Options of general models, and of the sparse engine.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct GeneralArgs {
    /// Sparse: attend to the N best keys of each head [default: 32]
    #[arg(long = "k", value_name = "N", value_parser = keys, conflicts_with = "mass_error")]
    pub(crate) k: Option<usize>,

    /// Sparse: attend to as many keys as leave out at most this share of each head's probability,
    /// proved for each query; heads that would need more keys than pay are scanned
    #[arg(long, value_name = "E", value_parser = mass)]
    pub(crate) mass_error: Option<f64>,

    /// Sample with logits divided by T; 0 is greedy [default: 0, or 1 with --top-k, --top-p or
    /// --seed]
    #[arg(long, value_name = "T", value_parser = positive)]
    pub(crate) temperature: Option<f64>,

    /// Sample among the K greatest logits
    #[arg(long, value_name = "K", value_parser = keys)]
    pub(crate) top_k: Option<usize>,

    /// Sample among the fewest tokens whose probabilities sum to P
    #[arg(long, value_name = "P", value_parser = share)]
    pub(crate) top_p: Option<f64>,

    /// The seed of sampling: equal seeds give equal tokens [default: 0]
    #[arg(long, value_name = "S", value_parser = count)]
    pub(crate) seed: Option<u64>,

    /// Let this model propose tokens, of which --model verifies a block in one pass; the tokens are
    /// those of --model alone, or have their distribution if they are sampled. A plain model
    /// proposes by the engine plan
    #[arg(long, value_name = "DIR")]
    pub(crate) draft: Option<PathBuf>,

    /// Proposals in a block [default: 4]
    #[arg(long, value_name = "N", value_parser = keys, requires = "draft")]
    pub(crate) block: Option<usize>,

    /// Print speed, the work of heads, and bounds of what was left out, on stderr
    #[arg(long)]
    pub(crate) stats: bool,
}

impl GeneralArgs {
    /// The first option that plain models do not have.
    pub(crate) fn given(&self) -> Option<&'static str> {
        let options = [
            ("--temperature", self.temperature.is_some()),
            ("--top-k", self.top_k.is_some()),
            ("--top-p", self.top_p.is_some()),
            ("--seed", self.seed.is_some()),
        ];
        let mut given = options.into_iter().filter(|&(_, given)| given);
        given.next().map(|(name, _)| name)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GenerateEngine {
    /// Plain models: hard-max by kernels specialised to the weights, about constant a token
    Plan,
    /// Plain models: hard-max by machine code of these kernels, in builds with the feature `jit`
    Jit,
    /// Plain models: hard-max by search in the convex hull of past keys, O(log n) a token
    Hull,
    /// Plain models: hard-max by a scan over all past keys, O(n) a token
    Hardmax,
    /// Softmax over all past keys, O(n) a token
    #[value(alias = "linear")]
    Softmax,
    /// Softmax over the best keys, by search in nested hulls, with a bound of what is left out
    Sparse,
}

impl GenerateEngine {
    /// The engine of plain models; `None` for the sparse one.
    pub(crate) fn plain(self) -> Option<Engine> {
        match self {
            Self::Plan => Some(Engine::Plan),
            Self::Jit => Some(Engine::Jit),
            Self::Hull => Some(Engine::Hull),
            Self::Hardmax => Some(Engine::Hardmax),
            Self::Softmax => Some(Engine::Softmax),
            Self::Sparse => None,
        }
    }
}
