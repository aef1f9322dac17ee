//! A policy of the registry at a table of numbers: what it sees is said, what it wants is read.

use std::sync::Arc;

use ebbflow::ids::{ApplicationId, InstanceId, Tag};
use ebbflow::instance::InstanceStatus;
use ebbflow::performance::Constant;
use ebbflow::registry::{Registry, Setting, Settings};
use ebbflow::scaling::metrics::{
    FirstToken, GatewaySample, InstanceSample, Monitor, Sample, Served, Traffic,
};
use ebbflow::scaling::{
    AutoscalingPolicy, Decision, InstanceCapacity, Member, Observation, PolicyContext, PoolCount,
};
use ebbflow::scenario::ModelSpec;
use ebbflow_actors::{SimDuration, SimTime};

use super::scaling::at;

/// A policy with a fleet and metrics that a test makes up.
pub struct Bench {
    policy: Box<dyn AutoscalingPolicy>,
    monitor: Monitor,
    members: Vec<Member>,
    now_s: f64,
    asked_s: f64,
    traffic: Traffic,
}

/// What happened in a second, the same every second.
#[derive(Clone, Copy, Debug, Default)]
pub struct Second {
    pub arrivals: u64,
    pub output_tokens: u64,
    /// Of one request that completed; none: nothing completed.
    pub tbt_s: Option<f64>,
    pub ttft_s: Option<f64>,
    /// Memory in use of the prompt and token instances, of 100 bytes of which 60 are weights.
    pub memory: (u64, u64),
    /// Share of time with a batch running, in percent, of prompt and token instances.
    pub busy: (u64, u64),
}

impl Bench {
    /// A policy over so many ACTIVE instances of these tags.
    pub fn new(name: &str, settings: &[(&str, Setting)], fleet: &[(Option<Tag>, u32)]) -> Self {
        let registry = Registry::builtin();
        let (kind, build) = registry.policy(name).unwrap();
        let start = Settings::defaults(kind.kind.parameters);
        let settings =
            settings.iter().fold(start, |settings, (name, value)| settings.with(name, value.clone()));
        let pools = fleet.iter().map(|&(tag, active)| PoolCount { active, ..PoolCount::none(tag) });
        let policy = build(&settings, &context(pools.collect())).unwrap_or_else(|error| panic!("{error}"));
        let mut bench = Bench {
            policy,
            monitor: Monitor::new(SimDuration::from_secs(600)),
            members: Vec::new(),
            now_s: 0.0,
            asked_s: 0.0,
            traffic: Traffic::default(),
        };
        bench.set_fleet(fleet, InstanceStatus::Active);
        bench
    }

    /// Only these.
    pub fn set_fleet(&mut self, fleet: &[(Option<Tag>, u32)], status: InstanceStatus) {
        self.members.clear();
        self.add(fleet, status);
    }

    /// These too.
    pub fn add(&mut self, fleet: &[(Option<Tag>, u32)], status: InstanceStatus) {
        for &(tag, count) in fleet {
            for _ in 0..count {
                let id = InstanceId(self.members.len() as u32);
                let active = (status == InstanceStatus::Active).then_some(SimTime::ZERO);
                self.members.push(Member { id, tag, status, created: SimTime::ZERO, active, gpus: 8 });
            }
        }
    }

    /// So many seconds like this pass.
    pub fn pass(&mut self, seconds: u32, second: Second) -> &mut Self {
        for _ in 0..seconds {
            self.now_s += 1.0;
            self.record(second);
        }
        self
    }

    /// What it wants now.
    pub fn decide(&mut self) -> Decision {
        let now = at(self.now_s);
        let elapsed = now - at(self.asked_s);
        self.asked_s = self.now_s;
        let seen = Observation::new(now, &self.members, &self.monitor);
        self.policy.decide(&seen.with_times(elapsed, SimDuration::from_secs(10)))
    }

    /// What it wants of a pool now; none: it says nothing of it.
    pub fn wanted(&mut self, tag: Option<Tag>) -> Option<u32> {
        self.decide().targets.iter().find(|target| target.tag == tag).map(|target| target.wanted)
    }

    /// What it wants of the prompt and the token pool.
    pub fn wants(&mut self) -> Option<(u32, u32)> {
        let decision = self.decide();
        let of = |tag| decision.targets.iter().find(|target| target.tag == Some(tag)).map(|it| it.wanted);
        of(Tag::Prompt).zip(of(Tag::Token))
    }

    fn record(&mut self, second: Second) {
        let now = at(self.now_s);
        let completed = second.tbt_s.or(second.ttft_s).is_some();
        self.traffic.arrivals += second.arrivals;
        self.traffic.output_tokens += second.output_tokens;
        self.traffic.completions += u64::from(completed);
        let span = |s: Option<f64>| SimDuration::from_secs_f64(s.unwrap_or(0.0)).unwrap();
        let ttft = span(second.ttft_s);
        let decode = span(second.tbt_s.map(|tbt_s| tbt_s * 100.0));
        let served = Served { at: now, queue: SimDuration::ZERO, ttft, decode, output_tokens: 100 };
        let first = second.ttft_s.map(|_| FirstToken { at: now, ttft });
        self.monitor.record(Sample::Gateway(GatewaySample {
            at: now,
            traffic: self.traffic,
            first_tokens: first.into_iter().collect(),
            served: if completed { vec![served] } else { Vec::new() },
            ..GatewaySample::default()
        }));
        for member in &self.members {
            let is_prompt = member.tag == Some(Tag::Prompt);
            let (memory, busy) =
                if is_prompt { (second.memory.0, second.busy.0) } else { (second.memory.1, second.busy.1) };
            self.monitor.record(Sample::Instance(InstanceSample {
                at: now,
                instance: member.id,
                tag: member.tag,
                running: 0,
                waiting: 0,
                waiting_prompt_tokens: 0,
                memory_bytes: memory,
                capacity_bytes: 100,
                weights_bytes: 60,
                kv_bytes_per_token: 1,
                busy: SimDuration::from_millis(10 * busy * self.now_s as u64),
            }));
        }
    }
}

/// What a policy is told before it begins.
fn context(pools: Vec<PoolCount>) -> PolicyContext {
    let model = ModelSpec {
        name: "m".into(),
        layers: 1,
        hidden_size: 1,
        weights_bytes: 60,
        kv_bytes_per_token: 2,
        known: None,
        roofline: None,
    };
    let performance = Arc::new(Constant::new(0.1, 0.01).unwrap());
    PolicyContext {
        application: ApplicationId(0),
        pool: pools.first().and_then(|pool| pool.tag),
        pools,
        startup: SimDuration::from_secs(10),
        decision_interval: SimDuration::from_secs(10),
        min_instances: 0,
        max_instances: None,
        slo: None,
        model,
        capacity: InstanceCapacity { gpus: 8, performance, kv_tokens: 100_000 },
        seed: 0,
        foresight: None,
    }
}
