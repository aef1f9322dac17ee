//! `ebbflow calibrate` as a user meets it.

use std::fmt::Write;

use ebbflow::performance::calibration::Calibration;

use crate::support::desk::{Desk, code, stderr, stdout};

const WORDS: &str = "calibrate --model Llama-3.1-8B --gpu H100 --max-num-seqs 16 --kv-tokens 50000";

fn calibrate(desk: &Desk, rest: &str) -> std::process::Output {
    let words: Vec<&str> = WORDS.split_whitespace().chain(rest.split_whitespace()).collect();
    desk.ebbflow(&words)
}

/// A log of an engine that is slower than the built-in one.
fn log(requests: u32) -> String {
    let mut log = "arrival_s,prompt_tokens,output_tokens,ttft_ms,tpot_ms\n".to_owned();
    for nth in 0..requests {
        let (prompt, output) = (50 + 37 * (nth % 11), 5 + nth % 9);
        let _ = writeln!(log, "{},{prompt},{output},{},11.5", f64::from(nth) * 0.3, 14 + prompt / 40);
    }
    log
}

#[test]
fn a_log_gives_constants_with_errors_before_and_after_and_a_file_that_is_read_back() {
    let desk = Desk::new();
    desk.write("requests.csv", &log(100));
    let run = calibrate(&desk, "--log requests.csv --output constants.yaml");
    assert_eq!(code(&run), 0, "{}", stderr(&run));
    for part in ["80 fitted to and 20 held back", "host_ms", "decode_factor", "TPOT mean", "constants.yaml"] {
        assert!(stdout(&run).contains(part), "{part} is missing in\n{}", stdout(&run));
    }
    let calibration = Calibration::read(&desk.path("constants.yaml")).unwrap();
    let provenance = &calibration.provenance;
    assert_eq!((calibration.gpu.as_str(), calibration.model.as_str()), ("H100", "Llama-3.1-8B"));
    assert_eq!(
        (provenance.log.as_str(), provenance.requests, provenance.held_back),
        ("requests.csv", 100, 20)
    );
    assert_eq!((provenance.max_num_seqs, provenance.kv_tokens), (16, 50_000));
    let tpot = provenance.errors.iter().find(|errors| errors.metric == "TPOT mean").unwrap();
    assert!(tpot.before_pct.held_back.abs() > 10.0 && tpot.after_pct.held_back.abs() < 5.0, "{tpot:?}");
    // No dates, no folders: the same log gives the same file.
    let before = std::fs::read_to_string(desk.path("constants.yaml")).unwrap();
    calibrate(&desk, "--log requests.csv --output constants.yaml");
    assert_eq!(std::fs::read_to_string(desk.path("constants.yaml")).unwrap(), before);
}

#[test]
fn what_makes_no_sense_is_shown_where_it_stands() {
    let desk = Desk::new();
    desk.write("bad.csv", "arrival_s,prompt_tokens,output_tokens,e2e_s\n1,2,x,4\n");
    desk.write("short.csv", &log(5));
    for (rest, says) in [
        ("--log bad.csv", "bad.csv:2:5"),
        ("--log bad.csv", "output_tokens is `x`"),
        ("--log nowhere.csv", "cannot read the log nowhere.csv"),
        ("--log short.csv", "the log holds 5 requests"),
        ("--log short.csv --engine vlm", "there is no engine `vlm`"),
        ("--log short.csv --tensor-parallel 3", "32 heads"),
    ] {
        let run = calibrate(&desk, rest);
        assert_eq!(code(&run), 2, "{rest}: {}", stderr(&run));
        assert!(stderr(&run).contains(says), "{rest}: {}", stderr(&run));
    }
}
