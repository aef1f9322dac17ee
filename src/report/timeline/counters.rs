//! Counters of an application: requests that wait and that are served, its fleet by pool, KV caches by pool.

use std::collections::BTreeMap;
use std::io::{self, Write};

use ebbflow_actors::{SimDuration, SimTime};
use serde_json::json;

use super::event::{Event, Sink, Track};
use super::{COUNTER_STRETCHES, View, micros};
use crate::ids::Tag;
use crate::report::deltas::{Deltas, thinned};
use crate::report::journey::{Phase, stays};
use crate::report::kv;
use crate::results::ApplicationResults;
use crate::results::statuses::{Status, stretches};

const GIB: f64 = (1_u64 << 30) as f64;

/// Writes all of them.
pub fn write<W: Write>(view: &View<'_>, sink: &mut Sink<'_, W>) -> io::Result<()> {
    let width = (view.results.end - SimTime::ZERO).as_nanos() / COUNTER_STRETCHES;
    for (place, application) in view.results.applications.iter().enumerate() {
        let track = view.tracks.of_application(place);
        let mut counters = Counters { sink, track, width: SimDuration::from_nanos(width) };
        for (phase, deltas) in requests(application) {
            counters.write(&format!("requests: {}", phase.name()), "requests", deltas, 1.0)?;
        }
        for ((pool, status), deltas) in fleet(application) {
            counters.write(&format!("fleet{}: {}", of(pool), status.name()), "instances", deltas, 1.0)?;
        }
        let Some(spec) = view.scenario.applications.iter().find(|spec| spec.id == application.id) else {
            continue;
        };
        let mut pools: BTreeMap<Option<Tag>, Deltas> = BTreeMap::new();
        for (place, held) in kv::held(application, &spec.model) {
            let pool = pools.entry(application.instances[place].tag).or_default();
            pool.add(held.from, held.to, i64::try_from(held.bytes).unwrap_or(i64::MAX));
        }
        for (pool, deltas) in pools {
            counters.write(&format!("KV caches{}", of(pool)), "GiB", deltas, GIB)?;
        }
    }
    Ok(())
}

fn of(pool: Option<Tag>) -> String {
    pool.map(|tag| format!(" {tag}")).unwrap_or_default()
}

fn requests(application: &ApplicationResults) -> BTreeMap<Phase, Deltas> {
    let mut phases: BTreeMap<Phase, Deltas> = BTreeMap::new();
    for stay in application.requests.iter().flat_map(stays) {
        phases.entry(stay.phase).or_default().add(stay.from, stay.to, 1);
    }
    phases
}

fn fleet(application: &ApplicationResults) -> BTreeMap<(Option<Tag>, Status), Deltas> {
    let mut pools: BTreeMap<_, Deltas> = BTreeMap::new();
    for instance in &application.instances {
        for stretch in stretches(instance) {
            pools.entry((instance.tag, stretch.status)).or_default().add(stretch.from, stretch.to, 1);
        }
    }
    pools
}

struct Counters<'a, 'b, W: Write> {
    sink: &'a mut Sink<'b, W>,
    track: Track,
    width: SimDuration,
}

impl<W: Write> Counters<'_, '_, W> {
    fn write(&mut self, name: &str, unit: &str, deltas: Deltas, scale: f64) -> io::Result<()> {
        let levels = deltas.levels();
        if levels.first().is_some_and(|first| first.time > SimTime::ZERO) {
            self.sink.event(&Event::counter(name, self.track, 0, json!({ unit: 0 })))?;
        }
        for level in thinned(&levels, self.width) {
            let value = if scale == 1.0 { json!(level.level) } else { json!(level.level as f64 / scale) };
            let at = micros(level.time);
            self.sink.event(&Event::counter(name, self.track, at, json!({ unit: value })))?;
        }
        Ok(())
    }
}
