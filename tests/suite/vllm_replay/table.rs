//! `docs/replays.md`.

use std::fmt::Write;

use ebbflow::replay::{Metric, Quantity};

use super::runs::Judged;
use super::{ALONE, CALIBRATED};

const HEAD: &str = "\
# Measured runs of vLLM, replayed

How far the engine `vllm` under the performance model `roofline` is from requests that vLLM 0.19 really served. The
runs are those that LLMServingSim publishes (casys-kaist/LLMServingSim at 5daddb2, `bench/examples`, MIT): 300 requests
of ShareGPT's lengths, ten a second, with the moments at which the engine queued each and sent its first and last
tokens. The same requests arrive at the same moments in the simulation.

*Constants alone*: the engine's built-in constants, which were fitted to other models on other GPUs, over all requests.
*Calibrated*: constants fitted as `ebbflow calibrate` does, to one run of the GPU; judged over the requests of that run
that were held back (every fifth of 25 blocks in time), and over all requests of other runs. Both are relative errors,
positive where the simulation takes too long. The promise is 15 % on constants alone and 5 % calibrated, for means and
99th percentiles; medians are shown, not promised.

Not blind: one built-in constant, vLLM's time a sequence, was chosen among published values with these runs in sight
(`src/performance/roofline/backend.rs` says why and what it costs elsewhere), and the kernels of the RTX 4090 are fitted
to a profile by the authors of these runs. Not shown, since none was at hand when this was written: runs with data
parallelism, and runs with tensor parallelism over PCIe. There the time of an all-reduce decides, and that of the RTX PRO 6000 is taken from what others found replaying such a run (`src/performance/roofline/gpus.rs`).

`EBBFLOW_RENEW=1 cargo test --test suite vllm_replay` writes this file.
";

/// All of it.
pub fn document(runs: &[Judged]) -> String {
    let sections: Vec<String> = runs.iter().map(section).collect();
    format!("{HEAD}\n{}", sections.join("\n"))
}

/// What a run's section begins with.
pub fn headline(run: &Judged) -> String {
    format!("## {}\n", run.name())
}

/// What is said of a run.
pub fn section(judged: &Judged) -> String {
    let setup = &judged.run.setup;
    let fitted = judged.fitted;
    let mut text = headline(judged);
    let _ = writeln!(
        text,
        "\n{} requests, tensor parallelism {}, max_num_batched_tokens {}, max_num_seqs {}, KV cache of {} tokens;\n\
         {} preemptions on constants alone, {} calibrated.\n\nCalibrated on {}: host {:.2} ms, {:.1} µs a sequence,\n\
         prefill factor {:.3}, decode factor {:.3}.\n",
        judged.run.log.len(),
        setup.roofline.deployment().parallelism.tensor,
        setup.settings.max_num_batched_tokens,
        setup.settings.max_num_seqs,
        setup.kv_tokens,
        judged.alone.preemptions,
        judged.calibrated.preemptions,
        if judged.is_own() {
            "this run, judged by what was held back".to_owned()
        } else {
            judged.calibrated_on.clone()
        },
        fitted.host_ms,
        fitted.per_sequence_us,
        fitted.prefill_factor,
        fitted.decode_factor,
    );
    let rows: String = Metric::all().map(|metric| row(judged, metric)).collect();
    format!(
        "{text}| metric | measured | constants alone | error | calibrated, error |\n|---|---:|---:|---:|---:|\n{rows}"
    )
}

fn row(judged: &Judged, metric: Metric) -> String {
    let (measured, simulated) = judged.compare(metric);
    let shown = |seconds: f64| match metric.quantity {
        Quantity::Tpot => format!("{:.2} ms", seconds * 1e3),
        _ => format!("{seconds:.2} s"),
    };
    let promised = super::held().any(|held| held == metric);
    let error = |error: f64, bound: f64| {
        let miss = if promised && error.abs() > bound { " **missed**" } else { "" };
        format!("{:+.1} %{miss}", 100.0 * error)
    };
    let (alone, calibrated) =
        (error(judged.alone(metric), ALONE), error(judged.calibrated(metric), CALIBRATED));
    format!("| {metric} | {} | {} | {alone} | {calibrated} |\n", shown(measured), shown(simulated))
}
