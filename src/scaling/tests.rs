//! The books of a manager stay true whatever is done to it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ebbflow_actors::{SimDuration, SimTime};
use proptest::prelude::*;

use super::policy::PoolCount;
use super::*;
use crate::cluster::GpuNews;
use crate::ids::{ApplicationId, InstanceId, ServerId, Tag};
use crate::instance::InstanceStatus;
use crate::performance::{Constant, Timing};
use crate::scenario::{
    ClusterSpec, DrainTimeoutAction, EngineSpec, GpuSpec, ModelSpec, Parallelism, ScalingSpec, ServerGroup,
    Sku, StartState,
};

const MIN_INSTANCES: u32 = 1;
const MAX_INSTANCES: u32 = 7;
const MAX_SERVERS: u32 = 6;

fn sku() -> Arc<Sku> {
    let gpu = GpuSpec { name: "g".into(), memory_bytes: 100, sheet: None };
    Arc::new(Sku {
        name: "s".into(),
        gpu,
        gpus: 4,
        idle_power_w: 0.0,
        usd_per_gpu_h: None,
        busy_power_w: None,
    })
}

/// Two servers with an instance each: a prompt and a token one.
fn manager() -> ScalingState {
    let spec = ScalingSpec {
        cold_start: ColdStart::simple(SimDuration::ZERO, SimDuration::from_secs(10)),
        warm_pool: 0,
        place: Place::NewServer,
        server_sku: SkuChoice::First,
        victims: VictimOrder::LeastLoaded,
        routing_stop_lag: SimDuration::ZERO,
        drain_check_interval: SimDuration::from_secs(1),
        min_instances: MIN_INSTANCES,
        max_instances: Some(MAX_INSTANCES),
        max_servers: Some(MAX_SERVERS),
        drain_timeout: None,
        drain_timeout_action: DrainTimeoutAction::Requeue,
        policies: Vec::new(),
        scrape_interval: SimDuration::from_secs(1),
        metrics_delay: SimDuration::ZERO,
        debug: false,
    };
    let cluster = ClusterSpec {
        servers: vec![ServerGroup { sku: sku(), count: 2, limit: None }],
        power_budget_w: None,
        interconnects: Vec::new(),
        network: None,
        gpus: Vec::new(),
        catalogue: Vec::new(),
    };
    let model = ModelSpec {
        name: "m".into(),
        layers: 1,
        hidden_size: 1,
        weights_bytes: 150,
        kv_bytes_per_token: 2,
        known: None,
        roofline: None,
    };
    let parallelism = Parallelism::tensor(4);
    let instance = crate::scenario::InstanceConfig { engine: EngineSpec::Default, parallelism };
    let configs = InstanceConfigs::of(&StartState::Unallocated { instance }, ApplicationId(0));
    let constant = Constant::new(0.1, 0.01).expect("both are times");
    let timing = Timing::of_batches(Arc::new(constant));
    let performance: PerformanceOf = Arc::new(move |_, _| Ok(timing.clone()));
    let ids = (IdBlock::new(2, 0, 1), IdBlock::new(2, 0, 1));
    let application = ApplicationId(0);
    let mut manager = ScalingState::new(application, spec, cluster, model, configs, performance, ids);
    for (id, tag) in [(0, Tag::Prompt), (1, Tag::Token)] {
        manager.adopt_server(ServerId(id), sku(), application);
        manager.adopt_instance(InstanceId(id), ServerId(id), &[0, 1, 2, 3], Some(tag));
    }
    manager
}

/// Something that may happen; numbers are taken modulo what there is.
#[derive(Clone, Copy, Debug)]
enum Step {
    UpFull(u8),
    UpServer,
    UpInstance(u8, u8, u8),
    DownFull(u8),
    Down(u8),
    DownServer(u8),
    Activated(u8),
    Drained(u8),
    Refused(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        any::<u8>().prop_map(Step::UpFull),
        Just(Step::UpServer),
        any::<(u8, u8, u8)>().prop_map(|(server, tag, gpus)| Step::UpInstance(server, tag, gpus)),
        any::<u8>().prop_map(Step::DownFull),
        any::<u8>().prop_map(Step::Down),
        any::<u8>().prop_map(Step::DownServer),
        any::<u8>().prop_map(Step::Activated),
        any::<u8>().prop_map(Step::Drained),
        any::<u8>().prop_map(Step::Refused),
    ];
    prop::collection::vec(step, 0..120)
}

fn tag(number: u8) -> Option<Tag> {
    [None, Some(Tag::Prompt), Some(Tag::Token)][usize::from(number) % 3]
}

/// Instances in this status: news only comes from those it can come from.
fn nth(manager: &ScalingState, number: u8, status: InstanceStatus) -> Option<InstanceId> {
    let all: Vec<InstanceId> =
        manager.instances.iter().filter(|(_, view)| view.status == status).map(|(&id, _)| id).collect();
    (!all.is_empty()).then(|| all[usize::from(number) % all.len()])
}

fn take(manager: &mut ScalingState, now: SimTime, step: Step) {
    let instance = |number| InstanceId(u32::from(number) % 16);
    let server = |number| ServerId(u32::from(number) % 16);
    match step {
        Step::UpFull(number) => drop(manager.scale_up_full(now, None, tag(number), None)),
        Step::UpServer => drop(manager.scale_up_server(now, None)),
        Step::UpInstance(on, number, gpus) => {
            let first = u32::from(gpus) % 4;
            drop(manager.scale_up_instance(now, server(on), None, tag(number), Some(&[first, first + 1])));
        }
        Step::DownFull(number) => drop(manager.scale_down_full(now, instance(number))),
        Step::Down(number) => drop(manager.scale_down_instance(now, instance(number))),
        Step::DownServer(number) => drop(manager.scale_down_server(now, server(number))),
        Step::Activated(number) => {
            if let Some(instance) = nth(manager, number, InstanceStatus::ScalingUp) {
                manager.instance_activated(now, instance);
            }
        }
        Step::Drained(number) => {
            if let Some(instance) = nth(manager, number, InstanceStatus::Draining) {
                manager.instance_drained(now, instance);
            }
        }
        Step::Refused(number) => {
            if let Some(instance) = nth(manager, number, InstanceStatus::ScalingUp) {
                manager.placement_refused(now, instance, "for the test");
            }
        }
    }
}

