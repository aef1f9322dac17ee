//! What a scheduler knows of its instances: who is ACTIVE, and its own books of their load.
//!
//! Nothing here looks into an instance. The books are charged when a request is routed and credited
//! when instances report:
//!
//! | event | prefill instance | decode instance |
//! |---|---|---|
//! | routed | resident, P pending, KV(P+1) reserved | 1 pending, KV(P+1) + KV(T−1) reserved |
//! | prompt computed | P pending off (resident off if the request moves) | |
//! | cache moved | KV(P+1) reserved off | resident |
//! | returned | | resident, 1 pending, all reserved off |
//!
//! A request served on one instance has both columns there, with KV(P+1) once.

use std::ops::{AddAssign, SubAssign};
use std::sync::Arc;

use ebbflow_actors::EntityId;

use super::pool::Pool;
use crate::ids::{InstanceId, Tag};
use crate::instance::Introduction;
use crate::message::Dues;
use crate::request::Request;
use crate::scenario::ModelSpec;

/// A number by which instances are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Metric {
    /// Requests on it, waiting or running.
    Residents,
    /// Prompt tokens to compute + 1 per request to decode (the ancestor's `sched_pending_tokens`).
    PendingTokens,
    /// Weights + KV memory its requests will need (the ancestor's `sched_memory`).
    ReservedBytes,
    /// KV memory its requests will need as a share of what there is beside the weights, in parts of 2³⁰.
    KvShare,
}

/// The load of an instance as its scheduler books it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Load {
    /// See [`Metric::Residents`].
    pub residents: i64,
    /// See [`Metric::PendingTokens`].
    pub pending_tokens: i64,
    /// See [`Metric::ReservedBytes`].
    pub reserved_bytes: i64,
}

impl AddAssign for Load {
    fn add_assign(&mut self, other: Load) {
        self.residents += other.residents;
        self.pending_tokens += other.pending_tokens;
        self.reserved_bytes += other.reserved_bytes;
    }
}

impl SubAssign for Load {
    fn sub_assign(&mut self, other: Load) {
        self.residents -= other.residents;
        self.pending_tokens -= other.pending_tokens;
        self.reserved_bytes -= other.reserved_bytes;
    }
}

impl Load {
    /// Whether a metric has another value after this change.
    pub(super) fn changes(&self, metric: Metric) -> bool {
        match metric {
            Metric::Residents => self.residents != 0,
            Metric::PendingTokens => self.pending_tokens != 0,
            Metric::ReservedBytes | Metric::KvShare => self.reserved_bytes != 0,
        }
    }
}

/// Lists in which a policy looks for instances.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PoolName {
    /// Every ACTIVE instance.
    All,
    /// For prefill.
    Prompt,
    /// For decode.
    Token,
    /// For either.
    Mixed,
}

const POOLS: [PoolName; 4] = [PoolName::All, PoolName::Prompt, PoolName::Token, PoolName::Mixed];

/// How instances are sorted into pools.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pooling {
    /// Only [`PoolName::All`].
    Single,
    /// By tag. Untagged ones by GPU as the ancestor meant it: H100 prefills, A100 decodes, any other
    /// kind does both.
    Split,
    /// By tag; untagged ones are mixed.
    Mixed,
}

/// An ACTIVE instance as the scheduler knows it.
#[derive(Clone, Debug)]
pub struct Known {
    /// Its address.
    pub entity: EntityId,
    /// Its pool by configuration.
    pub tag: Option<Tag>,
    /// GPU name.
    pub gpu: Arc<str>,
    /// Bytes of GPU memory.
    pub capacity_bytes: i64,
    /// Bytes of the model in it.
    pub weights_bytes: i64,
    /// Whether its waiting queue is empty, as it last said.
    pub queue_empty: bool,
    /// Requests ever assigned to it.
    pub assigned: u64,
    load: Load,
}

impl Known {
    /// Its load.
    pub fn load(&self) -> Load {
        self.load
    }

    /// Bytes for KV caches: what the weights leave.
    pub fn kv_capacity_bytes(&self) -> i64 {
        (self.capacity_bytes - self.weights_bytes).max(0)
    }

