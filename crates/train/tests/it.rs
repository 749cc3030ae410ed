//! Tests of training: derivatives against differences and against candle, resuming, tasks, files.

mod gradients;
mod grids;
mod learning;
mod resuming;
mod tasks;
