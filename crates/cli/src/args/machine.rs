//! Which machine, by which engine.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::ValueEnum;
use clap::builder::PossibleValuesParser;
use weightware::{Engine, Profile};

use super::values::context;
use crate::failure::{Failure, Result};
use crate::thousands::thousands;

/// A model folder, or one of the compiled machines.
#[derive(Debug, clap::Args)]
pub(crate) struct ModelArgs {
    /// A model folder to decode with instead of the compiled weights
    #[arg(id = "model", long = "model", value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,

    /// Run the program of this name, which `weightware grow` has put into the model's weights; its
    /// arguments stand after `--`
    #[arg(
        id = "grown",
        long = "program",
        value_name = "NAME",
        requires = "model",
        conflicts_with = "file"
    )]
    pub(crate) program: Option<String>,

    #[command(flatten)]
    pub(crate) machine: MachineArgs,
}

/// Which of the compiled machines.
#[derive(Debug, clap::Args)]
pub(crate) struct MachineArgs {
    /// The reach of the compiled weights: `stock`, 22 million tokens in stock attention;
    /// `long`, 67 million and six times the stores, in exact hard-max; `far`, which is --shape
    /// far; `wide` and `huge`, as far, for programs that write up to 362 KiB and 1 MiB, in exact
    /// hard-max
    #[arg(long, value_name = "NAME", value_parser = profiles())]
    profile: Option<String>,

    /// The shape of the compiled machine: 7 layers, or with `far` one more, for memory up to 8 MiB
    #[arg(long, value_enum, conflicts_with = "profile")]
    shape: Option<ShapeName>,

    /// The length of a context, from 1 on: after this many tokens beside prompt and restored state
    /// the next jump is interrupted, the model itself writes down the program's state, and the
    /// program goes on in a new context. Each one executes a jump at least [default: 3500000, of
    /// `long` 20000000, of `wide` 2900000, of `huge` 170000]
    #[arg(long, value_name = "TOKENS", value_parser = context, allow_hyphen_values = true)]
    context: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ShapeName {
    Default,
    Far,
}

fn profiles() -> PossibleValuesParser {
    PossibleValuesParser::new(Profile::ALL.map(|profile| profile.name))
}

impl MachineArgs {
    /// The profile, if one is named.
    pub(crate) fn profile(&self) -> Option<Profile> {
        match (&self.profile, self.shape) {
            (Some(name), _) => Profile::named(name),
            (None, Some(ShapeName::Far)) => Some(Profile::FAR),
            (None, Some(ShapeName::Default)) => Some(Profile::STOCK),
            (None, None) => None,
        }
    }

    /// A profile, with contexts of the length that was given.
    pub(crate) fn tuned(&self, profile: Profile) -> Result<Profile> {
        match self.context {
            None => Ok(profile),
            Some(tokens) if tokens > profile.last_position => Err(Failure::Refused(anyhow!(
                "--context {tokens}: the profile {} is exact up to position {}, and beside a context prompt and state have to fit; its own contexts have {} tokens",
                profile.name,
                thousands(profile.last_position),
                thousands(profile.context)
            ))),
            Some(tokens) => Ok(profile.with_context(tokens)),
        }
    }

    /// The length of a context that was given.
    pub(crate) fn context(&self) -> Option<u64> {
        self.context
    }

    /// Whether anything about a compiled machine is given.
    pub(crate) fn any(&self) -> bool {
        self.profile().is_some() || self.context.is_some()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EngineName {
    /// Hard-max by kernels specialised to the weights, about constant a token
    Plan,
    /// Hard-max by machine code of these kernels, in builds with the feature `jit`
    Jit,
    /// Hard-max by search in the convex hull of past keys, O(log n) a token
    Hull,
    /// Stock softmax over all past keys, O(n) a token
    #[value(alias = "linear")]
    Softmax,
    /// Hard-max by a scan over all past keys, O(n) a token
    Hardmax,
}

impl From<EngineName> for Engine {
    fn from(name: EngineName) -> Self {
        match name {
            EngineName::Hull => Self::Hull,
            EngineName::Softmax => Self::Softmax,
            EngineName::Hardmax => Self::Hardmax,
            EngineName::Plan => Self::Plan,
            EngineName::Jit => Self::Jit,
        }
    }
}