    /// The number behind a metric.
    pub fn value(&self, metric: Metric) -> i64 {
        match metric {
            Metric::Residents => self.load.residents,
            Metric::PendingTokens => self.load.pending_tokens,
            Metric::ReservedBytes => self.load.reserved_bytes,
            Metric::KvShare => {
                let reserved = (self.load.reserved_bytes - self.weights_bytes) as f64;
                (reserved / self.kv_capacity_bytes().max(1) as f64 * PARTS) as i64
            }
        }
    }

    #[cfg(test)]
    pub(super) fn with_load(load: Load) -> Self {
        let (entity, gpu) = (EntityId(0), Arc::from("gpu"));
        let (capacity_bytes, weights_bytes) = (1 << 40, 0);
        Known { entity, tag: None, gpu, capacity_bytes, weights_bytes, queue_empty: true, assigned: 0, load }
    }
}

/// Of a whole, in [`Metric::KvShare`].
const PARTS: f64 = (1u64 << 30) as f64;

/// All ACTIVE instances of an application.
#[derive(Clone, Debug)]
pub struct Fleet {
    model: ModelSpec,
    pooling: Pooling,
    known: Vec<Option<Known>>,
    pools: [Pool; 4],
}

impl Fleet {
    /// Nobody is known yet. Minima can be asked for these metrics.
    pub fn new(model: ModelSpec, pooling: Pooling, metrics: &[Metric]) -> Self {
        Fleet { model, pooling, known: Vec::new(), pools: POOLS.map(|_| Pool::new(metrics)) }
    }

    /// The model served.
    pub fn model(&self) -> &ModelSpec {
        &self.model
    }

    /// How instances are sorted into pools.
    pub fn pooling(&self) -> Pooling {
        self.pooling
    }

    /// An instance, if it is ACTIVE.
    pub fn get(&self, instance: InstanceId) -> Option<&Known> {
        self.known.get(instance.0 as usize)?.as_ref()
    }

    /// Its load; nothing for an instance that is not ACTIVE.
    pub fn load(&self, instance: InstanceId) -> Load {
        self.get(instance).map_or_else(Load::default, |known| known.load)
    }

    /// One of the lists.
    pub fn pool(&self, name: PoolName) -> &Pool {
        &self.pools[name as usize]
    }

    /// The instance of a pool with the least of a metric; of equals, the one that joined first.
    pub fn least(&self, pool: PoolName, metric: Metric) -> Option<InstanceId> {
        self.pool(pool).least(metric)
    }

    /// The least over several pools, earlier pools winning ties.
    pub fn least_of(&self, pools: &[PoolName], metric: Metric) -> Option<InstanceId> {
        let candidates = pools.iter().filter_map(|&pool| self.least(pool, metric));
        candidates.min_by_key(|&instance| self.value(instance, metric))
    }

    /// The number behind a metric of an instance; nothing for one that is not ACTIVE.
    pub fn value(&self, instance: InstanceId, metric: Metric) -> i64 {
        self.get(instance).map_or(0, |known| known.value(metric))
    }

    /// Moves an instance to the end of another pool.
    pub fn move_to(&mut self, instance: InstanceId, pool: PoolName) {
        let Fleet { known, pools, .. } = self;
        let Some(Some(known)) = known.get(instance.0 as usize) else { return };
        for name in [PoolName::Prompt, PoolName::Token, PoolName::Mixed] {
            pools[name as usize].leave(instance, known);
        }
        pools[pool as usize].join(instance, known);
    }

