//! The metrics of a run are OpenMetrics text, and add up to what the run reports.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::OnceLock;

use ebbflow::registry::Registry;
use ebbflow::report::{FinishedRun, exposition};
use ebbflow::results::{Cost, Tally};
use ebbflow_actors::SimDuration;

use crate::finished_runs::{SCALED, written};
use crate::support::desk::{Desk, code, stderr};
use crate::support::run::application;

/// A run and its metrics.
struct Exposed {
    run: FinishedRun,
    text: String,
}

/// A sample: name, labels, value, time.
#[derive(Clone, Debug)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
    time: f64,
}

impl Exposed {
    fn of(yaml: &str, interval: SimDuration) -> Self {
        let home = tempfile::tempdir().unwrap();
        let (directory, _) = written(yaml, home.path());
        let run = FinishedRun::open(&directory, &Registry::builtin()).unwrap();
        let mut out = Vec::new();
        exposition::write(&run, interval, &mut out).unwrap();
        Exposed { run, text: String::from_utf8(out).unwrap() }
    }

    /// A finished run, and one cut off while it is under way.
    fn all() -> &'static [Exposed] {
        static ALL: OnceLock<Vec<Exposed>> = OnceLock::new();
        ALL.get_or_init(|| {
            let cut = SCALED.replace("end_time: 90", "end_time: 12.5");
            let interval = SimDuration::from_secs(5);
            vec![Exposed::of(SCALED, interval), Exposed::of(&cut, exposition::INTERVAL)]
        })
    }

    fn samples(&self) -> Vec<Sample> {
        self.text.lines().filter(|line| !line.starts_with('#')).map(sample).collect()
    }

    /// The sum of the last samples of all series with this name.
    fn total(&self, name: &str) -> f64 {
        let mut last = BTreeMap::new();
        for sample in self.samples().into_iter().filter(|sample| sample.name == name) {
            last.insert(sample.labels, sample.value);
        }
        last.values().sum()
    }
}

/// Labels of these runs hold neither commas nor escapes.
fn sample(line: &str) -> Sample {
    let (name, rest) = line.split_once('{').unwrap_or_else(|| panic!("no labels in `{line}`"));
    let (labels, rest) = rest.split_once("} ").unwrap();
    let (value, time) = rest.split_once(' ').unwrap_or_else(|| panic!("no time in `{line}`"));
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap();
        (name.to_owned(), value.strip_prefix('"').unwrap().strip_suffix('"').unwrap().to_owned())
    };
    let labels = labels.split(',').map(pair).collect();
    Sample { name: name.to_owned(), labels, value: value.parse().unwrap(), time: time.parse().unwrap() }
}

#[test]
fn every_family_is_one_block_that_begins_with_its_type_and_the_text_ends() {
    for exposed in Exposed::all() {
        assert!(exposed.text.ends_with("\n# EOF\n"));
        assert!(!exposed.text.contains("\n\n"));
        let mut seen = BTreeSet::new();
        let (mut family, mut kind) = ("", "");
        for line in exposed.text.lines().take_while(|line| *line != "# EOF") {
            let words: Vec<&str> = line.split(' ').collect();
            match words[..] {
                ["#", "TYPE", name, of] => {
                    assert!(seen.insert(name), "{name} comes twice");
                    (family, kind) = (name, of);
                }
                ["#", "UNIT", name, unit] => {
                    assert_eq!(name, family);
                    assert!(name.ends_with(&format!("_{unit}")), "{line}");
                }
                ["#", "HELP", name, ..] => assert_eq!(name, family),
                ["#", ..] => panic!("{line}"),
                _ => {
                    let name = sample(line).name;
                    let suffix = name.strip_prefix(family).unwrap_or_else(|| panic!("{name} among {family}"));
                    let allowed: &[&str] = match kind {
                        "gauge" => &[""],
                        "counter" => &["_total"],
                        _ => &["_bucket", "_count", "_sum"],
                    };
                    assert!(allowed.contains(&suffix), "{line} in a {kind}");
                }
            }
        }
        assert!(seen.len() > 15, "{seen:?}");
    }
}

