//! What a stranger can add in a crate of their own: a scheduler that triggers scaling and a predictive
//! policy, after the two examples of the user's guide. Nothing here reaches into the library.

use std::path::Path;

use ebbflow::ids::InstanceId;
use ebbflow::instance::InstanceStatus;
use ebbflow::registry::{Kind, Parameter, Registry};
use ebbflow::request::Request;
use ebbflow::results::{ApplicationResults, Latency, RunResults};
use ebbflow::scaling::metrics::{GatewaySample, Monitor, Sample, Traffic};
use ebbflow::scaling::{AutoscalingPolicy, Decision, Member, Observation};
use ebbflow::scenario::{Operation, from_yaml};
use ebbflow::scheduler::{Fleet, Metric, PolicyTraits, PoolName, Route, RoutingContext, RoutingPolicy};
use ebbflow::simulation::run;
use ebbflow::workload;
use ebbflow_actors::{SimDuration, SimTime};

use crate::support::run::sequential;
use crate::support::scaling::{assert_all_completed, assert_sound, at};

// --- the user's AdaptiveScheduler: triggers scaling when its queues are long or short

const BUSY: Parameter = Parameter::number("busy", 8.0, "requests per instance that are too many");
const IDLE: Parameter = Parameter::number("idle", 1.0, "requests per instance that are too few");

const ADAPTIVE: Kind = Kind {
    name: "adaptive_example",
    aliases: &["AdaptiveScheduler"],
    about: "fewest requests; scales between two queue lengths",
    parameters: &[BUSY, IDLE],
};

#[derive(Debug)]
struct AdaptiveScheduler {
    busy: f64,
    idle: f64,
    /// Instances asked for that are not ACTIVE yet.
    starting: usize,
    quiet_until: SimTime,
}

impl AdaptiveScheduler {
    fn queue_length(fleet: &Fleet) -> f64 {
        let all = fleet.pool(PoolName::All);
        all.load().residents as f64 / all.len() as f64
    }

    fn trigger_scale_up(&mut self, context: &mut RoutingContext) {
        self.starting += 1;
        context.scale_up_full(None);
    }

    /// Keeps one instance at least.
    fn trigger_scale_down(&mut self, fleet: &Fleet, context: &mut RoutingContext) {
        if fleet.pool(PoolName::All).len() > 1
            && let Some(least_loaded) = fleet.least(PoolName::All, Metric::Residents)
        {
            context.scale_down_full(least_loaded);
        }
    }
}

impl RoutingPolicy for AdaptiveScheduler {
    fn traits(&self) -> PolicyTraits {
        PolicyTraits::single(&[Metric::Residents])
    }

    fn route(&mut self, _: &Request, fleet: &mut Fleet, context: &mut RoutingContext) -> Option<Route> {
        if context.now >= self.quiet_until && self.starting == 0 {
            let queue_length = Self::queue_length(fleet);
            if queue_length > self.busy {
                self.trigger_scale_up(context);
            } else if queue_length < self.idle {
                self.trigger_scale_down(fleet, context);
            }
            self.quiet_until = context.now + SimDuration::from_secs(1);
        }
        fleet.least(PoolName::All, Metric::Residents).map(Route::Together)
    }

    fn joined(&mut self, _: ebbflow::ids::InstanceId, _: &mut Fleet) {
        self.starting = self.starting.saturating_sub(1);
    }

    fn scale_up_refused(&mut self, _: Option<ebbflow::ids::Tag>) {
        self.starting = self.starting.saturating_sub(1);
    }
}

// --- the user's PredictiveScalingManager: looks as far ahead as a start takes

const CAPACITY: Parameter =
    Parameter::number("requests_per_s_per_instance", 4.0, "what one instance can serve").at_least(0.01);

const PREDICTIVE: Kind = Kind {
    name: "predictive_example",
    aliases: &["PredictiveScalingManager"],
    about: "up above 1.2 x capacity, down below 0.5 x capacity, of the load predicted",
    parameters: &[CAPACITY],
};

#[derive(Debug)]
struct Predictive {
    requests_per_s_per_instance: f64,
    last_rate: f64,
}