fn recount(manager: &ScalingState) -> Vec<PoolCount> {
    let mut pools: BTreeMap<Option<Tag>, PoolCount> = BTreeMap::new();
    for view in manager.instances.values() {
        let pool = pools.entry(view.life.tag).or_insert(PoolCount::none(view.life.tag));
        match view.status {
            InstanceStatus::ScalingUp => pool.starting += 1,
            InstanceStatus::Active => pool.active += 1,
            InstanceStatus::Draining | InstanceStatus::ScalingDown => pool.draining += 1,
        }
    }
    pools.into_values().collect()
}

fn check(manager: &ScalingState) {
    let counted: Vec<PoolCount> =
        manager.pools().into_iter().filter(|pool| *pool != PoolCount::none(pool.tag)).collect();
    assert_eq!(counted, recount(manager));
    for tag in [Tag::Prompt, Tag::Token] {
        assert!(manager.census.active(Some(tag)) >= MIN_INSTANCES);
    }
    assert!(manager.instances.len() <= MAX_INSTANCES as usize);
    assert!(manager.servers.len() <= MAX_SERVERS as usize);
    for (&id, view) in &manager.instances {
        let places = &manager.servers[&view.server].processors;
        let held = places.iter().filter(|place| **place == Some(id)).count();
        assert_eq!(held as u32, view.life.gpus, "instance {id} has its GPUs to itself");
    }
    let holders = manager.servers.values().flat_map(|server| &server.processors).flatten();
    assert!(holders.into_iter().all(|holder| manager.instances.contains_key(holder)), "no ghost holds a GPU");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn counts_gpus_and_guards_are_right_after_any_sequence_of_operations(steps in steps()) {
        let mut manager = manager();
        let mut born = BTreeSet::new();
        let mut now = SimTime::ZERO;
        for step in steps {
            now += SimDuration::from_secs(1);
            take(&mut manager, now, step);
            check(&manager);
            for effect in manager.take_effects() {
                if let Effect::Place(planned) | Effect::StartServer { first: Some(planned), .. } = effect {
                    prop_assert!(born.insert(planned.instance), "numbers are never reused");
                }
            }
        }
    }
}

#[test]
fn a_late_cancellation_drains_from_when_it_was_asked_for() {
    let at = |seconds| SimTime::ZERO + SimDuration::from_secs(seconds);
    let mut manager = manager();
    let (_, instance) = manager.scale_up_full(at(1), None, None, None).expect("there is room");
    manager.scale_down_full(at(11), instance).expect("it is scaling_up");
    manager.instance_activated(at(11), instance);
    assert!(!manager.can_schedule_to_instance(instance));
    manager.take_effects();
    manager.cancelled_too_late(instance);
    let effects = manager.take_effects();
    assert!(matches!(effects[..], [Effect::Drain { since, .. }] if since == at(11)), "{effects:?}");
}

/// An instance of application 1 that took these GPUs of server 0, or left them.
fn news(processors: &[u32], taken: bool) -> GpuNews {
    let (server, application, instance) = (ServerId(0), ApplicationId(1), InstanceId(0));
    GpuNews { server, application, instance, processors: processors.to_vec(), taken }
}

#[test]
fn gpus_of_others_are_taken_until_they_are_left() {
    let at = |seconds| SimTime::ZERO + SimDuration::from_secs(seconds);
    let mut manager = manager();
    manager.adopt_server(ServerId(0), sku(), ApplicationId(0));
    manager.share_server(ServerId(0));
    manager.gpus_changed(&news(&[0, 1], true));
    let on = |manager: &mut ScalingState, gpus: &[u32]| {
        manager.scale_up_instance(at(1), ServerId(0), None, None, Some(gpus))
    };
    let taken = on(&mut manager, &[1, 2]);
    assert!(matches!(taken, Err(ScalingError::GpuTakenByOthers { gpu: 1, .. })), "{taken:?}");
    manager.gpus_changed(&news(&[0, 1], false));
    assert!(on(&mut manager, &[1, 2]).is_ok());
}

#[test]
fn what_the_server_refuses_leaves_the_books_as_others_say() {
    let at = |seconds| SimTime::ZERO + SimDuration::from_secs(seconds);
    let mut manager = manager();
    manager.adopt_server(ServerId(0), sku(), ApplicationId(0));
    manager.share_server(ServerId(0));
    let late = manager.scale_up_instance(at(1), ServerId(0), None, None, Some(&[2, 3])).expect("it is free");
    // Somebody else was there first; the news come before the refusal, as the server sends them.
    manager.gpus_changed(&news(&[2, 3], true));
    manager.placement_refused(at(2), late, "taken");
    let again = manager.scale_up_instance(at(3), ServerId(0), None, None, Some(&[3, 1]));
    assert!(matches!(again, Err(ScalingError::GpuTakenByOthers { gpu: 3, .. })), "{again:?}");
    assert!(manager.scale_up_instance(at(3), ServerId(0), None, None, Some(&[0, 1])).is_ok());
    assert!(matches!(manager.scale_down_server(at(4), ServerId(0)), Err(ScalingError::Shared(_))));
}
