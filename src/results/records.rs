//! What a run leaves behind, in memory: the plain facts the writers, the summary and tests read.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use ebbflow_actors::{Digest, SimDuration, SimTime, Stats};

use super::Tally;
use crate::ids::{ApplicationId, InstanceId, ServerId, Tag};
use crate::instance::Phases;
use crate::instance::continuous::Statistics as EngineStatistics;
use crate::request::{Fate, Request};
use crate::scaling::{DecisionRow, StatusSummary};
use crate::scenario::Sku;
use crate::transfer::fair::Usage;

/// A request that left the system, or stood somewhere in it when the run ended.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct EndedRequest {
    /// The request with its journal.
    pub request: Box<Request>,
    /// How it ended.
    pub fate: Fate,
}

/// A line of the scaling log in the user's form `time,action,target,status`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ScalingLine {
    /// When.
    pub time: SimTime,
    /// e.g. `scale_up_start`.
    pub action: &'static str,
    /// e.g. `instance_5`.
    pub target: String,
    /// e.g. `scaling_up`.
    pub status: &'static str,
}

/// A fact about scaling that the user's log has no room for: refusals with their reason, time-outs.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ScalingEvent {
    /// When.
    pub time: SimTime,
    /// e.g. `refused`, `drain_timeout`, `start_cancelled`, `request_requeued`.
    pub event: &'static str,
    /// What it is about, e.g. `instance_5`.
    pub target: String,
    /// One sentence: why, and what it meant.
    pub detail: String,
}

/// The life of one instance.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InstanceRecord {
    /// Its number.
    pub id: InstanceId,
    /// Where it ran.
    pub server: ServerId,
    /// SKU of that server.
    pub sku: String,
    /// GPU name, e.g. `h100-80gb`.
    pub gpu: String,
    /// GPUs of the server that it used, by index.
    pub processors: Vec<u32>,
    /// Its pool.
    pub tag: Option<Tag>,
    /// When it was created (0 for the start state).
    pub created: SimTime,
    /// When it became ACTIVE, if it did.
    pub active: Option<SimTime>,
    /// When its drain began.
    pub draining: Option<SimTime>,
    /// When it left, if it did.
    pub removed: Option<SimTime>,
    /// Time it had a batch running (the ancestor's `busy_time`: the last span of an instance still
    /// busy at the end is not counted).
    pub busy: SimDuration,
    /// Tasks it completed.
    pub tasks_completed: u64,
    /// What its engine counted, if that is `vllm`. Left out of digests: it follows from what is in them.
    pub engine: Option<Box<EngineStatistics>>,
    /// What its iterations took, by phase. Left out of digests as well.
    pub phases: Phases,
}

impl Hash for InstanceRecord {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.id, self.server, &self.sku, &self.gpu, &self.processors, self.tag).hash(state);
        (self.created, self.active, self.draining, self.removed).hash(state);
        (self.busy, self.tasks_completed).hash(state);
    }
}

impl InstanceRecord {
    /// How many GPUs it used.
    pub fn gpus(&self) -> u32 {
        self.processors.len() as u32
    }

    /// Its dates.
    pub fn life(&self) -> crate::scaling::Life {
        crate::scaling::Life {
            tag: self.tag,
            gpus: self.gpus(),
            created: self.created,
            active: self.active,
            draining: self.draining,
            removed: self.removed,
        }
    }
}

/// The time a server was in the cluster.
#[derive(Clone, PartialEq, Debug)]
pub struct ServerRecord {
    /// Its number.
    pub id: ServerId,
    /// What it is.
    pub sku: Arc<Sku>,
    /// When it was ordered (0 for the start state).
    pub created: SimTime,
    /// When it left, if it did.
    pub removed: Option<SimTime>,
}

/// What went over a link of a server, one way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LinkRecord {
    /// Whose.
    pub server: ServerId,
    /// `rdma`, `ethernet`, `nvlink` or `pcie`.
    pub link: &'static str,
    /// `out` or `in` of the server, or `inside` it.
    pub direction: &'static str,
    /// How much.
    pub usage: Usage,
}

