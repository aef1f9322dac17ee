//! A timeline keeps the rules of the trace-event format that viewers rely on, and tells what the run did.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use ebbflow::registry::Registry;
use ebbflow::report::{FinishedRun, deltas::Deltas, kv, timeline};
use ebbflow::request::Fate;
use ebbflow::results::ApplicationResults;
use serde_json::Value;

use crate::finished_runs::{SCALED, written};
use crate::support::desk::{Desk, code, json, stderr};
use crate::support::run::{application, run_scenario, sequential};
use crate::support::scenarios::scenario;

/// A run and its timeline.
struct Told {
    run: FinishedRun,
    bytes: Vec<u8>,
    events: Vec<Value>,
}

impl Told {
    fn of(yaml: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let (directory, _) = written(yaml, home.path());
        let run = FinishedRun::open(&directory, &Registry::builtin()).unwrap();
        let mut bytes = Vec::new();
        timeline::write(&run, &mut bytes).unwrap();
        let file: Value = serde_json::from_slice(&bytes).unwrap();
        let events = file["traceEvents"].as_array().unwrap().clone();
        Told { run, bytes, events }
    }

    /// The same run with iterations and without them, finished and cut off while it is under way.
    fn all() -> &'static [Told] {
        static ALL: OnceLock<Vec<Told>> = OnceLock::new();
        ALL.get_or_init(|| {
            let cut = SCALED.replace("end_time: 90", "end_time: 12.5");
            let without = |yaml: &str| yaml.replace("debug: true", "debug: false");
            [SCALED, &without(SCALED), &cut, &without(&cut)].map(Told::of).into()
        })
    }

    fn application(&self) -> &ApplicationResults {
        application(&self.run.results)
    }

    fn with_phase(&self, phase: &str) -> impl Iterator<Item = &Value> {
        self.events.iter().filter(move |event| event["ph"] == phase)
    }

    fn slices(&self, cat: &str) -> impl Iterator<Item = &Value> {
        self.with_phase("X").filter(move |event| event["cat"] == cat)
    }

    /// The track called this.
    fn track(&self, name: &str) -> u64 {
        let mut named = self.with_phase("M").filter(|event| event["name"] == "thread_name");
        let found = named.find(|event| event["args"]["name"].as_str().unwrap().starts_with(name));
        number(&found.unwrap_or_else(|| panic!("no track `{name}`"))["tid"])
    }

    /// The last value of a counter.
    fn last(&self, name: &str) -> Option<f64> {
        let of_it = self.with_phase("C").filter(|event| event["name"] == name);
        of_it
            .last()
            .map(|event| event["args"].as_object().unwrap().values().next().unwrap().as_f64().unwrap())
    }
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no whole number"))
}

/// Where a slice is: track, start, end.
fn span(slice: &Value) -> (u64, u64, u64) {
    let start = number(&slice["ts"]);
    (number(&slice["tid"]), start, start + number(&slice["dur"]))
}

#[test]
fn every_event_has_a_name_and_a_place_that_is_named() {
    for told in Told::all() {
        let mut names: BTreeMap<u64, u64> = BTreeMap::new();
        for event in told.with_phase("M").filter(|event| event["name"] == "thread_name") {
            let twice = names.insert(number(&event["tid"]), number(&event["pid"]));
            assert_eq!(twice, None, "a track is named twice: {event}");
        }
        assert!(!told.events.is_empty());
        for event in &told.events {
            assert_eq!(names.get(&number(&event["tid"])), Some(&number(&event["pid"])), "{event}");
            assert!(!event["name"].as_str().unwrap().is_empty(), "{event}");
            assert!(event["ph"] == "M" || event["ts"].is_u64(), "{event}");
        }
    }
}

