//! A small run made by hand, for the tests of this room: one application, two instances, four requests.

use std::sync::Arc;

use ebbflow_actors::{Digest, SimDuration, SimTime, Stats};

use super::*;
use crate::ids::{ApplicationId, GpuName, RequestId, ServerId, Tag};
use crate::instance::{Phase, Phases};
use crate::request::{Journal, Leg, Rejection, Stage};
use crate::scaling::{DecisionRow, Limiter, PoolCount};
use crate::scenario::*;

pub fn at(millis: u64) -> SimTime {
    SimTime::from_nanos(millis * 1_000_000)
}

pub fn report() -> Report {
    Report::new(&results(), &scenario())
}

/// Ends at 100 s.
pub fn results() -> RunResults {
    RunResults {
        applications: vec![application()],
        arrived: 4,
        servers: Vec::new(),
        links: Vec::new(),
        end: at(100_000),
        digest: Digest(0xab),
        stats: Stats { events: 12_345, messages: 678, envelopes: 90, windows: 12, arbiters: 1 },
        reached_end_time: false,
        incomplete: None,
        wall_s: 0.5,
    }
}

/// As if nothing had arrived.
pub fn forget_requests(results: &mut RunResults) {
    results.applications[0].requests.clear();
    results.applications[0].tally = Tally::default();
}

/// A decision that started an instance.
pub fn decision() -> DecisionRow {
    DecisionRow {
        time: at(10_000),
        policy: "threshold",
        pool: Some(PoolCount { tag: None, active: 1, starting: 0, draining: 0 }),
        inputs: "queue=7@0.5".into(),
        raw: Some(2.5),
        limited_by: Some(Limiter::Bounds),
        wanted: Some(2),
        reason: "queue 7 > 3, \"too long\"".into(),
        outcome: "started 1".into(),
    }
}

/// A decision about no pool.
pub fn held() -> DecisionRow {
    let (pool, raw, limited_by, wanted) = (None, None, None, None);
    DecisionRow { pool, raw, limited_by, wanted, outcome: "held".into(), ..decision() }
}

fn application() -> ApplicationResults {
    let requests = requests();
    ApplicationResults {
        id: ApplicationId(0),
        tally: requests.iter().collect(),
        requests,
        servers: vec![server()],
        instances: vec![instance(0), scaled_instance(1)],
        has_scaling_manager: true,
        scaling_log: vec![ScalingLine {
            time: at(45_370),
            action: "scale_up_start",
            target: "instance_1".into(),
            status: "scaling_up",
        }],
        decisions: Vec::new(),
        scaling_events: vec![ScalingEvent {
            time: at(50_000),
            event: "refused",
            target: "instance_0".into(),
            detail: "draining it, or \"scaling it down\",\nwould leave 0 of 1 prompt instances".into(),
        }],
        scaling: ScalingCounts { scale_ups: 1, scale_downs: 1, refused: 2 },
        status: None,
        time: times(),
        iterations: vec![iteration(0)],
    }
}

/// Two completed requests (one moved its KV cache, one has a single output token), one rejected and one
/// unfinished.
fn requests() -> Vec<EndedRequest> {
    let moved = Journal {
        prefill: Some(leg(0, 1_500, 2_000)),
        transfer: Some(leg(1, 2_000, 2_250)),
        decode: Some(leg(1, 2_300, 5_000)),
        ..Journal::default()
    };
    let single = Journal { prefill: Some(leg(0, 4_000, 6_125)), ..Journal::default() };
    vec![
        ended(16, 1_000, 9, moved, Fate::Completed),
        ended(2, 4_000, 1, single, Fate::Completed),
        ended(3, 4_500, 7, Journal::default(), Fate::Rejected(Rejection::TooLarge)),
        ended(4, 99_000, 7, Journal::default(), Fate::Unfinished(Stage::Decode)),
    ]
}

fn ended(id: u64, arrival_ms: u64, output_tokens: u32, journal: Journal, fate: Fate) -> EndedRequest {
    let request = Request {
        id: RequestId(id),
        request_type: 2,
        application: ApplicationId(0),
        arrival: at(arrival_ms),
        batch_size: 1,
        prompt_tokens: 500,
        output_tokens,
        attributes: None,
        journal,
    };
    EndedRequest { request: Box::new(request), fate }
}

