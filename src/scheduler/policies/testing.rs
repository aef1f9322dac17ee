//! A policy with its books, for tests: what is routed is charged, as the scheduler does.

use std::sync::Arc;

use ebbflow_actors::{EntityId, SimTime};

use crate::ids::{ApplicationId, InstanceId, RequestId, SessionId, Tag};
use crate::instance::Introduction;
use crate::message::Dues;
use crate::performance::Constant;
use crate::registry::{Registry, Setting, Settings};
use crate::request::{Attributes, Journal, Request};
use crate::scenario::ModelSpec;
use crate::scheduler::{Fleet, PolicyTraits, Route, RoutingContext, RoutingPolicy, SchedulerContext};

pub const GIB: u64 = 1 << 30;
pub const BLOCK_TOKENS: u64 = 16;
/// Of one block of the model of these tests.
pub const BLOCK_BYTES: u64 = BLOCK_TOKENS * 1024;

fn model() -> ModelSpec {
    ModelSpec {
        name: "m".to_owned(),
        layers: 1,
        hidden_size: 256,
        weights_bytes: GIB,
        kv_bytes_per_token: BLOCK_BYTES / BLOCK_TOKENS,
        known: None,
        roofline: None,
    }
}

/// A registered policy with its defaults.
pub fn policy(name: &str) -> Box<dyn RoutingPolicy> {
    policy_with(name, &[])
}

/// A registered policy with some parameters set.
pub fn policy_with(name: &str, given: &[(&str, Setting)]) -> Box<dyn RoutingPolicy> {
    let registry = Registry::builtin();
    let kind = registry.schedulers().find(|kind| kind.name == name).expect("it is registered");
    let mut settings = Settings::defaults(kind.parameters);
    for (name, value) in given {
        settings = settings.with(name, value.clone());
    }
    let baseline = Arc::new(Constant::new(0.1, 0.1).expect("positive"));
    let entity = EntityId(2);
    let (model, prefix_block_tokens) = (model(), BLOCK_TOKENS);
    let context = SchedulerContext { seed: 5, entity, model, prefix_block_tokens, baseline };
    registry.scheduler(name).expect("it is registered")(&context, &settings)
}

/// A policy and its fleet.
pub struct Desk {
    policy: Box<dyn RoutingPolicy>,
    fleet: Fleet,
}

impl Desk {
    /// Instances by number, with their tags and their memory beside the weights.
    pub fn new(policy: Box<dyn RoutingPolicy>, instances: &[(u32, Option<Tag>, u64)]) -> Self {
        let PolicyTraits { pooling, metrics, .. } = policy.traits();
        let mut desk = Desk { policy, fleet: Fleet::new(model(), pooling, metrics) };
        instances.iter().for_each(|&(number, tag, bytes)| desk.add(number, tag, bytes));
        desk
    }

    fn add(&mut self, number: u32, tag: Option<Tag>, kv_bytes: u64) {
        self.fleet.add(&Introduction {
            instance: InstanceId(number),
            entity: EntityId(number),
            tag,
            gpu: "g".into(),
            gpus: 1,
            weights_bytes: GIB,
            capacity_bytes: GIB + kv_bytes,
            at: SimTime::ZERO,
        });
    }

    pub fn join(&mut self, number: u32) {
        self.add(number, None, GIB);
        self.policy.joined(InstanceId(number), &mut self.fleet);
    }

    pub fn leave(&mut self, number: u32) {
        self.fleet.remove(InstanceId(number)).expect("it is here");
        self.policy.left(InstanceId(number));
    }

    /// Routes and charges a request.
    pub fn route(&mut self, request: Request) -> Option<Route> {
        let mut context = RoutingContext::at(SimTime::ZERO);
        let route = self.policy.route(&request, &mut self.fleet, &mut context);
        match route {
            Some(Route::Together(instance)) => self.fleet.charge_together(instance, &request),
            Some(Route::Split { prefill, decode, .. }) => self.fleet.charge_split(prefill, decode, &request),
            None => {}
        }
        route
    }

    /// The same, for a policy that does not split and an instance that is there.
    pub fn serve(&mut self, request: Request) -> u32 {
        match self.route(request) {
            Some(Route::Together(instance)) => instance.0,
            other => panic!("{other:?} is not one instance"),
        }
    }

    /// A request that the policy did not route.
    pub fn charge(&mut self, number: u32, request: &Request) {
        self.fleet.charge_together(InstanceId(number), request);
    }

    pub fn complete(&mut self, number: u32, request: &Request) {
        let instance = InstanceId(number);
        self.fleet.close(Dues { instance, prefill_open: true, decode_at: instance }, request);
    }

    pub fn request(&self, prompt_tokens: u32) -> Request {
        Request {
            id: RequestId(0),
            request_type: 2,
            application: ApplicationId(0),
            arrival: SimTime::ZERO,
            batch_size: 1,
            prompt_tokens,
            output_tokens: 1,
            attributes: None,
            journal: Journal::default(),
        }
    }

    pub fn in_session(&self, session: u64) -> Request {
        let attributes = Attributes { session: Some(SessionId(session)), ..Attributes::NONE };
        Request { attributes: Some(Arc::new(attributes)), ..self.request(10) }
    }

    /// A prompt of exactly these blocks.
    pub fn with_prefix(&self, blocks: &[u64]) -> Request {
        let attributes = Attributes { prefix: blocks.to_vec(), ..Attributes::NONE };
        let tokens = blocks.len() as u64 * BLOCK_TOKENS;
        Request { attributes: Some(Arc::new(attributes)), ..self.request(tokens as u32) }
    }
}
