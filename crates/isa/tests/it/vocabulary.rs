//! The size of the vocabulary, and its kinds of tokens.

use std::collections::HashSet;

use weightware_isa::{Commit, Op, Token, Trap, Vocabulary};

/// Fewer than 2,000: the embedding stays small, and no token stands for a pair of operands.
#[test]
fn there_are_fewer_than_2000_tokens() {
    let vocabulary = Vocabulary::new();
    let count = |wanted: fn(&Token) -> bool| {
        let tokens = vocabulary.tokens().iter();
        tokens.filter(|token| wanted(token)).count()
    };
    let bytes = count(|token| matches!(token, Token::Byte(..)));
    let puts = count(|token| matches!(token, Token::Out(_) | Token::Err(_)));
    let frames = count(|token| matches!(token, Token::Call(_) | Token::Return(_)));
    assert_eq!((bytes, puts, frames), (3 * 256, 2 * 256, 2 * 255));
    // `<begin>`, `{`, `}`, `loaded`, `halt`, `halt(exit)`; `ready`, `interrupted`, `stepping`,
    // `continued`, `saving`, `turned`, `refused`.
    let others = Op::ALL.len() + Commit::ALL.len() + Trap::ALL.len() + 6 + 7;
    assert_eq!(vocabulary.len(), bytes + puts + frames + others);
    assert!(vocabulary.len() < 2_000, "{}", vocabulary.len());
}

#[test]
fn tokens_strings_and_ids_are_one_to_one() {
    let vocabulary = Vocabulary::new();
    let strings: HashSet<String> = vocabulary.tokens().iter().map(Token::to_string).collect();
    assert_eq!(strings.len(), vocabulary.len());
    for (&token, id) in vocabulary.tokens().iter().zip(0..) {
        assert_eq!(
            (
                vocabulary.id(token),
                vocabulary.token(id),
                vocabulary.parse(&token.to_string())
            ),
            (id, Some(token), Some(token))
        );
    }
}
