//! `ebbflow rerun`: repeats a run from its own directory and says whether it is the same.
//!
//! The resolved scenario in the directory is run again, with the files that the run read, if they still hold
//! what they held. Runner and number of arbiters may be others than then: no result depends on them. A run that
//! ended before its time is repeated whole, and compared as far as it went: by the requests it completed.

mod partial;
mod recorded;
mod verdict;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use serde_json::Value;

use crate::registry::Registry;
use crate::report::repeat::Repetition;
use crate::results::{Incomplete, InputFile, Keep, Report, RunDirectory, RunResults};
use crate::scenario::Scenario;
use crate::simulation::{self, RunOptions};
use crate::workload::Workload;

use super::exit::{self, CliError};
use super::options::{Arbiters, Files, Format, Runner, arbiters};
use super::output::{Output, directory_error};
use super::progress::{ProgressLine, Watch};
use super::{Verbosity, interrupt, logging, print};
use recorded::Recorded;
use verdict::Verdict;

/// What the exit codes mean, for `--help`.
pub const EXIT_CODES: &str = "\
Exit codes:
  0    the run is the same; of one that had ended early: as far as it went
  1    it is not the same, or it failed
  2    bad input: not the directory of a run, or its trace is gone or has changed
  130  interrupted by Ctrl-C";

/// Arguments of `ebbflow rerun`.
#[derive(clap::Args, Debug)]
pub struct RerunArgs {
    /// The directory of the run
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// The trace of the run lies here now; what counts is that it holds the same
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Keep the files of the new run here
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Threads of the actors runner: auto, or a number; no result depends on it
    #[arg(long, value_name = "auto|N", default_value = "auto", value_parser = arbiters)]
    arbiters: Arbiters,
    /// Who moves the events; no result depends on it
    #[arg(long, value_enum, default_value_t = Runner::Actors)]
    runner: Runner,
    /// What to print on stdout: a sentence and what differs, or the same as JSON
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// No progress on stderr
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    verbosity: Verbosity,
}

/// The new run: what it left behind, and its files, if any were written.
struct Again {
    results: RunResults,
    summary: Value,
    place: Option<PathBuf>,
}

/// Repeats the run and compares.
pub fn rerun(arguments: &RerunArgs) -> Result<ExitCode, CliError> {
    logging::start(&arguments.verbosity);
    let recorded = Recorded::open(&arguments.directory).map_err(CliError::bad_input)?;
    let registry = Registry::builtin();
    let input = recorded.input(arguments.trace.as_deref()).map_err(CliError::bad_input)?;
    let (mut scenario, workload) = input.load(&registry)?;
    if let Some(name) = recorded.summary["name"].as_str() {
        scenario.name = name.to_owned();
    }
    // Requests are compared one by one only where the digests cannot be.
    let scratch = recorded.incomplete().map(|_| tempfile::tempdir().map_err(CliError::failed)).transpose()?;
    let beside = scratch.as_ref().map(|folder| folder.path().join("run"));
    let out = arguments.out.as_deref().or(beside.as_deref());
    let again = arguments.simulate((&scenario, workload, &registry), out)?;
    if again.results.incomplete == Some(Incomplete::Interrupted) {
        print::stderr("error: interrupted before the run was repeated: there is nothing to compare");
        return Ok(ExitCode::from(exit::INTERRUPTED));
    }
    let repetition = Repetition::of(&recorded.summary, &again.summary);
    let partial = match (recorded.incomplete(), &again.place) {
        (Some(_), Some(place)) if !repetition.same => {
            Some(partial::compare(&arguments.directory, place).map_err(CliError::bad_input)?)
        }
        _ => None,
    };
    let kept = arguments.out.as_ref().and(again.place.as_deref());
    let verdict = Verdict::new(&recorded.summary, repetition, partial);
    print::stdout(&verdict.shown(arguments.format, kept)).map_err(CliError::failed)?;
    Ok(ExitCode::from(if verdict.is_same() { 0 } else { exit::FAILED }))
}

impl RerunArgs {
    fn simulate(
        &self,
        (scenario, workload, registry): (&Scenario, Workload, &Registry),
        out: Option<&Path>,
    ) -> Result<Again, CliError> {
        let inputs = InputFile::of(scenario).map_err(CliError::bad_input)?;
        let directory = out.map(|out| RunDirectory::exactly(out, false));
        let mut output = directory.as_ref().map(Output::open).transpose()?;
        let interrupt = interrupt::listen(output.as_ref().map(|output| output.hidden().to_owned()));
        let keep = match &mut output {
            Some(output) => output.start(Files::Full, scenario, &interrupt)?,
            None => Keep::Figures,
        };
        let results = self.run((scenario, workload, registry), keep, interrupt)?;
        let report = Report::new(&results, scenario).with_inputs(inputs);
        // A page is drawn only for somebody to look at.
        let page = self.out.as_ref().map(|_| registry);
        let place = output.map(|output| output.complete(&results, &report, scenario, page)).transpose();
        // Through text, as the first one went: reading a number may round its last digit.
        let summary = serde_json::from_str(&report.to_json()).expect("what was written as JSON is JSON");
        Ok(Again { results, summary, place: place.map_err(directory_error)? })
    }

    fn run(
        &self,
        (scenario, workload, registry): (&Scenario, Workload, &Registry),
        keep: Keep,
        interrupt: Arc<AtomicBool>,
    ) -> Result<RunResults, CliError> {
        let silent = self.quiet || self.verbosity.is_chatty();
        let watch = if silent { None } else { Watch::over(scenario, &workload) };
        let options = RunOptions {
            runner: self.runner.into(),
            arbiters: self.arbiters.0,
            interrupt: Some(interrupt),
            ..RunOptions::default()
        };
        let options = watch.iter().fold(options, |options, watch| watch.tell(options));
        logging::run_begins(scenario, &options);
        let line = watch.map(ProgressLine::start);
        let started = Instant::now();
        let results = simulation::run_keeping(keep, scenario, workload, registry, &options);
        let mut results = results.map_err(CliError::bad_input)?;
        results.wall_s = started.elapsed().as_secs_f64();
        drop(line);
        logging::run_ended(&results);
        Ok(results)
    }
}