#[test]
fn the_samples_of_a_series_come_together_and_in_order_of_time() {
    for exposed in Exposed::all() {
        let mut done = BTreeSet::new();
        let mut current: Option<(String, BTreeMap<String, String>)> = None;
        let mut last = BTreeMap::new();
        for sample in exposed.samples() {
            let Sample { name, mut labels, time, .. } = sample;
            assert!(last.insert((name.clone(), labels.clone()), time).is_none_or(|before| before < time));
            labels.remove("le");
            let base = ["_bucket", "_count", "_sum"].iter().find_map(|suffix| name.strip_suffix(suffix));
            let metric = (base.unwrap_or(&name).to_owned(), labels);
            if current.as_ref() != Some(&metric) {
                assert!(done.insert(metric.clone()), "{metric:?} is interleaved");
                current = Some(metric);
            }
        }
    }
}

#[test]
fn counters_and_buckets_never_fall_and_gauges_are_never_negative() {
    for exposed in Exposed::all() {
        let mut before: BTreeMap<(String, BTreeMap<String, String>), f64> = BTreeMap::new();
        for Sample { name, labels, value, .. } in exposed.samples() {
            assert!(value >= 0.0 && value.is_finite(), "{name} {labels:?} {value}");
            let grows = ["_total", "_bucket", "_count", "_sum"].iter().any(|suffix| name.ends_with(suffix));
            if let Some(before) = before.insert((name.clone(), labels), value) {
                assert!(!grows || before <= value, "{name} fell from {before} to {value}");
            }
        }
        assert!(exposed.samples().iter().all(|s| s.name != "vllm:kv_cache_usage_perc" || s.value <= 1.0));
    }
}

#[test]
fn a_histogram_counts_up_to_infinity() {
    for exposed in Exposed::all() {
        let mut bound = (f64::NEG_INFINITY, 0.0);
        let mut histograms = 0;
        for Sample { name, labels, value, .. } in exposed.samples() {
            if name.ends_with("_bucket") {
                let le: f64 = labels["le"].parse().unwrap();
                assert!(le > bound.0 && value >= bound.1, "{name} {labels:?}");
                bound = (le, value);
            } else if name.ends_with("_count") {
                assert_eq!(bound, (f64::INFINITY, value), "{name} {labels:?}");
                bound = (f64::NEG_INFINITY, 0.0);
                histograms += 1;
            }
        }
        assert!(histograms > 20);
    }
}

#[test]
fn the_last_samples_add_up_to_what_the_run_reports() {
    for exposed in Exposed::all() {
        let application = application(&exposed.run.results);
        let mut tally = Tally::default();
        for ended in &application.requests {
            tally.note(&ended.request, &ended.fate);
        }
        let served = &tally.served;
        let completed = served.len() as f64;
        for name in [
            "vllm:request_success_total",
            "vllm:e2e_request_latency_seconds_count",
            "vllm:request_decode_time_seconds_count",
        ] {
            assert_eq!(exposed.total(name), completed, "{name}");
        }
        assert_eq!(exposed.total("ebbflow_requests_arrived_total"), application.requests.len() as f64);
        let unfinished = application.requests.len() as f64 - completed;
        assert_eq!(exposed.total("ebbflow_requests"), unfinished);
        let prefilled: Vec<_> =
            application.requests.iter().filter(|ended| ended.request.ttft_s().is_some()).collect();
        let prompts: u64 = prefilled.iter().map(|ended| u64::from(ended.request.prompt_tokens)).sum();
        assert_eq!(exposed.total("vllm:prompt_tokens_total"), prompts as f64);
        assert_eq!(exposed.total("vllm:time_to_first_token_seconds_count"), prefilled.len() as f64);
        let outputs: u64 = served.iter().map(|request| u64::from(request.output_tokens) - 1).sum();
        assert_eq!(exposed.total("vllm:generation_tokens_total"), (outputs + prefilled.len() as u64) as f64);
        assert_eq!(exposed.total("vllm:inter_token_latency_seconds_count"), outputs as f64);
        let cost = Cost::of(&[application], &exposed.run.results.applications, exposed.run.results.end);
        assert!(
            (exposed.total("ebbflow_gpu_paid_seconds_total") - cost.gpu_hours.total * 3600.0).abs() < 1e-6
        );
        assert!((exposed.total("ebbflow_cost_dollars_total") - cost.usd.unwrap().total).abs() < 1e-9);
        let logged = application.scaling_log.len() as f64;
        assert_eq!(exposed.total("ebbflow_scaling_operations_total"), logged);
    }
}

