//! The fault matrix: what peers see when nodes, Redis or the links between them fail.
//!
//! In each test peers talk, to one another and to all, within a node and across nodes, and others
//! come and go. Each measures how long it takes until every peer knows exactly who is in its room,
//! and accounts for every message: it came once and in order, or its sender got an error, or its
//! target was told that something is missing. `cargo xtask faults` makes the table in
//! `docs/scaling.md` of it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../support/mod.rs"]
mod support;

mod connections;
mod failover;
mod losses;
mod manual;
mod nodes;
mod scene;