#[test]
fn every_slice_of_work_lies_within_one_status_of_its_instance() {
    for told in Told::all() {
        let lives: Vec<_> = told.slices("lifecycle").collect();
        let mut count = 0;
        for work in told.slices("work") {
            let (track, start, end) = span(work);
            let around = lives.iter().find(|life| {
                let (of, from, to) = span(life);
                of == track && from <= start && end <= to && life["name"] != "starting"
            });
            assert!(around.is_some(), "{work} is outside of its instance's life");
            count += 1;
        }
        assert!(count > 50, "{count} slices of work");
    }
}

#[test]
fn slices_on_a_track_nest_or_are_apart() {
    for told in Told::all() {
        let mut slices: Vec<_> = told.with_phase("X").map(span).collect();
        slices.sort_by_key(|&(track, start, end)| (track, start, std::cmp::Reverse(end)));
        let mut open: Vec<(u64, u64)> = Vec::new();
        for (track, start, end) in slices {
            while open.last().is_some_and(|&(of, until)| of != track || until <= start) {
                open.pop();
            }
            assert!(open.last().is_none_or(|&(_, until)| end <= until), "track {track} at {start}");
            open.push((track, end));
        }
    }
}

#[test]
fn every_kv_transfer_is_an_arrow_between_two_slices_that_exist() {
    for told in Told::all() {
        let work: Vec<_> = told.slices("work").map(span).collect();
        let is_in_work = |event: &Value| {
            let (track, at) = (number(&event["tid"]), number(&event["ts"]));
            work.iter().any(|&(of, start, end)| of == track && start <= at && at < end)
        };
        let mut ends: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
        for event in told.with_phase("s").chain(told.with_phase("f")) {
            assert!(is_in_work(event), "{event} is bound to nothing");
            ends.entry(event["id"].as_str().unwrap()).or_default().push(event);
        }
        let instance = |id| told.track(&format!("instance {id}:"));
        let requests = told.application().requests.iter().map(|ended| &ended.request);
        let requests: BTreeMap<u64, _> = requests.map(|request| (request.id.0, &request.journal)).collect();
        for pair in ends.values() {
            let [tail, head] = pair[..] else { panic!("not two ends: {pair:?}") };
            assert_eq!((&tail["ph"], &head["ph"], &head["bp"]), (&"s".into(), &"f".into(), &"e".into()));
            assert!(number(&tail["ts"]) <= number(&head["ts"]), "{tail} after {head}");
            let journal = requests[&number(&tail["args"]["request"])];
            assert_eq!(number(&tail["tid"]), instance(journal.prefill.unwrap().instance));
            assert_eq!(number(&head["tid"]), instance(journal.decode.unwrap().instance));
        }
        let done = requests.values().filter(|journal| journal.decode.is_some_and(|leg| leg.end.is_some()));
        assert!(ends.len() >= done.count(), "an arrow of a completed request is missing");
        assert!(ends.len() > 20);
    }
}

#[test]
fn counters_are_never_negative_and_end_at_what_is_left() {
    for told in Told::all() {
        let mut before: BTreeMap<&str, u64> = BTreeMap::new();
        for event in told.with_phase("C") {
            let values = event["args"].as_object().unwrap();
            assert!(values.values().all(|value| value.as_f64().unwrap() >= 0.0), "{event}");
            let at = number(&event["ts"]);
            assert!(
                before.insert(event["name"].as_str().unwrap(), at).is_none_or(|before| before <= at),
                "{event}"
            );
        }
        let application = told.application();
        for (name, tag) in [("prompt", "prompt"), ("token", "token")] {
            let alive = application.instances.iter().filter(|instance| {
                instance.tag.is_some_and(|found| found.name() == tag)
                    && instance.removed.is_none()
                    && instance.active.is_some()
                    && instance.draining.is_none()
            });
            assert_eq!(told.last(&format!("fleet {name}: active")), Some(alive.count() as f64));
        }
        let left = application.requests.iter().filter(|ended| matches!(ended.fate, Fate::Unfinished(_)));
        let phases =
            told.with_phase("C").filter_map(|event| event["name"].as_str()?.strip_prefix("requests: "));
        let phases: BTreeSet<&str> = phases.collect();
        let counted: f64 = phases.iter().filter_map(|phase| told.last(&format!("requests: {phase}"))).sum();
        let left = left.count();
        assert_eq!(counted, left as f64);
        assert_eq!(told.last("KV caches token") == Some(0.0), left == 0, "KV caches are left, or none");
    }
}

