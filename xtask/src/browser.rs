//! The example app in real browsers.

use anyhow::ensure;
use xshell::{Shell, cmd};

use crate::{build, javascript, prerequisites, steps::Step};

const TESTS: &str = "tests/browser";
const IMAGES: &str = "docs/images";

/// Runs the browser tests, one after the other: two browsers take both cores of a small machine.
pub(crate) fn test(sh: &Shell) -> anyhow::Result<()> {
    let zoom = build::zoom(sh)?;
    javascript::install(sh, TESTS)?;
    let _folder = sh.push_dir(TESTS);
    // A test that fails may leave a server or a socket behind: that must not keep the run from
    // ending.
    cmd!(sh, "npm test -- --test-force-exit").env("NOOM_ZOOM_BIN", zoom).run()?;
    Ok(())
}

/// Takes the documentation's pictures of the example app.
pub(crate) fn screenshots(sh: &Shell) -> anyhow::Result<()> {
    let script = "screenshots.mjs";
    ensure!(sh.path_exists(format!("{TESTS}/{script}")), "there is no {TESTS}/{script}");
    prerequisites::meet(sh, &[Step::Browser])?;
    let zoom = build::zoom(sh)?;
    javascript::install(sh, TESTS)?;
    let images = sh.create_dir(IMAGES)?;
    let _folder = sh.push_dir(TESTS);
    cmd!(sh, "node {script} {images}").env("NOOM_ZOOM_BIN", zoom).run()?;
    Ok(())
}
