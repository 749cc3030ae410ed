//! The token machine: instructions, vocabulary, programs, a plain interpreter and trace text
