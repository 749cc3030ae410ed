//! The plain forward pass in candle: full causal softmax attention over an exported model folder
