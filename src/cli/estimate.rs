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

use super::exit::CliError;
use super::options::Format;
use super::print;
use answer::Answer;
pub(super) use point::{Catalogue, Words, Wrong};

/// Arguments of `ebbflow estimate`.
#[derive(clap::Args, Debug)]
pub struct EstimateArgs {
    /// A CSV of points: model, gpu, engine, precision, tensor_parallel, isl, osl, concurrency (and, if you like,
    /// pipeline_parallel, expert_parallel, kv_dtype); other columns are kept
    #[arg(value_name = "POINTS.csv", conflicts_with_all = ["model", "gpu", "isl", "osl"])]
    points: Option<PathBuf>,
    /// A model by name, or the path of its Hugging Face config.json
    #[arg(long, value_name = "NAME | config.json", required_unless_present = "points")]
    model: Option<String>,
    /// A GPU by name, or the path of its data sheet in YAML
    #[arg(long, value_name = "NAME | SHEET.yaml", required_unless_present = "points")]
    gpu: Option<String>,
    /// The serving engine: vllm, trtllm or sglang
    #[arg(long, default_value = "vllm")]
    engine: String,
    /// Precision of the weights: bf16, fp8, fp4 or mxfp4
    #[arg(long, default_value = "bf16")]
    precision: String,
    /// Precision of the KV cache; auto: what the engine takes by itself
    #[arg(long, value_name = "PRECISION", default_value = "auto")]
    kv_dtype: String,
    /// GPUs that share every matrix (tensor parallelism)
    #[arg(long, value_name = "GPUS", default_value = "1")]
    tp: String,
    /// Groups of layers on GPUs of their own (pipeline parallelism)
    #[arg(long, value_name = "STAGES", default_value = "1")]
    pp: String,
    /// How many of the tensor-parallel GPUs keep experts whole (expert parallelism)
    #[arg(long, value_name = "GPUS", default_value = "1")]
    ep: String,
    /// Tokens of a prompt
    #[arg(long, value_name = "TOKENS", required_unless_present = "points")]
    isl: Option<String>,
    /// Tokens of an answer
    #[arg(long, value_name = "TOKENS", required_unless_present = "points")]
    osl: Option<String>,
    /// Clients, each with one request at a time
    #[arg(long, value_name = "CLIENTS", default_value = "1")]
    concurrency: String,
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
    let output = match &arguments.points {
        Some(path) => {
            let table = table::Table::read(path, &mut catalogue)?;
            match arguments.format {
                Format::Text => table.csv().map_err(CliError::failed)?,
                Format::Json => json(&table.answers().map(|answer| answer.json()).collect::<Vec<_>>())?,
            }
        }
        None => {
            let point = catalogue.point(&arguments.words()).map_err(|wrong| {
                CliError::bad_input(format!("--{}: {}", option(wrong.column), wrong.problem))
            })?;
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
        let or_empty = |word: &Option<String>| word.clone().unwrap_or_default();
        Words::from([
            ("model", or_empty(&self.model)),
            ("gpu", or_empty(&self.gpu)),
            ("engine", self.engine.clone()),
            ("precision", self.precision.clone()),
            ("kv_dtype", self.kv_dtype.clone()),
            ("tensor_parallel", self.tp.clone()),
            ("pipeline_parallel", self.pp.clone()),
            ("expert_parallel", self.ep.clone()),
            ("isl", or_empty(&self.isl)),
            ("osl", or_empty(&self.osl)),
            ("concurrency", self.concurrency.clone()),
        ])
    }
}

/// The option that says what a column of the CSV says.
fn option(column: &str) -> &str {
    match column {
        "kv_dtype" => "kv-dtype",
        "tensor_parallel" => "tp",
        "pipeline_parallel" => "pp",
        "expert_parallel" => "ep",
        other => other,
    }
}

fn json(value: &impl serde::Serialize) -> Result<String, CliError> {
    let mut json = serde_json::to_string_pretty(value).map_err(CliError::failed)?;
    json.push('\n');
    Ok(json)
}
