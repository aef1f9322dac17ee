//! `ebbflow estimate` as a user meets it.

use serde_json::Value;

use crate::support::desk::{Desk, code, stderr, stdout};

const HEADER: &str = "model,gpu,engine,precision,tensor_parallel,isl,osl,concurrency";

fn estimate(desk: &Desk, words: &str) -> std::process::Output {
    let words: Vec<&str> = std::iter::once("estimate").chain(words.split_whitespace()).collect();
    desk.ebbflow(&words)
}

#[test]
fn a_point_says_whether_it_fits_how_fast_it_is_and_where_the_time_goes() {
    let desk = Desk::new();
    let words =
        "--model Llama-3.1-70B --gpu H100 --precision fp8 --tp 2 --isl 1024 --osl 256 --concurrency 16";
    let text = estimate(&desk, words);
    assert_eq!(code(&text), 0, "{}", stderr(&text));
    for part in ["fits        yes", "KV cache holds", "TTFT", "TPOT", "a GPU", "feed_forward", "host"] {
        assert!(stdout(&text).contains(part), "{part} is missing in\n{}", stdout(&text));
    }
    let json: Value =
        serde_json::from_str(&stdout(&estimate(&desk, &format!("{words} --format json")))).unwrap();
    let shares: f64 = json["shares"].as_object().unwrap().values().map(|share| share.as_f64().unwrap()).sum();
    assert!((shares - 1.0).abs() < 1e-9);
    assert_eq!((json["fits"].as_bool(), json["running"].as_u64()), (Some(true), Some(16)));
    let of = |name: &str| json[name].as_f64().unwrap();
    assert!(of("tpot_ms") > 10.0 && of("tpot_ms") < 40.0 && of("ttft_ms") > of("tpot_ms"), "{json}");
    assert!((of("output_tokens_per_s") / of("output_tokens_per_s_per_gpu") - 2.0).abs() < 1e-9);
}

#[test]
fn what_does_not_fit_says_why_and_is_no_error() {
    let desk = Desk::new();
    let run = estimate(&desk, "--model Llama-3.1-70B --gpu H100 --isl 100 --osl 100");
    assert_eq!(code(&run), 0, "{}", stderr(&run));
    assert!(stdout(&run).contains("fits        no: the weights take 141.1 GB and 1 GPU has room for"));
    assert!(!stdout(&run).contains("TPOT"));
}

#[test]
fn a_file_of_points_keeps_its_columns_and_gets_five_more() {
    let desk = Desk::new();
    let rows = "a,Qwen3-8B,H100,vllm,bf16,1,512,128,8\nb,Llama-3.1-405B,H100,vllm,bf16,1,512,128,8";
    desk.write("points.csv", &format!("id,{HEADER}\n{rows}\n"));
    let run = estimate(&desk, "points.csv --out answers.csv");
    assert_eq!((code(&run), stdout(&run).as_str()), (0, ""), "{}", stderr(&run));
    let mut reader = csv::Reader::from_path(desk.path("answers.csv")).unwrap();
    let added = "ttft_ms,tpot_ms,output_tokens_per_s,kv_capacity_tokens,fits";
    let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    assert_eq!(header.join(","), format!("id,{HEADER},{added}"));
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!((&rows[0][0], &rows[0][13]), ("a", "true"));
    assert!(rows[0][10].parse::<f64>().unwrap() > 0.0);
    assert_eq!((&rows[1][9], &rows[1][12], &rows[1][13]), ("", "0", "false"));
    // A file with answers may be asked again.
    let again = estimate(&desk, "answers.csv");
    let first = std::fs::read_to_string(desk.path("answers.csv")).unwrap();
    assert_eq!(stdout(&again), first);
}

#[test]
fn every_wrong_value_is_reported_with_line_and_column() {
    let desk = Desk::new();
    let rows = "Qwen3-8,H100,vllm,bf16,1,512,128,8\nQwen3-8B,H100,vllm,bf16,1,512,128,none\n";
    desk.write("points.csv", &format!("{HEADER}\n{rows}"));
    let run = estimate(&desk, "points.csv --out answers.csv");
    assert_eq!(code(&run), 2);
    let said = stderr(&run);
    assert!(said.contains("2 points of points.csv cannot be estimated"), "{said}");
    for (place, message) in [
        ("points.csv:2:1", "model: there is no built-in model `Qwen3-8` (did you"),
        ("points.csv:3:35", "concurrency: `none` is not accepted"),
    ] {
        assert!(said.contains(place) && said.contains(message), "{place}: {said}");
    }
    assert!(!desk.path("answers.csv").exists());
    desk.write("short.csv", "model,gpu\nQwen3-8B,H100\n");
    let said = stderr(&estimate(&desk, "short.csv"));
    assert!(said.contains("short.csv:1:1") && said.contains("model,gpu,engine,precision,"), "{said}");
}

#[test]
fn models_and_gpus_come_from_files_too() {
    let desk = Desk::new();
    desk.write(
        "config.json",
        r#"{"model_type": "nothing_known", "hidden_size": 4096, "num_hidden_layers": 32, "vocab_size": 128256,
            "num_attention_heads": 32, "num_key_value_heads": 8, "intermediate_size": 14336}"#,
    );
    desk.write(
        "gpu.yaml",
        "name: H20\nmemory_gb: 96\nbandwidth_gb_s: 4000\nbf16_tflops: 148\nfp8_tflops: 296\nlink_gb_s: 450\n",
    );
    let run = estimate(&desk, "--model config.json --gpu gpu.yaml --isl 1000 --osl 100 --concurrency 4");
    assert_eq!(code(&run), 0, "{}", stderr(&run));
    for part in ["× H20", "`nothing_known` is not among the validated kinds", "only the data sheet"] {
        assert!(stdout(&run).contains(part), "{part} is missing in\n{}", stdout(&run));
    }
    let missing = estimate(&desk, "--model none/config.json --gpu H100 --isl 1 --osl 1");
    assert_eq!(code(&missing), 2);
    assert!(stderr(&missing).contains("cannot read the model description none/config.json"));
}
