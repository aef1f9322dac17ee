//! Scenarios of today's models on today's GPUs: `performance_model: roofline`, with files of one's own.

use ebbflow::cluster::{deploy, memory_of};
use ebbflow::request::{Fate, Leg};
use ebbflow::scenario::{Scenario, StartState};
use serde_json::Value;

use crate::support::desk::{Desk, code, json, stderr, stdout};
use crate::support::run::{application, fate, request, run, run_trace};
use crate::support::scenarios::{read, scenario};

/// A little load on four servers with one H100 each, as the rest says.
fn small(rest: &str) -> String {
    served("h100-80gb-x1", "Llama-3.1-8B", 1, rest)
}

fn served(sku: &str, model: &str, tensor: u32, rest: &str) -> String {
    format!(
        "cluster: {{servers: [{{sku: {sku}, count: 4}}]}}\n\
         applications: [{{model: {model}, scheduler: jsq}}]\n\
         start_state: {{state_type: baseline, instance: {{instance_type: vllm, tensor_parallelism: {tensor}}}}}\n\
         workload: {{rate: 8, requests: 40, synthetic: {{prompt: 800, output: 60}}}}\n{rest}\n"
    )
}

/// What `ebbflow calibrate` writes.
fn calibration(gpu: &str, engine: &str) -> String {
    format!(
        "engine: {engine}\ngpu: {gpu}\nmodel: Llama-3.1-8B\nexpert_layers: 0\nprecision: bf16\n\
         constants: {{host_ms: 2.25, per_sequence_us: 31.0, prefill_factor: 1.3, decode_factor: 0.85}}\n\
         provenance:\n  log: requests.csv\n  fingerprint: 85944171f73967e8\n  requests: 100\n  held_back: 20\n  \
         max_num_batched_tokens: 8192\n  max_num_seqs: 1024\n  kv_tokens: 400000\n  ebbflow: 0.1.0\n  errors: []\n"
    )
}

fn calibrated(desk: &Desk, text: &str, more: &str) -> String {
    desk.write("h100.yaml", text);
    let path = desk.path("h100.yaml");
    small(&format!(
        "performance_model: {{roofline: {{calibration: {:?}{more}}}}}",
        path.display().to_string()
    ))
}

#[test]
fn a_calibration_is_the_same_as_its_constants_by_hand() {
    let desk = Desk::new();
    let fitted = run(&calibrated(&desk, &calibration("H100", "vllm"), ""));
    let constants = "host_ms: 2.25, per_sequence_us: 31.0, prefill_factor: 1.3, decode_factor: 0.85";
    let by_hand = run(&small(&format!("performance_model: {{roofline: {{constants: {{{constants}}}}}}}")));
    assert_eq!(fitted.digest, by_hand.digest);
    assert_ne!(fitted.digest, run(&small("performance_model: roofline")).digest);
    // Constants of one's own go before it.
    let host = run(&calibrated(&desk, &calibration("H100", "vllm"), ", constants: {host_ms: 1}"));
    assert_ne!(fitted.digest, host.digest);
}

#[test]
fn a_calibration_brings_its_engine_and_is_refused_for_others() {
    let desk = Desk::new();
    let sglang = scenario(&calibrated(&desk, &calibration("H100", "sglang"), ""));
    assert!(sglang.resolved.contains("backend: sglang"), "{}", sglang.resolved);
    let refused = |text: &str, more: &str| read(&calibrated(&desk, text, more), &[]).unwrap_err().to_string();
    let engine = refused(&calibration("H100", "sglang"), ", backend: vllm");
    assert!(
        engine.contains("performance_model.roofline.calibration: the calibration is for the engine sglang"),
        "{engine}"
    );
    assert!(engine.contains("say `backend: sglang`"), "{engine}");
    let gpu = refused(&calibration("H200", "vllm"), "");
    assert!(
        gpu.contains(
            "test.yaml:5:45  performance_model.roofline.calibration: the calibration is for the GPU H200"
        ),
        "{gpu}"
    );
    assert_eq!(gpu.matches("for the GPU H200").count(), 1, "{gpu}");
    let wrong = refused(&calibration("H100", "vllm").replace("2.25", "-2"), "");
    assert!(wrong.contains("h100.yaml: `host_ms` is -2; expected a number, at least 0"), "{wrong}");
}