fn leg(instance: u32, start_ms: u64, end_ms: u64) -> Leg {
    let gpu = GpuName::of(["h100-80gb", "a100-80gb"][instance as usize]);
    Leg { instance: InstanceId(instance), gpu, start: at(start_ms), end: Some(at(end_ms)) }
}

/// An instance of the start state that stays.
pub fn instance(id: u32) -> InstanceRecord {
    InstanceRecord {
        id: InstanceId(id),
        server: ServerId(id),
        sku: "dgx-h100".into(),
        gpu: "h100-80gb".into(),
        processors: (0..8).collect(),
        tag: Some(Tag::Prompt),
        created: SimTime::ZERO,
        active: Some(SimTime::ZERO),
        draining: None,
        removed: None,
        busy: SimDuration::from_millis(25_000),
        tasks_completed: 2,
        engine: None,
        phases: phases(5_000, 20_000),
    }
}

/// A kilowatt in either phase.
fn phases(prefill_ms: u64, decode_ms: u64) -> Phases {
    let phase = |ms| Phase { time: SimDuration::from_millis(ms), energy_j: Some(ms) };
    Phases { prefill: phase(prefill_ms), decode: phase(decode_ms) }
}

fn server() -> ServerRecord {
    let sku = Arc::clone(&scenario().cluster.servers[0].sku);
    ServerRecord { id: ServerId(0), sku, created: SimTime::ZERO, removed: Some(at(90_500)) }
}

fn scaled_instance(id: u32) -> InstanceRecord {
    InstanceRecord {
        gpu: "a100-80gb".into(),
        tag: None,
        created: at(10_000),
        active: Some(at(20_000)),
        draining: Some(at(70_000)),
        removed: Some(at(90_000)),
        busy: SimDuration::from_millis(20_000),
        phases: phases(0, 20_000),
        ..instance(id)
    }
}

fn times() -> Vec<TagTime> {
    let time = |tag, scaling_up_s: f64, active_s: f64, draining_s: f64| TagTime {
        tag,
        instance: StatusTime { scaling_up_s, active_s, draining_s },
        gpu: StatusTime {
            scaling_up_s: 8.0 * scaling_up_s,
            active_s: 8.0 * active_s,
            draining_s: 8.0 * draining_s,
        },
    };
    vec![time(Some(Tag::Prompt), 0.0, 100.0, 0.0), time(None, 10.0, 60.0, 20.0)]
}

fn iteration(instance: u32) -> IterationRow {
    IterationRow {
        instance: InstanceId(instance),
        tag: None,
        start: at(1_500),
        end: at(2_000),
        batch_size: 1,
        prompt_tasks: 1,
        memory_bytes: 332_500_277_760,
        pending_requests: 1,
        pending_tasks: 0,
        blocked_tasks: 0,
        pending_prompts: 0,
        earliest_request: Some(16),
        memory_allocations: 2,
        iterations: 1,
        batch_tokens: 500,
        pending_tokens: 0,
    }
}

pub fn scenario() -> Scenario {
    let gpu = GpuSpec { name: "h100-80gb".into(), memory_bytes: 80 << 30, sheet: None };
    let sku = Arc::new(Sku {
        name: "dgx-h100".into(),
        gpu,
        gpus: 8,
        idle_power_w: 0.0,
        usd_per_gpu_h: None,
        busy_power_w: None,
    });
    let parallelism = Parallelism::tensor(8);
    Scenario {
        name: "sample".into(),
        seed: 7,
        end_time: at(100_000),
        debug: true,
        dispatch_latency: SimDuration::from_millis(1),
        cluster: ClusterSpec {
            servers: vec![ServerGroup { sku, count: 4, limit: None }],
            power_budget_w: None,
            interconnects: Vec::new(),
            network: None,
            gpus: Vec::new(),
            catalogue: Vec::new(),
        },
        applications: Vec::new(),
        start_state: StartState::Unallocated {
            instance: InstanceConfig { engine: EngineSpec::Default, parallelism },
        },
        performance: PerformanceSpec::Constant { prompt_s: 0.1, token_s: 0.01 },
        workload: WorkloadSpec {
            source: WorkloadSource::Trace { path: "trace.csv".into(), skip_bad_rows: false, arrivals: None },
            transform: Transform::default(),
            classes: Vec::new(),
        },
        slo: None,
        actions: Vec::new(),
        notes: vec!["end_time was not given".into()],
        resolved: "seed: 7\ncluster:\n  servers:\n    - {sku: dgx-h100, count: 4}\n".into(),
    }
}
