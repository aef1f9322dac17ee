//! Several applications on the same servers: packed start states, GPUs that change hands, and who pays.

use ebbflow::ids::{ApplicationId, ServerId};
use ebbflow::results::{ApplicationResults, InstanceRecord, Report, RunResults};

use crate::support::run::{instance, log_lines, sequential};
use crate::support::run_scenario;
use crate::support::scenarios::{read, scenario};

/// Requests of both applications.
const TRACE: &str =
    "request_id,request_type,application_id,arrival_timestamp,batch_size,prompt_size,token_size\n";

/// Two applications on one server of eight GPUs, four in use, and the ScalingManagers' settings.
fn two(managers: [&str; 2], entries: &str, actions: &str) -> String {
    let application = |manager: &str| {
        format!(
            "  - model_architecture: llama2-70b\n    model_size: llama2-70b-fp16\n    scheduler: jsq\n    \
             scaling_manager: {{{manager}}}\n"
        )
    };
    let applications: String = managers.map(application).concat();
    format!(
        "cluster: {{servers: [{{sku: dgx-h100, count: 1}}]}}\napplications:\n{applications}\
         start_state: {{state_type: packed, instances: [{entries}]}}\n\
         performance_model: {{constant: {{prompt_time: 0.1, token_time: 0.01}}}}\nactions: [{actions}]\n"
    )
}

const ONE_EACH: &str = "{application: 0, tensor_parallelism: 2}, {application: 1, tensor_parallelism: 2}";

/// Runs it over sixty requests a second apart, two in three of application 0.
fn run(yaml: &str) -> RunResults {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trace.csv");
    let row = |id: u32| format!("{id},2,{},{id},1,100,50\n", u32::from(id % 3 == 2));
    std::fs::write(&path, TRACE.to_owned() + &(0..60).map(row).collect::<String>()).unwrap();
    let given = format!("workload={{trace: {:?}}}", path.display().to_string());
    let scenario = read(yaml, &[&given]).unwrap_or_else(|problems| panic!("{problems}\nin\n{yaml}"));
    run_scenario(&scenario, &sequential())
}

fn place(instance: &InstanceRecord) -> (u32, &[u32]) {
    (instance.server.0, &instance.processors)
}

fn reasons(application: &ApplicationResults) -> Vec<String> {
    let refused = application.scaling_events.iter().filter(|event| event.event == "refused");
    refused.map(|event| event.detail.clone()).collect()
}

fn completed(application: &ApplicationResults) -> u64 {
    application.tally.counts.completed
}

#[test]
fn entries_are_placed_in_order_side_by_side_and_each_application_serves_its_own_requests() {
    let entries = "{application: 1, count: 2, tensor_parallelism: 2}, {application: 0, tensor_parallelism: 2, \
                   pipeline_parallelism: 2}";
    let results = run(&two(["", ""], entries, ""));
    let [zero, one] = results.applications.as_slice() else { panic!("there are two") };
    assert_eq!(place(instance(one, 0)), (0, &[0, 1][..]));
    assert_eq!(place(instance(one, 1)), (0, &[2, 3][..]));
    assert_eq!(place(instance(zero, 0)), (0, &[4, 5, 6, 7][..]));
    assert_eq!((completed(zero), completed(one)), (40, 20));
}

#[test]
fn entries_that_find_no_room_are_refused_with_their_place() {
    let refused = |entries: &str| read(&two(["", ""], entries, ""), &[]).unwrap_err().to_string();
    let full =
        refused("{count: 3, tensor_parallelism: 2}, {application: 1, count: 2, tensor_parallelism: 2}");
    for part in ["start_state.instances.1.count", "1 of 2 instances", "0 GPU(s)", "more servers"] {
        assert!(full.contains(part), "{part} in\n{full}");
    }
    let small = refused("{application: 1, tensor_parallelism: 1}");
    assert!(small.contains("start_state.instances.0.tensor_parallelism"), "{small}");
    assert!(small.contains("one GPU of a dgx-h100 server has 86 GB"), "{small}");
    let stranger = refused("{application: 7}");
    assert!(stranger.contains("start_state.instances.0.application"), "{stranger}");
}

