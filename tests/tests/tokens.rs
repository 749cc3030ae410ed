//! The page about the tokens of whole programs is up to date. Building it compares the programs
//! with an independent engine.

use weightware_tests::tokens;

#[test]
fn the_page_is_up_to_date() {
    let page = tokens::page().expect("programs do what an independent engine does");
    let committed = include_str!("../tokens.md");
    assert!(
        page == committed,
        "cargo xtask tokens --bless writes it anew:\n{page}"
    );
}
