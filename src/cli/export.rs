//! `ebbflow export`: writes a finished run in the formats of other tools.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use ebbflow_actors::SimDuration;

use crate::registry::Registry;
use crate::report::parquet::{self, ParquetError};
use crate::report::{FinishedRun, exposition, timeline};

use super::exit::CliError;
use super::print;

/// Arguments of `ebbflow export`.
#[derive(clap::Args, Debug)]
pub struct ExportArgs {
    /// The directory of a run
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    #[command(flatten)]
    exports: Exports,
    /// Write the tables as Parquet beside their CSV (needs a build with --features parquet)
    #[arg(long)]
    parquet: bool,
}

/// What to write, and where.
#[derive(clap::Args, Clone, PartialEq, Debug)]
pub struct Exports {
    /// Write a timeline for Perfetto (ui.perfetto.dev) or chrome://tracing. It shows iterations if the run had `debug`,
    /// which `ebbflow run --timeline` sees to (the log of iterations is part of what a digest covers)
    #[arg(long, value_name = "FILE")]
    pub timeline: Option<PathBuf>,
    /// Write metrics as OpenMetrics text, under vLLM's names where they exist
    #[arg(long, value_name = "FILE")]
    pub metrics: Option<PathBuf>,
    /// Simulated time between two scrapes of the metrics, e.g. 15s, 500ms or 1m
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = interval, requires = "metrics")]
    pub metrics_interval: SimDuration,
}

/// Reads a run and writes what is asked for.
pub fn export(arguments: &ExportArgs) -> Result<ExitCode, CliError> {
    let ExportArgs { directory, exports, parquet } = arguments;
    if exports.is_empty() && !parquet {
        let message = "nothing to export: ask for --timeline FILE, --metrics FILE or --parquet";
        return Err(CliError::bad_input(message));
    }
    let mut written: Vec<PathBuf> = Vec::new();
    if !exports.is_empty() {
        let run = FinishedRun::open(directory, &Registry::builtin()).map_err(CliError::bad_input)?;
        written.extend(to_files(&run, exports)?.into_iter().map(Path::to_owned));
    }
    if *parquet {
        written.extend(parquet::write(directory).map_err(parquet_error)?);
    }
    written.iter().for_each(|path| print::stderr(&format!("written: {}", path.display())));
    Ok(ExitCode::SUCCESS)
}

fn parquet_error(error: ParquetError) -> CliError {
    if error.is_refusal() { CliError::bad_input(error) } else { CliError::failed(error) }
}

impl Exports {
    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.timeline.is_none() && self.metrics.is_none()
    }
}

/// Writes what is asked for, and says which files.
pub fn to_files<'a>(run: &FinishedRun, exports: &'a Exports) -> Result<Vec<&'a Path>, CliError> {
    let mut written = Vec::new();
    if let Some(path) = &exports.timeline {
        write(path, |out| timeline::write(run, out))?;
        written.push(path.as_path());
    }
    if let Some(path) = &exports.metrics {
        write(path, |out| exposition::write(run, exports.metrics_interval, out))?;
        written.push(path.as_path());
    }
    Ok(written)
}

fn write(path: &Path, fill: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> Result<(), CliError> {
    let written = File::create(path).and_then(|file| {
        let mut out = BufWriter::with_capacity(1 << 16, file);
        fill(&mut out)?;
        out.flush()
    });
    written.map_err(|error| CliError::failed(format!("cannot write {}: {error}", path.display())))
}

/// Reads a time with its unit.
fn interval(word: &str) -> Result<SimDuration, String> {
    const EXPECTED: &str = "expected a time above 0 with its unit, e.g. 15s, 500ms, 1m or 1h";
    let digits = word.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(word.len());
    let (number, unit) = word.split_at(digits);
    let unit_s = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(EXPECTED.to_owned()),
    };
    let seconds = number.trim().parse::<f64>().map_err(|_| EXPECTED.to_owned())? * unit_s;
    let interval = SimDuration::from_secs_f64(seconds).map_err(|_| EXPECTED.to_owned())?;
    if interval.is_zero() { Err(EXPECTED.to_owned()) } else { Ok(interval) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_a_number_with_its_unit() {
        assert_eq!(interval("15s"), Ok(SimDuration::from_secs(15)));
        assert_eq!(interval("500ms"), Ok(SimDuration::from_millis(500)));
        assert_eq!(interval("1.5m"), Ok(SimDuration::from_secs(90)));
        assert_eq!(interval("1h"), Ok(SimDuration::from_secs(3600)));
        for wrong in ["15", "0s", "-1s", "s", "15x", "NaNs", "infs", ""] {
            assert!(interval(wrong).is_err(), "{wrong}");
        }
    }
}
