//! zoom.

fn main() {}
