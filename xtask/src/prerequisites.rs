//! What the tests need beside Rust: a C++ compiler, Redis, Node and two browsers.

use std::{env, path::Path};

use anyhow::{Context, bail, ensure};
use xshell::{Shell, cmd};

use crate::steps::Step;

/// The oldest Node that the tests run on.
const NODE_MAJOR: u32 = 20;

/// Where a newer Node goes if the machine's is older.
const NODE_FOLDER: &str = "target/tools/node";

/// Sees to it that what the steps need is there: installs it where that can be done without
/// asking, else says what to install.
pub(crate) fn meet(sh: &Shell, steps: &[Step]) -> anyhow::Result<()> {
    let node = steps.contains(&Step::Js) || steps.contains(&Step::Browser);
    let browsers = steps.contains(&Step::Browser);
    // To lint the fuzz targets is to build libFuzzer too.
    let fuzz = steps.contains(&Step::Fuzz) || steps.contains(&Step::Clippy);
    let redis = steps.contains(&Step::Rust);
    let packages = missing(fuzz, redis, node, browsers);
    if !packages.is_empty() {
        let list = packages.join(" ");
        let debian = Path::new("/etc/debian_version").exists() && on_path("apt-get");
        let root = cmd!(sh, "id -u").quiet().read().is_ok_and(|id| id == "0");
        if !(debian && root) {
            bail!("missing: {list}. On Debian: sudo apt-get install {list}");
        }
        println!("\n=== prerequisites: {list}");
        let _frontend = sh.push_env("DEBIAN_FRONTEND", "noninteractive");
        cmd!(sh, "apt-get update --quiet").run()?;
        cmd!(sh, "apt-get install --quiet --yes --no-install-recommends {packages...}").run()?;
        let missing = missing(fuzz, redis, node, browsers);
        ensure!(missing.is_empty(), "installed, but not found: {}", missing.join(" "));
    }
    if node && node_major(sh)? < NODE_MAJOR {
        newer_node(sh)?;
    }
    Ok(())
}

/// Debian's Node may be too old. The registry that the other packages come from has newer ones.
fn newer_node(sh: &Shell) -> anyhow::Result<()> {
    let programs = sh.current_dir().join(NODE_FOLDER).join("node_modules/.bin");
    let path = sh.var_os("PATH").unwrap_or_default();
    sh.set_var("PATH", env::join_paths([programs].into_iter().chain(env::split_paths(&path)))?);
    if node_major(sh)? < NODE_MAJOR {
        sh.create_dir(NODE_FOLDER)?;
        let package = format!("node@{NODE_MAJOR}");
        cmd!(sh, "npm install --no-audit --no-fund --prefix {NODE_FOLDER} {package}").run()?;
    }
    let major = node_major(sh)?;
    ensure!(major >= NODE_MAJOR, "Node {NODE_MAJOR} or newer is needed, and this is {major}");
    Ok(())
}

fn node_major(sh: &Shell) -> anyhow::Result<u32> {
    let version = cmd!(sh, "node --version").quiet().read()?;
    major(&version).with_context(|| format!("node says that it is {version:?}"))
}

/// The Debian packages of what is missing.
fn missing(fuzz: bool, redis: bool, node: bool, browsers: bool) -> Vec<&'static str> {
    let needed = [
        (fuzz, "g++", on_path("c++")),
        (redis, "redis-server", on_path("redis-server")),
        (node, "nodejs", on_path("node")),
        (node, "npm", on_path("npm")),
        (browsers, "chromium", is_file("NOOM_CHROMIUM", "/usr/bin/chromium")),
        (browsers, "firefox-esr", is_file("NOOM_FIREFOX", "/usr/bin/firefox-esr")),
    ];
    needed
        .into_iter()
        .filter(|&(needed, _, there)| needed && !there)
        .map(|(_, package, _)| package)
        .collect()
}

fn on_path(program: &str) -> bool {
    env::var_os("PATH")
        .is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}

/// Whether the file is there that the variable names, or else the default.
fn is_file(variable: &str, default: &str) -> bool {
    env::var_os(variable).map_or_else(|| Path::new(default).is_file(), |p| Path::new(&p).is_file())
}

fn major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_versions() {
        assert_eq!(major("v20.20.2"), Some(20));
        assert_eq!(major("v8.0.0"), Some(8));
        assert_eq!(major("20.20.2"), None);
        assert_eq!(major(""), None);
    }
}
