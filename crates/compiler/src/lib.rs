//! A graph of named dimensions, the machine written in it, and its compilation into transformer weights.
mod assemble;
mod default_model;
mod evaluate;
mod form;
mod graph;
pub mod machine;
pub mod parity;
mod schedule;
mod search;
pub use assemble::{Blueprint, TokenRow};
pub use default_model::{DEFAULT_SCHEDULE, default_model};
pub use evaluate::Evaluator;
pub use form::{Dim, Form};
pub use graph::{CLEARED, Graph, Key, Origin, Output, Writer, WriterIdx};
pub use schedule::{Budget, Schedule, ScheduleError};
pub use search::{solve, solve_best};