#[test]
fn constants_that_are_carried_over_to_another_model_are_a_note() {
    let desk = Desk::new();
    let text = calibrated(&desk, &calibration("H100", "vllm"), "");
    let same = scenario(&text);
    assert!(!notes(&same).contains("carried over"), "{}", notes(&same));
    let other = scenario(&text.replace("model: Llama-3.1-8B", "model: Qwen3-8B"));
    assert!(notes(&other).contains("carried over to Qwen3-8B in bf16"), "{}", notes(&other));
    let experts = scenario(&text.replace("model: Llama-3.1-8B", "model: Qwen3-30B-A3B"));
    assert!(notes(&experts).contains("only one of the two has experts"), "{}", notes(&experts));
}

/// Made up: queries, keys and values of Llama-3.1-8B.
const KERNELS: &str = "gemm_dtype,m,n,k,latency\nbfloat16,1,6144,4096,0.2\nbfloat16,4096,6144,4096,2\n\
                       bfloat16,1,32,32,0.002\n";

fn measured(desk: &Desk, model: &str, file: &str) -> String {
    let path = desk.path(file).display().to_string();
    small(&format!("performance_model: {{{model}: {{kernels: {path:?}}}}}"))
}

#[test]
fn tables_of_kernels_refine_roofline_under_either_name_and_a_note_says_how_far() {
    let desk = Desk::new();
    desk.write("gemm.csv", KERNELS);
    let lookup = run(&measured(&desk, "lookup", "gemm.csv"));
    assert_eq!(lookup.digest, run(&measured(&desk, "roofline", "gemm.csv")).digest);
    assert_ne!(lookup.digest, run(&small("performance_model: roofline")).digest);
    let scenario = scenario(&measured(&desk, "lookup", "gemm.csv"));
    assert_eq!(lookup.digest, run(&scenario.resolved).digest);
    let notes = notes(&scenario);
    assert!(
        notes
            .contains("kernels of Llama-3.1-8B on 1 × h100-80gb: measured: projections (GEMM n 6144, k 4096"),
        "{notes}"
    );
    assert!(notes.contains("by formula: projections (GEMM n 4096, k 4096 in bf16), feed_forward"), "{notes}");
}

#[test]
fn tables_of_kernels_that_are_none_are_refused_where_they_are_named() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("empty")).unwrap();
    desk.write("gemm.csv", &KERNELS.replace("0.2", "-1"));
    let refused = |file: &str| read(&measured(&desk, "lookup", file), &[]).unwrap_err().to_string();
    let empty = refused("empty");
    assert!(
        empty.contains("performance_model.lookup.kernels: ") && empty.contains("holds no table of kernels"),
        "{empty}"
    );
    let negative = refused("gemm.csv");
    assert!(
        negative.contains("1 row of the performance table") && negative.contains("gemm.csv"),
        "{negative}"
    );
    let point = ["estimate", "--model", "Llama-3.1-8B", "--gpu", "H100", "--isl", "100", "--osl", "10"];
    let estimate = |file: &str| desk.ebbflow(&[&point[..], &["--kernels", file]].concat());
    let negative = estimate("gemm.csv");
    assert_eq!(code(&negative), 2, "{}", stderr(&negative));
    assert!(stderr(&negative).contains("latency is `-1`; expected a finite time"), "{}", stderr(&negative));
    desk.write("gemm.csv", KERNELS);
    let estimated = stdout(&estimate("gemm.csv"));
    let says = "kernels     measured: projections (GEMM n 6144, k 4096 in bf16); by formula:";
    assert!(estimated.contains(says), "{estimated}");
    let gone = refused("gone");
    assert!(gone.contains("gone` does not exist"), "{gone}");
}

#[test]
fn a_run_with_tables_of_kernels_is_repeated_with_them_and_looked_at_without() {
    let desk = Desk::new();
    desk.write("gemm.csv", KERNELS);
    desk.write("s.yaml", &small("performance_model: {lookup: {kernels: gemm.csv}}"));
    let run = desk.ebbflow(&["run", "s.yaml", "--out", "run"]);
    assert_eq!(code(&run), 0, "{}", stderr(&run));
    assert_eq!(json(&desk.path("run/run.json"))["inputs"][0]["kind"], "kernel_table");
    std::fs::rename(desk.path("gemm.csv"), desk.path("run/gemm.csv")).unwrap();
    let again = desk.ebbflow(&["rerun", "run"]);
    assert_eq!(code(&again), 0, "{}{}", stdout(&again), stderr(&again));
    std::fs::remove_file(desk.path("run/gemm.csv")).unwrap();
    let report = desk.ebbflow(&["report", "run"]);
    assert_eq!(code(&report), 0, "{}", stderr(&report));
    let gone = desk.ebbflow(&["rerun", "run"]);
    assert!(stderr(&gone).contains("the table of kernels of the run is gone"), "{}", stderr(&gone));
}

