//! Logs on stderr, for people and programs that look into a run. Results never depend on them.
//!
//! Every event of the model carries its simulated time as `t_s`, in seconds; the wall clock is left out. Actors
//! speak when their turn comes, several of them at once on several arbiters: lines of one actor are in order, and
//! whoever needs all of them in order sorts by `t_s`, or runs with `--arbiters 1 --ticks eager`.

use clap::{ArgAction, ValueEnum};
use tracing_subscriber::EnvFilter;

use crate::results::RunResults;
use crate::scenario::Scenario;
use crate::simulation::RunOptions;

use super::print;

/// How much is logged on stderr, and how.
#[derive(clap::Args, Debug)]
pub struct Verbosity {
    /// Log on stderr: -v operations, decisions, drains and refusals, -vv also where requests go and every batch,
    /// -vvv every message; RUST_LOG chooses instead, e.g. RUST_LOG=ebbflow::scaling=info
    #[arg(short, long = "verbose", action = ArgAction::Count)]
    pub verbose: u8,
    /// How log lines are written
    #[arg(long, value_enum, value_name = "FORM", default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
}

/// How log lines are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

/// The variable that chooses instead of `-v`.
const FILTER: &str = "RUST_LOG";

impl Verbosity {
    /// Whether more than warnings may be logged: then stderr belongs to the log.
    pub fn is_chatty(&self) -> bool {
        self.verbose > 0 || chosen().is_some()
    }

    /// Tells what the reader should know, in the form of the log.
    pub fn notes(&self, notes: &[String]) {
        match self.log_format {
            LogFormat::Text => print::notes(notes),
            LogFormat::Json => notes.iter().for_each(|note| tracing::warn!("{note}")),
        }
    }
}

/// Starts logging.
pub fn start(verbosity: &Verbosity) {
    let level = match verbosity.verbose {
        0 => "warn",
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    // What libraries have to say below a warning is about themselves.
    let directives = chosen().unwrap_or_else(|| format!("warn,ebbflow={level}"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::builder().parse_lossy(directives))
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_target(false)
        .without_time()
        .log_internal_errors(false);
    // A second start, in a test, keeps the first log.
    let _ = match verbosity.log_format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
}

/// A run begins.
pub fn run_begins(scenario: &Scenario, options: &RunOptions) {
    let Scenario { name, seed, .. } = scenario;
    let RunOptions { runner, ticks, .. } = options;
    tracing::info!(t_s = 0.0, scenario = name, seed, ?runner, ?ticks, "the run begins");
}

/// A run ended.
pub fn run_ended(results: &RunResults) {
    let RunResults { end, digest, stats, wall_s, .. } = results;
    let ebbflow_actors::Stats { events, messages, arbiters, .. } = stats;
    tracing::info!(t_s = end.as_secs_f64(), %digest, events, messages, arbiters, wall_s, "the run ended");
}

fn chosen() -> Option<String> {
    std::env::var(FILTER).ok().filter(|directives| !directives.trim().is_empty())
}