#[test]
fn every_decision_operation_and_refusal_is_an_instant_of_the_scaling_track() {
    let refused = SCALED.replace("actions:", "actions:\n  - {at: 22, scale_down_full: {instance: 99}}");
    let told = Told::of(&refused);
    let (application, track) = (told.application(), told.track("scaling"));
    let instants: Vec<_> = told.with_phase("i").collect();
    assert!(instants.iter().all(|event| number(&event["tid"]) == track && event["s"] == "t"));
    let decisions: Vec<_> = instants.iter().filter(|event| event["cat"] == "decision").collect();
    assert_eq!(decisions.len(), application.decisions.len());
    for (row, event) in application.decisions.iter().zip(&decisions) {
        assert_eq!(event["name"], row.outcome);
        let args = &event["args"];
        assert_eq!(
            (&args["reason"], &args["inputs"]),
            (&row.reason.as_str().into(), &row.inputs.as_str().into())
        );
    }
    assert!(decisions.iter().any(|event| event["args"]["outcome"].as_str().unwrap().starts_with("started")));
    let others = application.scaling_log.len() + application.scaling_events.len();
    assert_eq!(instants.len(), decisions.len() + others);
    let refusal = instants.iter().find(|event| event["name"] == "refused").unwrap();
    assert!(refusal["args"]["detail"].as_str().unwrap().contains("99"), "{refusal}");
}

#[test]
fn a_status_says_what_caused_it() {
    let told = &Told::all()[0];
    let cause = |instance: u64, status: &str| {
        let of_it = |slice: &&Value| slice["args"]["instance"] == instance && slice["name"] == status;
        told.slices("lifecycle").find(of_it).map(|slice| slice["args"]["cause"].as_str().unwrap().to_owned())
    };
    assert_eq!(cause(0, "active").as_deref(), Some("start state"));
    assert_eq!(cause(0, "draining").as_deref(), Some("action 2 of the scenario"));
    let starting = |slice: &&Value| slice["name"] == "starting";
    let started: Vec<_> = told.slices("lifecycle").filter(starting).collect();
    assert!(started.len() >= 3);
    assert!(started.iter().any(|slice| slice["args"]["cause"].as_str().unwrap().starts_with("decision")));
}

#[test]
fn the_spans_of_slow_requests_open_and_close_in_order() {
    for told in Told::all() {
        let mut open: BTreeMap<&str, Vec<(&str, u64)>> = BTreeMap::new();
        let mut seen: BTreeMap<&str, u64> = BTreeMap::new();
        for event in told.events.iter().filter(|event| event["ph"] == "b" || event["ph"] == "e") {
            let (id, name, at) =
                (event["id"].as_str().unwrap(), event["name"].as_str().unwrap(), number(&event["ts"]));
            assert!(seen.insert(id, at).is_none_or(|before| before <= at), "{event}");
            let stack = open.entry(id).or_default();
            if event["ph"] == "b" {
                stack.push((name, at));
            } else {
                let (begun, _) = stack.pop().unwrap();
                assert_eq!(begun, name, "{event}");
            }
        }
        assert_eq!(open.len(), 100.min(told.application().requests.len()));
        assert!(open.values().all(Vec::is_empty), "a span is never closed");
    }
}

