//! The outcome of a fit, for people.

use std::fmt::Write;
use std::path::Path;

use crate::performance::calibration::Fitted;
use crate::replay::{Log, MetricReport, Report, Setup};

/// A few lines.
pub fn of(setup: &Setup, log: &Log, report: &Report, output: Option<&Path>) -> String {
    let deployment = setup.roofline.deployment();
    let [fitted, held_back] = report.counts;
    let mut text = format!(
        "{} in {} on {} × {} under {}: {} requests, {fitted} fitted to and {held_back} held back\n",
        deployment.model.name,
        setup.roofline.weights(),
        deployment.parallelism.gpus(),
        deployment.gpu.name,
        deployment.backend,
        log.len(),
    );
    let _ = writeln!(
        text,
        "max_num_batched_tokens {}, max_num_seqs {}, KV cache of {} tokens; preemptions {} before, {} after\n",
        setup.settings.max_num_batched_tokens,
        setup.settings.max_num_seqs,
        setup.kv_tokens,
        report.preemptions[0],
        report.preemptions[1],
    );
    constants(&mut text, setup.fitted(), report.fitted);
    text.push_str("\nerror        fitted to: before    after   held back: before    after\n");
    for MetricReport { metric, before, after } in &report.metrics {
        let [fitted, held] = [0, 1].map(|part| (100.0 * before[part], 100.0 * after[part]));
        let _ = writeln!(
            text,
            "{metric:10} {:+16.1} % {:+6.1} % {:+19.1} % {:+6.1} %",
            fitted.0, fitted.1, held.0, held.1
        );
    }
    if let Some(path) = output {
        let file = path.display();
        let _ = write!(text, "\nwritten to {file}; a scenario includes it by\n");
        let _ = writeln!(text, "  performance_model: {{roofline: {{calibration: {file}}}}}");
    }
    text
}

fn constants(text: &mut String, before: Fitted, after: Fitted) {
    text.push_str("constant            before    after\n");
    for (name, before, after, digits) in [
        ("host_ms", before.host_ms, after.host_ms, 3),
        ("per_sequence_us", before.per_sequence_us, after.per_sequence_us, 1),
        ("prefill_factor", before.prefill_factor, after.prefill_factor, 3),
        ("decode_factor", before.decode_factor, after.decode_factor, 3),
    ] {
        let _ = writeln!(text, "{name:16} {before:9.digits$} {after:8.digits$}");
    }
}
