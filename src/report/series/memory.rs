//! KV caches and work of instances over time.

use std::collections::BTreeMap;

use ebbflow_actors::SimTime;
use serde::Serialize;

use super::bins::{Bins, Level};
use super::load::Stays;
use super::{Pools, Values};
use crate::ids::InstanceId;
use crate::report::FinishedRun;
use crate::request::{Fate, Request};
use crate::results::ApplicationResults;
use crate::scenario::ModelSpec;

/// A share per bin of one pool, from 0 to 1; null where there is nothing to have a share of.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct PoolShare {
    /// Which pool, by its place.
    pub pool: usize,
    /// The shares.
    pub values: Values,
}

/// Part and whole of every pool.
struct Shares {
    pools: Vec<(Level, Level)>,
}

impl Shares {
    fn new(pools: &Pools, bins: Bins) -> Self {
        Shares { pools: vec![(Level::new(bins), Level::new(bins)); pools.count()] }
    }

    fn done(self) -> Vec<PoolShare> {
        let share = |(part, whole): (f64, f64)| (whole > 0.0).then(|| (part / whole).clamp(0.0, 1.0));
        let values = |(part, whole): &(Level, Level)| {
            Values(part.means().into_iter().zip(whole.means()).map(share).collect())
        };
        self.pools.iter().map(values).enumerate().map(|(pool, values)| PoolShare { pool, values }).collect()
    }
}

/// The pool of every instance of an application, by id.
fn pools_by_instance(application: &ApplicationResults, pools: &Pools) -> BTreeMap<InstanceId, usize> {
    let pool = |tag| pools.place(application.id, tag);
    application.instances.iter().filter_map(|instance| Some((instance.id, pool(instance.tag)?))).collect()
}

pub(super) fn kv_share(run: &FinishedRun, pools: &Pools, bins: Bins) -> Vec<PoolShare> {
    let mut shares = Shares::new(pools, bins);
    for application in &run.results.applications {
        let spec = run.scenario.applications.iter().find(|spec| spec.id == application.id);
        let Some(model) = spec.map(|spec| &spec.model) else { continue };
        let by_instance = pools_by_instance(application, pools);
        room(application, model, &by_instance, run.results.end, &mut shares);
        for ended in &application.requests {
            for cache in caches(&ended.request, &ended.fate, model, run.results.end) {
                if let Some(&pool) = by_instance.get(&cache.at) {
                    shares.pools[pool].0.add(cache.held, cache.bytes as f64);
                }
            }
        }
    }
    shares.done()
}

/// What the instances have room for beside the weights, while they serve and drain.
fn room(
    application: &ApplicationResults,
    model: &ModelSpec,
    by_instance: &BTreeMap<InstanceId, usize>,
    end: SimTime,
    shares: &mut Shares,
) {
    let gpu_memory: BTreeMap<_, _> =
        application.servers.iter().map(|server| (server.id, server.sku.gpu.memory_bytes)).collect();
    for instance in &application.instances {
        let (Some(&pool), Some(memory)) = (by_instance.get(&instance.id), gpu_memory.get(&instance.server))
        else {
            continue;
        };
        let room = (memory * u64::from(instance.gpus())).saturating_sub(model.weights_bytes);
        let [_, active, draining] = instance.phases(end);
        shares.pools[pool].1.add((active.0, draining.1), room as f64);
    }
}

/// Memory that a request holds on an instance.
struct Cache {
    at: InstanceId,
    held: (SimTime, SimTime),
    bytes: u64,
}

