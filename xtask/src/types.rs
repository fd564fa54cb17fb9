//! The TypeScript declarations of the wire messages, made from the Rust types.

use anyhow::ensure;
use xshell::{Shell, cmd};

use crate::{build, javascript};

const FILE: &str = "noom-signal-js/src/messages.d.ts";

/// Writes the declarations, and those of the client that stand on them.
pub(crate) fn write(sh: &Shell) -> anyhow::Result<()> {
    sh.write_file(FILE, declarations(sh)?)?;
    javascript::types(sh)
}

/// Fails where the committed declarations are not those of the Rust types.
pub(crate) fn check(sh: &Shell) -> anyhow::Result<()> {
    let same = sh.read_file(FILE)? == declarations(sh)?;
    ensure!(same, "{FILE} is not what the Rust types say: run `cargo xtask types` and commit it");
    println!("{FILE} is up to date");
    Ok(())
}

fn declarations(sh: &Shell) -> anyhow::Result<String> {
    let program = build::typescript(sh)?;
    let output = cmd!(sh, "{program}").quiet().output()?;
    Ok(String::from_utf8(output.stdout)?)
}
