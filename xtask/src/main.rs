//! What a person would type to test the project and to make its generated files.
//!
//! ```sh
//! cargo xtask test
//! ```

// It talks to a terminal.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod browser;
mod build;
mod cluster;
mod deny;
mod faults;
mod fuzz;
mod javascript;
mod prerequisites;
mod steps;
mod types;

use std::{path::Path, process::ExitCode};

use anyhow::Context;
use clap::{Parser, Subcommand};
use xshell::Shell;

use steps::Step;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Tests the project and makes its generated files")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Runs every check and every test, in order, up to the first that fails.
    Test {
        /// Runs these steps alone.
        #[arg(long, value_name = "STEP", value_delimiter = ',', conflicts_with = "skip")]
        only: Vec<Step>,
        /// Leaves these steps out.
        #[arg(long, value_name = "STEP", value_delimiter = ',')]
        skip: Vec<Step>,
    },
    /// Makes the TypeScript declarations of the messages from the Rust types.
    Types {
        /// Changes nothing, and fails where the committed files differ.
        #[arg(long)]
        check: bool,
    },
    /// Runs the example app as several servers behind a load balancer, until Ctrl-C.
    Cluster {
        /// How many servers.
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=100))]
        nodes: u16,
        /// Where the load balancer listens.
        #[arg(long, default_value_t = 3000)]
        port: u16,
    },
    /// Takes the pictures of the documentation into docs/images.
    Screenshots,
    /// Feeds a fuzz target, or each in turn, with arbitrary input.
    Fuzz {
        /// One target alone.
        target: Option<fuzz::Target>,
        /// How long each target runs.
        #[arg(long, default_value_t = 60, conflicts_with = "runs")]
        seconds: u64,
        /// How many inputs each target gets, from the same seed every time.
        #[arg(long)]
        runs: Option<u64>,
    },
    /// Measures what peers see under each fault, and writes the table in docs/scaling.md.
    Faults {
        /// How often; the table has the medians.
        #[arg(long, default_value_t = 3)]
        runs: u32,
    },
    /// Checks the dependencies' licences, sources, duplicates and known vulnerabilities.
    Deny,
}

fn main() -> ExitCode {
    // Without a backtrace: what matters is the command that failed, and what it said above.
    match run(Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> anyhow::Result<()> {
    let sh = Shell::new()?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask has no parent")?;
    sh.change_dir(root);
    match task {
        Task::Test { only, skip } => steps::run(&sh, &only, &skip),
        Task::Types { check: true } => types::check(&sh),
        Task::Types { check: false } => types::write(&sh),
        Task::Cluster { nodes, port } => cluster::run(&sh, nodes, port),
        Task::Screenshots => browser::screenshots(&sh),
        Task::Fuzz { target, seconds, runs } => {
            let length = runs.map_or(fuzz::Length::Seconds(seconds), fuzz::Length::Runs);
            fuzz::run(&sh, target, length)
        }
        Task::Faults { runs } => faults::measure(&sh, runs),
        Task::Deny => deny::check_all(&sh),
    }
}