#[test]
fn an_instance_is_scraped_while_it_serves_and_in_its_last_moment() {
    let exposed = &Exposed::all()[0];
    let samples = exposed.samples();
    let end = exposed.run.results.end.as_secs_f64();
    for instance in &application(&exposed.run.results).instances {
        let engine = instance.id.to_string();
        let of_it = |s: &&Sample| s.name == "vllm:num_requests_running" && s.labels["engine"] == engine;
        let times: Vec<f64> = samples.iter().filter(of_it).map(|sample| sample.time).collect();
        let active = instance.active.unwrap().as_secs_f64();
        assert!(times[0] >= active && times[0] < active + 5.0, "{engine}: {times:?}");
        assert_eq!(times.last(), Some(&instance.removed.map_or(end, |removed| removed.as_secs_f64())));
    }
}

#[test]
fn the_same_run_has_the_same_metrics_to_the_byte() {
    assert_eq!(Exposed::of(SCALED, SimDuration::from_secs(5)).text, Exposed::all()[0].text);
}

#[test]
fn export_writes_metrics_and_without_rows_of_requests_those_of_the_fleet() {
    let desk = Desk::new();
    for (out, kept) in [("full", "full"), ("short", "summary")] {
        let run = desk.ebbflow(&["run", "--out", out, "--results", kept, "--quiet"]);
        assert_eq!(code(&run), 0, "{}", stderr(&run));
        let file = format!("{out}.om");
        let export = desk.ebbflow(&["export", out, "--metrics", &file, "--metrics-interval", "30s"]);
        assert_eq!(code(&export), 0, "{}", stderr(&export));
        let text = std::fs::read_to_string(desk.path(&file)).unwrap();
        assert!(text.contains("ebbflow_instances{") && text.ends_with("# EOF\n"));
        assert_eq!(text.contains("vllm:"), kept == "full");
    }
}

/// Reads each scrape by itself: the parser of `prometheus_client` (0.26) takes the later points of a histogram for
/// repetitions of its first one. What is no histogram it reads as a whole too.
const PARSE: &str = r##"
import re, sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse
lines = open(sys.argv[1]).read().splitlines()
count = lambda lines: sum(len(family.samples) for family in parse("\n".join(lines) + "\n"))
samples = [line for line in lines if not line.startswith("#")]
times = sorted({line.rsplit(" ", 1)[1] for line in samples}, key=float)
at = lambda time: [line for line in lines if line.startswith("#") or line.endswith(" " + time)]
read = sum(count(at(time)) for time in times)
assert read == len(samples), (read, len(samples))
plain = [line for line in lines if not re.match(r"(# \w+ )?vllm:\w+_seconds", line)]
assert count(plain) == sum(not line.startswith("#") for line in plain)
"##;

#[test]
fn an_independent_parser_reads_the_text() {
    let python = std::env::var("EBBFLOW_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let there = Command::new(&python).args(["-c", "import prometheus_client"]).output();
    if !there.is_ok_and(|found| found.status.success()) {
        println!("skipped: {python} has no prometheus_client (pip install prometheus_client)");
        return;
    }
    for exposed in Exposed::all() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("metrics.om");
        std::fs::write(&path, &exposed.text).unwrap();
        let read = Command::new(&python).args(["-c", PARSE]).arg(&path).output().unwrap();
        assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    }
}
