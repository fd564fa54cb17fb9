//! The project's front page: the program that it shows is the one that runs.

const README: &str = include_str!("../../README.md");
const QUICKSTART: &str = include_str!("../../examples/quickstart/src/main.rs");

#[test]
fn the_program_shown_is_the_quickstart() {
    let shown = README.split("```rust\n").nth(1).and_then(|rest| rest.split("```").next());
    assert_eq!(shown, Some(QUICKSTART));
}