#[test]
fn the_work_of_iterations_is_told_in_full() {
    let told = &Told::all()[0];
    let iterations = told.slices("work").map(|slice| slice["args"]["iterations"].as_u64().unwrap_or(0));
    let rows = told.application().iterations.iter();
    assert_eq!(iterations.sum::<u64>(), rows.map(|row| row.iterations).sum::<u64>());
    let tokens = told.slices("work").map(|slice| slice["args"]["batch_tokens"].as_u64().unwrap_or(0));
    let rows = told.application().iterations.iter();
    assert_eq!(tokens.sum::<u64>(), rows.map(|row| row.batch_tokens * row.iterations).sum::<u64>());
}

#[test]
fn work_from_journals_covers_the_same_time_as_work_from_iterations() {
    let busy =
        |told: &Told| told.slices("work").map(span).map(|(_, start, end)| end - start).sum::<u64>() as f64;
    let (rows, journals) = (busy(&Told::all()[0]), busy(&Told::all()[1]));
    assert!((rows - journals).abs() < 0.02 * rows, "{rows} µs in iterations, {journals} µs in journals");
}

#[test]
fn the_same_run_has_the_same_timeline_to_the_byte() {
    assert_eq!(Told::of(SCALED).bytes, Told::all()[0].bytes);
}

#[test]
fn kv_caches_read_from_journals_are_the_memory_that_iterations_saw() {
    let yaml = "
cluster: {servers: [{sku: dgx-h100, count: 1}]}
applications: [{model_architecture: llama2-70b, model_size: llama2-70b-fp16, scheduler: jsq}]
start_state: {state_type: baseline}
debug: true
workload: {rate: 3, requests: 60, synthetic: {prompt: 900, output: {lognormal: {mu: 4, sigma: 1.2, max: 300}}}}
";
    let scenario = scenario(yaml);
    let results = run_scenario(&scenario, &sequential());
    let (application, model) = (application(&results), &scenario.applications[0].model);
    let mut held = Deltas::default();
    for (_, holding) in kv::held(application, model) {
        held.add(holding.from, holding.to, i64::try_from(holding.bytes).unwrap());
    }
    let levels = held.levels();
    for row in &application.iterations {
        let next = levels.partition_point(|level| level.time < row.end);
        let level = levels[..next].last().map_or(0, |level| level.level);
        assert_eq!(level as u64 + model.weights_bytes, row.memory_bytes, "{row:?}");
    }
    assert!(application.iterations.len() > 100);
}

#[test]
fn export_writes_the_timeline_of_a_run_and_of_one_without_rows_of_requests() {
    let desk = Desk::new();
    for (out, kept) in [("full", "full"), ("short", "summary")] {
        let run = desk.ebbflow(&["run", "--out", out, "--results", kept, "--quiet"]);
        assert_eq!(code(&run), 0, "{}", stderr(&run));
        let file = format!("{out}.json");
        let export = desk.ebbflow(&["export", out, "--timeline", &file]);
        assert_eq!(code(&export), 0, "{}", stderr(&export));
        assert!(stderr(&export).contains(&file));
        let events = json(&desk.path(&file))["traceEvents"].as_array().unwrap().clone();
        assert!(events.iter().any(|event| event["cat"] == "lifecycle"));
        assert_eq!(events.iter().any(|event| event["cat"] == "work"), kept == "full");
    }
}

#[test]
fn export_says_what_it_needs() {
    let desk = Desk::new();
    let cases: [(&[&str], &str); 4] = [
        (&["export", "nowhere", "--timeline", "t.json"], "nowhere"),
        (&["export", "nowhere"], "--timeline"),
        (&["export", "nowhere", "--metrics", "m.om", "--metrics-interval", "0s"], "15s"),
        (&["export", "nowhere", "--timeline", "t.json", "--metrics-interval", "5s"], "--metrics"),
    ];
    for (arguments, told) in cases {
        let export = desk.ebbflow(arguments);
        assert_eq!(code(&export), 2, "{arguments:?}");
        assert!(stderr(&export).contains(told), "{arguments:?}: {}", stderr(&export));
    }
    assert!(desk.entries().is_empty(), "{:?}", desk.entries());
}
