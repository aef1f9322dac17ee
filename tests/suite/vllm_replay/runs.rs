//! The measured runs beside the checkout, and what the simulation makes of them.

use std::path::{Path, PathBuf};

use ebbflow::instance::continuous::Settings;
use ebbflow::models::{self, Precision};
use ebbflow::performance::calibration::{Calibration, Fitted, Provenance};
use ebbflow::performance::roofline::{Backend, Deployment, Parallelism, Roofline, find_gpu};
use ebbflow::replay::{Latency, Log, Measured, Metric, Replayed, Setup, calibrate, is_held_back};
use serde_json::Value;

/// A measured run.
pub struct Run {
    pub gpu: String,
    pub model: String,
    pub setup: Setup,
    pub log: Log,
}

/// A run with its replays.
pub struct Judged {
    pub run: Run,
    /// The model whose run on the same GPU the constants were fitted to.
    pub calibrated_on: String,
    pub fitted: Fitted,
    pub alone: Replayed,
    pub calibrated: Replayed,
}

impl Judged {
    pub fn name(&self) -> String {
        format!("{} on {}", self.run.model, self.run.gpu)
    }

    /// Whether the constants were fitted to a part of this very run.
    pub fn is_own(&self) -> bool {
        self.calibrated_on == self.run.model
    }

    /// Measured and simulated with the built-in constants, over all requests.
    pub fn compare(&self, metric: Metric) -> (f64, f64) {
        metric.compare(self.run.log.requests().iter().zip(&self.alone.latencies)).unwrap()
    }

    /// Error with the built-in constants, over all requests.
    pub fn alone(&self, metric: Metric) -> f64 {
        let (measured, simulated) = self.compare(metric);
        simulated / measured - 1.0
    }

    /// Error with the fitted constants, over the requests that were not fitted to.
    pub fn calibrated(&self, metric: Metric) -> f64 {
        let requests = self.run.log.requests();
        let pairs: Vec<(&Measured, &Latency)> = requests.iter().zip(&self.calibrated.latencies).collect();
        let judged = |&(nth, _): &(usize, _)| !self.is_own() || is_held_back(nth, requests.len());
        let pairs = pairs.into_iter().enumerate().filter(judged).map(|(_, pair)| pair);
        metric.error(pairs).unwrap()
    }
}

/// All runs, those of a GPU with the constants fitted to the first of them.
pub fn judged() -> Vec<Judged> {
    let mut first: Option<Calibration> = None;
    let mut judged = Vec::new();
    for run in runs() {
        let same = first.take().filter(|calibration| calibration.gpu == run.gpu);
        let calibration = same.unwrap_or_else(|| fitted(&run));
        let constants = calibration.constants_for(run.setup.roofline.deployment()).unwrap();
        let roofline = run.setup.roofline.clone().with_constants(constants);
        let alone = run.setup.replay(&run.log).unwrap();
        let calibrated = Setup { roofline, ..run.setup.clone() }.replay(&run.log).unwrap();
        let calibrated_on = calibration.model.clone();
        judged.push(Judged { run, calibrated_on, fitted: calibration.constants, alone, calibrated });
        first = Some(calibration);
    }
    judged
}

fn fitted(run: &Run) -> Calibration {
    let report = calibrate(&run.setup, &run.log, |_, _| {}).unwrap();
    Calibration {
        backend: Backend::Vllm,
        gpu: run.gpu.clone(),
        model: run.model.clone(),
        expert_layers: run.setup.expert_layers(),
        precision: Precision::Bf16,
        parallelism: run.setup.roofline.deployment().parallelism,
        constants: report.fitted,
        provenance: Provenance {
            log: "requests.jsonl".to_owned(),
            fingerprint: String::new(),
            requests: run.log.len() as u64,
            held_back: report.counts[1] as u64,
            max_num_batched_tokens: run.setup.settings.max_num_batched_tokens,
            max_num_seqs: run.setup.settings.max_num_seqs,
            kv_tokens: run.setup.kv_tokens,
            ebbflow: String::new(),
            errors: Vec::new(),
        },
    }
}

/// By GPU, then by model.
fn runs() -> Vec<Run> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data/llmservingsim/bench/examples");
    if !root.is_dir() {
        println!("skipped: {} is not there", root.display());
    }
    folders(&root).iter().flat_map(|gpu| folders(gpu)).filter_map(|folder| read(&folder)).collect()
}

fn folders(of: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(of).into_iter().flatten();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    folders
}

fn read(folder: &Path) -> Option<Run> {
    let meta: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("vllm/meta.json")).ok()?).unwrap();
    let set = |key: &str| meta["engine_kwargs"][key].as_u64();
    let gpu = folder.parent()?.file_name()?.to_str()?;
    let degree = |key: &str| set(key).unwrap_or(1) as u32;
    let split = Parallelism {
        data: degree("data_parallel_size"),
        ..Parallelism::tensor(degree("tensor_parallel_size"))
    };
    let keeps_experts_whole = meta["engine_kwargs"]["enable_expert_parallel"] == true;
    let parallelism =
        Parallelism { expert: if keeps_experts_whole { split.expert_gpus() } else { 1 }, ..split };
    let deployment = Deployment {
        model: models::find(meta["model"].as_str()?).unwrap(),
        gpu: find_gpu(gpu).unwrap(),
        backend: Backend::Vllm,
        parallelism,
        precision: Precision::Bf16,
        cache: None,
    };
    let (gpu, model) = (deployment.gpu.name.clone(), deployment.model.name.clone());
    let roofline = Roofline::new(deployment).unwrap();
    let settings = Settings {
        max_num_batched_tokens: set("max_num_batched_tokens").unwrap(),
        max_num_seqs: set("max_num_seqs").unwrap() as u32,
        ..Settings::default()
    };
    let reported = meta["kv_cache"]["num_kv_tokens"].as_u64();
    // Each engine reports its own.
    let of_all = |tokens: u64| tokens * u64::from(parallelism.data);
    let kv_tokens = reported.map_or_else(|| roofline.kv_memory().capacity_tokens(), of_all);
    let log = Log::read(&folder.join("vllm/requests.jsonl"), false).unwrap();
    Some(Run { gpu, model, setup: Setup { roofline, settings, kv_tokens }, log })
}
