//! What the page of a run is given: one JSON object, small however long the run.
//!
//! Tables are columns, because names of fields would outweigh the fields. What may grow with the run is cut
//! at a stated number of rows, those that tell most first, beside the number there are. Leaves out wall-clock
//! time: equal digests give equal pages.

mod distributions;
mod engines;
mod fleet;
mod scaling;
mod slowest;

use serde::Serialize;
use serde_json::{Value, json};

use super::series::{Pools, Rounded, Series};
use super::{Causes, FinishedRun};
use distributions::Distributions;
use engines::Engines;
use fleet::{Instances, Servers};
use scaling::{Actions, Decisions, Events, Log};
use slowest::Journey;

/// Everything the page of a run shows.
#[derive(Debug, Serialize)]
pub struct RunData {
    kind: &'static str,
    version: &'static str,
    name: String,
    seed: u64,
    digest: String,
    incomplete: Option<String>,
    simulated_s: Rounded,
    events_handled: u64,
    notes: Value,
    totals: Value,
    slo: Value,
    classes: Vec<Value>,
    classes_total: usize,
    engines: Engines,
    pools: Vec<String>,
    series: Series,
    servers: Servers,
    skus: Vec<String>,
    instances: Instances,
    instances_total: usize,
    decisions: Decisions,
    decisions_total: usize,
    actions: Actions,
    log: Log,
    log_total: usize,
    events: Events,
    events_total: usize,
    slowest: Vec<Journey>,
    distributions: Distributions,
}

/// Classes at most: requests of a trace may name any.
const CLASSES: usize = 200;

/// The members of `run.json` that sum a run up.
const TOTALS: [&str; 14] = [
    "requests",
    "prompt_tokens",
    "output_tokens",
    "ttft_s",
    "tbt_s",
    "tpot_s",
    "longest_gap_s",
    "engine",
    "e2e_s",
    "queue_s",
    "instance_seconds",
    "gpu_seconds",
    "cost",
    "scaling",
];

impl RunData {
    /// Gathers it.
    pub fn of(run: &FinishedRun) -> Self {
        let (pools, causes, results) = (Pools::of(run), Causes::of(run), &run.results);
        let skus = fleet::skus(run);
        let (instances, instances_total) = Instances::of(run, &pools, &skus, &causes);
        let (decisions, decisions_total) = Decisions::of(run, &pools);
        let (log, log_total) = Log::of(run);
        let (events, events_total) = Events::of(run);
        let classes = run.summary["classes"].as_array().map(Vec::as_slice).unwrap_or_default();
        RunData {
            kind: "run",
            version: env!("CARGO_PKG_VERSION"),
            name: run.name().to_owned(),
            seed: run.scenario.seed,
            digest: results.digest.to_string(),
            incomplete: results.incomplete.as_ref().map(ToString::to_string),
            simulated_s: Rounded(results.end.as_secs_f64()),
            events_handled: results.stats.events,
            notes: run.summary["notes"].clone(),
            totals: TOTALS.iter().map(|key| ((*key).to_owned(), run.summary[key].clone())).collect(),
            slo: slo(run),
            classes: classes.iter().take(CLASSES).cloned().collect(),
            classes_total: classes.len(),
            engines: Engines::of(run, &pools),
            series: Series::of(run, &pools),
            servers: Servers::of(run, &skus),
            pools: pools.names(),
            skus,
            instances,
            instances_total,
            decisions,
            decisions_total,
            actions: Actions::of(run),
            log,
            log_total,
            events,
            events_total,
            slowest: slowest::of(run),
            distributions: Distributions::of(run),
        }
    }

    /// As JSON text in one line.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("page data hold only strings and numbers")
    }
}

