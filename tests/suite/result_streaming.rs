//! Rows of requests are written while the run goes on: nobody can tell from the files, and a file that
//! cannot be written ends the run instead of leaving half a result.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use ebbflow::registry::Registry;
use ebbflow::results::{self, Incomplete, Keep, Report, RequestWriter, RunResults};
use ebbflow::scenario::Scenario;
use ebbflow::simulation::{self, RunOptions};
use ebbflow::workload;
use ebbflow_actors::{Runner, TickMode};
use serde_json::Value;

use crate::support::generate::scenario_text;
use crate::support::run::{actors, run_scenario, sequential};
use crate::support::scenarios::{read, scenario};

/// Generated scenarios that are written in both ways.
const SCENARIOS: u64 = 12;

/// Two applications on different GPUs. Messages take so long, and the run ends so early, that requests of
/// both are completed but on their way to the recorder.
const TWO_APPLICATIONS: &str = "
cluster: {servers: [{sku: dgx-h100, count: 2}, {sku: dgx-a100, count: 2}]}
applications:
  - {model_architecture: LLaMA, model_size: 70B, scheduler: token_jsq, scaling_manager: {scale_up_delay: 1}}
  - {model_architecture: LLaMA, model_size: 70B, scheduler: jsq, scaling_manager: {scale_up_delay: 1}}
start_state: {state_type: baseline, application_id: 0}
dispatch_latency: 2
end_time: 31
actions:
  - {at: 0.5, application: 1, scale_up_full: {count: 2, server_sku: dgx-h100}}
  - {at: 2, application: 1, scale_up_full: {count: 1, server_sku: dgx-a100}}
";

/// Files by relative path.
type Files = BTreeMap<String, Vec<u8>>;

fn files(folder: &Path) -> Files {
    let mut files = Files::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for path in std::fs::read_dir(next).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
                files.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    files
}

/// All that a run wrote from memory when it had ended, and its results.
fn written_after(scenario: &Scenario) -> (Files, RunResults) {
    let results = run_scenario(scenario, &sequential());
    let home = tempfile::tempdir().unwrap();
    let report = Report::new(&results, scenario);
    results::write_all(home.path(), &results, &report, &scenario.resolved, scenario.debug).unwrap();
    (files(home.path()), results)
}

/// Runs a scenario that hands its requests to a writer in this directory.
fn stream(directory: &Path, scenario: &Scenario, options: &RunOptions) -> (RunResults, Option<String>) {
    let applications: Vec<_> = scenario.applications.iter().map(|application| application.id).collect();
    let interrupt = Arc::new(AtomicBool::new(false));
    let writer = RequestWriter::start(directory, &applications, Arc::clone(&interrupt)).unwrap();
    let workload = workload::open(&scenario.workload, &applications, scenario.seed).unwrap();
    let options = RunOptions { interrupt: Some(interrupt), ..options.clone() };
    let keep = Keep::Rows(writer.feed());
    let results = simulation::run_keeping(keep, scenario, workload, &Registry::builtin(), &options).unwrap();
    (results, writer.finish().err().map(|error| error.to_string()))
}

/// All that a run wrote while it went on, and its results.
fn written_meanwhile(scenario: &Scenario, options: &RunOptions) -> (Files, RunResults) {
    let home = tempfile::tempdir().unwrap();
    let (results, error) = stream(home.path(), scenario, options);
    assert_eq!((error, &results.incomplete), (None, &None));
    let report = Report::new(&results, scenario);
    results::write_summary(home.path(), &results, &report, &scenario.resolved, scenario.debug).unwrap();
    (files(home.path()), results)
}

/// Compares both ways to the byte, with every runner given.
fn agree(what: &str, scenario: &Scenario, ways: &[RunOptions]) -> RunResults {
    let (mut expected, kept) = written_after(scenario);
    expected.remove("run.json").expect("the report is written");
    for options in ways {
        let (mut found, streamed) = written_meanwhile(scenario, options);
        found.remove("run.json").expect("the report is written");
        let what = format!("{what}, {:?} {:?}", options.runner, options.arbiters);
        assert_eq!(expected.keys().collect::<Vec<_>>(), found.keys().collect::<Vec<_>>(), "{what}");
        for (name, bytes) in &expected {
            assert!(*bytes == found[name], "{what}: {name} differs");
        }
        assert_eq!(kept.digest, streamed.digest, "{what}");
        for (kept, streamed) in kept.applications.iter().zip(&streamed.applications) {
            assert!(streamed.requests.is_empty(), "{what}: requests are kept though they are written");
            assert!(kept.tally == streamed.tally, "{what}: figures differ");
        }
    }
    kept
}

fn all_ways() -> Vec<RunOptions> {
    let naive = RunOptions { runner: Runner::Naive, ..RunOptions::default() };
    let mut ways: Vec<RunOptions> = (1..=3).map(|arbiters| actors(arbiters, TickMode::Lazy)).collect();
    ways.extend([sequential(), naive]);
    ways
}

#[test]
fn rows_written_during_a_run_are_those_written_after_it() {
    for seed in 0..SCENARIOS {
        let scenario = scenario(&scenario_text(seed));
        agree(&format!("scenario {seed}"), &scenario, &[sequential(), actors(2, TickMode::Lazy)]);
    }
}

