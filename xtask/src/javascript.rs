//! The browser client's own checks and tests.

use std::{fs, path::Path, time::SystemTime};

use xshell::{Shell, cmd};

const CLIENT: &str = "noom-signal-js";

pub(crate) fn check(sh: &Shell) -> anyhow::Result<()> {
    install(sh, CLIENT)?;
    let _folder = sh.push_dir(CLIENT);
    cmd!(sh, "npm run check").run()?;
    cmd!(sh, "npm test").run()?;
    Ok(())
}

/// Makes the client's declarations anew.
pub(crate) fn types(sh: &Shell) -> anyhow::Result<()> {
    install(sh, CLIENT)?;
    let _folder = sh.push_dir(CLIENT);
    cmd!(sh, "npm run types").run()?;
    Ok(())
}

/// Installs what the lock file of `folder` names, unless that has been done since it last changed.
pub(crate) fn install(sh: &Shell, folder: &str) -> anyhow::Result<()> {
    let _folder = sh.push_dir(folder);
    let modified = |file: &str| -> Option<SystemTime> {
        fs::metadata(sh.current_dir().join(Path::new(file))).ok()?.modified().ok()
    };
    let installed = modified("node_modules/.package-lock.json");
    if installed.is_some() && installed >= modified("package-lock.json") {
        return Ok(());
    }
    cmd!(sh, "npm ci --ignore-scripts --no-audit --no-fund").run()?;
    Ok(())
}
