//! Engines that work in step, against the measured points of MiniMax-M2.5 under vLLM with data-parallel attention.
//!
//! None of it was fitted. The table counts GPUs twice: InferenceMAX's `tp4` with data-parallel attention is four
//! engines of one GPU each that share the experts, and stands there as 4 × 4.

use std::collections::BTreeMap;

use ebbflow::models::find;
use ebbflow::performance::roofline::{Backend, Deployment, Load, Parallelism, Roofline, find_gpu};

use super::measured;

/// Mean error that is allowed, as for other mixtures of experts; what is built in was fitted to tensor parallelism.
const BOUND: f64 = 0.15;
const MEAN_LENGTH: f64 = 0.9;
const LONGEST_TTFT_MS: f64 = 15_000.0;

#[test]
fn engines_in_step_take_about_as_long_as_measured() {
    let Some(path) = measured("aiconfigurator/silicon_sample.csv") else { return };
    let mut reader = csv::Reader::from_path(path).unwrap();
    let records: Result<Vec<BTreeMap<String, String>>, _> = reader.deserialize().collect();
    let mut errors: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for record in records.unwrap() {
        let Some((deployment, load)) = point(&record) else { continue };
        let group =
            format!("{} {} × {}", record["precision"], deployment.parallelism.data, deployment.gpu.name);
        let measured_s = record["silicon_tpot_ms"].parse::<f64>().unwrap() / 1e3;
        let found = Roofline::new(deployment).unwrap().closed_loop(load).unwrap();
        if found.running < load.concurrency {
            println!(
                "{group} {}/{} c{}: more clients than the cache holds",
                record["isl"], record["osl"], load.concurrency
            );
            continue;
        }
        let found_s = found.tpot_s;
        let error = found_s / measured_s - 1.0;
        println!(
            "{group} {:5}/{:5} c{:4}: TPOT {:5.1} ms, measured {:5.1}: {:+.1} %",
            record["isl"],
            record["osl"],
            load.concurrency,
            1e3 * found_s,
            1e3 * measured_s,
            100.0 * error
        );
        errors.entry(group).or_default().push(error.abs());
    }
    let all: Vec<f64> = errors.values().flatten().copied().collect();
    for (group, errors) in &errors {
        println!("{group}: {} points, mean error {:.1} %", errors.len(), 100.0 * mean(errors));
    }
    println!("data parallelism: {} points, mean error {:.1} %", all.len(), 100.0 * mean(&all));
    assert!(mean(&all) <= BOUND, "mean error {:.3} above {BOUND}", mean(&all));
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn point(record: &BTreeMap<String, String>) -> Option<(Deployment, Load)> {
    let engines: u32 = record["attention_dp_size"].parse().ok()?;
    let waited = record["silicon_ttft_ms"].parse::<f64>().ok()? > LONGEST_TTFT_MS;
    if record["model_path"] != "MiniMaxAI/MiniMax-M2.5" || engines == 1 || waited {
        return None;
    }
    let deployment = Deployment {
        model: find("MiniMax-M2.5").ok()?,
        gpu: find_gpu(&record["system"]).ok()?,
        backend: Backend::Vllm,
        parallelism: Parallelism { data: engines, expert: engines, ..Parallelism::tensor(1) },
        precision: record["precision"].parse().ok()?,
        cache: None,
    };
    let length = |column: &str| Some((MEAN_LENGTH * record[column].parse::<f64>().ok()?).round() as u64);
    let load = Load {
        prompt_tokens: length("isl")?,
        output_tokens: length("osl")?,
        concurrency: u64::from(engines) * record["batch_size"].parse::<u64>().ok()?,
        token_budget: None,
    };
    Some((deployment, load))
}
