//! Throughput against the table TensorRT-LLM publishes (performance overview of its documentation).
//!
//! None of it was fitted. As many requests run as the cache holds whole, which is how TensorRT-LLM admits them.

use std::collections::BTreeMap;

use ebbflow::models::find;
use ebbflow::performance::roofline::{Backend, Deployment, Load, Parallelism, Roofline, find_gpu};

use super::measured;

const DENSE: f64 = 0.12;
/// Requests TensorRT-LLM runs at most.
const MAX_BATCH: u64 = 2048;

#[test]
fn an_instance_serves_as_many_tokens_as_published() {
    let Some(path) = measured("trtllm_perf_overview.csv") else { return };
    let mut reader = csv::Reader::from_path(path).unwrap();
    let records: Result<Vec<BTreeMap<String, String>>, _> = reader.deserialize().collect();
    let mut dense = Vec::new();
    let mut left_out = Vec::new();
    for record in records.unwrap() {
        let line = format!("{} {} {}", record["model"], record["gpu"], record["config"]);
        let Some((deployment, load, measured)) = point(&record) else {
            left_out.push(line);
            continue;
        };
        let experts = deployment.model.is_moe();
        let found = tokens_a_gpu(deployment, load);
        let error = found / measured - 1.0;
        println!(
            "{line:28} {:5}/{:5} {found:8.0} tokens/s a GPU, published {measured:6.0}: {:+.1} %",
            record["isl"],
            record["osl"],
            100.0 * error
        );
        if !experts {
            dense.push(error.abs());
        }
    }
    let mean = dense.iter().sum::<f64>() / dense.len() as f64;
    println!("dense: {} points, mean error {:.1} %", dense.len(), 100.0 * mean);
    println!("not covered (model or GPU not built in, attention data parallelism): {left_out:?}");
    assert!(mean <= DENSE, "mean error {mean:.3} above {DENSE}");
}

fn point(record: &BTreeMap<String, String>) -> Option<(Deployment, Load, f64)> {
    let tensor = record["config"].strip_prefix("TP")?.parse().ok()?;
    let deployment = Deployment {
        model: find(&record["model"]).ok()?,
        gpu: find_gpu(&record["gpu"]).ok()?,
        backend: Backend::TrtLlm,
        parallelism: Parallelism::tensor(tensor),
        precision: record["precision"].parse().unwrap(),
        cache: None,
    };
    let load = Load {
        prompt_tokens: record["isl"].parse().unwrap(),
        output_tokens: record["osl"].parse().unwrap(),
        concurrency: MAX_BATCH,
        token_budget: None,
    };
    Some((deployment, load, record["output_tok_s_per_gpu"].parse().unwrap()))
}

fn tokens_a_gpu(deployment: Deployment, load: Load) -> f64 {
    let gpus = f64::from(deployment.parallelism.gpus());
    let served = Roofline::new(deployment).unwrap().closed_loop(load).unwrap();
    served.running as f64 / served.tpot_s / gpus
}