#[test]
fn a_run_with_a_calibration_is_repeated_with_it_and_only_with_it() {
    let desk = Desk::new();
    desk.write("h100.yaml", &calibration("H100", "vllm"));
    desk.write("s.yaml", &small("performance_model: {roofline: {calibration: h100.yaml}}"));
    let run = desk.ebbflow(&["run", "s.yaml", "--out", "run"]);
    assert_eq!(code(&run), 0, "{}", stderr(&run));
    assert_eq!(json(&desk.path("run/run.json"))["inputs"][0]["kind"], "calibration");
    std::fs::rename(desk.path("h100.yaml"), desk.path("run/h100.yaml")).unwrap();
    let again = desk.ebbflow(&["rerun", "run"]);
    assert_eq!(code(&again), 0, "{}{}", stdout(&again), stderr(&again));
    // A finished run can be looked at without it.
    std::fs::rename(desk.path("run/h100.yaml"), desk.path("kept.yaml")).unwrap();
    let report = desk.ebbflow(&["report", "run"]);
    assert_eq!(code(&report), 0, "{}", stderr(&report));
    desk.write("run/h100.yaml", &calibration("H100", "vllm").replace("2.25", "2.26"));
    let changed = desk.ebbflow(&["rerun", "run"]);
    assert_eq!(code(&changed), 2);
    assert!(stderr(&changed).contains("the calibration has changed since the run"), "{}", stderr(&changed));
}

fn notes(scenario: &Scenario) -> String {
    scenario.notes.join("\n")
}

/// Tokens of KV cache of an instance of the only application.
fn kv_tokens(scenario: &Scenario) -> u64 {
    let (model, sku) = (&scenario.applications[0].model, &scenario.cluster.servers[0].sku);
    let StartState::WholeServers { instance, .. } = scenario.start_state else { panic!("not as written") };
    let roofline = deploy(model, &sku.gpu, instance).unwrap().unwrap();
    memory_of(&roofline, model, instance.engine).kv_tokens()
}

#[test]
fn an_instance_has_the_kv_cache_that_estimate_says() {
    let desk = Desk::new();
    for (sku, gpu, model, tensor, share) in [
        ("h100-80gb-x1", "H100", "Llama-3.1-8B", 1, "0.9"),
        ("h100-80gb-x1", "H100", "Llama-3.1-8B", 1, "0.95"),
        ("dgx-h200", "H200", "Qwen3-32B", 4, "0.5"),
    ] {
        let words = format!(
            "estimate --model {model} --gpu {gpu} --tp {tensor} --gpu-memory-utilization {share} --isl 100 \
             --osl 100 --format json"
        );
        let answer = desk.ebbflow(&words.split(' ').collect::<Vec<_>>());
        let answer: Value = serde_json::from_str(&stdout(&answer)).unwrap();
        let text = served(sku, model, tensor, "performance_model: roofline");
        let text = text
            .replace("instance_type: vllm", &format!("instance_type: vllm, gpu_memory_utilization: {share}"));
        let tokens = kv_tokens(&scenario(&text));
        assert_eq!(answer["kv_capacity_tokens"].as_u64(), Some(tokens), "{model} at {share}");
        assert_eq!(answer["gpu_memory_utilization"].to_string(), share);
    }
    // It serves a prompt that fills it, and none that is longer.
    let text = small("performance_model: roofline");
    let tokens = kv_tokens(&scenario(&text)) as u32;
    let results = run_trace(
        &text.replace("workload: {rate: 8, requests: 40, synthetic: {prompt: 800, output: 60}}", ""),
        &[(0.0, tokens - 64, 2), (0.0, tokens + 64, 2)],
    );
    assert_eq!(fate(application(&results), 0), Fate::Completed);
    assert_ne!(fate(application(&results), 1), Fate::Completed);
}

#[test]
fn too_few_gpus_are_answered_with_the_smallest_number_that_suffices() {
    let text = |tensor| served("dgx-h100", "Llama-3.1-70B", tensor, "performance_model: roofline");
    let refused = read(&text(2), &[]).unwrap_err().to_string();
    assert!(refused.contains("the smallest tensor parallelism that fits is 4"), "{refused}");
    assert!(refused.contains("start_state.instance.tensor_parallelism"), "{refused}");
    scenario(&text(4));
}

/// Of a small model with grouped heads.
const CONFIG: &str = r#"{"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 2048,
 "intermediate_size": 8192, "num_hidden_layers": 16, "num_attention_heads": 32, "num_key_value_heads": 8,
 "head_dim": 64, "vocab_size": 128256, "tie_word_embeddings": true, "torch_dtype": "bfloat16"}"#;

