//! Measured runs of vLLM are repeated by the engine `vllm` under the roofline, request by request.
//!
//! The runs are those LLMServingSim publishes (casys-kaist/LLMServingSim, `bench/examples`, MIT): some 300 requests
//! each, with the moments at which vLLM 0.19 queued them and sent their first and last tokens; every run that lies
//! beside the checkout is judged. What comes of it stands in `docs/replays.md`; after a change of constants or
//! engine `EBBFLOW_RENEW=1 cargo test --test suite vllm_replay` writes it anew.

mod runs;
mod table;

use std::path::PathBuf;
use std::sync::OnceLock;

use ebbflow::replay::{Metric, Statistic};

use runs::{Judged, judged};

/// What mean and 99th percentile may be off by: on built-in constants, and once calibrated on a run of the GPU.
const ALONE: f64 = 0.15;
const CALIBRATED: f64 = 0.05;

/// Every run, judged once for all tests.
fn all() -> &'static [Judged] {
    static ALL: OnceLock<Vec<Judged>> = OnceLock::new();
    ALL.get_or_init(judged)
}

/// The runs that are held; those of engines in step, of which none was at hand, are printed only.
fn held_runs() -> impl Iterator<Item = &'static Judged> {
    all().iter().filter(|run| run.run.setup.roofline.deployment().parallelism.data == 1)
}

/// The metrics that are held; medians are not.
fn held() -> impl Iterator<Item = Metric> {
    Metric::all().filter(|metric| metric.statistic != Statistic::P50)
}

#[test]
fn built_in_constants_repeat_every_run_within_15_percent() {
    for run in held_runs() {
        for metric in held() {
            let error = run.alone(metric);
            assert!(error.abs() <= ALONE, "{}: {metric} is off by {:+.1} %", run.name(), 100.0 * error);
        }
    }
}

#[test]
fn calibrated_on_one_run_of_the_gpu_every_run_is_repeated_within_5_percent() {
    for run in held_runs() {
        for metric in held() {
            let error = run.calibrated(metric);
            assert!(error.abs() <= CALIBRATED, "{}: {metric} is off by {:+.1} %", run.name(), 100.0 * error);
        }
    }
}

#[test]
fn the_committed_table_is_that_of_the_replays() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/replays.md");
    if all().is_empty() {
        return;
    }
    if std::env::var_os("EBBFLOW_RENEW").is_some() {
        std::fs::write(&path, table::document(all())).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap();
    for run in all() {
        let section = table::section(run);
        println!("{section}");
        // A run that nobody had when the table was written is judged all the same.
        let known = committed.contains(&table::headline(run));
        assert!(!known || committed.contains(&section), "renew docs/replays.md; it should say\n{section}");
    }
}