/// The judgement of `run.json`, with what each objective is about as words of their own.
fn slo(run: &FinishedRun) -> Value {
    let mut slo = run.summary["slo"].clone();
    let (Some(objectives), Some(stated)) = (slo["objectives"].as_array_mut(), &run.scenario.slo) else {
        return Value::Null;
    };
    for (verdict, objective) in objectives.iter_mut().zip(stated.objectives()) {
        verdict["kind"] = json!(objective.latency.to_string());
        verdict["statistic"] = json!(objective.statistic.to_string());
    }
    slo
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    fn data(overrides: &[&str]) -> Value {
        serde_json::from_str(&RunData::of(&samples::run(overrides)).to_json()).unwrap()
    }

    fn sum(values: &Value) -> f64 {
        values.as_array().unwrap().iter().filter_map(Value::as_f64).sum()
    }

    #[test]
    fn what_is_drawn_adds_up_to_the_totals() {
        let data = data(&[]);
        let (series, totals) = (&data["series"], &data["totals"]);
        let width_s = series["width_s"].as_f64().unwrap();
        let near = |found: f64, expected: f64, what: &str| {
            assert!((found - expected).abs() <= 1e-3 * expected.max(1.0), "{what}: {found} for {expected}");
        };
        let total = |path: &str| totals.pointer(path).unwrap().as_f64().unwrap();
        near(sum(&series["arrived_per_s"]) * width_s, total("/requests/arrived"), "arrivals");
        near(sum(&series["completed_per_s"]) * width_s, total("/requests/completed"), "completions");
        near(sum(&series["output_tokens_per_s"]) * width_s, total("/output_tokens"), "output tokens");
        near(sum(&series["prompt_tokens_per_s"]) * width_s, total("/prompt_tokens"), "prompt tokens");
        let waited = total("/queue_s/mean") * total("/requests/completed");
        near(sum(&series["waiting"]) * width_s, waited, "waiting");
        for (status, key) in [("starting", "scaling_up"), ("active", "active"), ("draining", "draining")] {
            let seconds: f64 =
                series["fleet"].as_array().unwrap().iter().map(|pool| sum(&pool[status])).sum::<f64>()
                    * width_s;
            near(seconds, total(&format!("/instance_seconds/{key}")), status);
        }
        near(sum(&series["gpus"]) * width_s / 3600.0, total("/cost/gpu_hours/total"), "GPU-hours");
        let spent = series["usd"].as_array().unwrap().last().unwrap().as_f64().unwrap();
        near(spent, total("/cost/usd/total"), "dollars");
    }

    #[test]
    fn shares_are_shares_and_columns_are_equally_long() {
        let data = data(&["slo=ttft.p99<1s"]);
        for kind in ["kv_share", "busy_share"] {
            for pool in data["series"][kind].as_array().unwrap() {
                let values = pool["values"].as_array().unwrap();
                assert!(values.iter().filter_map(Value::as_f64).all(|share| (0.0..=1.0).contains(&share)));
                assert!(values.iter().any(|share| share.as_f64().is_some_and(|share| share > 0.0)), "{kind}");
            }
        }
        for table in ["servers", "instances", "engines", "decisions", "actions", "log", "events"] {
            let columns: Vec<_> = data[table]
                .as_object()
                .unwrap()
                .values()
                .map(|column| column.as_array().unwrap().len())
                .collect();
            assert!(columns.iter().all(|length| *length == columns[0]), "{table}: {columns:?}");
        }
        assert_eq!(data["slo"]["objectives"][0]["kind"], "ttft");
        assert_eq!(data["slo"]["objectives"][0]["statistic"], "p99");
    }

    #[test]
    fn a_run_without_requests_has_no_load_to_draw() {
        let mut run = samples::run(&[]);
        run.has_requests = false;
        run.results.applications[0].requests.clear();
        let data: Value = serde_json::from_str(&RunData::of(&run).to_json()).unwrap();
        assert!(data["series"]["waiting"].is_null() && data["series"]["kv_share"].is_null());
        assert!(data["distributions"]["ttft_s"].is_null());
        assert!(!data["series"]["fleet"].as_array().unwrap().is_empty());
    }

    #[test]
    fn a_run_that_ended_at_once_can_be_drawn() {
        let data = data(&["end_time=0.1"]);
        assert_eq!(data["totals"]["requests"]["completed"], 0);
        assert_eq!(data["slowest"], json!([]));
    }
}
