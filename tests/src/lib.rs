//! The corpus, and every rung it runs through
