//! How long instances were in which status: instance-seconds and GPU-seconds, per tag.

use ebbflow_actors::{SimDuration, SimTime};

use crate::ids::Tag;
use crate::results::{StatusTime, TagTime};

/// The dates in the life of an instance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Life {
    /// Its pool.
    pub tag: Option<Tag>,
    /// GPUs it occupies.
    pub gpus: u32,
    /// Decided on (0 for the start state).
    pub created: SimTime,
    /// ACTIVE, if it ever was.
    pub active: Option<SimTime>,
    /// Drain begun, if ever.
    pub draining: Option<SimTime>,
    /// Gone, if it is.
    pub removed: Option<SimTime>,
}

/// Nanoseconds per status.
#[derive(Clone, Copy, Default)]
struct Spans {
    scaling_up: u128,
    active: u128,
    draining: u128,
}

impl Life {
    fn spans(&self, now: SimTime) -> Spans {
        let end = self.removed.unwrap_or(now).min(now);
        let draining = self.draining.unwrap_or(end).min(end);
        let active = self.active.unwrap_or(draining).min(draining);
        let nanos = |span: SimDuration| u128::from(span.as_nanos());
        Spans {
            scaling_up: nanos(active - self.created),
            active: nanos(draining - active),
            draining: nanos(end - draining),
        }
    }
}

/// Sums the time that instances spent in each status up to `now`, per tag.
///
/// Every instance counts from its creation, those of the start state too; SCALING_DOWN takes no time.
/// Sums are taken in integer nanoseconds, so their order does not matter.
pub fn time_by_tag(lives: impl IntoIterator<Item = Life>, now: SimTime) -> Vec<TagTime> {
    const TAGS: [Option<Tag>; 4] = [None, Some(Tag::Prompt), Some(Tag::Token), Some(Tag::Mixed)];
    let mut sums = [(Spans::default(), Spans::default(), false); TAGS.len()];
    for life in lives {
        let Some(position) = TAGS.iter().position(|&tag| tag == life.tag) else { continue };
        let (instance, gpu, seen) = &mut sums[position];
        let spans = life.spans(now);
        instance.add(spans, 1);
        gpu.add(spans, u128::from(life.gpus));
        *seen = true;
    }
    let present = TAGS.into_iter().zip(sums).filter(|(_, (_, _, seen))| *seen);
    present
        .map(|(tag, (instance, gpu, _))| TagTime { tag, instance: instance.seconds(), gpu: gpu.seconds() })
        .collect()
}

impl Spans {
    fn add(&mut self, spans: Spans, weight: u128) {
        self.scaling_up += spans.scaling_up * weight;
        self.active += spans.active * weight;
        self.draining += spans.draining * weight;
    }

    fn seconds(&self) -> StatusTime {
        StatusTime {
            scaling_up_s: self.scaling_up as f64 / 1e9,
            active_s: self.active as f64 / 1e9,
            draining_s: self.draining as f64 / 1e9,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_is_counted_from_its_date_to_the_next() {
        let at = |seconds| SimTime::ZERO + SimDuration::from_secs(seconds);
        let life = Life {
            tag: None,
            gpus: 8,
            created: at(10),
            active: Some(at(20)),
            draining: Some(at(50)),
            removed: Some(at(55)),
        };
        let cancelled = Life { active: None, draining: Some(at(12)), removed: Some(at(12)), ..life };
        let time = time_by_tag([life, cancelled], at(100));
        let expected = StatusTime { scaling_up_s: 12.0, active_s: 30.0, draining_s: 5.0 };
        assert_eq!(time[0].instance, expected);
        assert_eq!(time[0].gpu.active_s, 240.0);
    }

    #[test]
    fn an_instance_of_the_start_state_counts_from_time_zero() {
        let life = Life {
            tag: Some(Tag::Prompt),
            gpus: 1,
            created: SimTime::ZERO,
            active: Some(SimTime::ZERO),
            draining: None,
            removed: None,
        };
        let now = SimTime::ZERO + SimDuration::from_secs(7);
        assert_eq!(time_by_tag([life], now)[0].instance.active_s, 7.0);
    }
}
