//! The project's front page: the program that it shows is the one that runs, and its links lead
//! somewhere.

use std::path::Path;

const README: &str = include_str!("../../README.md");
const QUICKSTART: &str = include_str!("../../examples/quickstart/src/main.rs");

#[test]
fn the_program_shown_is_the_quickstart() {
    let shown = README.split("```rust\n").nth(1).and_then(|rest| rest.split("```").next());
    assert_eq!(shown, Some(QUICKSTART));
}

#[test]
fn every_file_that_it_links_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let links = README.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let (outside, inside): (Vec<_>, Vec<_>) = links.partition(|link| link.contains("://"));
    let missing: Vec<_> = inside.iter().filter(|link| !root.join(link).exists()).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(inside.len() > outside.len(), "links were not found as they should be");
}