#[test]
fn an_application_without_an_entry_starts_with_none_and_may_grow() {
    let up = "{at: 1, application: 1, scale_up_full: {}}";
    let results = run(&two(["", ""], "{tensor_parallelism: 4}", up));
    assert_eq!(place(instance(&results.applications[1], 0)), (2, &[0, 1, 2, 3, 4, 5, 6, 7][..]));
    assert_eq!(results.servers, [0, 2].map(ServerId));
}

#[test]
fn a_shared_server_stays_whoever_wants_it_away() {
    let actions = "{at: 2, scale_up_instance: {server: 0, processors: [4, 5]}}, \
                   {at: 20, scale_down_full: {instance: 0}}, {at: 40, scale_down_server: {server: 0}}";
    let results = run(&two(["", ""], ONE_EACH, actions));
    let zero = &results.applications[0];
    assert!(instance(zero, 0).removed.is_some());
    assert_eq!(results.servers, [ServerId(0)]);
    let stays = ["server_0 is shared by several applications, so it stays until the end of the run"];
    assert_eq!(reasons(zero), stays);
    assert!(log_lines(zero).contains(&"40,scale_down_server_invalid,server_0,shared".to_owned()));
}

#[test]
fn gpus_that_one_application_leaves_are_taken_by_the_other_and_not_before() {
    let take = |at: u32| {
        format!("{{at: {at}, application: 1, scale_up_instance: {{server: 0, processors: [0, 1]}}}}")
    };
    let leave = "{at: 10, scale_up_instance: {server: 0, processors: [4, 5]}}, \
                 {at: 25, scale_down_instance: {instance: 0}}";
    let actions = format!("{}, {leave}, {}", take(5), take(40));
    let results = run(&two(["", ""], ONE_EACH, &actions));
    let one = &results.applications[1];
    assert_eq!(reasons(one), ["GPU 0 of server_0 is occupied by instance_0 of application 0"]);
    let came = instance(one, 1);
    assert_eq!(place(came), (0, &[0, 1][..]));
    assert!(came.created >= instance(&results.applications[0], 0).removed.unwrap());
    assert!(came.active.is_some());
}

#[test]
fn of_two_who_ask_at_once_one_is_refused_by_the_server_and_may_ask_again() {
    let ask = |at: f64, application: u32| {
        format!(
            "{{at: {at}, application: {application}, scale_up_instance: {{server: 0, processors: [6, 7]}}}}"
        )
    };
    let actions =
        [ask(5.0, 0), ask(5.0, 1), ask(30.0, 1), "{at: 20, scale_down_instance: {instance: 1}}".into()];
    let results = run(&two(["", ""], ONE_EACH, &actions.join(", ")));
    let [zero, one] = results.applications.as_slice() else { panic!("there are two") };
    assert!(instance(zero, 1).removed.is_some());
    assert_eq!(reasons(one), ["GPU 6 of server_0 is occupied by instance_1 of application 0"]);
    assert_eq!(one.instances.iter().map(|instance| instance.id.0).collect::<Vec<_>>(), [0, 2]);
    assert_eq!(place(instance(one, 2)), (0, &[6, 7][..]));
    assert_eq!((completed(zero), completed(one)), (40, 20));
}

#[test]
fn a_start_that_is_cancelled_while_its_refusal_is_on_the_way_leaves_nothing() {
    for after in ["5", "5.0005", "5.001", "5.0015", "5.0021"] {
        let actions = format!(
            "{{at: 5, scale_up_instance: {{server: 0, processors: [6, 7]}}}}, \
             {{at: 5, application: 1, scale_up_instance: {{server: 0, processors: [6, 7]}}}}, \
             {{at: {after}, application: 1, scale_down_instance: {{instance: 1}}}}"
        );
        let results = run(&two(["", ""], ONE_EACH, &actions));
        assert_eq!(results.applications[1].instances.len(), 1, "cancelled at {after}");
        assert!(instance(&results.applications[0], 1).active.is_some());
    }
}