#[test]
fn a_models_own_config_is_served_and_its_resolved_scenario_needs_no_file() {
    let desk = Desk::new();
    desk.write("config.json", CONFIG);
    let path = desk.path("config.json").display().to_string();
    let model = format!("{{name: mine, config: {path:?}, precision: fp8}}");
    let first = scenario(&served("h100-80gb-x1", &model, 1, "performance_model: roofline"));
    let spec = &first.applications[0].model;
    assert_eq!((spec.name.as_str(), spec.layers), ("mine", 16));
    // Keys and values of 8 heads of 64 numbers in 16 bits, on 16 layers.
    assert_eq!(spec.kv_bytes_per_token, 2 * 8 * 64 * 2 * 16);
    std::fs::remove_file(desk.path("config.json")).unwrap();
    let again = scenario(&first.resolved);
    assert_eq!(first.resolved, again.resolved);
    let again = &again.applications[0].model;
    assert_eq!((&spec.name, spec.weights_bytes), (&again.name, again.weights_bytes));
}

#[test]
fn resolved_scenarios_of_today_load_to_the_same() {
    let desk = Desk::new();
    for text in [
        small("performance_model: {roofline: {backend: sglang, precision: fp8, kv_dtype: fp8}}"),
        served("dgx-b200", "gpt-oss-120b", 1, "performance_model: {roofline: {backend: trtllm}}"),
        calibrated(&desk, &calibration("H100", "vllm"), ", constants: {host_ms: 1}"),
    ] {
        let first = scenario(&text);
        let again = scenario(&first.resolved);
        assert_eq!(first.resolved, again.resolved);
        assert_eq!(first.performance, again.performance);
    }
}

/// Of a small model with latent attention.
const LATENT: &str = "{model_type: deepseek_v2, hidden_size: 2048, num_hidden_layers: 27, vocab_size: 102400, \
    num_attention_heads: 16, intermediate_size: 10944, kv_lora_rank: 512, qk_rope_head_dim: 64, qk_nope_head_dim: 128, \
    v_head_dim: 128}";

#[test]
fn what_was_never_measured_brings_a_note() {
    let mi300x = scenario(&served("mi300x-192gb-x8", "Llama-3.1-8B", 1, "performance_model: roofline"));
    assert!(notes(&mi300x).contains("of MI300X only the data sheet is known"), "{}", notes(&mi300x));
    let latent =
        scenario(&served("dgx-b200", &format!("{{config: {LATENT}}}"), 8, "performance_model: roofline"));
    assert!(notes(&latent).contains("latent attention"), "{}", notes(&latent));
    let measured = scenario(&small("performance_model: roofline"));
    assert!(!notes(&measured).contains("data sheet"), "{}", notes(&measured));
}

/// H100's data sheet, with the shares that its 16-bit kernels reach.
const SHEET: &str = "memory_gb: 80\nbandwidth_gb_s: 3350\nbf16_tflops: 989\nlink_gb_s: 450\ncompute_share: 0.80\n\
    memory_share: 0.85\nprefill_attention_share: 0.54\ndecode_attention_share: 0.86\n";

/// Servers with one GPU of one's own.
fn on_own(gpu: &str) -> String {
    small("performance_model: roofline").replace(
        "cluster: {servers: [{sku: h100-80gb-x1, count: 4}]}",
        &format!("cluster: {{gpus: [{gpu}], skus: [{{name: own, gpu: mine, gpus: 1}}], servers: [{{sku: own, count: 4}}]}}"),
    )
}

fn inline() -> String {
    format!("{{name: mine, {}}}", SHEET.trim_end().replace('\n', ", "))
}

/// When every request had its tokens.
fn journals(text: &str) -> String {
    let results = run(text);
    let ended = application(&results).requests.iter();
    let span = |leg: Option<Leg>| leg.map(|leg| (leg.start, leg.end));
    let legs = ended.map(|ended| [&ended.request.journal.prefill, &ended.request.journal.decode]);
    legs.map(|legs| format!("{:?}\n", legs.map(|leg| span(*leg)))).collect()
}

