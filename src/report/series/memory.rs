//! KV caches and work of instances over time.

use ebbflow_actors::SimTime;
use serde::Serialize;

use super::bins::{Bins, Level};
use super::{Pools, Values};
use crate::ids::InstanceId;
use crate::report::FinishedRun;
use crate::report::kv::{self, Holding};
use crate::report::memory;
use crate::results::statuses::{self, Status};
use crate::results::{ApplicationResults, InstanceRecord};
use crate::scenario::ApplicationSpec;

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

/// The pool of every instance of an application, by its place.
fn places(application: &ApplicationResults, pools: &Pools) -> Vec<Option<usize>> {
    application.instances.iter().map(|instance| pools.place(application.id, instance.tag)).collect()
}

pub(super) fn kv_share(run: &FinishedRun, pools: &Pools, bins: Bins) -> Vec<PoolShare> {
    let end = run.results.end;
    let mut shares = Shares::new(pools, bins);
    for application in &run.results.applications {
        let spec = run.scenario.applications.iter().find(|spec| spec.id == application.id);
        let Some(spec) = spec else { continue };
        let places = places(application, pools);
        room(run, application, spec, &places, &mut shares);
        for (instance, Holding { from, to, bytes, .. }) in kv::held(application, &spec.model) {
            if let Some(pool) = places[instance] {
                shares.pools[pool].0.add((from, to.unwrap_or(end)), bytes as f64);
            }
        }
    }
    shares.done()
}

/// What the instances have room for beside the weights, while they serve and drain.
fn room(
    run: &FinishedRun,
    application: &ApplicationResults,
    spec: &ApplicationSpec,
    places: &[Option<usize>],
    shares: &mut Shares,
) {
    for (instance, pool) in application.instances.iter().zip(places) {
        let (Some(pool), Some(memory)) = (pool, memory::of(&run.scenario, spec, instance)) else { continue };
        let room = memory.cache_bytes() as f64;
        served(instance, run.results.end).for_each(|span| shares.pools[*pool].1.add(span, room));
    }
}

/// When an instance could have work: while it was ACTIVE and while it drained.
fn served(instance: &InstanceRecord, end: SimTime) -> impl Iterator<Item = (SimTime, SimTime)> {
    let stretches = statuses::stretches(instance).filter(|stretch| stretch.status != Status::Starting);
    stretches.map(move |stretch| (stretch.from, stretch.to.unwrap_or(end)))
}

pub(super) fn busy_share(run: &FinishedRun, pools: &Pools, bins: Bins) -> Vec<PoolShare> {
    let end = run.results.end;
    let mut shares = Shares::new(pools, bins);
    for application in &run.results.applications {
        let places = places(application, pools);
        for (instance, pool) in application.instances.iter().zip(&places) {
            if let Some(pool) = *pool {
                served(instance, end).for_each(|span| shares.pools[pool].1.add(span, 1.0));
            }
        }
        for (id, span) in work(application, end) {
            let place = application.instances.binary_search_by_key(&id, |instance| instance.id);
            if let Some(pool) = place.ok().and_then(|place| places[place]) {
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
        let holdings = kv::held(&run.results.applications[0], model).map(|(_, holding)| holding);
        let there = holdings.filter(|holding| {
            holding.instance == instance && holding.from <= time && holding.to.is_none_or(|to| time < to)
        });
        there.map(|holding| holding.bytes).sum()
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
