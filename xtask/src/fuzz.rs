//! The fuzz targets: arbitrary input, on the stable toolchain, without cargo-fuzz.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use clap::ValueEnum;
use xshell::{Shell, cmd};

use crate::{prerequisites, steps::Step};

/// What is fuzzed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Target {
    /// Any text, read as a client's frame.
    Frame,
    /// Clients that do anything whatever, served by a hub.
    Session,
}

/// How long a target runs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Length {
    Seconds(u64),
    Runs(u64),
}

const FOLDER: &str = "fuzz";

/// What cargo-fuzz would ask of the compiler, as far as stable has it.
const RUSTFLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table";

/// A bounded run of each target, the same each time as far as inputs go.
pub(crate) fn test(sh: &Shell) -> anyhow::Result<()> {
    let _folder = sh.push_dir(FOLDER);
    cmd!(sh, "cargo fmt -- --check").run()?;
    for &target in Target::value_variants() {
        let runs = match target {
            Target::Frame => 300_000,
            Target::Session => 1_500,
        };
        run_one(sh, target, Length::Runs(runs), false)?;
    }
    Ok(())
}

/// The targets are a workspace of their own, which lints have to be told of.
pub(crate) fn clippy(sh: &Shell) -> anyhow::Result<()> {
    let _folder = sh.push_dir(FOLDER);
    cmd!(sh, "cargo clippy --locked --all-targets -- -D warnings").run()?;
    Ok(())
}

/// Runs the targets, one after the other, keeping in `fuzz/target` what they have found so far.
pub(crate) fn run(sh: &Shell, target: Option<Target>, length: Length) -> anyhow::Result<()> {
    prerequisites::meet(sh, &[Step::Fuzz])?;
    let _folder = sh.push_dir(FOLDER);
    for &each in Target::value_variants() {
        if target.is_none_or(|target| target == each) {
            run_one(sh, each, length, true)?;
        }
    }
    Ok(())
}

fn run_one(sh: &Shell, target: Target, length: Length, keep: bool) -> anyhow::Result<()> {
    let name = target.to_possible_value().map(|value| value.get_name().to_owned());
    let name = name.context("a target has a name")?;
    let program = build(sh, &name)?;
    let crashes = sh.create_dir(format!("target/crashes/{name}"))?;
    let mut run =
        cmd!(sh, "{program} -max_len=4096 -timeout=20 -print_funcs=0 -print_final_stats=1");
    run = run.arg(format!("-artifact_prefix={}/", crashes.display()));
    run = match length {
        Length::Seconds(seconds) => run.arg(format!("-max_total_time={seconds}")),
        Length::Runs(runs) => run.args([format!("-runs={runs}"), "-seed=1".into()]),
    };
    // New inputs go into the first folder: kept by a long run, begun anew by a bounded one, which
    // has the committed seeds alone.
    let found =
        if keep { format!("target/found/{name}") } else { format!("target/bounded/{name}") };
    if !keep {
        run = run.arg("-verbosity=0");
        sh.remove_path(&found)?;
    }
    run = run.arg(sh.create_dir(&found)?);
    run.arg(format!("corpus/{name}")).run().with_context(|| {
        let crashes = crashes.display();
        format!(
            "fuzzing {name}: the input is the newest file in {crashes}; to run it alone, in \
             {FOLDER}: {} FILE",
            program.display()
        )
    })
}

/// Builds one target. Its triple is named so that build scripts are built without coverage.
fn build(sh: &Shell, name: &str) -> anyhow::Result<PathBuf> {
    let version = cmd!(sh, "rustc -vV").quiet().read()?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.context("rustc names no host")?;
    cmd!(sh, "cargo build --locked --release --target {host} --bin {name}")
        .env("RUSTFLAGS", RUSTFLAGS)
        .run()?;
    let program = sh.current_dir().join(format!("target/{host}/release/{name}"));
    ensure!(program.is_file(), "cargo built no {}", program.display());
    Ok(program)
}
