//! `ebbflow run`: simulates a scenario, prints the summary and writes the run directory.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use crate::registry::Registry;
use crate::report::{FinishedRun, PAGE_FILE};
use crate::results::{self, Incomplete, InputFile, Keep, Report, RunDirectory, RunResults};
use crate::scenario::Scenario;
use crate::simulation::{self, RunOptions};
use crate::workload::Workload;

use super::exit::{self, CliError};
use super::export::{self, Exports};
use super::input::{Input, InputArgs};
use super::logging::Verbosity;
use super::options::{Arbiters, Files, Format, Runner, Ticks, arbiters};
use super::output::{Output, directory_error};
use super::progress::{ProgressLine, Spinner, Watch};
use super::{interrupt, logging, print, screen};

/// Arguments of `ebbflow run`.
#[derive(clap::Args, Debug)]
pub struct RunArgs {
    #[command(flatten)]
    pub input: InputArgs,
    /// Replay this trace instead of the scenario's workload
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Write the results here [default: results/NAME-SEED, with a number behind it when that is taken]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Seed of all randomness, instead of the scenario's
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// What is good enough, e.g. 'ttft.p99<2s, tbt.p99<100ms', instead of the scenario's; exit code 3 if it is not
    /// met
    #[arg(long, value_name = "OBJECTIVES")]
    slo: Option<String>,
    /// Threads of the actors runner: auto, or a number; no result depends on it
    #[arg(long, value_name = "auto|N", default_value = "auto", value_parser = arbiters)]
    pub arbiters: Arbiters,
    /// Who moves the events; no result depends on it
    #[arg(long, value_enum, default_value_t = Runner::Actors)]
    runner: Runner,
    /// When an actor is woken for its own ticks; no result depends on it
    #[arg(long, value_enum, default_value_t = Ticks::Lazy)]
    ticks: Ticks,
    /// What to print on stdout: the summary, or run.json
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Neither notes nor progress on stderr
    #[arg(long, short)]
    quiet: bool,
    /// Replace an existing result
    #[arg(long)]
    force: bool,
    /// Count and report malformed rows of a trace instead of failing
    #[arg(long)]
    skip_bad_rows: bool,
    /// Which files to write: all, or none with rows for every request
    #[arg(long, value_enum, default_value_t = Files::Full)]
    results: Files,
    /// Write no files
    #[arg(long, conflicts_with_all = ["out", "results", "timeline", "metrics"])]
    no_files: bool,
    /// Make no report.html
    #[arg(long)]
    no_report: bool,
    #[command(flatten)]
    exports: Exports,
    #[command(flatten)]
    verbosity: Verbosity,
}

/// Runs a scenario from its arguments to its files.
pub fn run(arguments: &RunArgs) -> Result<ExitCode, CliError> {
    logging::start(&arguments.verbosity);
    let registry = Registry::builtin();
    let reading = arguments.spinner("reading the scenario and its workload");
    let (scenario, workload) = arguments.input_with_options()?.load(&registry)?;
    let inputs = InputFile::of(&scenario).map_err(CliError::bad_input)?;
    drop(reading);
    let directory = arguments.directory(&scenario);
    let mut output = directory.as_ref().map(Output::open).transpose()?;
    if !arguments.quiet {
        arguments.verbosity.notes(&scenario.notes);
    }
    let interrupt = interrupt::listen(output.as_ref().map(|output| output.hidden().to_owned()));
    let keep = match &mut output {
        Some(output) => output.start(arguments.results, &scenario, &interrupt)?,
        None => Keep::Figures,
    };
    let results = arguments.simulate((&scenario, workload, &registry), keep, interrupt)?;
    let writing = arguments.spinner("summing up and writing files");
    let report = Report::new(&results, &scenario).with_inputs(inputs);
    let page = (!arguments.no_report).then_some(&registry);
    let place = output.map(|output| output.complete(&results, &report, &scenario, page)).transpose();
    drop(writing);
    let place = match place {
        Ok(place) => place,
        // It was cut short because its files could not be written: there is nothing to sum up.
        Err(error) if results.incomplete.is_some() => return Err(directory_error(error)),
        Err(error) => {
            arguments.print(&report, &results, None)?;
            return Err(directory_error(error));
        }
    };
    arguments.print(&report, &results, place.as_ref())?;
    if let Some(place) = place.filter(|_| !arguments.exports.is_empty()) {
        let run = FinishedRun::open(&place, &registry).map_err(CliError::failed)?;
        export::to_files(&run, &arguments.exports)?;
    }
    Ok(ExitCode::from(exit_code(results.incomplete.as_ref(), report.keeps_objectives())))
}

