//! The command line: reads arguments, loads what they name, runs it, prints and writes what came of it.
//!
//! One file per subcommand. Stdout carries the summary or the JSON and nothing else; notes, progress, logs
//! and errors go to stderr. This and the result writers are the only places that touch the world outside
//! the simulation.

mod bench;
mod calibrate;
mod check;
mod compare;
mod completions;
mod deployment;
mod describe;
mod estimate;
mod exit;
mod explain;
mod export;
mod findings;
mod init;
mod input;
mod interrupt;
mod list;
mod logging;
mod man;
mod options;
mod output;
mod print;
mod progress;
mod report;
mod rerun;
mod run;
mod schema;
mod screen;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use logging::Verbosity;

/// What the exit codes mean, for `--help`.
const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    the run failed or its files could not be written; what there is, is written and marked incomplete
  2    bad input: the scenario, the trace or the arguments; nothing is written
  3    the run is complete, but an objective of the scenario's `slo` is not met
  130  interrupted by Ctrl-C; what there is, is written and marked incomplete";

/// Simulates an elastic fleet of LLM-serving instances: what does scaling do to latency, drain times and
/// cost? Without a command it runs the built-in scenario.
#[derive(Parser, Debug)]
#[command(name = "ebbflow", version, about, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Run a scenario (without a name: the built-in one) and write its results
    #[command(after_help = EXIT_CODES)]
    Run(run::RunArgs),
    /// Check a scenario and its trace without running it; all problems are listed at once
    #[command(after_help = EXIT_CODES)]
    Check(check::CheckArgs),
    /// Run several policies over one scenario, or several scenarios, and rank them by cost
    #[command(after_help = EXIT_CODES)]
    Compare(compare::CompareArgs),
    /// Make the page of a finished run
    Report(report::ReportArgs),
    /// Repeat a run from its own directory and say whether it is the same
    #[command(after_help = rerun::EXIT_CODES)]
    Rerun(rerun::RerunArgs),
    /// Explain where a request's time went, what came of a decision, or what an instance did
    #[command(after_help = EXIT_CODES)]
    Explain(explain::ExplainArgs),
    /// Write a finished run as a timeline for Perfetto, or as OpenMetrics text
    Export(export::ExportArgs),
    /// Say what a model on some GPUs can do: does it fit, how fast is it, where does the time go
    Estimate(estimate::EstimateArgs),
    /// Fit an engine's constants to your own measured requests, and say how far they are from them before and after
    ///
    /// Whatever the engine, it is simulated as vllm schedules.
    Calibrate(calibrate::CalibrateArgs),
    /// List what a scenario may name, with every parameter, its default, unit and source
    List(list::ListArgs),
    /// Write a scenario to start from
    Init(init::InitArgs),
    /// Print the JSON Schema of scenarios, for editors
    Schema(schema::SchemaArgs),
    /// Print completions for a shell
    Completions(completions::CompletionsArgs),
    /// Print or write manual pages
    Man(man::ManArgs),
    /// Measure the message throughput of the actor runtime on this machine
    Bench(bench::BenchArgs),
}

/// Parses the arguments and does what they say.
pub fn main() -> ExitCode {
    let command = Cli::parse().command.or_else(|| Cli::parse_from(["ebbflow", "run"]).command);
    let result = match &command {
        Some(Command::Run(arguments)) => run::run(arguments),
        Some(Command::Check(arguments)) => check::check(arguments),
        Some(Command::Compare(arguments)) => compare::compare(arguments),
        Some(Command::Report(arguments)) => report::report(arguments),
        Some(Command::Rerun(arguments)) => rerun::rerun(arguments),
        Some(Command::Explain(arguments)) => explain::explain(arguments),
        Some(Command::Export(arguments)) => export::export(arguments),
        Some(Command::Estimate(arguments)) => estimate::estimate(arguments),
        Some(Command::Calibrate(arguments)) => calibrate::calibrate(arguments),
        Some(Command::List(arguments)) => list::list(arguments),
        Some(Command::Init(arguments)) => init::init(arguments),
        Some(Command::Schema(arguments)) => schema::schema(arguments),
        Some(Command::Completions(arguments)) => completions::completions(arguments),
        Some(Command::Man(arguments)) => man::man(arguments),
        Some(Command::Bench(arguments)) => bench::bench(arguments),
        None => return ExitCode::SUCCESS,
    };
    result.unwrap_or_else(|error| error.report())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(arguments: &[&str]) -> run::RunArgs {
        match Cli::try_parse_from(["ebbflow", "run"].iter().chain(arguments)).unwrap().command {
            Some(Command::Run(arguments)) => arguments,
            other => panic!("parsed as {other:?}"),
        }
    }

    #[test]
    fn the_definition_of_the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn a_positional_with_an_equals_sign_is_an_override_even_without_a_scenario() {
        let arguments = run(&["seed=3", "applications.0.scheduler=jsq"]);
        let input = arguments.input.split().unwrap();
        assert_eq!(input.scenario, None);
        assert_eq!(input.overrides, ["seed=3", "applications.0.scheduler=jsq"]);
    }

    #[test]
    fn scenario_and_overrides_may_come_in_any_order_but_only_one_scenario() {
        let arguments = run(&["seed=3", "a.yaml", "b.c=1"]);
        let input = arguments.input.split().unwrap();
        assert_eq!(input.scenario.as_deref(), Some(std::path::Path::new("a.yaml")));
        assert_eq!(input.overrides, ["seed=3", "b.c=1"]);
        assert!(run(&["a.yaml", "b.yaml"]).input.split().is_err());
    }

    #[test]
    fn the_seed_option_is_the_last_override() {
        let input = run(&["seed=3", "--seed", "4"]).input_with_options().unwrap();
        assert_eq!(input.overrides, ["seed=3", "seed=4"]);
    }

    #[test]
    fn arbiters_are_auto_or_a_count_above_zero() {
        assert_eq!(run(&[]).arbiters.0, None);
        assert_eq!(run(&["--arbiters", "auto"]).arbiters.0, None);
        assert_eq!(run(&["--arbiters", "3"]).arbiters.0.map(usize::from), Some(3));
        for wrong in ["0", "-1", "many"] {
            assert!(Cli::try_parse_from(["ebbflow", "run", "--arbiters", wrong]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_documented_option_is_accepted() {
        run(&["x.yaml", "--trace", "t.csv", "--out", "o", "--runner", "naive", "--ticks", "eager"]);
        run(&["--format", "json", "--quiet", "--force", "--skip-bad-rows", "--no-files", "-vv"]);
    }

    #[test]
    fn unknown_words_are_refused() {
        for wrong in [["--runner", "fast"], ["--ticks", "busy"], ["--format", "xml"], ["--seed", "x"]] {
            assert!(Cli::try_parse_from(["ebbflow", "run"].iter().chain(&wrong)).is_err(), "{wrong:?}");
        }
    }
}
