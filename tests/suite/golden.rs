//! The ancestor's results, row by row: what it does right, Ebbflow does the same, to a microsecond.

use std::collections::BTreeMap;
use std::path::Path;

use ebbflow::request::Request;
use ebbflow::results::{ApplicationResults, IterationRow, RunResults};

use crate::support::golden::{RESTS_ON_DEFECTS, cases, expected_log, load, name, number, rows};
use crate::support::run::sequential;
use crate::support::run_scenario;

/// Absolute tolerance, in seconds.
const TOLERANCE_S: f64 = 1e-6;

/// Collects disagreements instead of stopping at the first.
#[derive(Default)]
struct Comparison {
    compared: usize,
    wrong: Vec<String>,
}

impl Comparison {
    fn close(&mut self, what: impl Fn() -> String, expected: f64, found: f64) {
        self.compared += 1;
        let agree = (expected - found).abs() <= TOLERANCE_S;
        if !agree {
            self.wrong.push(format!("{}: expected {expected}, found {found}", what()));
        }
    }

    fn finish(self, case: &str) {
        let first: Vec<_> = self.wrong.iter().take(8).collect();
        assert!(
            self.wrong.is_empty(),
            "{case}: {} of {} values differ, first: {first:#?}",
            self.wrong.len(),
            self.compared
        );
        println!("{case}: {} values agree", self.compared);
    }
}

fn completed(application: &ApplicationResults) -> BTreeMap<u64, &Request> {
    application.completed().map(|request| (request.id.0, request)).collect()
}

fn compare_requests(case: &Path, application: &ApplicationResults, comparison: &mut Comparison) {
    let found = completed(application);
    let expected = rows(&case.join("detailed/0.csv"));
    assert_eq!(found.len(), expected.len(), "{}: completed requests", name(case));
    for row in expected {
        let id = number(&row, "request_ids") as u64;
        let request = found[&id];
        let pairs = [
            ("response_times", request.e2e_s()),
            ("queue_times", request.queue_s()),
            ("ttft_times", request.ttft_s()),
            ("tbt_times", request.tbt_s()),
            ("nth_token_overheads", request.nth_token_overhead_s()),
        ];
        for (column, value) in pairs {
            comparison.close(|| format!("request {id} {column}"), number(&row, column), value.unwrap());
        }
    }
}

fn compare_nodes(case: &Path, application: &ApplicationResults, comparison: &mut Comparison) {
    let found = completed(application);
    for row in rows(&case.join("request_nodes.csv")) {
        let id = number(&row, "request_id") as u64;
        let journal = &found[&id].journal;
        let (leg, has_name) = match row["node_type"].as_str() {
            "PROMPT" => (journal.prefill, true),
            "TOKEN" => (journal.decode, true),
            _ => (journal.transfer, false),
        };
        let leg = leg.unwrap_or_else(|| panic!("request {id} has no {}", row["node_type"]));
        let kind = &row["node_type"];
        comparison.close(
            || format!("request {id} {kind} start"),
            number(&row, "start_timestamp"),
            leg.start.as_secs_f64(),
        );
        let end = leg.end.unwrap().as_secs_f64();
        comparison.close(|| format!("request {id} {kind} end"), number(&row, "completion_timestamp"), end);
        if has_name && application.instance_name(leg.instance) != row["runner"] {
            let found = application.instance_name(leg.instance);
            comparison
                .wrong
                .push(format!("request {id} {kind}: expected on {}, found on {found}", row["runner"]));
        }
    }
}

fn compare_utilisation(case: &Path, results: &RunResults, comparison: &mut Comparison) {
    let application = &results.applications[0];
    let mut expected = Vec::new();
    for row in rows(&case.join("detailed/0_alloc.csv")) {
        expected.push((row["instance_names"].clone(), number(&row, "utilizations")));
    }
    let present = application.instances.iter().filter(|instance| instance.removed.is_none());
    let mut found: Vec<(String, f64)> = present
        .map(|instance| {
            let span = (results.end - instance.created).as_secs_f64();
            (instance.gpu.clone(), instance.busy.as_secs_f64() / span)
        })
        .collect();
    let by_name_and_value = |a: &(String, f64), b: &(String, f64)| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1));
    expected.sort_by(by_name_and_value);
    found.sort_by(by_name_and_value);
    assert_eq!(expected.len(), found.len(), "{}: instances at the end", name(case));
    for ((gpu, expected), (found_gpu, found)) in expected.into_iter().zip(found) {
        assert_eq!(gpu, found_gpu);
        comparison.close(|| format!("utilisation of a {gpu}"), expected, found);
    }
}

