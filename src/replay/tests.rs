//! Logs are read, requests asked again, and constants found back.

use std::path::Path;

use super::*;
use crate::instance::continuous::Settings;
use crate::models::{self, Precision};
use crate::performance::calibration::Fitted;
use crate::performance::roofline::{
    Backend, Deployment, IterationSums, Parallelism, PrefillChunk, Roofline, find_gpu,
};

fn setup() -> Setup {
    let roofline = Roofline::new(Deployment {
        model: models::find("Llama-3.1-8B").unwrap(),
        gpu: find_gpu("H100").unwrap(),
        backend: Backend::Vllm,
        parallelism: Parallelism::tensor(1),
        precision: Precision::Bf16,
        cache: None,
    });
    let settings = Settings { max_num_batched_tokens: 2048, max_num_seqs: 48, ..Settings::default() };
    Setup { roofline: roofline.unwrap(), settings, kv_tokens: 60_000 }
}

/// A log of so many requests with prompts and answers of many lengths, measured under these constants: the first half
/// comes slowly, the second faster than it can be served.
fn simulated(fitted: Fitted, count: u32) -> Log {
    let mut arrival_s = 0.0;
    let request = |nth: u32| {
        arrival_s += if nth < count / 2 { 0.25 } else { 0.02 };
        let (prompt_tokens, output_tokens) = (60 + (nth * 977) % 1900, 8 + (nth * 331) % 180);
        Measured { arrival_s, prompt_tokens, output_tokens, latency: Partial::default() }
    };
    let mut log = Log::new((0..count).map(request).collect());
    let replayed = setup().with(fitted).replay(&log).unwrap();
    let latency = |&Latency { ttft_s, tpot_s, e2e_s }: &Latency| Partial {
        ttft_s: Some(ttft_s),
        tpot_s: Some(tpot_s),
        e2e_s: Some(e2e_s),
    };
    let measured = log.requests().iter().zip(&replayed.latencies);
    let measured =
        measured.map(|(request, times)| Measured { latency: latency(times), ..request.clone() }).collect();
    log = Log::new(measured);
    log
}

/// Seconds of: a decode alone, a full batch of decodes with long contexts, a whole prompt.
fn iterations(fitted: Fitted) -> [f64; 3] {
    let roofline = setup().with(fitted).roofline;
    let seconds = |chunks: &[PrefillChunk], contexts: &[u64]| {
        roofline.iteration_ns(&IterationSums::of(chunks, contexts, roofline.window())) as f64 * 1e-9
    };
    [
        seconds(&[], &[200]),
        seconds(&[], &[1200; 48]),
        seconds(&[PrefillChunk { tokens: 1800, context: 0 }], &[600; 20]),
    ]
}

#[test]
fn the_constants_that_made_a_log_are_found_back() {
    let truth = Fitted { host_ms: 3.8, per_sequence_us: 44.0, prefill_factor: 1.42, decode_factor: 0.88 };
    let report = calibrate(&setup(), &simulated(truth, 150), |_, _| {}).unwrap();
    // Host time, time a sequence and the time of reading weights make up for each other: what they come to is found.
    for (found, truth) in iterations(report.fitted).into_iter().zip(iterations(truth)) {
        assert!((found / truth - 1.0).abs() <= 0.02, "{found} s instead of {truth} s");
    }
    let found = report.fitted.prefill_factor;
    assert!((found / truth.prefill_factor - 1.0).abs() <= 0.10, "{found}");
    let worst = |errors: [f64; 2]| errors[0].abs().max(errors[1].abs());
    assert_eq!(report.counts, [120, 30]);
    for metric in &report.metrics {
        assert!(worst(metric.after) <= 0.03, "{}: {:?}", metric.metric, metric.after);
    }
    assert!(report.metrics.iter().any(|metric| worst(metric.before) > 0.10));
}

#[test]
fn what_a_log_does_not_say_stays_as_it_is_built_in() {
    // Answers of one token each, one at a time: nothing is said of sequences.
    let request = |nth: u32| Measured {
        arrival_s: f64::from(nth),
        prompt_tokens: 200 + nth * 50,
        output_tokens: 1,
        latency: Partial::default(),
    };
    let log = Log::new((0..30).map(request).collect());
    let replayed = setup().replay(&log).unwrap();
    let measured = log.requests().iter().zip(&replayed.latencies).map(|(request, times)| {
        let latency = Partial { ttft_s: Some(times.ttft_s), ..Partial::default() };
        Measured { latency: latency.completed(1), ..request.clone() }
    });
    let report = calibrate(&setup(), &Log::new(measured.collect()), |_, _| {}).unwrap();
    let (found, built_in) = (report.fitted, setup().fitted());
    assert!((found.per_sequence_us / built_in.per_sequence_us - 1.0).abs() < 0.05, "{found:?}");
}

