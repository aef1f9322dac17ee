//! Scenario files: every shipped one loads, the guide's example and ancestor configurations load as they stand,
//! and what a scenario resolves to reads as the same scenario.

use std::path::{Path, PathBuf};

use ebbflow::cluster::shape_of_slice;
use ebbflow::performance::DecodeKey;
use ebbflow::registry::Registry;
use ebbflow::scenario::{self, PerformanceSpec, Scenario, StartState, WorkloadSource};

use crate::support::repository;
use crate::support::scenarios::{GOOD, read};
use crate::support::shipped::shipped;

/// `Debug` of everything that a run depends on.
fn essence(scenario: &Scenario) -> String {
    let blank =
        Scenario { name: String::new(), notes: Vec::new(), resolved: String::new(), ..scenario.clone() };
    format!("{blank:#?}")
}

#[test]
fn every_shipped_scenario_loads_and_says_what_it_shows() {
    assert!(shipped().len() >= 10);
    for path in shipped() {
        let loaded = scenario::load(&path, &[], &Registry::builtin());
        assert!(loaded.is_ok(), "{}", loaded.expect_err("it is not ok"));
        let text = std::fs::read_to_string(&path).expect("it was read before");
        assert!(text.starts_with("# ") && text.contains("# Shows: "), "{}", path.display());
    }
}

#[test]
fn the_built_in_scenario_scales_up_and_drains_concurrently() {
    let scenario = scenario::builtin(&[], &Registry::builtin()).expect("the built-in scenario is right");
    let at_once = |name: &str| {
        let of_kind =
            scenario.actions.iter().filter(|action| format!("{:?}", action.operation).starts_with(name));
        of_kind.count()
    };
    assert!(at_once("ScaleUpFull") > 1 && at_once("ScaleDownFull") > 1);
}

#[test]
fn what_a_scenario_resolves_to_reads_as_the_same_scenario() {
    let mut texts: Vec<(PathBuf, Vec<String>)> =
        shipped().into_iter().map(|path| (path, Vec::new())).collect();
    texts.extend(golden_configurations());
    for (path, overrides) in texts {
        let first = scenario::load(&path, &overrides, &Registry::builtin()).expect("it loads");
        let again = scenario::from_yaml("again", &first.resolved, Path::new(""), &[], &Registry::builtin());
        let again = again.unwrap_or_else(|errors| panic!("{}: {errors}\n{}", path.display(), first.resolved));
        assert_eq!(essence(&first), essence(&again), "{}", path.display());
        assert_eq!(first.resolved, again.resolved);
    }
}

/// The ancestor's configurations with their traces, if they are beside the repository.
fn golden_configurations() -> Vec<(PathBuf, Vec<String>)> {
    let folder = std::env::var_os("EBBFLOW_GOLDEN")
        .map_or_else(|| repository().join("../shared/golden"), PathBuf::from);
    let Ok(entries) = std::fs::read_dir(&folder) else {
        println!("skipped: there is no {}", folder.display());
        return Vec::new();
    };
    let cases = entries.filter_map(Result::ok).map(|entry| entry.path());
    cases
        .filter(|case| case.join("config.yaml").is_file())
        .map(|case| {
            let trace = format!("trace.path={}", case.join("trace.csv").display());
            (case.join("config.yaml"), vec![trace])
        })
        .collect()
}

#[test]
fn ancestor_configurations_load_with_only_the_trace_path_overridden() {
    for (path, overrides) in golden_configurations() {
        let scenario = scenario::load(&path, &overrides, &Registry::builtin())
            .unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(scenario.dispatch_latency.as_nanos(), 1);
        assert!(matches!(
            scenario.performance,
            PerformanceSpec::Lookup { decode_key: DecodeKey::BatchTokens, .. }
        ));
        let managers = scenario.applications.iter().filter_map(|application| application.scaling.as_ref());
        assert!(managers.into_iter().all(|scaling| scaling.min_instances == 0));
    }
}

#[test]
fn the_ancestors_autoscaling_policy_is_found_or_a_note_says_it_is_not_simulated() {
    let text = format!(
        "{GOOD}\
autoscaling: {{enable: true, decision_interval: 5.0}}
autoscaling_policy: {{_target_: autoscaling_policies.NoSuchPolicy, slo: 3, debug: false}}
"
    );
    let scenario = read(&text, &[]).expect("an unknown policy of the ancestor is no error");
    assert!(
        scenario.notes.iter().any(|note| note.contains("NoSuchPolicy are not simulated")),
        "{:?}",
        scenario.notes
    );
}

/// The complete configuration of the ScalingManager guide, key by key.
const GUIDE: &str = "\
cluster:
  servers:
    - sku: A100
      count: 4
  interconnects:
    - topology: p2p
  power_budget: 100000
applications:
  - application_id: 0
    model_architecture: LLaMA
    model_size: 70B
    scheduler: AdaptiveMixedPoolScheduler
    allocator: StaticAllocator
    scaling_manager:
      scale_up_delay: 10.0
      drain_check_interval: 1.0
    debug: true
start_state:
  state_type: splitwise
  application_id: 0
  split_type: homogeneous
  prompt:
    num_instances: 2
    pipeline_parallelism: 1
    tensor_parallelism: 1
  token:
    num_instances: 2
    pipeline_parallelism: 1
    tensor_parallelism: 1