/// A row of the debug log of an instance: one run of contiguous iterations.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct IterationRow {
    /// Which instance.
    pub instance: InstanceId,
    /// Its pool.
    pub tag: Option<Tag>,
    /// Start of the run.
    pub start: SimTime,
    /// End of the run.
    pub end: SimTime,
    /// Tasks in the batch.
    pub batch_size: u32,
    /// Prompt tasks among them.
    pub prompt_tasks: u32,
    /// Bytes in use, weights included.
    pub memory_bytes: u64,
    /// Requests resident.
    pub pending_requests: u32,
    /// Tasks waiting.
    pub pending_tasks: u32,
    /// Tasks preempted.
    pub blocked_tasks: u32,
    /// Prompts waiting.
    pub pending_prompts: u32,
    /// Request id of the longest resident request.
    pub earliest_request: Option<u64>,
    /// Requests that hold memory here (plus the weights).
    pub memory_allocations: u32,
    /// Iterations in the run.
    pub iterations: u64,
    /// Tokens of the batch in one iteration.
    pub batch_tokens: u64,
    /// Σ tokens of waiting prompts + 1 per waiting token task.
    pub pending_tokens: u64,
}

/// Seconds that instances spent in a status, summed; GPU-seconds weigh them by their GPUs.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct StatusTime {
    /// Starting.
    pub scaling_up_s: f64,
    /// Serving.
    pub active_s: f64,
    /// Draining.
    pub draining_s: f64,
}

impl StatusTime {
    /// All of it.
    pub fn total_s(&self) -> f64 {
        self.scaling_up_s + self.active_s + self.draining_s
    }
}

/// Instance time of the instances with one tag.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct TagTime {
    /// The tag; none: untagged instances.
    pub tag: Option<Tag>,
    /// Instance-seconds.
    pub instance: StatusTime,
    /// GPU-seconds.
    pub gpu: StatusTime,
}

/// What became of the scaling operations.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ScalingCounts {
    /// Instances started by an operation.
    pub scale_ups: u64,
    /// Drains begun.
    pub scale_downs: u64,
    /// Operations refused.
    pub refused: u64,
}

/// Results of one application.
#[derive(Clone, Debug)]
pub struct ApplicationResults {
    /// Which.
    pub id: ApplicationId,
    /// What became of its requests; all reported figures are computed from this.
    pub tally: Tally,
    /// Requests in the order they ended; unfinished ones last, by arrival. None where the run was asked
    /// not to [keep](super::Keep) them.
    pub requests: Vec<EndedRequest>,
    /// Every server it ever had, by id. One that applications share is with the first of them.
    pub servers: Vec<ServerRecord>,
    /// Every instance that ever existed, by id.
    pub instances: Vec<InstanceRecord>,
    /// Whether it has a ScalingManager (and so a scaling log).
    pub has_scaling_manager: bool,
    /// The scaling log, by time.
    pub scaling_log: Vec<ScalingLine>,
    /// Reasons and other facts, by time.
    pub scaling_events: Vec<ScalingEvent>,
    /// What policies decided, by time.
    pub decisions: Vec<DecisionRow>,
    /// Counts.
    pub scaling: ScalingCounts,
    /// What its ScalingManager, if it has one, last knew of servers and instances.
    pub status: Option<StatusSummary>,
    /// Instance time per tag.
    pub time: Vec<TagTime>,
    /// Iteration rows by (instance, start), with `debug`.
    pub iterations: Vec<IterationRow>,
}

/// How a run ended before its time.
#[derive(Clone, PartialEq, Debug)]
pub enum Incomplete {
    /// Ctrl-C.
    Interrupted,
    /// A fault of the runtime or the model, as text.
    Fault(String),
}

/// Everything a run leaves behind.
#[derive(Clone, Debug)]
pub struct RunResults {
    /// One entry an application, in scenario order.
    pub applications: Vec<ApplicationResults>,
    /// Requests that arrived.
    pub arrived: u64,
    /// Servers that exist at the end, by id.
    pub servers: Vec<ServerId>,
    /// What went over the links between instances, by server; none where requests have private links.
    pub links: Vec<LinkRecord>,
    /// Time of the last event of the model.
    pub end: SimTime,
    /// Digest over every handled event of every entity and every result record.
    pub digest: Digest,
    /// Events, messages, envelopes, windows.
    pub stats: Stats,
    /// Whether something was left to do at `end_time`; else the run ended by itself, or is incomplete.
    pub reached_end_time: bool,
    /// Why the run is incomplete; none: it ended by itself or at `end_time`.
    pub incomplete: Option<Incomplete>,
    /// Wall-clock seconds of the run; measured by the caller, never used by the model.
    pub wall_s: f64,
}

impl RunResults {
    /// The record of a server, whoever has it: one that is shared is with the first application on it.
    pub fn server(&self, id: ServerId) -> Option<&ServerRecord> {
        let found = self.applications.iter().map(|application| {
            let place = application.servers.binary_search_by_key(&id, |server| server.id);
            place.ok().map(|place| &application.servers[place])
        });
        found.flatten().next()
    }
}
