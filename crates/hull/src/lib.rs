//! Two-dimensional extreme-point indexes for hard-max attention