impl Predictive {
    fn predict(&mut self, seen: &Observation<'_>) -> f64 {
        let rate = seen.since_last().arrivals_per_s().unwrap_or(0.0);
        let slope = (rate - self.last_rate) / seen.elapsed.as_secs_f64();
        self.last_rate = rate;
        (rate + slope * seen.startup.as_secs_f64()).max(0.0)
    }
}

impl AutoscalingPolicy for Predictive {
    fn decide(&mut self, seen: &Observation<'_>) -> Decision {
        let predicted_load = self.predict(seen);
        let current = seen.pool(None).asked();
        let capacity = f64::from(current) * self.requests_per_s_per_instance;
        let needed = (predicted_load / self.requests_per_s_per_instance).ceil() as u32;
        if predicted_load > capacity * 1.2 {
            Decision::to(None, needed, format!("{predicted_load:.1} requests/s are coming"))
        } else if predicted_load < capacity * 0.5 && current > 1 {
            Decision::to(None, current - 1, format!("only {predicted_load:.1} requests/s are coming"))
        } else {
            Decision::hold("within bounds")
        }
    }
}

// --- a scenario that names them

fn registry() -> Registry {
    let mut registry = Registry::builtin();
    registry.add_scheduler(ADAPTIVE, |_, settings| {
        Box::new(AdaptiveScheduler {
            busy: settings.number("busy"),
            idle: settings.number("idle"),
            starting: 0,
            quiet_until: SimTime::ZERO,
        })
    });
    registry.add_policy(PREDICTIVE, |settings, _| {
        let requests_per_s_per_instance = settings.number("requests_per_s_per_instance");
        Ok(Box::new(Predictive { requests_per_s_per_instance, last_rate: 0.0 }))
    });
    registry
}

/// Two instances under a load that climbs to a peak they cannot bear and falls again.
fn ramp(scheduler: &str, policy: &str) -> RunResults {
    let yaml = format!(
        "\
cluster: {{servers: [{{sku: dgx-h100, count: 2}}]}}
applications:
  - model_architecture: llama2-70b
    model_size: llama2-70b-fp16
    scheduler: {scheduler}
    scaling_manager: {{scale_up_delay: 8, max_instances: 12{policy}}}
start_state: {{state_type: baseline, instance: {{instance_type: ORCA, max_batch_size: 8}}}}
performance_model: {{constant: {{prompt_time: 0.1, token_time: 0.01}}}}
workload:
  synthetic: {{prompt: 500, output: 101}}
  rate: [{{at: 0, rate: 1}}, {{at: 30, rate: 6}}, {{at: 45, rate: 12}}, {{at: 60, rate: 24}}, {{at: 90, rate: 6}}, {{at: 110, rate: 1}}]
  until: 160
"
    );
    let registry = registry();
    let scenario = from_yaml("ramp.yaml", &yaml, Path::new(""), &[], &registry)
        .unwrap_or_else(|problems| panic!("{problems}"));
    let requests = workload::open(&scenario.workload, &[scenario.applications[0].id], scenario.seed).unwrap();
    let results = run(&scenario, requests, &registry, &sequential()).unwrap();
    assert_eq!(results.incomplete, None);
    assert_all_completed(&results.applications[0]);
    assert_sound(&results.applications[0], &results);
    results
}

fn ttft_p90(application: &ApplicationResults) -> f64 {
    Latency::of(application.completed().filter_map(Request::ttft_s).collect()).p90.unwrap()
}

/// It scaled in both directions, and waiting became shorter than in the fleet that stays as it is.
fn assert_it_helped(scaled: &RunResults, static_fleet: &RunResults) {
    let (scaled, fixed) = (&scaled.applications[0], &static_fleet.applications[0]);
    assert_eq!(fixed.scaling.scale_ups, 0);
    assert!(scaled.scaling.scale_ups >= 2, "{:?}", scaled.scaling);
    assert!(scaled.scaling.scale_downs >= 2, "{:?}", scaled.scaling);
    let (scaled_s, fixed_s) = (ttft_p90(scaled), ttft_p90(fixed));
    println!("p90 of TTFT: {scaled_s:.2} s with {:?}, {fixed_s:.2} s without", scaled.scaling);
    assert!(scaled_s < 0.5 * fixed_s, "{scaled_s} s against {fixed_s} s");
}

