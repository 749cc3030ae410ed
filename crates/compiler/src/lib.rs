//! A graph of named dimensions, the machine written in it, and its compilation into transformer weights
