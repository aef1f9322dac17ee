//! How starts are made up, which servers they take, whom scale-downs take, and when routing stops.

use ebbflow::ids::{InstanceId, ServerId};
use ebbflow::results::ApplicationResults;
use ebbflow::scaling::Effect;
use ebbflow_actors::{SimDuration, SimTime};

use crate::support::run::{application, instance, log_lines, run};
use crate::support::scaling::{assert_all_completed, at, deeds, fleet, manager, run_soundly};
use crate::support::scenarios::{read, scenario};

fn active(application: &ApplicationResults, id: u32) -> SimTime {
    instance(application, id).active.unwrap()
}

#[test]
fn a_cold_start_is_the_sum_of_its_parts() {
    let settings = "cold_start: {provision: 20, image_pull: {bandwidth: {gigabytes: 6, gb_per_s: 0.5}}, \
                    weights: {bandwidth: {gb_per_s: 10}}, warm_up: {formula: {base: 2, per_layer: 0.1}}}";
    let yaml = fleet(settings, 4.0, &["{at: 5, scale_up_full: {}}"]);
    let model = &scenario(&yaml).applications[0].model;
    let parts_s = 20.0 + 12.0 + model.weights_bytes as f64 / 1e10 + 2.0 + 0.1 * f64::from(model.layers);
    let results = run_soundly(&yaml);
    let took = active(application(&results), 4) - at(5.0);
    assert!((took.as_secs_f64() - parts_s).abs() < 1e-6, "{took} instead of {parts_s} s");
}

#[test]
fn a_drawn_start_depends_on_the_instance_and_the_seed_and_on_nothing_else() {
    let settings = "cold_start: {provision: {uniform: {min: 1, max: 9}}, \
                    warm_up: {lognormal: {median: 8, sigma: 0.5, max: 30}}}";
    let starts = |actions: &[&str], seed: &str| {
        let results = run_soundly(&(fleet(settings, 4.0, actions) + seed));
        let newcomers = 4..4 + actions.len() as u32;
        newcomers.map(|id| active(application(&results), id)).collect::<Vec<_>>()
    };
    let one = "{at: 5, scale_up_full: {}}";
    let both = starts(&[one, one], "");
    assert_ne!(both[0], both[1]);
    assert_eq!(starts(&[one], ""), both[..1]);
    assert_eq!(starts(&[one, one], ""), both);
    assert_ne!(starts(&[one, one], "seed: 9\n"), both);
}

#[test]
fn a_preset_can_be_taken_as_it_is_or_with_a_part_changed() {
    let took_s = |cold_start: &str| {
        let yaml = fleet(&format!("cold_start: {cold_start}"), 4.0, &["{at: 1, scale_up_full: {}}"]);
        (active(application(&run_soundly(&yaml)), 4) - at(1.0)).as_secs_f64()
    };
    assert_eq!(took_s("sleep_wake_4s"), 4.0);
    assert_eq!(took_s("{preset: sleep_wake_4s, provision: 3}"), 7.0);
}

#[test]
fn a_warm_server_spares_a_start_the_machine_and_is_replaced() {
    let settings = "scale_up_delay: 10, server_boot_delay: 30, warm_pool: 1";
    let actions = ["{at: 40, scale_up_full: {}}", "{at: 41, scale_up_full: {}}"];
    let results = run_soundly(&fleet(settings, 4.0, &actions));
    let application = application(&results);
    assert_eq!(instance(application, 4).server, ServerId(4), "the server that was started at time 0");
    assert_eq!(active(application, 4), at(50.0));
    // The second takes the one ordered in its place, which is up at 70 s.
    assert_eq!(instance(application, 5).server, ServerId(5));
    assert_eq!(active(application, 5), at(80.0));
    let servers: Vec<_> =
        log_lines(application).into_iter().filter(|line| line.contains("scale_up_server")).collect();
    assert_eq!(servers.len(), 3, "{servers:?}");
}

#[test]
fn a_scaled_down_server_goes_back_to_a_pool_that_is_short_of_one() {
    let mut manager = manager("{warm_pool: 1, server_boot_delay: 100}");
    manager.refill_warm_pool(at(0.0));
    assert_eq!(deeds(&manager.take_effects()), ["start server 4"]);
    for id in [0, 1] {
        manager.scale_down_full(at(1.0), InstanceId(id)).unwrap();
        manager.take_effects();
        manager.instance_drained(at(2.0), InstanceId(id));
    }
    // Server 4 is still on its way, so the pool has it; a first one that is up may leave.
    assert_eq!(deeds(&manager.take_effects()), ["remove server 1"]);
}

