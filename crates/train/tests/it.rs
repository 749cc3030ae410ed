//! Tests of training: derivatives against differences and against candle, resuming, tasks, files.

mod gradients;
mod learning;
mod resuming;
mod tasks;
