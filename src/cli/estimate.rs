//! `ebbflow estimate`: what a model on some GPUs can do, without a simulation.
//!
//! One point from options, or many from a CSV file. Clients in a closed loop, all requests alike; see
//! [`ClosedLoop`](crate::performance::roofline::ClosedLoop) for what that leaves out.

mod answer;
mod point;
mod table;
mod text;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use super::deployment::{DeploymentArgs, misread};
use super::exit::CliError;
use super::options::Format;
use super::print;
use crate::performance::KernelTables;
use answer::Answer;
pub(super) use point::{Catalogue, Words, Wrong};

/// Arguments of `ebbflow estimate`.
#[derive(clap::Args, Debug)]
pub struct EstimateArgs {
    /// A CSV of points: model, gpu, engine, precision, tensor_parallel, isl, osl, concurrency (and, if you like,
    /// pipeline_parallel, data_parallel, expert_parallel, kv_dtype, gpu_memory_utilization); other columns are kept
    #[arg(value_name = "POINTS.csv", conflicts_with_all = ["model", "gpu", "isl", "osl"])]
    points: Option<PathBuf>,
    /// A model by name, or the path of its Hugging Face config.json
    #[arg(long, value_name = "NAME | config.json", required_unless_present = "points")]
    model: Option<String>,
    /// A GPU by name, or the path of its data sheet in YAML
    #[arg(long, value_name = "NAME | SHEET.yaml", required_unless_present = "points")]
    gpu: Option<String>,
    #[command(flatten)]
    deployment: DeploymentArgs,
    /// Tokens of a prompt
    #[arg(long, value_name = "TOKENS", required_unless_present = "points")]
    isl: Option<String>,
    /// Tokens of an answer
    #[arg(long, value_name = "TOKENS", required_unless_present = "points")]
    osl: Option<String>,
    /// Clients, each with one request at a time
    #[arg(long, value_name = "CLIENTS", default_value = "1")]
    concurrency: String,
    /// Times of kernels measured one by one, before the formulas: a table in NVIDIA AIConfigurator's columns or a folder
    /// with tables (CSV; Parquet in a build with that feature)
    #[arg(long, value_name = "FILE | DIR")]
    kernels: Vec<PathBuf>,
    /// What to print on stdout: text (of a CSV: the CSV with its new columns), or JSON
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Write what would be printed here instead; the CSV keeps its columns and gets ttft_ms, tpot_ms,
    /// output_tokens_per_s, kv_capacity_tokens, fits
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Estimates and prints.
pub fn estimate(arguments: &EstimateArgs) -> Result<ExitCode, CliError> {
    let mut catalogue = Catalogue::default();
    if !arguments.kernels.is_empty() {
        catalogue.measured_by(KernelTables::read(&arguments.kernels).map_err(CliError::bad_input)?);
    }
    let output = match &arguments.points {
        Some(path) => {
            let table = table::Table::read(path, &mut catalogue)?;
            match arguments.format {
                Format::Text => table.csv().map_err(CliError::failed)?,
                Format::Json => json(&table.answers().map(|answer| answer.json()).collect::<Vec<_>>())?,
            }
        }
        None => {
            let words = arguments.words();
            let point = catalogue.point(&words).map_err(|wrong| misread(&words, &wrong))?;
            let answer = Answer::to(&point);
            match arguments.format {
                Format::Text => text::of(&answer),
                Format::Json => json(&answer.json())?,
            }
        }
    };
    match &arguments.out {
        Some(path) => fs::write(path, output)
            .map_err(|error| CliError::failed(format!("cannot write {}: {error}", path.display())))?,
        None => print::stdout(&output).map_err(CliError::failed)?,
    }
    Ok(ExitCode::SUCCESS)
}

impl EstimateArgs {
    fn words(&self) -> Words {
        let said = |word: &Option<String>| word.clone().unwrap_or_default();
        let mut words = self.deployment.words(&said(&self.model), &said(&self.gpu));
        words.extend([
            ("isl", said(&self.isl)),
            ("osl", said(&self.osl)),
            ("concurrency", self.concurrency.clone()),
        ]);
        words
    }
}

fn json(value: &impl serde::Serialize) -> Result<String, CliError> {
    let mut json = serde_json::to_string_pretty(value).map_err(CliError::failed)?;
    json.push('\n');
    Ok(json)
}
