//! What may be depended on: `deny.toml`, checked by cargo-deny.

use std::path::Path;

use xshell::{Shell, cmd};

/// As built here where the machine has none.
const VERSION: &str = "0.20.2";
const TOOLS: &str = "target/tools";

/// Licences, duplicates and sources. They change only with the lock file.
pub(crate) fn check(sh: &Shell) -> anyhow::Result<()> {
    install(sh)?;
    cmd!(sh, "cargo deny --all-features check bans licenses sources").run()?;
    Ok(())
}

/// Known vulnerabilities too. They come from a database on the network, and change any day.
pub(crate) fn check_all(sh: &Shell) -> anyhow::Result<()> {
    install(sh)?;
    cmd!(sh, "cargo deny --all-features check").run()?;
    Ok(())
}

/// Builds cargo-deny into the target folder, once, where it is not installed. It takes minutes.
fn install(sh: &Shell) -> anyhow::Result<()> {
    let programs = sh.current_dir().join(Path::new(TOOLS)).join("bin");
    let path = sh.var_os("PATH").unwrap_or_default();
    let path = [programs].into_iter().chain(std::env::split_paths(&path));
    sh.set_var("PATH", std::env::join_paths(path)?);
    if cmd!(sh, "cargo deny --version").quiet().ignore_stderr().read().is_ok() {
        return Ok(());
    }
    cmd!(sh, "cargo install --quiet --locked --root {TOOLS} --version {VERSION} cargo-deny")
        .run()?;
    Ok(())
}
