//! What the tests need beside Rust: a C++ compiler, Redis, HAProxy, Node and two browsers.

use std::{env, path::Path};

use anyhow::{Context, bail, ensure};
use xshell::{Shell, cmd};

use crate::steps::Step;

/// The oldest Node that the tests run on.
const NODE_MAJOR: u32 = 20;

/// Where a newer Node goes if the machine's is older.
const NODE_FOLDER: &str = "target/tools/node";

/// A Debian package, and whether it is needed no more, since what it brings is there.
type Package = (&'static str, fn() -> bool);

const COMPILER: Package = ("g++", || on_path("c++"));
const REDIS: Package = ("redis-server", || on_path("redis-server"));
// It goes where only root has a path to.
const HAPROXY: Package = ("haproxy", || on_path("haproxy") || Path::new(HAPROXY_PROGRAM).is_file());
const NODE: Package = ("nodejs", || on_path("node"));
const NPM: Package = ("npm", || on_path("npm"));
const CHROMIUM: Package = ("chromium", || is_file("NOOM_CHROMIUM", "/usr/bin/chromium"));
const FIREFOX: Package = ("firefox-esr", || is_file("NOOM_FIREFOX", "/usr/bin/firefox-esr"));

/// Sees to it that what the steps need is there: installs it where that can be done without
/// asking, else says what to install.
pub(crate) fn meet(sh: &Shell, steps: &[Step]) -> anyhow::Result<()> {
    let (mut packages, mut node) = (Vec::new(), false);
    for step in steps {
        match step {
            // To lint the fuzz targets is to build libFuzzer too.
            Step::Clippy | Step::Fuzz => packages.push(COMPILER),
            Step::Rust => packages.push(REDIS),
            Step::Js => packages.extend([NODE, NPM]),
            Step::Browser => packages.extend([NODE, NPM, CHROMIUM, FIREFOX, REDIS, HAPROXY]),
            Step::Fmt | Step::Doc | Step::Types | Step::Deny => {}
        }
        node |= matches!(step, Step::Js | Step::Browser);
    }
    install(sh, packages)?;
    if node && node_major(sh)? < NODE_MAJOR {
        newer_node(sh)?;
    }
    Ok(())
}

/// The same for several servers that are one service.
pub(crate) fn meet_for_cluster(sh: &Shell) -> anyhow::Result<()> {
    install(sh, vec![REDIS, HAPROXY])
}

fn install(sh: &Shell, mut packages: Vec<Package>) -> anyhow::Result<()> {
    let mut missing = || -> Vec<&str> {
        packages.retain(|(_, is_there)| !is_there());
        let mut names: Vec<_> = packages.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        names.dedup();
        names
    };
    let packages = missing();
    if packages.is_empty() {
        return Ok(());
    }
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
    let missing = missing();
    ensure!(missing.is_empty(), "installed, but not found: {}", missing.join(" "));
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

/// The program, wherever it is.
pub(crate) fn haproxy() -> &'static str {
    if on_path("haproxy") { "haproxy" } else { HAPROXY_PROGRAM }
}

const HAPROXY_PROGRAM: &str = "/usr/sbin/haproxy";

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