";

#[test]
fn the_guides_example_runs_as_it_stands_on_whole_servers() {
    let scenario = read(GUIDE, &[]).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(scenario.cluster.servers.iter().map(|group| group.count).sum::<u32>(), 4);
    let StartState::Split { prompt, token, .. } = &scenario.start_state else { panic!("it is a split") };
    for pool in [prompt, token] {
        assert_eq!(pool.num_instances, 2);
        let (model, sku) = (&scenario.applications[0].model, &scenario.cluster.servers[0].sku);
        let shape = shape_of_slice(model, sku, pool.instance).expect("it fits the server");
        assert_eq!((shape.gpus, shape.parallelism.tensor, shape.widened), (8, 8, true));
    }
    let said = |words: &str| scenario.notes.iter().any(|note| note.contains(words));
    assert!(said("takes the whole server"), "{:?}", scenario.notes);
    assert!(said("no workload is named"), "{:?}", scenario.notes);
}

#[test]
fn the_guides_example_takes_a_workload() {
    let scenario =
        read(&format!("{GUIDE}workload: {{preset: azure-code, until: 60}}\n"), &[]).expect("it is right");
    assert!(matches!(scenario.workload.source, WorkloadSource::Synthetic(_)));
    assert!(!scenario.notes.iter().any(|note| note.contains("no workload")));
}

#[test]
fn overrides_change_keys_of_the_file_and_add_known_ones() {
    let scenario = read(
        GOOD,
        &[
            "cluster.servers.0.count=7",
            "applications.0.scheduler=TokenJSQScheduler",
            "seed=9",
            "start_state=orca",
        ],
    )
    .expect("the overrides are right");
    assert_eq!((scenario.seed, scenario.cluster.servers[0].count), (9, 7));
    assert_eq!(scenario.applications[0].scheduler.name, "token_jsq");
    assert!(matches!(scenario.start_state, StartState::WholeServers { .. }));
}

#[test]
fn a_trace_given_as_an_override_replaces_a_generated_workload() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let trace = folder.path().join("trace.csv");
    std::fs::write(&trace, "").expect("it can be written");
    let scenario = read(GOOD, &[&format!("trace.path={}", trace.display())]).expect("the trace exists");
    assert!(matches!(scenario.workload.source, WorkloadSource::Trace { path, .. } if path == trace));
}

#[test]
fn relative_paths_start_in_the_folder_of_the_scenario() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("trace.csv"), "").expect("it can be written");
    let file = folder.path().join("scenario.yaml");
    let text = GOOD.replace("{preset: azure-conv, requests: 10}", "{trace: trace.csv, rate_scale: 2}");
    std::fs::write(&file, text).expect("it can be written");
    let scenario = scenario::load(&file, &[], &Registry::builtin()).expect("the trace is beside it");
    let WorkloadSource::Trace { path, .. } = scenario.workload.source else { panic!("it is a trace") };
    assert_eq!(path, folder.path().join("trace.csv"));
}

#[test]
fn skus_of_ones_own_can_be_used_like_the_built_in_ones() {
    let own = "cluster.skus=[{name: big, gpu: h100-80gb, gpu_memory_gib: 141, gpus: 4}]";
    let scenario = read(
        GOOD,
        &[
            own,
            "cluster.servers.0.sku=big",
            "start_state={state_type: baseline, instance: {tensor_parallelism: 4}}",
        ],
    )
    .unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(scenario.cluster.servers[0].sku.gpu.memory_bytes, 141 << 30);
}

/// Each pool's policy has its own pace, and a resolved scenario keeps it.
#[test]
fn a_policy_for_each_pool_survives_being_resolved() {
    let settings = "autoscaling_policy: {prompt: kpa, decode: {hpa: {tolerance: 0.2}}}";
    let yaml = crate::support::scaling::split_fleet(settings, 4.0, &[]);
    let first = crate::support::scenarios::scenario(&yaml);
    let again = crate::support::scenarios::scenario(&first.resolved);
    assert_eq!(again.resolved, first.resolved);
    let policies = |scenario: &ebbflow::scenario::Scenario| {
        scenario.applications[0].scaling.as_ref().unwrap().policies.clone()
    };
    assert_eq!(policies(&again), policies(&first));
    let seconds = |nth: usize| policies(&first)[nth].decision_interval.as_secs_f64();
    assert_eq!((seconds(0), seconds(1)), (2.0, 15.0));
    let paced = yaml.replace("autoscaling_policy", "decision_interval: {token: 30}, autoscaling_policy");
    let paced = crate::support::scenarios::scenario(&paced);
    assert_eq!(policies(&paced)[1].decision_interval.as_secs_f64(), 30.0);
}

#[test]
fn a_policy_of_the_whole_fleet_is_refused_for_a_pool() {
    let yaml = crate::support::scaling::split_fleet("autoscaling_policy: {prompt: heteroscale}", 4.0, &[]);
    let refusal = crate::support::scenarios::read(&yaml, &[]).unwrap_err().to_string();
    assert!(refusal.contains("`heteroscale` governs all pools together"), "{refusal}");
}