#[test]
fn a_log_that_is_too_short_or_does_not_fit_is_refused() {
    let short = simulated(setup().fitted(), 10);
    let error = calibrate(&setup(), &short, |_, _| {}).unwrap_err().to_string();
    assert!(error.contains("holds 10 requests"), "{error}");
    let small = Setup { kv_tokens: 256, ..setup() };
    let error = small.replay(&short).unwrap_err().to_string();
    assert!(error.contains("a KV cache of 256 tokens never holds it"), "{error}");
}

fn parse(text: &str) -> Result<Log, LogError> {
    Log::parse(Path::new("log"), text, false)
}

#[test]
fn a_log_is_read_whatever_its_columns_are_called() {
    let own = "arrival_s,prompt_tokens,output_tokens,ttft_ms,tpot_ms\n2,100,11,50,10\n1.5,7,1,40,\n";
    let theirs = r#"{"id": "a", "input_toks": 100, "output_toks": 11, "arrival_time": 9, "queued_ts": 70.5,
        "first_token_ts": 70.55, "last_token_ts": 70.65}"#;
    let theirs = theirs.replace('\n', " ")
        + "\n"
        + r#"{"input_toks": 7, "output_toks": 1, "queued_ts": 70, "first_token_ts": 70.04, "last_token_ts": 70.04}"#;
    for text in [own, &theirs] {
        let log = parse(text).unwrap();
        let [short, long] = log.requests() else { panic!("{log:?}") };
        assert_eq!((short.arrival_s, short.prompt_tokens, short.output_tokens), (0.0, 7, 1));
        assert_eq!((long.arrival_s, long.prompt_tokens, long.output_tokens), (0.5, 100, 11));
        let close = |found: Option<f64>, expected: f64| (found.unwrap() - expected).abs() < 1e-9;
        assert!(close(short.latency.ttft_s, 0.04) && close(short.latency.e2e_s, 0.04), "{short:?}");
        assert_eq!(short.latency.tpot_s, None);
        assert!(close(long.latency.ttft_s, 0.05) && close(long.latency.tpot_s, 0.01), "{long:?}");
        assert!(close(long.latency.e2e_s, 0.15), "{long:?}");
    }
}

#[test]
fn bad_logs_say_what_is_wrong_and_where() {
    for (text, says) in [
        ("", "log: the log holds no requests"),
        ("arrival_s,prompt_tokens,output_tokens,e2e_s\n", "log: the log holds no requests"),
        (
            "arrivals,prompt_tokens,output_tokens,e2e_s\n",
            "log:1:1: the log says no arrivals; did you mean `arrival_s`",
        ),
        (
            "arrival_s,prompt_tokens,e2e_s\n",
            "log:1:1: the log says no lengths of answers; expected one of `output_",
        ),
        (
            "arrival_s,prompt_tokens,output_tokens\n",
            "the log says no times of requests; expected one of `ttft_s`",
        ),
        (
            "arrival_s,prompt_tokens,output_tokens,e2e_s\n1,2,x,4\n",
            "log:2:5: output_tokens is `x`; expected a whole",
        ),
        ("arrival_s,prompt_tokens,output_tokens,e2e_s\n1,2,1.5,4\n", "log:2:5: output_tokens is `1.5`"),
        ("arrival_s,prompt_tokens,output_tokens,e2e_s\n\n1,0,3,4\n", "log:3:3: prompt_tokens is `0`"),
        (
            "arrival_s,prompt_tokens,output_tokens,e2e_s\n1,2,3,-4\n",
            "log:2:7: e2e_s is `-4`; expected a number, at",
        ),
        ("arrival_s,prompt_tokens,output_tokens,e2e_s\n1,2\n", "log:2:4: output_tokens is missing"),
        (
            "arrival_s,prompt_tokens,output_tokens,last_token_s\n5,2,3,4\n",
            "log:2:7: last_token_s is `4`; expected a m",
        ),
        (
            "{\"arrival_s\": 1, \"prompt_tokens\": 2, \"output_tokens\": 3, \"e2e_s\": 4}\n{]",
            "log:2:2: the line is no JSON",
        ),
        (
            "{\"arrival_s\": 1, \"prompt_tokens\": -2, \"output_tokens\": 3, \"e2e_s\": 4}",
            "log:1:35: prompt_tokens is `-2`",
        ),
    ] {
        let error = parse(text).unwrap_err();
        assert!(
            error.to_string().starts_with(says) || error.to_string().contains(says),
            "{error}\nfor {text}"
        );
        assert!(!error.findings().list.is_empty());
    }
    let bad = "arrival_s,prompt_tokens,output_tokens,e2e_s\n1,2,3,4\n1,2,x,4\n";
    assert_eq!(Log::parse(Path::new("log"), bad, true).unwrap().len(), 1);
}
