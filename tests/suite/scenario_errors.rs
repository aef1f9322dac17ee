//! Whatever is wrong with a scenario file is said at once, each problem with its place, what was found and what
//! is accepted; nothing that can be typed makes the reader panic.

use std::path::Path;

use ebbflow::registry::Registry;
use ebbflow::scenario;

use crate::support::scenarios::{GOOD, read};

/// The printed problems of a text without the headline.
fn problems(text: &str) -> String {
    let errors = read(text, &[]).expect_err("the scenario is wrong").to_string();
    errors.split_once('\n').map_or(String::new(), |(_, blocks)| blocks.to_owned())
}

/// The printed problems of the good scenario after an override.
fn overridden(given: &str) -> String {
    read(GOOD, &[given]).expect_err("the override is wrong").to_string()
}

#[test]
fn all_problems_of_a_file_are_reported_at_once_in_order_of_their_place() {
    let text = "\
sed: 1
dispatch_latency: 0
cluster:
  servers:
    - {sku: dgx-h10, count: -1}
  power_budget: lots
applications:
  - model_architecture: llama2-70
    model_size: 70B
    schedular: jsq
    scheduler: tokn_jsq
    scaling_manager: {scale_up_delay: -3, drain_check_interval: 0, min_instance: 1}
start_state:
  state_type: splitwise
  prompt: {num_instances: two, max_batch_size: 0}
performance_model: {db: {path: nowhere.csv}}
workload: {preset: azure-conf, rate: [{at: 5, rate: 1}, {at: 1, rate: -2}]}
actions:
  - {at: 1, scale_up_full: {count: 0, tag: promt, server_sku: dgx-a10}}
  - {at: -1, scale_down_full: {}}
  - {at: 2, scale_up_full: {}, scale_down_server: {server: 0}}
  - {at: 3}
seed: 1
seed: 2
";
    let found = problems(text);
    for line in [
        "test.yaml:1:1  sed: unknown key `sed`",
        "test.yaml:2:19  dispatch_latency: expected a time above 0 (at least 1ns), found `0`",
        "test.yaml:5:13  cluster.servers.0.sku: unknown SKU `dgx-h10`",
        "test.yaml:5:29  cluster.servers.0.count: expected a whole number of at least 0, found `-1`",
        "test.yaml:6:17  cluster.power_budget: expected a number of at least 0, found `lots`",
        "test.yaml:8:25  applications.0.model_architecture: unknown model architecture `llama2-70`",
        "test.yaml:10:5  applications.0.schedular: unknown key `schedular`",
        "test.yaml:11:16  applications.0.scheduler: unknown scheduler `tokn_jsq`",
        "test.yaml:12:39  applications.0.scaling_manager.scale_up_delay: expected a time of at least 0",
        "test.yaml:15:27  start_state.prompt.num_instances: expected a whole number of at least 0, found `two`",
        "test.yaml:16:32  performance_model.db.path: the file `nowhere.csv` does not exist",
        "test.yaml:17:71  workload.rate.1.rate: expected a number of at least 0, found `-2`",
        "test.yaml:19:44  actions.0.scale_up_full.tag: unknown tag `promt`\n    did you mean `prompt`?",
        "test.yaml:22:5  actions.3: this action has no operation",
        "test.yaml:24:1  seed: the key `seed` is given twice",
    ] {
        assert!(found.contains(line), "{line}\nis not in\n{found}");
    }
    let lines: Vec<usize> = found
        .lines()
        .filter_map(|line| line.strip_prefix("test.yaml:")?.split(':').next()?.parse().ok())
        .collect();
    assert!(lines.is_sorted(), "{found}");
    assert!(lines.len() >= 22, "{found}");
}

#[test]
fn a_block_of_an_error_names_place_path_finding_and_what_is_accepted() {
    assert_eq!(
        problems(&GOOD.replace("count: 4", "count: many")),
        "test.yaml:3:30  cluster.servers.0.count: expected a whole number of at least 0, found `many`"
    );
    assert_eq!(
        problems(&GOOD.replace("sku: dgx-h100,", "skew: dgx-h100,")),
        "test.yaml:3:7  cluster.servers.0: `sku` is missing\n\
         test.yaml:3:8  cluster.servers.0.skew: unknown key `skew`\n    \
         did you mean `sku`? accepted: sku, count, limit"
    );
}

#[test]
fn problems_of_overrides_quote_the_override() {
    assert!(overridden("applications.0.schedular=jsq").contains(
        "override applications.0.schedular=jsq  applications.0.schedular: unknown key `schedular`\n    \
         did you mean `scheduler`?"
    ));
    for (given, expected) in [
        ("cluster.servers.3.count=1", "there is no entry 3: the list has 1"),
        ("applications.0.scheduler.x=1", "there is no `x` here: the file has the value `jsq`"),
        ("seed", "an override is KEY=VALUE"),
        ("seed=[1", "this is not YAML"),
        ("workload.requests=0", "expected a whole number of at least 1, found `0`"),
        ("trace.path=/nowhere/at/all.csv", "the file `/nowhere/at/all.csv` does not exist"),
    ] {
        let found = overridden(given);
        assert!(found.contains(&format!("override {given}  ")) && found.contains(expected), "{found}");
    }
}

