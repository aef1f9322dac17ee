//! The statuses an instance was in, one after the other, from its dates.

use ebbflow_actors::SimTime;

use super::InstanceRecord;

/// What an instance is doing as a whole.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Status {
    /// Not ACTIVE yet.
    Starting,
    /// Serving.
    Active,
    /// Letting its work run out.
    Draining,
}

impl Status {
    /// All of them, in their order.
    pub const ALL: [Status; 3] = [Status::Starting, Status::Active, Status::Draining];

    /// The word used in timelines and labels.
    pub const fn name(self) -> &'static str {
        match self {
            Status::Starting => "starting",
            Status::Active => "active",
            Status::Draining => "draining",
        }
    }
}

/// A stretch of an instance's life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stretch {
    /// Which status.
    pub status: Status,
    /// From then on.
    pub from: SimTime,
    /// Until then; none: it still was when the run ended.
    pub to: Option<SimTime>,
}

/// The life of an instance, without stretches that took no time.
pub fn stretches(instance: &InstanceRecord) -> impl Iterator<Item = Stretch> {
    let &InstanceRecord { created, active, draining, removed, .. } = instance;
    let first = |dates: &[Option<SimTime>]| dates.iter().flatten().min().copied();
    let spans = [
        (Status::Starting, Some(created), first(&[active, draining, removed])),
        (Status::Active, active, first(&[draining, removed])),
        (Status::Draining, draining, removed),
    ];
    let spans = spans.into_iter().filter_map(|(status, from, to)| Some(Stretch { status, from: from?, to }));
    spans.filter(|stretch| stretch.to.is_none_or(|to| to > stretch.from))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{InstanceId, ServerId};
    use ebbflow_actors::SimDuration;

    fn at(seconds: u64) -> SimTime {
        SimTime::from_nanos(seconds * 1_000_000_000)
    }

    fn lived([active, draining, removed]: [Option<u64>; 3]) -> Vec<(Status, u64, Option<u64>)> {
        let instance = InstanceRecord {
            id: InstanceId(0),
            server: ServerId(0),
            sku: String::new(),
            gpu: String::new(),
            processors: vec![0],
            tag: None,
            created: at(0),
            active: active.map(at),
            draining: draining.map(at),
            removed: removed.map(at),
            busy: SimDuration::ZERO,
            tasks_completed: 0,
            engine: None,
            phases: crate::instance::Phases::default(),
        };
        let seconds = |time: SimTime| time.as_nanos() / 1_000_000_000;
        stretches(&instance).map(|s| (s.status, seconds(s.from), s.to.map(seconds))).collect()
    }

    #[test]
    fn a_life_is_told_without_holes() {
        let expected =
            [(Status::Starting, 0, Some(2)), (Status::Active, 2, Some(5)), (Status::Draining, 5, Some(9))];
        assert_eq!(lived([Some(2), Some(5), Some(9)]), expected);
        assert_eq!(lived([Some(0), None, None]), [(Status::Active, 0, None)]);
    }

    #[test]
    fn a_start_that_was_cancelled_was_never_active() {
        assert_eq!(lived([None, None, Some(4)]), [(Status::Starting, 0, Some(4))]);
        let expected = [(Status::Starting, 0, Some(3)), (Status::Draining, 3, Some(4))];
        assert_eq!(lived([None, Some(3), Some(4)]), expected);
        assert_eq!(lived([None, None, None]), [(Status::Starting, 0, None)]);
    }
}