#[test]
fn a_gpu_with_the_figures_of_a_known_one_has_its_times() {
    let desk = Desk::new();
    desk.write("sheet.yaml", &format!("name: H100 again\n{SHEET}"));
    let file = format!("{{name: mine, file: {:?}}}", desk.path("sheet.yaml").display().to_string());
    let known = journals(&small("performance_model: roofline"));
    assert_eq!(journals(&on_own(&inline())), known);
    assert_eq!(journals(&on_own(&file)), known);
    assert_ne!(journals(&on_own(&inline().replace("3350", "3300"))), known);
    // A resolved scenario has the figures, wherever they came from.
    let first = scenario(&on_own(&file));
    std::fs::remove_file(desk.path("sheet.yaml")).unwrap();
    let again = scenario(&first.resolved);
    assert_eq!(first.resolved, again.resolved);
    assert_eq!(first.cluster.servers[0].sku, again.cluster.servers[0].sku);
    assert!(notes(&first).contains("of mine only the data sheet is known"), "{}", notes(&first));
}

#[test]
fn what_is_wrong_with_a_gpu_is_shown_where_it_stands() {
    let refused = |gpu: &str| read(&on_own(gpu), &[]).unwrap_err().to_string();
    let unknown = refused(&inline().replace("bf16_tflops", "fp16_tflops"));
    assert!(
        unknown.contains("unknown key `fp16_tflops`") && unknown.contains("did you mean `bf16_tflops`"),
        "{unknown}"
    );
    assert!(unknown.contains("`bf16_tflops` is missing"), "{unknown}");
    let share = refused(&inline().replace("0.54", "54"));
    assert!(
        share.contains("test.yaml:1:") && share.contains("a share of the peak, at most 1, found `54`"),
        "{share}"
    );
    let known = refused(&inline().replace("name: mine", "name: h100-80gb"));
    assert!(known.contains("there is already a GPU `h100-80gb`"), "{known}");
    let desk = Desk::new();
    desk.write("sheet.yaml", &format!("name: mine\n{}", SHEET.replace("bf16_tflops", "fp16_tflops")));
    desk.write("s.yaml", &on_own("{file: sheet.yaml}"));
    let check = stderr(&desk.ebbflow(&["check", "s.yaml"]));
    assert!(check.contains("the data sheet cannot be used"), "{check}");
    assert!(check.contains("sheet.yaml:4") && check.contains("unknown key `fp16_tflops`"), "{check}");
}

const LINES: &str = "performance_model: {pwl: {prompt: [[1, 0.01], [1000, 0.1]], token: [[1, 0.02], [101, 0.04]], \
    per_context_token_s: 1e-6}}";

#[test]
fn times_are_drawn_through_knots_of_ones_own() {
    let text =
        small(LINES).replace("workload: {rate: 8, requests: 40, synthetic: {prompt: 800, output: 60}}", "");
    let results = run_trace(&text, &[(0.0, 1000, 3)]);
    let journal = &request(application(&results), 0).journal;
    // A prompt of 1000 tokens, and then tokens with contexts of 1001 and 1002.
    let decodes = 2.0 * 0.02 + 2003.0 * 1e-6;
    let end = |leg: Option<Leg>| leg.unwrap().end.unwrap();
    let span = end(journal.decode) - end(journal.prefill);
    assert!((span.as_secs_f64() - decodes).abs() < 2e-9, "{span}");
    let first = scenario(&small(LINES));
    assert_eq!(first.performance, scenario(&first.resolved).performance);
    // Every engine takes them.
    let orca = small(LINES).replace("instance_type: vllm", "instance_type: ORCA");
    assert!(application(&run(&orca)).requests.iter().all(|ended| ended.fate == Fate::Completed));
}

#[test]
fn knots_that_are_no_curve_are_marked() {
    for (right, wrong, says) in [
        ("[101, 0.04]", "[1, 0.04]", "performance_model.pwl.token.1: 1 sequences after 1; expected more"),
        ("[1000, 0.1]", "[1000, -0.1]", "performance_model.pwl.prompt.1: [1000, -0.1] is no knot"),
        ("[1000, 0.1]", "[1000]", "performance_model.pwl.prompt.1: expected a knot"),
        ("[[1, 0.02], [101, 0.04]]", "[]", "performance_model.pwl.token: expected at least one knot"),
        ("1e-6", "1", "performance_model.pwl.per_context_token_s: it is 1 s; expected a time"),
        (", per_context_token_s", ", per_context_s", "unknown key `per_context_s`"),
    ] {
        assert!(LINES.contains(right), "{right}");
        let errors = read(&small(&LINES.replace(right, wrong)), &[]).unwrap_err().to_string();
        assert!(errors.contains(says), "{errors}");
    }
    let bare = read(&small("performance_model: pwl"), &[]).unwrap_err().to_string();
    assert!(bare.contains("`pwl` needs its knots"), "{bare}");
}