/// An override of the good scenario, and what is wrong with it.
const WRONG: &[(&str, &str)] = &[
    ("seed=-1", "expected a whole number of at least 0"),
    ("end_time=0", "expected a time above 0"),
    ("end_time=1e300", "expected a time of at least 0"),
    ("debug=maybe", "expected true or false, found `maybe`"),
    ("dispatch_latency=1 fortnight", "expected a time of at least 0"),
    ("dispatch_latency=0.1ns", "expected a time above 0 (at least 1ns)"),
    ("cluster.servers=[]", "found an empty list"),
    ("cluster.servers=4", "expected a list, found `4`"),
    ("cluster=dgx", "expected a mapping"),
    ("cluster.servers.0.sku=[A100]", "expected a word or text, found a list"),
    ("cluster.interconnects=[{link: nvlink}]", "`topology` is missing"),
    ("cluster.network=rdma", "expected a mapping"),
    ("cluster.network={nic: rmda}", "did you mean `rdma`?"),
    ("cluster.network={intra: nvlinks}", "did you mean `nvlink`?"),
    ("cluster.network={nic: {rdma: {gb_per_s: 0}}}", "expected a number above 0"),
    ("cluster.network={nic: {rdma: {gb_per_s: 1e9}}}", "expected 0.001 to 1000000 GB/s"),
    ("cluster.network={intra: {pcie: {per_server: 2}}}", "unknown key `per_server`"),
    ("cluster.network={skus: [{sku: dgx-h10, nic: rdma}]}", "unknown SKU `dgx-h10`"),
    ("cluster.skus=[{name: A100, gpu: a100-80gb, gpus: 8}]", "there is already a SKU `A100`"),
    ("cluster.skus=[{name: new, gpu: b200, gpus: 8}]", "the memory of the GPU `b200` is not known"),
    ("cluster.skus=[{name: new, gpu: h100-80gb, gpus: 0}]", "expected a whole number of at least 1"),
    ("applications=[]", "found an empty list"),
    ("applications.0.model_size=7B", "unknown size of llama2-70b `7B`"),
    ("applications.0.model_size=bloom-176b-fp16", "unknown size of llama2-70b `bloom-176b-fp16`"),
    ("applications.0.application_id=-1", "expected a whole number of at least 0"),
    ("applications.0.scheduler={kv_jsq: {transfer_bandwith: 1}}", "did you mean `transfer_bandwidth`?"),
    ("applications.0.scheduler={kv_jsq: {transfer_bandwidth: fast}}", "expected a number, found `fast`"),
    ("applications.0.scheduler={jsq: {}, kv_jsq: {}}", "expected a name, or one name with its settings"),
    ("applications.0.scaling_manager.drain_timeout_action=drop", "unknown drain_timeout_action `drop`"),
    ("applications.0.scaling_manager.max_instances=0", "expected a whole number of at least 1"),
    ("applications.0.scaling_manager={min_instances: 5, max_instances: 4}", "max_instances 4 is below"),
    (
        "applications.0.scaling_manager.autoscaling_policy=heterscale",
        "unknown autoscaling policy `heterscale`",
    ),
    ("applications.0.scaling_manager.decision_interval=0", "expected a time above 0"),
    ("start_state=basline", "did you mean `baseline`?"),
    ("start_state={state_type: baseline, prompt: {}}", "unknown key `prompt`"),
    ("start_state={state_type: baseline, instance: {instance_type: orcas}}", "did you mean `ORCA`?"),
    ("start_state={state_type: baseline, application_id: 3}", "there is no application 3"),
    ("start_state={state_type: splitwise, split_type: both}", "unknown split_type `both`"),
    (
        "start_state={state_type: splitwise, prompt: {num_instances: 9}}",
        "need 10 servers, but the cluster has 4",
    ),
    (
        "start_state={state_type: splitwise, split_type: heterogeneous, prompt: {instance_names: [A100]}}",
        "the dgx-h100 servers of the cluster are in neither pool",
    ),
    (
        "start_state={state_type: splitwise, split_type: heterogeneous, prompt: {instance_names: [A10]}}",
        "unknown SKU `A10`",
    ),
    (
        "start_state={state_type: orca, instance: {tensor_parallelism: 3}}",
        "has no row for llama2-70b on h100-80gb",
    ),
    ("cluster.servers.0.sku=h100-80gb-x1", "needs 135 GB for its weights"),
    ("performance_model=guess", "unknown performance model `guess`"),
    ("performance_model={constant: {token_time: 0}}", "expected a number above 0"),
    ("performance_model={db: {decode_key: batch}}", "did you mean `batch_size`?"),
    ("performance_model={_target_: performance_model.Magic}", "unknown performance model"),
    ("workload={trace: x.csv, preset: azure-conv}", "`preset` belongs to generated workloads"),
    ("workload={preset: azure-conv, synthetic: {prompt: 1, output: 1}}", "there is also a `preset`"),
    ("workload={synthetic: {prompt: 1, output: 1}}", "`rate` is missing"),
    ("workload={synthetic: {prompt: 0, output: 1}, rate: 1}", "expected a whole number of at least 1"),
    (
        "workload={synthetic: {prompt: {quantiles: [[0, 5], [100, 1]]}, output: 1}, rate: 1}",
        "not a distribution",
    ),
    (
        "workload={synthetic: {prompt: {normal: 1}, output: 1}, rate: 1}",
        "unknown length distribution `normal`",
    ),
    ("workload.arrivals=pareto", "unknown arrival process `pareto`"),
    ("workload.arrivals=gamma", "expected `gamma: {shape: …}`"),
    (
        "workload={preset: azure-conv, arrivals: uniform, rate: [{at: 0, rate: 1}, {at: 1, rate: 2}]}",
        "one rate",
    ),
    ("workload.rate=[{at: 0, rate: 1}, {at: 9, rate: 2}, {at: 3, rate: 4}]", "must start at 0 and increase"),
    ("workload.rate=[{at: 0, rate: 0}]", "nothing ever arrives"),
    ("workload.rate_scale=0", "expected a number above 0"),
    ("workload.application=4", "there is no application 4"),
    ("actions=[{at: 1, scale_up_fill: {}}]", "did you mean `scale_up_full`?"),
    ("actions=[{scale_up_full: {}}]", "`at` is missing"),
    ("actions=[{at: 1, application: 2, scale_up_full: {}}]", "there is no application 2"),
    ("actions=[{at: 1, scale_down_full: {instance: 0, instances: [1]}}]", "there is also `instance`"),
    ("actions=[{at: 1, scale_down_full: {instances: [1, 1]}}]", "instance 1 is listed twice"),
    ("actions=[{at: 1, scale_down_full: {instances: []}}]", "found an empty list"),
    ("actions=[{at: 1, scale_up_instance: {processors: [0]}}]", "`server` is missing"),
    ("actions=[{at: 1, scale_up_full: {server_sku: a100-80gb-x1}}]", "needs 135 GB for its weights"),
];