    /// The pools an instance belongs to by its configuration.
    pub fn home(&self, instance: InstanceId) -> &'static [PoolName] {
        let Some(known) = self.get(instance) else { return &[] };
        match (self.pooling, known.tag) {
            (Pooling::Single, _) => &[],
            (_, Some(Tag::Prompt)) => &[PoolName::Prompt],
            (_, Some(Tag::Token)) => &[PoolName::Token],
            (Pooling::Mixed, _) => &[PoolName::Mixed],
            (Pooling::Split, Some(Tag::Mixed)) => &[PoolName::Prompt, PoolName::Token],
            (Pooling::Split, None) => match &*known.gpu {
                "h100-80gb" => &[PoolName::Prompt],
                "a100-80gb" => &[PoolName::Token],
                _ => &[PoolName::Prompt, PoolName::Token],
            },
        }
    }

    /// KV bytes of the prompt and its first token.
    pub fn prompt_bytes(&self, request: &Request) -> i64 {
        self.model.kv_bytes(request.batch_size, u64::from(request.prompt_tokens) + 1) as i64
    }

    /// KV bytes of the whole request.
    pub fn request_bytes(&self, request: &Request) -> i64 {
        let output = self.model.kv_bytes(request.batch_size, u64::from(request.output_tokens) - 1);
        self.prompt_bytes(request) + output as i64
    }

    pub(super) fn add(&mut self, introduction: &Introduction) {
        let instance = introduction.instance;
        let index = instance.0 as usize;
        if self.known.len() <= index {
            self.known.resize(index + 1, None);
        }
        let load = Load { reserved_bytes: introduction.weights_bytes as i64, ..Load::default() };
        let known = Known {
            entity: introduction.entity,
            tag: introduction.tag,
            gpu: Arc::clone(&introduction.gpu),
            capacity_bytes: introduction.capacity_bytes as i64,
            weights_bytes: introduction.weights_bytes as i64,
            queue_empty: true,
            assigned: 0,
            load,
        };
        self.pools[PoolName::All as usize].join(instance, &known);
        self.known[index] = Some(known.clone());
        for &pool in self.home(instance) {
            self.pools[pool as usize].join(instance, &known);
        }
    }

    /// Forgets an instance; what it was.
    pub(super) fn remove(&mut self, instance: InstanceId) -> Option<Known> {
        let known = self.known.get_mut(instance.0 as usize)?.take()?;
        for pool in &mut self.pools {
            pool.leave(instance, &known);
        }
        Some(known)
    }

    pub(super) fn set_queue_empty(&mut self, instance: InstanceId, empty: bool) {
        if let Some(known) = self.known_mut(instance) {
            known.queue_empty = empty;
        }
    }

    /// Books a request served on one instance.
    pub(super) fn charge_together(&mut self, instance: InstanceId, request: &Request) {
        let pending = i64::from(request.prompt_tokens) + 1;
        let change =
            Load { residents: 1, pending_tokens: pending, reserved_bytes: self.request_bytes(request) };
        self.assign(instance, change);
    }

    /// Books a request prefilled on one instance and decoded on another.
    pub(super) fn charge_split(&mut self, prefill: InstanceId, decode: InstanceId, request: &Request) {
        let pending_tokens = i64::from(request.prompt_tokens);
        let reserved_bytes = self.prompt_bytes(request);
        self.assign(prefill, Load { residents: 1, pending_tokens, reserved_bytes });
        let reserved_bytes = self.request_bytes(request);
        self.assign(decode, Load { residents: 0, pending_tokens: 1, reserved_bytes });
    }

    pub(super) fn prefilled(&mut self, instance: InstanceId, prompt_tokens: u32, moves: bool) {
        let residents = -i64::from(moves);
        let pending_tokens = -i64::from(prompt_tokens);
        self.change(instance, Load { residents, pending_tokens, reserved_bytes: 0 });
    }

    pub(super) fn cache_moved(&mut self, source: InstanceId, target: InstanceId, held_bytes: u64) {
        self.change(source, Load { reserved_bytes: -(held_bytes as i64), ..Load::default() });
        self.change(target, Load { residents: 1, ..Load::default() });
    }

    pub(super) fn close(&mut self, dues: Dues, request: &Request) {
        let Dues { instance, prefill_open, decode_at } = dues;
        let mut here = Load { residents: -1, ..Load::default() };
        if prefill_open {
            here.pending_tokens -= i64::from(request.prompt_tokens);
            if decode_at != instance {
                here.reserved_bytes -= self.prompt_bytes(request);
            }
        }
        let reserved_bytes = -self.request_bytes(request);
        let there = Load { residents: 0, pending_tokens: -1, reserved_bytes };
        if decode_at == instance {
            here += there;
        } else {
            self.change(decode_at, there);
        }
        self.change(instance, here);
    }

    fn assign(&mut self, instance: InstanceId, change: Load) {
        if let Some(known) = self.known_mut(instance) {
            known.assigned += 1;
        }
        self.change(instance, change);
    }

    fn change(&mut self, instance: InstanceId, change: Load) {
        let Fleet { known, pools, .. } = self;
        let Some(Some(known)) = known.get_mut(instance.0 as usize) else { return };
        known.load += change;
        for pool in pools {
            pool.update(instance, change, known);
        }
    }

    fn known_mut(&mut self, instance: InstanceId) -> Option<&mut Known> {
        self.known.get_mut(instance.0 as usize)?.as_mut()
    }
}