#[test]
fn a_start_without_processors_takes_the_first_free_gpus_of_a_shared_server() {
    let up = "{at: 1, application: 1, scale_up_instance: {server: 0}}";
    let results = run(&two(["", ""], ONE_EACH, &format!("{up}, {up}, {up}")));
    let one = &results.applications[1];
    assert_eq!(place(instance(one, 1)), (0, &[4, 5][..]));
    assert_eq!(place(instance(one, 2)), (0, &[6, 7][..]));
    assert_eq!(reasons(one), ["server_0 has no 2 free GPU(s) beside each other; 0 are free"]);
}

#[test]
fn where_instances_are_placed_on_shared_servers_a_new_one_comes_when_those_are_full() {
    let up = "{at: 1, application: 1, scale_up_full: {count: 3}}, {at: 30, application: 1, scale_down_full: {instances: [1, 3]}}";
    let results = run(&two(["", "place: shared"], ONE_EACH, up));
    let one = &results.applications[1];
    let places: Vec<_> = (1..4).map(|id| place(instance(one, id))).collect();
    assert_eq!(places[..2], [(0, &[4, 5][..]), (0, &[6, 7][..])]);
    assert_eq!(places[2].1.len(), 8, "{places:?}");
    assert!(instance(one, 1).removed.is_some() && instance(one, 3).removed.is_some());
    assert_eq!(results.servers, [ServerId(0)], "the new one left with its instance");
}

#[test]
fn a_shared_server_is_paid_for_once_and_what_nobody_has_in_equal_parts() {
    let yaml = two(["", ""], "{tensor_parallelism: 2}, {application: 1, tensor_parallelism: 4}", "");
    let results = run(&yaml);
    let report = Report::new(&results, &scenario(&yaml.replace("actions: []", "workload: {requests: 1}")));
    let hours = results.end.as_secs_f64() / 3600.0;
    let paid: Vec<f64> =
        report.applications.iter().map(|one| one.totals.cost.gpu_hours.total / hours).collect();
    assert!((paid[0] - 3.0).abs() < 1e-9 && (paid[1] - 5.0).abs() < 1e-9, "{paid:?}");
    assert!((report.totals.cost.gpu_hours.total / hours - 8.0).abs() < 1e-9);
    let listed: Vec<_> = results.applications.iter().map(|one| one.servers.len()).collect();
    assert_eq!(listed, [1, 0]);
}

#[test]
fn an_application_without_a_manager_shares_as_well() {
    let yaml = two(["", ""], ONE_EACH, "{at: 1, application: 1, scale_up_instance: {server: 0}}");
    let yaml = yaml.replacen("    scaling_manager: {}\n", "", 1);
    let results = run(&yaml);
    assert_eq!(results.applications[0].servers.len(), 1);
    assert_eq!(place(instance(&results.applications[1], 1)), (0, &[4, 5][..]));
}

#[test]
fn a_packed_start_state_reads_back_as_it_was_written() {
    let entries = "{application: 1, count: 0, tag: token, instance_type: ORCA}, \
                   {application: 0, tag: prompt, tensor_parallelism: 4, max_num_seqs: 7}";
    let yaml = two(["place: shared", ""], entries, "") + "workload: {requests: 5}\n";
    let first = scenario(&yaml);
    let again = scenario(&first.resolved);
    assert_eq!(first.resolved, again.resolved);
    let configs = [(ApplicationId(0), 4), (ApplicationId(1), 8)];
    for (application, tensor) in configs {
        assert_eq!(again.start_state.config_for(application, None).parallelism.tensor, tensor);
    }
}
