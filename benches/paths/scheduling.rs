//! The scheduler: an arrival comes in, the policy chooses among n instances, the books are charged, the
//! request is sent off.
//!
//! Nothing but the scheduler works. Messages take so long that all requests arrive in one window and the run
//! ends before any of them reaches an instance: the instances are entries in the scheduler's books.

use std::sync::Arc;

use ebbflow::ids::{ApplicationId, InstanceId, RequestId, Tag};
use ebbflow::instance::Introduction;
use ebbflow::participant::Participant;
use ebbflow::performance::Constant;
use ebbflow::registry::{Registry, Settings};
use ebbflow::request::{Journal, Request};
use ebbflow::results::{Keep, Recorder};
use ebbflow::scenario::ModelSpec;
use ebbflow::scheduler::{RoutingPolicy, Scheduler, SchedulerContext};
use ebbflow::workload::{Source, Workload};
use ebbflow_actors::{EntityId, Group, Member, RunConfig, SimDuration, SimTime};

use super::{Path, Work};

const POLICIES: [&str; 10] = [
    "random",
    "round_robin",
    "jsq",
    "token_jsq",
    "kv_round_robin",
    "kv_jsq",
    "kv_token_jsq",
    "mixed_pool",
    "adaptive_mixed_pool",
    "autoscaling",
];
const INSTANCES: [u32; 5] = [10, 100, 1_000, 10_000, 100_000];

const APPLICATION: ApplicationId = ApplicationId(0);
const RECORDER: EntityId = EntityId(0);
const SCHEDULER: EntityId = EntityId(2);
const LATENCY: SimDuration = SimDuration::from_secs(1_000);

pub fn paths() -> Vec<Path> {
    let each = POLICIES.into_iter().flat_map(|policy| INSTANCES.map(|instances| (policy, instances)));
    each.map(|(policy, instances)| routing(policy, instances)).collect()
}

/// Counted: one size of every policy, and how the most used one grows.
fn routing(policy: &'static str, instances: u32) -> Path {
    let name = format!("scheduler/{policy} among {instances}");
    let path = Path::new(name, (4_000, "request"), move |units| route(policy, instances, units));
    let counted = instances == 1_000 || (policy == "token_jsq" && instances != 100);
    if counted { path } else { path.uncounted() }
}

fn route(policy: &str, instances: u32, requests: u64) -> Work {
    let model = model();
    let introductions: Vec<_> = (0..instances).map(|number| introduction(number, &model)).collect();
    let policy = policy_named(policy, &model);
    let scheduler = Scheduler::new(APPLICATION, policy, model, None, (RECORDER, false), &introductions);
    let requests: Vec<Request> = (0..requests).map(request).collect();
    let requests = Box::new(requests.into_iter());
    let workload = Workload {
        requests,
        conversations: None,
        expected: None,
        arrivals_end: None,
        prefix_block_tokens: 16,
        skipped_rows: 0,
        notes: Vec::new(),
    };
    let entities = [
        Participant::Recorder(Box::new(Recorder::new([APPLICATION], Keep::Requests))),
        Participant::Source(Box::new(Source::new(workload, vec![(APPLICATION, SCHEDULER)]))),
        Participant::Scheduler(Box::new(scheduler)),
    ];
    let member = |(id, entity)| Member { id: EntityId(id), group: Group(0), entity };
    let population = (0..).zip(entities).map(member).collect();
    let until = SimTime::ZERO + LATENCY + LATENCY;
    let config = RunConfig::default().lookahead(LATENCY).until(until).watchdog(None);
    Box::new(move || match ebbflow_actors::run(population, &config) {
        Ok(outcome) => Box::new(outcome),
        Err(failure) => panic!("a load of the benches failed: {}", failure.fault),
    })
}

fn policy_named(name: &str, model: &ModelSpec) -> Box<dyn RoutingPolicy> {
    let registry = Registry::builtin();
    let kind = registry.schedulers().find(|kind| kind.name == name).expect("the name is a built-in one");
    let baseline = Arc::new(Constant::new(0.03, 0.02).expect("both times are above zero"));
    let (model, prefix_block_tokens) = (model.clone(), 16);
    let context = SchedulerContext { seed: 0, entity: SCHEDULER, model, prefix_block_tokens, baseline };
    let build = registry.scheduler(name).expect("every kind has a factory");
    build(&context, &Settings::defaults(kind.parameters))
}

fn model() -> ModelSpec {
    ModelSpec {
        name: "llama2-70b".to_owned(),
        layers: 80,
        hidden_size: 8192,
        weights_bytes: 135_000_000_000,
        kv_bytes_per_token: 2 * 80 * 8192 * 2,
        known: None,
        roofline: None,
    }
}

/// Prefill and decode in turn, for the policies that keep them apart.
fn introduction(number: u32, model: &ModelSpec) -> Introduction {
    Introduction {
        instance: InstanceId(number),
        entity: RECORDER,
        tag: Some(if number.is_multiple_of(2) { Tag::Prompt } else { Tag::Token }),
        gpu: "h100-80gb".into(),
        gpus: 8,
        weights_bytes: model.weights_bytes,
        capacity_bytes: 640 << 30,
        at: SimTime::ZERO,
    }
}

/// One each microsecond, of many lengths.
fn request(number: u64) -> Request {
    Request {
        id: RequestId(number),
        request_type: 2,
        application: APPLICATION,
        arrival: SimTime::from_nanos(number * 1_000),
        batch_size: 1,
        prompt_tokens: 100 + (number * 7_919 % 1_000) as u32,
        output_tokens: 2 + (number * 104_729 % 300) as u32,
        attributes: None,
        journal: Journal::default(),
    }
}