#[test]
fn every_kind_of_mistake_has_its_message() {
    for (given, expected) in WRONG {
        let found = overridden(given);
        assert!(found.contains(expected), "{given}\nexpected {expected}\nfound {found}");
    }
}

#[test]
fn mistakes_between_sections_point_at_the_key_to_change() {
    let tp3 = GOOD.replace(
        "workload:",
        "start_state:\n  state_type: baseline\n  instance:\n    tensor_parallelism: 3\nworkload:",
    );
    assert!(
        problems(&tp3).starts_with("test.yaml:12:25  start_state.instance.tensor_parallelism: "),
        "{}",
        problems(&tp3)
    );
    let without = GOOD.replace("    scaling_manager: {}\n", "actions: [{at: 1, scale_up_full: {}}]\n");
    assert!(problems(&without).contains("application 0 has no scaling_manager"), "{}", problems(&without));
    let never = GOOD.replace("    scaling_manager: {}\n", "start_state: unallocated\n");
    assert!(
        problems(&never).contains("starts without instances and no scaling_manager"),
        "{}",
        problems(&never)
    );
    let twice = GOOD.replace(
        "workload:",
        "  - {application_id: 0, model_architecture: LLaMA, model_size: 70B, scaling_manager: {}}\nworkload:",
    );
    assert!(problems(&twice).contains("application_id 0 is given twice"), "{}", problems(&twice));
    let unmeasured = GOOD.replace("llama2-70b-fp16", "opt-66b-fp16").replace("llama2-70b", "opt-66b");
    assert!(problems(&unmeasured).contains("or the `constant` model"), "{}", problems(&unmeasured));
}

#[test]
fn files_that_cannot_be_read_say_why() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let load =
        |path: &Path| scenario::load(path, &[], &Registry::builtin()).expect_err("it is wrong").to_string();
    assert!(load(&folder.path().join("none.yaml")).contains("cannot be read"));
    assert!(load(folder.path()).contains("is a directory; expected a file"));
    for (name, bytes, expected) in [
        ("empty.yaml", &b""[..], "is empty"),
        ("comment.yaml", b"# nothing\n", "is empty"),
        ("latin1.yaml", b"name: caf\xe9\n", "is not UTF-8 text: byte 9"),
        ("list.yaml", b"- 1\n", "expected a mapping"),
        ("syntax.yaml", b"a: [1\nb: }", "this is not YAML"),
        ("two.yaml", b"a: 1\n---\nb: 2\n", "a second one starts here"),
        ("tag.yaml", b"a: !!python/object x\n", "tags"),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("it can be written");
        assert!(load(&path).contains(expected), "{name}: {}", load(&path));
    }
}

#[test]
fn windows_line_ends_and_byte_order_marks_do_no_harm() {
    assert!(read(&GOOD.replace('\n', "\r\n"), &[]).is_ok());
    assert!(read(&format!("\u{feff}{GOOD}"), &[]).is_ok());
    let wrong = GOOD.replace("count: 4", "count: many").replace('\n', "\r\n");
    assert!(problems(&wrong).starts_with("test.yaml:3:30  "), "{}", problems(&wrong));
}
