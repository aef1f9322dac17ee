//! `ebbflow calibrate`: fits an engine's constants to a log of measured requests.
//!
//! Whatever the engine, it is simulated as `vllm` schedules. See [`replay`](crate::replay) for what is fitted and what is left out.

mod text;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::deployment::{DeploymentArgs, misread};
use super::estimate::Catalogue;
use super::exit::CliError;
use super::print;
use super::progress;
use crate::instance::continuous::Settings;
use crate::performance::calibration::{Calibration, Held, MetricErrors, Provenance};
use crate::performance::roofline::{Deployment, Roofline};
use crate::replay::{Log, ReplayError, Report, Setup};
use crate::results::fingerprint;

/// GPUs on which `vllm serve` computes fewer tokens and sequences at once by itself.
const FEW_TOKENS: u64 = 2048;
const FEW_SEQUENCES: u32 = 256;

/// Arguments of `ebbflow calibrate`.
#[derive(clap::Args, Debug)]
pub struct CalibrateArgs {
    /// The measured requests: CSV, or a JSON object a line. Columns: arrival_s, prompt_tokens, output_tokens, and any
    /// of ttft_s or ttft_ms, tpot_s or tpot_ms, e2e_s or e2e_ms; the names of other benchmarks are known, too
    /// (queued_ts, input_toks, first_token_ts, last_token_ts ...)
    #[arg(long, value_name = "FILE.csv | FILE.jsonl")]
    log: PathBuf,
    /// The model they asked, by name, or the path of its Hugging Face config.json
    #[arg(long, value_name = "NAME | config.json")]
    model: String,
    /// The GPU they ran on, by name, or the path of its data sheet in YAML
    #[arg(long, value_name = "NAME | SHEET.yaml")]
    gpu: String,
    #[command(flatten)]
    deployment: DeploymentArgs,
    /// Tokens an iteration computes at most; without it what the engine takes by itself on this GPU
    #[arg(long, value_name = "TOKENS")]
    max_num_batched_tokens: Option<u64>,
    /// Sequences that run at most; without it what the engine takes by itself on this GPU
    #[arg(long, value_name = "SEQUENCES")]
    max_num_seqs: Option<u32>,
    /// Tokens the KV cache holds (vLLM logs them as `GPU KV cache size`); without it what is left beside the weights
    #[arg(long, value_name = "TOKENS", conflicts_with = "gpu_memory_utilization")]
    kv_tokens: Option<u64>,
    /// Leave malformed rows out
    #[arg(long)]
    skip_bad_rows: bool,
    /// Write the constants here, as YAML that a scenario includes
    #[arg(long, value_name = "FILE.yaml")]
    output: Option<PathBuf>,
    /// No progress
    #[arg(long, short)]
    quiet: bool,
}

/// Fits, prints the errors before and after, and writes what was found.
pub fn calibrate(arguments: &CalibrateArgs) -> Result<ExitCode, CliError> {
    let setup = arguments.setup()?;
    let log = Log::read(&arguments.log, arguments.skip_bad_rows)
        .map_err(|error| CliError::Findings(error.findings()))?;
    let bytes = std::fs::read(&arguments.log).map_err(CliError::failed)?;
    let report = fit(&setup, &log, arguments.quiet).map_err(CliError::bad_input)?;
    let calibration = calibration(&setup, &log, &report, provenance_name(&arguments.log), &bytes);
    if let Some(path) = &arguments.output {
        std::fs::write(path, calibration.to_yaml())
            .map_err(|error| CliError::failed(format!("cannot write {}: {error}", path.display())))?;
    }
    let text = text::of(&setup, &log, &report, arguments.output.as_deref());
    print::stdout(&text).map_err(CliError::failed)?;
    Ok(ExitCode::SUCCESS)
}

fn fit(setup: &Setup, log: &Log, quiet: bool) -> Result<Report, ReplayError> {
    let bar = progress::counted(quiet, 0, "replays");
    let report = crate::replay::calibrate(setup, log, |done, most| {
        bar.set_length(most as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    report
}

impl CalibrateArgs {
    fn setup(&self) -> Result<Setup, CliError> {
        let words = self.deployment.words(&self.model, &self.gpu);
        let roofline = Catalogue::default().roofline(&words).map_err(|wrong| misread(&words, &wrong))?;
        Ok(self.around(roofline))
    }

    /// The engine with its settings, those that are not given as it sets itself.
    fn around(&self, roofline: Roofline) -> Setup {
        let Deployment { backend, gpu, .. } = roofline.deployment();
        let budget = backend.default_token_budget(gpu.memory_bytes);
        let sequences = if budget <= FEW_TOKENS { FEW_SEQUENCES } else { Settings::default().max_num_seqs };
        let settings = Settings {
            max_num_batched_tokens: self.max_num_batched_tokens.unwrap_or(budget),
            max_num_seqs: self.max_num_seqs.unwrap_or(sequences),
            ..Settings::default()
        };
        let kv_tokens = self.kv_tokens.unwrap_or_else(|| roofline.kv_memory().capacity_tokens());
        Setup { roofline, settings, kv_tokens }
    }
}

fn provenance_name(log: &Path) -> String {
    log.file_name().unwrap_or(log.as_os_str()).to_string_lossy().into_owned()
}

fn calibration(setup: &Setup, log: &Log, report: &Report, name: String, bytes: &[u8]) -> Calibration {
    let deployment = setup.roofline.deployment();
    let percent =
        |[fitted, held_back]: [f64; 2]| Held { fitted: rounded(fitted), held_back: rounded(held_back) };
    let errors = report.metrics.iter().map(|metric| MetricErrors {
        metric: metric.metric.to_string(),
        before_pct: percent(metric.before),
        after_pct: percent(metric.after),
    });
    Calibration {
        backend: deployment.backend,
        gpu: deployment.gpu.name.clone(),
        model: deployment.model.name.clone(),
        expert_layers: setup.expert_layers(),
        precision: setup.roofline.weights(),
        parallelism: deployment.parallelism,
        constants: report.fitted,
        provenance: Provenance {
            log: name,
            fingerprint: fingerprint(bytes),
            requests: log.len() as u64,
            held_back: report.counts[1] as u64,
            max_num_batched_tokens: setup.settings.max_num_batched_tokens,
            max_num_seqs: setup.settings.max_num_seqs,
            kv_tokens: setup.kv_tokens,
            ebbflow: env!("CARGO_PKG_VERSION").to_owned(),
            errors: errors.collect(),
        },
    }
}

/// A share as percent with two digits behind the point.
fn rounded(share: f64) -> f64 {
    (share * 1e4).round() / 1e2
}
