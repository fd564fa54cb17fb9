//! The steps of `cargo xtask test`.

use std::time::{Duration, Instant};

use anyhow::Context;
use clap::ValueEnum;
use xshell::{Shell, cmd};

use crate::{browser, deny, fuzz, javascript, prerequisites, types};

/// A step, in the order of running: what is quick to fail comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Step {
    /// Formatting.
    Fmt,
    /// Lints, over all targets and features, and the fuzz targets.
    Clippy,
    /// The documentation builds without warnings.
    Doc,
    /// All Rust tests: unit, wire, conformance, system, documentation.
    Rust,
    /// A short run of each fuzz target.
    Fuzz,
    /// The TypeScript declarations are those of the Rust types.
    Types,
    /// The browser client: types, tests, declarations.
    Js,
    /// Licences, duplicates and sources of the dependencies.
    Deny,
    /// The example app in real browsers.
    Browser,
}

/// Runs the steps that `only` and `skip` leave, up to the first that fails.
pub(crate) fn run(sh: &Shell, only: &[Step], skip: &[Step]) -> anyhow::Result<()> {
    let chosen = |step: &Step| (only.is_empty() || only.contains(step)) && !skip.contains(step);
    let (steps, left_out): (Vec<_>, Vec<_>) =
        Step::value_variants().iter().copied().partition(chosen);
    // Before ten minutes are spent on what does not need them.
    prerequisites::meet(sh, &steps)?;

    let begin = Instant::now();
    let mut times = Vec::new();
    for step in steps {
        let name = step.name();
        println!("\n=== {name}: {}", step.title());
        let step_begin = Instant::now();
        step.run(sh).with_context(|| {
            let time = seconds(step_begin.elapsed());
            format!("{name} failed after {time}; to run it alone: cargo xtask test --only {name}")
        })?;
        let time = seconds(step_begin.elapsed());
        println!("=== {name}: {time}");
        times.push(format!("{name} {time}"));
    }
    println!("\nPassed in {}: {}.", seconds(begin.elapsed()), times.join(", "));
    if !left_out.is_empty() {
        let names: Vec<_> = left_out.into_iter().map(Step::name).collect();
        println!("NOT RUN, as asked: {}.", names.join(", "));
    }
    Ok(())
}

impl Step {
    fn run(self, sh: &Shell) -> anyhow::Result<()> {
        match self {
            Self::Fmt => cmd!(sh, "cargo fmt --all -- --check").run()?,
            Self::Clippy => {
                cmd!(sh, "cargo clippy --workspace --all-targets --all-features -- -D warnings")
                    .run()?;
                fuzz::clippy(sh)?;
            }
            Self::Doc => cmd!(sh, "cargo doc --workspace --no-deps --all-features")
                .env("RUSTDOCFLAGS", "-D warnings")
                .run()?,
            Self::Rust => cmd!(sh, "cargo test --workspace --all-features").run()?,
            Self::Fuzz => fuzz::test(sh)?,
            Self::Types => types::check(sh)?,
            Self::Js => javascript::check(sh)?,
            Self::Deny => deny::check(sh)?,
            Self::Browser => browser::test(sh)?,
        }
        Ok(())
    }

    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    fn title(self) -> String {
        let help = self.to_possible_value().and_then(|value| value.get_help().cloned());
        help.map(|help| help.to_string()).unwrap_or_default()
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