impl RunArgs {
    /// The scenario with the overrides that stand for options.
    pub fn input_with_options(&self) -> Result<Input, CliError> {
        let mut input = self.input.split()?;
        if let Some(trace) = &self.trace {
            input.replay(trace);
        }
        if self.skip_bad_rows {
            let name = "--skip-bad-rows";
            input.option("workload.skip_bad_rows=true".to_owned(), name, "", name);
        }
        if let Some(slo) = &self.slo {
            input.aim_at(slo)?;
        }
        input.overrides.extend(self.seed.map(|seed| format!("seed={seed}")));
        if self.exports.timeline.is_some() {
            // It shows iterations, which only instances that log them tell of; who says otherwise is heard.
            input.overrides.insert(0, "debug=true".to_owned());
        }
        Ok(input)
    }

    fn directory(&self, scenario: &Scenario) -> Option<RunDirectory> {
        match &self.out {
            _ if self.no_files => None,
            Some(out) => Some(RunDirectory::exactly(out, self.force)),
            None => Some(RunDirectory::named_after(&scenario.name, scenario.seed, self.force)),
        }
    }

    fn simulate(
        &self,
        (scenario, workload, registry): (&Scenario, Workload, &Registry),
        keep: Keep,
        interrupt: Arc<AtomicBool>,
    ) -> Result<RunResults, CliError> {
        let watch = if self.is_silent() { None } else { Watch::over(scenario, &workload) };
        let options = self.options(interrupt);
        let options = match &watch {
            Some(watch) => watch.tell(options),
            None => options,
        };
        logging::run_begins(scenario, &options);
        let line = watch.map(ProgressLine::start);
        let started = Instant::now();
        let results = simulation::run_keeping(keep, scenario, workload, registry, &options);
        let mut results = results?;
        results.wall_s = started.elapsed().as_secs_f64();
        drop(line);
        logging::run_ended(&results);
        Ok(results)
    }

    /// Whether nothing may move on stderr: it is not wanted, or the log is there.
    fn is_silent(&self) -> bool {
        self.quiet || self.verbosity.is_chatty()
    }

    fn spinner(&self, what: &'static str) -> Spinner {
        Spinner::start(self.is_silent(), what)
    }

    fn options(&self, interrupt: Arc<AtomicBool>) -> RunOptions {
        RunOptions {
            runner: self.runner.into(),
            arbiters: self.arbiters.0,
            ticks: self.ticks.into(),
            interrupt: Some(interrupt),
            ..RunOptions::default()
        }
    }

    fn print(&self, report: &Report, results: &RunResults, place: Option<&PathBuf>) -> Result<(), CliError> {
        let text = match self.format {
            Format::Text => {
                let screen = screen::of_stdout();
                let files = place.map(|place| {
                    let picture = Some(place.join(PAGE_FILE)).filter(|picture| picture.exists());
                    results::files_text(place, picture.as_deref(), &screen)
                });
                results::summary_text(report, results, &screen) + &files.unwrap_or_default()
            }
            Format::Json => report.to_json(),
        };
        print::stdout(&text).map_err(CliError::failed)?;
        if let Some(reason) = &report.incomplete {
            print::stderr(&format!("error: the run ended early: {reason}"));
        }
        match place {
            Some(place) if report.incomplete.is_some() => {
                print::stderr(&format!("what there is was written, marked incomplete: {}", place.display()));
            }
            Some(place) if self.format == Format::Json && !self.quiet => {
                print::stderr(&format!("results: {}", place.display()));
            }
            _ => {}
        }
        Ok(())
    }
}

fn exit_code(incomplete: Option<&Incomplete>, keeps_objectives: bool) -> u8 {
    match incomplete {
        None if !keeps_objectives => exit::BREACH,
        None => 0,
        Some(Incomplete::Interrupted) => exit::INTERRUPTED,
        Some(Incomplete::Fault(_)) => exit::FAILED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_tells_a_fault_from_an_interruption_and_both_from_a_breach() {
        assert_eq!(exit_code(None, true), 0);
        assert_eq!(exit_code(None, false), 3);
        let fault = Incomplete::Fault("instance_3 panicked".into());
        assert_eq!(exit_code(Some(&fault), false), 1);
        assert_eq!(exit_code(Some(&Incomplete::Interrupted), true), 130);
    }
}
