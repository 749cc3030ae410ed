//! Greedy decoding of plain transformers with two-dimensional heads, by linear scan or convex hull
