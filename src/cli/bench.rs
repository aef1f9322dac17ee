//! `ebbflow bench`: message throughput of the actor runtime on this machine.
//!
//! Runs the [synthetic load](crate::throughput) with every runner, in rounds, so that what else happens on the
//! machine hits all of them alike, and prints the median of each. Every run has a process of its own: its peak
//! memory is its own, and no run warms the caches of the next. All runners of one load must arrive at the same
//! digest. Leaves out the fleet: `benches/scenarios.rs` measures whole scenarios.

mod case;
mod machine;
mod plan;
mod report;
mod rounds;
mod row;
mod sample;
mod saturation;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueEnum;

use self::case::{Case, Mover};
use self::report::Report;
use self::rounds::Rounds;
use super::exit::CliError;
use super::print;

/// Arguments of `ebbflow bench`.
#[derive(clap::Args, Debug)]
pub struct BenchArgs {
    /// Workers of the load [default: 100,1000,10000,100000; with --saturate: 1000]
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    entities: Option<Vec<u32>>,
    /// Threads of the lazy and eager runners; the others have one [default: 1 and all processors]
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..=1024))]
    arbiters: Option<Vec<u16>>,
    /// Who moves the events
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        value_enum,
        default_value = "naive,eager,lazy,sequential"
    )]
    runners: Vec<Mover>,
    /// Bytes a message carries
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(..=16_777_216), default_value = "0")]
    payload: Vec<u32>,
    /// Jobs a worker gets per simulated second; each is two messages
    #[arg(long, value_name = "N", value_parser = rate, default_value = "2")]
    rate: f64,
    /// Simulated seconds of each run, instead of a number of events
    #[arg(long, value_name = "S", value_parser = seconds, conflicts_with = "events")]
    seconds: Option<f64>,
    /// Events of each run, about [default: 400000, and at least 8 per entity]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    events: Option<u64>,
    /// Rounds; the median counts
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000), default_value = "3")]
    repeat: u16,
    /// Double the offered messages until throughput stops growing; report the most and who limits it
    #[arg(long)]
    saturate: bool,
    /// Write the rows here, as CSV
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Write the rows here, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// What to print on stdout
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// No progress on stderr
    #[arg(long, short)]
    quiet: bool,
    /// Do one run in this process and print what it took: how the command calls itself
    #[arg(long, hide = true, value_name = "JSON", value_parser = Case::from_json)]
    sample: Option<Case>,
}

/// What is printed on stdout.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Format {
    /// A table
    Text,
    /// The rows as JSON
    Json,
}

/// Measures, prints and writes.
pub fn bench(arguments: &BenchArgs) -> Result<ExitCode, CliError> {
    if let Some(case) = &arguments.sample {
        let sample = sample::take(case).map_err(CliError::failed)?;
        print::stdout(&sample.to_json()).map_err(CliError::failed)?;
        return Ok(ExitCode::SUCCESS);
    }
    let plan = arguments.plan();
    let mut rounds = Rounds::new(arguments.repeat, arguments.quiet);
    let report = if arguments.saturate {
        let saturations = saturation::find(&plan, &mut rounds).map_err(CliError::failed)?;
        Report::of_saturations(saturations, arguments.repeat)
    } else {
        let rows = rounds.measure(&plan.cases()).map_err(CliError::failed)?;
        Report::of_rows(rows, arguments.repeat)
    };
    rounds.finish();
    arguments.deliver(&report)
}

impl BenchArgs {
    fn deliver(&self, report: &Report) -> Result<ExitCode, CliError> {
        let text = match self.format {
            Format::Text => report.to_text(),
            Format::Json => report.to_json(),
        };
        print::stdout(&text).map_err(CliError::failed)?;
        if let Some(file) = &self.csv {
            report.write_csv(file).map_err(CliError::failed)?;
        }
        if let Some(file) = &self.json {
            report.write_json(file).map_err(CliError::failed)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn rate(word: &str) -> Result<f64, String> {
    let range = 0.001..=1e6;
    let number = word.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| "expected jobs per worker and simulated second, from 0.001 to 1000000".to_owned())
}

fn seconds(word: &str) -> Result<f64, String> {
    let range = 0.001..=1e6;
    let number = word.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| "expected simulated seconds, from 0.001 to 1000000".to_owned())
}