#[test]
fn a_sku_that_is_used_up_is_refused_with_the_limit() {
    let yaml =
        fleet("", 4.0, &["{at: 5, scale_up_full: {count: 3}}"]).replace("count: 4}", "count: 4, limit: 6}");
    let results = run_soundly(&yaml);
    let application = application(&results);
    assert_eq!((application.scaling.scale_ups, application.scaling.refused), (2, 1));
    let refusal = application.scaling_events.iter().find(|fact| fact.event == "refused").unwrap();
    assert!(refusal.detail.contains("only 6 server(s) of `dgx-h100`"), "{}", refusal.detail);
}

/// Both SKUs are equally fast under a constant performance model, so the price decides.
#[test]
fn the_automatic_sku_is_the_one_that_serves_most_per_dollar_among_those_to_be_had() {
    let servers = "[{sku: dgx-h100, count: 4}, {sku: dgx-a100, count: 0, limit: 1}]";
    let yaml = fleet("server_sku: auto", 4.0, &["{at: 5, scale_up_full: {count: 2}}"])
        .replace("[{sku: dgx-h100, count: 4}]", servers);
    let results = run_soundly(&yaml);
    let sku = |id| instance(application(&results), id).sku.clone();
    assert_eq!((sku(4), sku(5)), ("dgx-a100".to_owned(), "dgx-h100".to_owned()));
    let by_hand = yaml.replace("server_sku: auto", "").replace("count: 2}", "count: 1, server_sku: auto}");
    assert_eq!(instance(application(&run_soundly(&by_hand)), 4).sku, "dgx-a100");
}

#[test]
fn work_still_comes_during_the_routing_stop_lag_and_is_finished() {
    let yaml = |lag: &str| fleet(lag, 40.0, &["{at: 30, scale_down_full: {instance: 2}}"]);
    let late = |lag: &str| {
        let results = run(&yaml(lag));
        let application = application(&results);
        assert_all_completed(application);
        let journals = application.requests.iter().map(|ended| &ended.request.journal);
        let at_it =
            journals.filter(|journal| journal.prefill.is_some_and(|leg| leg.instance == InstanceId(2)));
        at_it.filter(|journal| journal.scheduled > Some(at(30.002))).count()
    };
    assert_eq!(late("routing_stop_lag: 0"), 0);
    let during_5_s = late("routing_stop_lag: 5");
    assert!((30..70).contains(&during_5_s), "{during_5_s} of about 50");
}

#[test]
fn the_order_of_victims_is_the_scenarios() {
    // Two more instances; then a policy takes one away, at rest.
    let taken = |victims: &str| {
        let settings = format!(
            "scale_up_delay: 1, victims: {victims}, min_instances: 1, autoscaling_policy: {{threshold: \
             {{min_utilization: 1, scale_down_by: 1, scale_down_cooldown: 1000, window: 5}}}}, decision_interval: 20"
        );
        let yaml = fleet(&settings, 0.1, &["{at: 5, scale_up_full: {count: 2}}"]);
        let results = run_soundly(&yaml);
        let application = application(&results);
        let gone = application.instances.iter().filter(|record| record.draining.is_some());
        gone.map(|record| record.id.0).collect::<Vec<_>>()
    };
    assert_eq!(taken("youngest"), [5]);
    assert_eq!(taken("oldest"), [3], "of those that were there from the start, the youngest");
}

#[test]
fn what_cannot_be_a_start_is_refused_where_it_stands() {
    let refusal = |settings: &str| read(&fleet(settings, 4.0, &[]), &[]).unwrap_err().to_string();
    assert!(refusal("cold_start: lukewarm").contains("unknown cold start `lukewarm`"));
    assert!(refusal("cold_start: {warm_up: 3}, scale_up_delay: 4").contains("beside `cold_start`"));
    assert!(refusal("cold_start: {warm_up: {uniform: {min: 4, max: 3}}}").contains("max to be at least min"));
    assert!(refusal("cold_start: {warm_up: {weibull: {k: 4}}}").contains("unknown kind of time `weibull`"));
    assert!(refusal("victims: eldest").contains("unknown order of victims `eldest`"));
    assert!(refusal("server_sku: dgx-z1").contains("unknown SKU `dgx-z1`"));
}

/// The effects of a start say when it will be over.
#[test]
fn a_started_server_is_up_when_its_machine_and_image_are_there() {
    let mut manager = manager("{cold_start: {provision: 30, image_pull: 12, weights: 3, warm_up: 4}}");
    manager.scale_up_full(at(1.0), None, None, None).unwrap();
    let effects = manager.take_effects();
    let Some(Effect::StartServer { up_at, first: Some(first), .. }) = effects.last() else {
        panic!("{effects:?}");
    };
    assert_eq!((*up_at, first.ready_at), (at(43.0), Some(at(50.0))));
    assert_eq!(manager.startup_delay(), SimDuration::from_secs(49));
}