#[test]
fn requests_of_two_applications_on_their_way_at_the_end_are_written_in_order_by_every_runner() {
    let home = tempfile::tempdir().unwrap();
    let mut trace = String::from(
        "request_id,request_type,application_id,arrival_timestamp,batch_size,prompt_size,token_size\n",
    );
    for id in 0..1200 {
        let (arrival, output) = (f64::from(id) * 0.03, 1 + id * 37 % 60);
        writeln!(trace, "{id},2,{},{arrival},1,{},{output}", id % 3 % 2, 1 + id * 61 % 900).unwrap();
    }
    let path = home.path().join("trace.csv");
    std::fs::write(&path, trace).unwrap();
    let given = format!("workload={{trace: {:?}}}", path.display().to_string());
    let scenario = read(TWO_APPLICATIONS, &[&given]).unwrap_or_else(|problems| panic!("{problems}"));
    let results = agree("two applications", &scenario, &all_ways());
    for application in &results.applications {
        let times: Vec<_> = application.completed().map(|request| request.completion()).collect();
        assert!(!times.is_empty(), "application {} completed nothing", application.id);
        assert!(!times.is_sorted(), "the scenario leaves nothing on its way that is out of order");
    }
}

#[test]
fn a_file_that_cannot_be_written_ends_the_run() {
    let full = Path::new("/dev/full");
    if !full.exists() {
        println!("skipped: there is no {}", full.display());
        return;
    }
    #[cfg(unix)]
    {
        let home = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(full, home.path().join("request_nodes.csv")).unwrap();
        let scenario = read(LONG, &[]).unwrap();
        let (results, error) = stream(home.path(), &scenario, &sequential());
        assert_eq!(results.incomplete, Some(Incomplete::Interrupted));
        let error = error.expect("the disk is full");
        assert!(error.contains("request_nodes.csv: "), "{error}");
    }
}

/// Short requests for longer than anybody waits.
const LONG: &str = "
cluster: {servers: [{sku: dgx-h100, count: 4}]}
applications: [{model_architecture: llama2-70b, model_size: llama2-70b-fp16, scheduler: jsq}]
end_time: 1e9
workload: {rate: 50, requests: 100000000, synthetic: {prompt: 200, output: 3}}
";

fn ebbflow(home: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ebbflow"));
    command.current_dir(home).args(arguments).output().unwrap()
}

fn entries(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_summary_has_all_files_but_those_with_a_row_for_every_request() {
    let home = tempfile::tempdir().unwrap();
    let run = |out: &str, more: &[&str]| {
        let output = ebbflow(home.path(), &[&["run", "--quiet", "--out", out], more].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        files(&home.path().join(out))
    };
    let mut full = run("full", &["--results", "full"]);
    let mut summary = run("summary", &["--results", "summary"]);
    for name in ["requests/0.csv", "detailed/0.csv", "request_nodes.csv", "not_completed.csv"] {
        assert!(full.remove(name).is_some(), "{name}");
    }
    // The page shows what there is.
    assert!(full.remove("report.html") != summary.remove("report.html"));
    let [of_full, of_summary] = [&mut full, &mut summary].map(|files| {
        let mut report: Value = serde_json::from_slice(&files.remove("run.json").unwrap()).unwrap();
        report["wall_s"].take();
        report
    });
    assert_eq!(of_full, of_summary);
    assert!(full == summary, "{:?} and {:?}", full.keys(), summary.keys());
}

#[test]
fn no_files_and_a_choice_of_files_exclude_each_other() {
    let home = tempfile::tempdir().unwrap();
    let output = ebbflow(home.path(), &["run", "--no-files", "--results", "summary"]);
    assert_eq!(output.status.code(), Some(2));
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_an_error_and_leaves_nothing_behind() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("s.yaml"), LONG).unwrap();
    // No file may grow beyond some blocks: writing fails in the middle of the run.
    let run = format!(
        "trap '' XFSZ; ulimit -f 64; exec {} run s.yaml --out run --quiet",
        env!("CARGO_BIN_EXE_ebbflow")
    );
    let output = Command::new("sh").current_dir(home.path()).args(["-c", &run]).output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("cannot write "), "{message}");
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(entries(home.path()), ["s.yaml"]);
}

#[cfg(unix)]
fn interrupt(process: u32) {
    let killed = Command::new("kill").args(["-INT", &process.to_string()]).status().unwrap();
    assert!(killed.success());
}

/// Waits until a run that has not ended has written rows.
#[cfg(unix)]
fn wait_for_rows(home: &Path) {
    let written = || {
        let hidden = entries(home).into_iter().find(|name| name.starts_with(".ebbflow-"))?;
        let rows = home.join(hidden).join("result/detailed/0.csv").metadata().ok()?;
        (rows.len() > 0).then_some(())
    };
    for _ in 0..6000 {
        if written().is_some() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("no rows are written while the run goes on");
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_has_the_rows_of_all_that_it_counts() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("s.yaml"), LONG).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_ebbflow"));
    command.current_dir(home.path()).args(["run", "s.yaml", "--out", "run", "--quiet"]);
    let mut run = command.stdout(std::process::Stdio::null()).spawn().unwrap();
    wait_for_rows(home.path());
    interrupt(run.id());
    assert_eq!(run.wait().unwrap().code(), Some(130));
    assert_eq!(entries(home.path()), ["run", "s.yaml"]);
    let files = files(&home.path().join("run"));
    let report: Value = serde_json::from_slice(&files["run.json"]).unwrap();
    assert_eq!(report["incomplete"], "interrupted");
    let rows = |name: &str| files[name].iter().filter(|byte| **byte == b'\n').count() as u64 - 1;
    let count = |key: &str| report["requests"][key].as_u64().unwrap();
    assert!(count("completed") > 0);
    assert_eq!(rows("detailed/0.csv"), count("completed"));
    assert_eq!(rows("not_completed.csv"), count("rejected") + count("unfinished"));
}