/// What an instance reserves for a request: room for the prompt and the first token from the start of its
/// prefill, or of the transfer to the instance; room for the other tokens when the decode starts.
fn caches(request: &Request, fate: &Fate, model: &ModelSpec, end: SimTime) -> Vec<Cache> {
    let bytes = |tokens: u32| model.kv_bytes(request.batch_size, u64::from(tokens));
    let Stays { prefilling, transferring, decoding, .. } = Stays::of(request, fate, end);
    let journal = &request.journal;
    let mut caches = Vec::new();
    let leaves = match (journal.transfer, journal.decode) {
        (Some(transfer), _) => transfer.end.unwrap_or(end),
        (None, Some(_)) => decoding.1,
        (None, None) if request.output_tokens > 1 => transferring.1,
        (None, None) => prefilling.1,
    };
    if let Some(prefill) = journal.prefill {
        let held = (prefill.start, leaves);
        caches.push(Cache { at: prefill.instance, held, bytes: bytes(request.prompt_tokens + 1) });
    }
    if let Some(transfer) = journal.transfer {
        let held = (transfer.start, decoding.1.max(transfer.end.unwrap_or(end)));
        caches.push(Cache { at: transfer.instance, held, bytes: bytes(request.prompt_tokens + 1) });
    }
    if let Some(decode) = journal.decode {
        caches.push(Cache { at: decode.instance, held: decoding, bytes: bytes(request.output_tokens - 1) });
    }
    caches
}

pub(super) fn busy_share(run: &FinishedRun, pools: &Pools, bins: Bins) -> Vec<PoolShare> {
    let end = run.results.end;
    let mut shares = Shares::new(pools, bins);
    for application in &run.results.applications {
        let by_instance = pools_by_instance(application, pools);
        for instance in &application.instances {
            if let Some(&pool) = by_instance.get(&instance.id) {
                let [_, active, draining] = instance.phases(end);
                shares.pools[pool].1.add((active.0, draining.1), 1.0);
            }
        }
        for (instance, span) in work(application, end) {
            if let Some(&pool) = by_instance.get(&instance) {
                shares.pools[pool].0.add(span, 1.0);
            }
        }
    }
    shares.done()
}

/// When each instance had a request in prefill or decode: spans that do not overlap.
fn work(application: &ApplicationResults, end: SimTime) -> Vec<(InstanceId, (SimTime, SimTime))> {
    let legs = application.requests.iter().flat_map(|ended| {
        let journal = &ended.request.journal;
        [journal.prefill, journal.decode].into_iter().flatten()
    });
    let mut spans: Vec<_> = legs.map(|leg| (leg.instance, (leg.start, leg.end.unwrap_or(end)))).collect();
    spans.sort_unstable();
    spans.dedup_by(|next, last| {
        let joined = next.0 == last.0 && next.1.0 <= last.1.1;
        if joined {
            last.1.1 = last.1.1.max(next.1.1);
        }
        joined
    });
    spans
}

#[cfg(test)]
mod tests {
    use super::super::super::samples;
    use super::*;

    /// Bytes held on an instance at a moment, by the journals.
    fn held(run: &FinishedRun, instance: InstanceId, time: SimTime) -> u64 {
        let model = &run.scenario.applications[0].model;
        let requests = run.results.applications[0].requests.iter();
        let caches = requests.flat_map(|ended| caches(&ended.request, &ended.fate, model, run.results.end));
        let there =
            caches.filter(|cache| cache.at == instance && cache.held.0 <= time && time < cache.held.1);
        there.map(|cache| cache.bytes).sum()
    }

    #[test]
    fn journals_tell_the_memory_that_instances_logged() {
        let run = samples::run(&["debug=true"]);
        let application = &run.results.applications[0];
        let weights = run.scenario.applications[0].model.weights_bytes;
        let mut compared = 0;
        for row in application.iterations.iter().step_by(7) {
            // Rows are written when their iterations end, before anything is given back.
            let just_before = SimTime::from_nanos(row.end.as_nanos() - 1);
            let told = held(&run, row.instance, just_before);
            assert_eq!(told, row.memory_bytes - weights, "{row:?}");
            compared += 1;
        }
        assert!(compared > 100);
    }

    #[test]
    fn an_instance_is_busy_as_long_as_it_says_of_itself() {
        let run = samples::run(&[]);
        let application = &run.results.applications[0];
        let work = work(application, run.results.end);
        for instance in &application.instances {
            let own = work.iter().filter(|(id, _)| *id == instance.id);
            let told: f64 = own.map(|(_, (from, to))| (*to - *from).as_secs_f64()).sum();
            let counted = instance.busy.as_secs_f64();
            assert!((told - counted).abs() <= 0.03 * counted + 0.5, "{instance:?}: {told} s of work");
        }
    }
}