#[test]
fn a_scheduler_of_ones_own_scales_the_fleet_it_routes_to() {
    let fixed = ramp("jsq", "");
    assert_it_helped(&ramp("adaptive_example", ""), &fixed);
    assert_it_helped(&ramp("{AdaptiveScheduler: {busy: 6}}", ""), &fixed);
}

#[test]
fn a_policy_of_ones_own_scales_ahead_of_the_load() {
    let fixed = ramp("jsq", "");
    let predicted = ramp("jsq", ", autoscaling_policy: predictive_example, decision_interval: 5");
    assert_it_helped(&predicted, &fixed);
    let decisions = &predicted.applications[0].decisions;
    assert!(decisions.iter().any(|row| row.reason.contains("requests/s are coming")));
    assert!(decisions.iter().all(|row| row.time.as_nanos().is_multiple_of(5_000_000_000)), "every 5 s");
    assert!(decisions.iter().all(|row| row.inputs.starts_with("arrivals_per_s[5s]=")), "it says what it saw");
    assert!(decisions.iter().filter(|row| row.outcome.starts_with("started")).count() >= 2);
}

#[test]
fn a_run_with_a_policy_ends_when_the_work_is_done() {
    let predicted = ramp("jsq", ", autoscaling_policy: predictive_example");
    assert!(predicted.end < at(250.0), "not at the end_time of a day, but at {}", predicted.end);
}

#[test]
fn a_scheduler_that_names_no_manager_still_routes() {
    let mut scheduler = AdaptiveScheduler { busy: -1.0, idle: -2.0, starting: 0, quiet_until: SimTime::ZERO };
    let mut context = RoutingContext::at(at(1.0));
    scheduler.trigger_scale_up(&mut context);
    let expected = [Operation::ScaleUpFull { count: 1, tag: None, server_sku: None }];
    assert_eq!(context.operations(), expected);
    assert_eq!(scheduler.starting, 1);
    scheduler.scale_up_refused(None);
    assert_eq!(scheduler.starting, 0);
}

/// A policy is a pure function: it can be tested with a table of numbers.
#[test]
fn the_predictive_policy_follows_the_users_two_thresholds() {
    let ten_s = SimDuration::from_secs(10);
    let member = |number| Member {
        id: InstanceId(number),
        tag: None,
        status: InstanceStatus::Active,
        created: SimTime::ZERO,
        active: Some(SimTime::ZERO),
        gpus: 8,
    };
    let scraped = |seconds, arrivals| {
        let traffic = Traffic { arrivals, ..Traffic::default() };
        Sample::Gateway(GatewaySample { at: at(seconds), traffic, ..GatewaySample::default() })
    };
    // Capacity is 4 requests/s an instance; the slope doubles what is new since the last observation.
    for (last_rate, arrivals, active, wanted) in [
        (4.0, 40, 1, None),    // 4 of 4
        (4.0, 45, 1, Some(2)), // 5 of 4
        (4.0, 43, 1, None),    // 4.6 of 4: not above 1.2 times
        (4.0, 60, 2, None),    // 8 of 8
        (4.0, 80, 1, Some(3)), // 12 of 4
        (8.0, 60, 2, None),    // 4 of 8: not below half
        (8.0, 50, 2, Some(1)), // 2 of 8
        (8.0, 50, 1, None),    // the last one stays
    ] {
        let mut policy = Predictive { requests_per_s_per_instance: 4.0, last_rate };
        let mut monitor = Monitor::new(ten_s);
        monitor.record(scraped(90.0, 1000));
        monitor.record(scraped(100.0, 1000 + arrivals));
        let members: Vec<Member> = (0..active).map(member).collect();
        let decision =
            policy.decide(&Observation::new(at(100.0), &members, &monitor).with_times(ten_s, ten_s));
        let found = decision.targets.first().map(|target| target.wanted);
        assert_eq!(found, wanted, "{arrivals} arrivals, {active} active: {}", decision.reason);
    }
}
