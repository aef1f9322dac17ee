//! Calibrations: carried over, written and read back, refused.

use std::path::Path;

use super::*;
use crate::models;
use crate::performance::roofline::{Parallelism, find_gpu};

fn calibration() -> Calibration {
    let held = |fitted| Held { fitted, held_back: fitted + 1.5 };
    Calibration {
        backend: Backend::Vllm,
        gpu: "H100".to_owned(),
        model: "Llama-3.1-8B".to_owned(),
        expert_layers: 0,
        precision: Precision::Bf16,
        parallelism: Parallelism::tensor(2),
        constants: Fitted {
            host_ms: 1.492,
            per_sequence_us: 27.6,
            prefill_factor: 1.087,
            decode_factor: 0.917,
        },
        provenance: Provenance {
            log: "requests.jsonl".to_owned(),
            fingerprint: "85944171f73967e8".to_owned(),
            requests: 300,
            held_back: 60,
            max_num_batched_tokens: 2048,
            max_num_seqs: 128,
            kv_tokens: 480_000,
            ebbflow: "0.1.0".to_owned(),
            errors: vec![MetricErrors {
                metric: "TTFT mean".to_owned(),
                before_pct: held(18.6),
                after_pct: held(-0.4),
            }],
        },
    }
}

fn deployment(model: &str, gpu: &str, backend: Backend) -> Deployment {
    Deployment {
        model: models::find(model).unwrap(),
        gpu: find_gpu(gpu).unwrap(),
        backend,
        parallelism: Parallelism::tensor(1),
        precision: Precision::Bf16,
        cache: None,
    }
}

#[test]
fn what_is_written_is_read_back() {
    let yaml = calibration().to_yaml();
    assert_eq!(Calibration::parse(Path::new("c.yaml"), &yaml).unwrap(), calibration(), "{yaml}");
}

#[test]
fn the_constants_hold_for_another_dense_model_and_their_ratios_for_one_with_experts() {
    let calibration = calibration();
    let dense = calibration.constants_for(&deployment("Qwen3-32B", "H100", Backend::Vllm)).unwrap();
    assert!((dense.host_s - 1.492e-3).abs() < 1e-12 && (dense.sequence_s - 27.6e-6).abs() < 1e-15);
    let experts = deployment("Qwen3-30B-A3B", "H100", Backend::Vllm);
    let (built_in, carried) = (Backend::Vllm.constants(true), calibration.constants_for(&experts).unwrap());
    let host = 1.492e-3 / Backend::Vllm.constants(false).host_s;
    assert!((carried.expert_layer_s / built_in.expert_layer_s - host).abs() < 1e-9);
    assert!((carried.memory_scale - built_in.memory_scale * 0.917 / dense_memory()).abs() < 1e-9);
}

fn dense_memory() -> f64 {
    Backend::Vllm.constants(false).memory_scale
}

#[test]
fn what_is_built_in_comes_back_through_the_constants_of_a_file() {
    for layers in [0, 48] {
        let built_in = Backend::Vllm.constants(layers > 0);
        let back = Fitted::built_in(Backend::Vllm, layers).constants(Backend::Vllm, layers);
        for (one, other) in back.values().iter().zip(built_in.values()) {
            assert!((one - other).abs() <= 1e-12, "{back:?} instead of {built_in:?}");
        }
    }
}

#[test]
fn another_engine_or_gpu_is_refused() {
    let error = |gpu, backend| {
        let refused = calibration().constants_for(&deployment("Llama-3.1-8B", gpu, backend));
        refused.unwrap_err().to_string()
    };
    assert!(error("H200", Backend::Vllm).contains("for the GPU H100, not for H200"));
    assert!(error("H100", Backend::Sglang).contains("for the engine vllm, not for sglang"));
}

#[test]
fn wrong_words_are_shown_where_they_stand() {
    let yaml = calibration().to_yaml();
    for (right, wrong, says) in [
        ("engine: vllm", "engine: vlm", "c.yaml:3:9: there is no engine `vlm`"),
        ("host_ms: 1.492", "host_ms: -1", "c.yaml:13:12: `host_ms` is -1; expected a number, at least 0"),
        ("decode_factor: 0.917", "decode_factor: 0", "`decode_factor` is 0; expected a number above 0"),
        ("  per_sequence_us: 27.6", "  per_sequnce_us: 27.6", "unknown field `per_sequnce_us`"),
        ("precision: bf16", "precision: bf61", "expected bf16"),
    ] {
        assert!(yaml.contains(right), "{yaml}");
        let text = yaml.replace(right, wrong);
        let error = Calibration::parse(Path::new("c.yaml"), &text).unwrap_err();
        assert!(error.to_string().contains(says), "{error}\n{text}");
        assert!(error.to_string().starts_with("c.yaml:"), "{error}");
        assert!(error.findings().list[0].excerpt.is_some(), "{error}");
    }
}

#[test]
fn a_file_that_is_not_there_says_so() {
    let error = Calibration::read(Path::new("nowhere/c.yaml")).unwrap_err().to_string();
    assert!(error.starts_with("cannot read the calibration nowhere/c.yaml"), "{error}");
}
