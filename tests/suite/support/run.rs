//! Running scenarios, and looking at what they leave behind.

use std::num::NonZeroUsize;

use ebbflow::registry::Registry;
use ebbflow::request::{Fate, Request};
use ebbflow::results::{ApplicationResults, InstanceRecord, RunResults};
use ebbflow::scenario::Scenario;
use ebbflow::simulation::{self, RunOptions};
use ebbflow::workload;
use ebbflow_actors::{Runner, TickMode};

use super::scenarios::{read, scenario};

/// Runs a scenario text in one loop; it must end by itself or at `end_time`.
pub fn run(yaml: &str) -> RunResults {
    run_with(yaml, &sequential())
}

/// Runs a scenario text; it must end by itself or at `end_time`.
pub fn run_with(yaml: &str, options: &RunOptions) -> RunResults {
    run_scenario(&scenario(yaml), options)
}

/// Runs a scenario; it must end by itself or at `end_time`.
pub fn run_scenario(scenario: &Scenario, options: &RunOptions) -> RunResults {
    let applications: Vec<_> = scenario.applications.iter().map(|application| application.id).collect();
    let workload = workload::open(&scenario.workload, &applications, scenario.seed)
        .unwrap_or_else(|error| panic!("{error}"));
    let results = simulation::run(scenario, workload, &Registry::builtin(), options)
        .unwrap_or_else(|error| panic!("{error}\nin\n{}", scenario.resolved));
    assert_eq!(results.incomplete, None, "in\n{}", scenario.resolved);
    results
}

/// One loop over one heap.
pub fn sequential() -> RunOptions {
    RunOptions { runner: Runner::Sequential, ..RunOptions::default() }
}

/// Actors on this many arbiters.
pub fn actors(arbiters: usize, ticks: TickMode) -> RunOptions {
    RunOptions { arbiters: NonZeroUsize::new(arbiters), ticks, ..RunOptions::default() }
}

/// The only application of a run.
pub fn application(results: &RunResults) -> &ApplicationResults {
    let [application] = results.applications.as_slice() else { panic!("there is more than one application") };
    application
}

/// What became of the request with this number.
pub fn fate(application: &ApplicationResults, request: u64) -> Fate {
    ended(application, request).1
}

/// The request with this number, with its journal.
pub fn request(application: &ApplicationResults, request: u64) -> &Request {
    ended(application, request).0
}

fn ended(application: &ApplicationResults, request: u64) -> (&Request, Fate) {
    let found = application.requests.iter().find(|ended| ended.request.id.0 == request);
    let found = found.unwrap_or_else(|| panic!("request {request} is nowhere"));
    (&found.request, found.fate.clone())
}

/// How many requests ended like this.
pub fn count(application: &ApplicationResults, like: impl Fn(&Fate) -> bool) -> usize {
    application.requests.iter().filter(|ended| like(&ended.fate)).count()
}

/// The record of an instance.
pub fn instance(application: &ApplicationResults, id: u32) -> &InstanceRecord {
    let found = application.instances.iter().find(|instance| instance.id.0 == id);
    found.unwrap_or_else(|| panic!("there never was an instance {id}"))
}

/// The scaling log in the user's form, `time,action,target,status`.
pub fn log_lines(application: &ApplicationResults) -> Vec<String> {
    let lines = application.scaling_log.iter();
    lines
        .map(|line| format!("{},{},{},{}", line.time.as_secs_f64(), line.action, line.target, line.status))
        .collect()
}

/// Runs a scenario text over these requests, numbered from 0: arrival in seconds, prompt and output tokens.
pub fn run_trace(yaml: &str, requests: &[(f64, u32, u32)]) -> RunResults {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trace.csv");
    let mut text = String::from(
        "request_id,request_type,application_id,arrival_timestamp,batch_size,prompt_size,token_size\n",
    );
    for (id, (arrival, prompt, output)) in requests.iter().enumerate() {
        text.push_str(&format!("{id},2,0,{arrival},1,{prompt},{output}\n"));
    }
    std::fs::write(&path, text).unwrap();
    let given = format!("workload={{trace: {:?}}}", path.display().to_string());
    let scenario = read(yaml, &[&given]).unwrap_or_else(|problems| panic!("{problems}\nin\n{yaml}"));
    run_scenario(&scenario, &sequential())
}
