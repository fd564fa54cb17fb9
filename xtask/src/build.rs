//! Building one executable and learning where it is.

use std::path::PathBuf;

use anyhow::Context;
use serde_json::Value;
use xshell::{Cmd, Shell, cmd};

/// The example app, as a user would build it.
pub(crate) fn zoom(sh: &Shell) -> anyhow::Result<PathBuf> {
    executable(cmd!(sh, "cargo build --release --package zoom"))
}

/// The program that prints the TypeScript declarations. All of the workspace is asked for, so that
/// dependencies have the features that the tests have built them with.
pub(crate) fn typescript(sh: &Shell) -> anyhow::Result<PathBuf> {
    executable(cmd!(sh, "cargo build --workspace --all-features --example typescript"))
}

/// Runs a `cargo build` of one program.
fn executable(build: Cmd<'_>) -> anyhow::Result<PathBuf> {
    let messages = build.arg("--message-format=json-render-diagnostics").read()?;
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
        .next_back()
        .context("cargo names no executable")
}