/// The iteration logs of the cases that were run with `debug`.
fn compare_iterations(case: &Path, application: &ApplicationResults, comparison: &mut Comparison) {
    for instance in &application.instances {
        let path = case.join(format!("instances/0/{}.csv", instance.id));
        let expected = if path.is_file() { rows(&path) } else { continue };
        let found: Vec<&IterationRow> =
            application.iterations.iter().filter(|row| row.instance == instance.id).collect();
        assert_eq!(expected.len(), found.len(), "{}: iterations of instance {}", name(case), instance.id);
        for (position, (expected, found)) in expected.iter().zip(found).enumerate() {
            let pairs = [
                ("iteration_start", found.start.as_secs_f64()),
                ("iteration_end", found.end.as_secs_f64()),
                ("batch_size", f64::from(found.batch_size)),
                ("prompt_tasks_in_batch", f64::from(found.prompt_tasks)),
                ("memory", found.memory_bytes as f64),
                ("pending_requests", f64::from(found.pending_requests)),
                ("pending_tasks", f64::from(found.pending_tasks)),
                ("blocked_tasks", f64::from(found.blocked_tasks)),
                ("pending_prompts", f64::from(found.pending_prompts)),
                ("memory_allocs_size", f64::from(found.memory_allocations)),
                ("num_contiguous_iterations", found.iterations as f64),
                ("batch_tokens", found.batch_tokens as f64),
                ("pending_tokens", found.pending_tokens as f64),
            ];
            for (column, value) in pairs {
                let what = || format!("instance {} row {position} {column}", instance.id);
                comparison.close(what, number(expected, column), value);
            }
        }
    }
}

fn compare_log(case: &Path, application: &ApplicationResults, comparison: &mut Comparison) {
    let mut expected = expected_log(case);
    let mut found: Vec<_> = application
        .scaling_log
        .iter()
        .map(|line| {
            (line.time.as_secs_f64(), line.action.to_owned(), line.target.clone(), line.status.to_owned())
        })
        .collect();
    // Lines of equal time are compared as a set; a nanosecond is no difference.
    let key = |line: &(f64, String, String, String)| {
        ((line.0 * 1e6).round() as i64, line.1.clone(), line.2.clone(), line.3.clone())
    };
    expected.sort_by_key(key);
    found.sort_by_key(key);
    let words = |lines: &[(f64, String, String, String)]| -> Vec<String> {
        lines.iter().map(|(_, action, target, status)| format!("{action},{target},{status}")).collect()
    };
    assert_eq!(words(&expected), words(&found), "{}: scaling log", name(case));
    for (expected, found) in expected.iter().zip(&found) {
        comparison.close(|| format!("{} of {}", expected.1, expected.2), expected.0, found.0);
    }
}

#[test]
fn every_request_node_instance_and_log_line_agrees_with_the_ancestor() {
    let mut failures = Vec::new();
    for case in cases() {
        if RESTS_ON_DEFECTS.contains(&name(&case).as_str()) {
            println!("{}: not compared, its rows rest on defects of the ancestor", name(&case));
            continue;
        }
        let outcome = std::panic::catch_unwind(|| {
            let results = run_scenario(&load(&case), &sequential());
            let application = &results.applications[0];
            let mut comparison = Comparison::default();
            compare_requests(&case, application, &mut comparison);
            compare_nodes(&case, application, &mut comparison);
            compare_utilisation(&case, &results, &mut comparison);
            compare_iterations(&case, application, &mut comparison);
            compare_log(&case, application, &mut comparison);
            let end = rows(&case.join("simulator.csv")).last().map(|row| number(row, "time")).unwrap();
            comparison.close(|| "end".to_owned(), end, results.end.as_secs_f64());
            comparison.finish(&name(&case));
        });
        if outcome.is_err() {
            failures.push(name(&case));
        }
    }
    assert!(failures.is_empty(), "{failures:?} disagree");
}
