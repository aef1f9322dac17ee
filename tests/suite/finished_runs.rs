//! A run directory tells the whole run: what is read back is what the run left in memory, and every change
//! of the fleet has its cause.

use std::path::{Path, PathBuf};

use ebbflow::registry::Registry;
use ebbflow::report::{Cause, Causes, FinishedRun};
use ebbflow::results::{self, Report, RunDirectory, RunResults};

use crate::support::run::{run_scenario, sequential};
use crate::support::scenarios::scenario;

/// Two pools: one scaled by a policy, the other by a script.
pub const SCALED: &str = "
cluster: {servers: [{sku: dgx-h100, count: 4}]}
applications:
  - application_id: 0
    model_architecture: LLaMA
    model_size: 70B
    scheduler: kv_jsq
    scaling_manager:
      scale_up_delay: 4
      max_instances: 9
      autoscaling_policy: {token: {threshold: {max_queue_length: 0.01}}}
      metrics: {scrape_interval: 1}
start_state:
  state_type: splitwise
  application_id: 0
  split_type: homogeneous
  prompt: {num_instances: 2, tensor_parallelism: 8}
  token: {num_instances: 2, tensor_parallelism: 8}
end_time: 90
debug: true
workload:
  rate: 9
  requests: 400
  synthetic: {prompt: {lognormal: {mu: 6.5, sigma: 1.0, max: 4000}}, output: {lognormal: {mu: 4.5, sigma: 1.0, max: 800}}}
actions:
  - {at: 5.25, scale_up_full: {count: 2, tag: prompt, server_sku: dgx-h100}}
  - {at: 20, scale_down_full: {instances: [0]}}
";

/// Runs a scenario and writes its directory.
pub fn written(yaml: &str, home: &Path) -> (PathBuf, RunResults) {
    let scenario = scenario(yaml);
    let results = run_scenario(&scenario, &sequential());
    let report = Report::new(&results, &scenario);
    let target = RunDirectory::exactly(home.join("run"), false);
    (results::write(&target, &results, &report, &scenario).unwrap(), results)
}

#[test]
fn what_is_read_back_is_what_was_run() {
    let home = tempfile::tempdir().unwrap();
    let (directory, ran) = written(SCALED, home.path());
    let read = FinishedRun::open(&directory, &Registry::builtin()).unwrap();
    assert!(read.has_requests);
    assert_eq!((read.results.end, read.results.digest), (ran.end, ran.digest));
    assert_eq!((read.results.stats, read.results.servers), (ran.stats, ran.servers));
    for (read, ran) in read.results.applications.iter().zip(&ran.applications) {
        assert_eq!(read.requests, ran.requests);
        assert_eq!(read.tally, ran.tally);
        assert_eq!(read.instances, ran.instances);
        assert_eq!(read.servers, ran.servers);
        assert_eq!(read.time, ran.time);
        assert_eq!(read.scaling_log, ran.scaling_log);
        assert_eq!(read.scaling_events, ran.scaling_events);
        assert_eq!(read.decisions, ran.decisions);
        assert_eq!(read.iterations, ran.iterations);
        assert!(!read.decisions.is_empty() && !read.iterations.is_empty());
    }
}

#[test]
fn every_instance_that_came_or_went_has_its_cause() {
    let home = tempfile::tempdir().unwrap();
    let (directory, ran) = written(SCALED, home.path());
    let causes = Causes::of(&FinishedRun::open(&directory, &Registry::builtin()).unwrap());
    let mut decided = 0;
    for instance in &ran.applications[0].instances {
        let start = causes.of_start(ran.applications[0].id, instance.id).unwrap();
        match instance.created.as_secs_f64() {
            0.0 => assert_eq!(start, Cause::StartState),
            5.25 => assert_eq!(start, Cause::Action { nth: 1 }),
            _ => {
                let Cause::Decision { row } = start else { panic!("{instance:?} came of {start:?}") };
                let decision = &ran.applications[0].decisions[row - 1];
                assert_eq!(decision.time, instance.created);
                decided += 1;
            }
        }
        let drained = instance.draining.or(instance.removed);
        assert_eq!(causes.of_drain(ran.applications[0].id, instance.id).is_some(), drained.is_some());
        if instance.id.0 == 0 {
            assert_eq!(causes.of_drain(ran.applications[0].id, instance.id), Some(Cause::Action { nth: 2 }));
        }
    }
    assert!(decided > 0, "the policy started nobody: {:?}", ran.applications[0].decisions);
}

#[test]
fn a_damaged_file_is_named_with_its_line() {
    let home = tempfile::tempdir().unwrap();
    let (directory, _) = written(SCALED, home.path());
    let lifecycle = directory.join("lifecycle/0.csv");
    let text = std::fs::read_to_string(&lifecycle).unwrap().replacen(
        "dgx-h100,h100-80gb,8",
        "dgx-h100,h100-80gb,x",
        1,
    );
    std::fs::write(&lifecycle, text).unwrap();
    let error = FinishedRun::open(&directory, &Registry::builtin()).unwrap_err().to_string();
    assert!(error.contains("lifecycle/0.csv:2: gpus is `x`"), "{error}");
}
