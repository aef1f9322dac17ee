//! What the HPA makes of each pod: ready, unready, missing a sample, or not there at all.
//!
//! How instances become pods is said in [`super`].

use std::collections::{BTreeMap, BTreeSet};

use ebbflow_actors::{SimDuration, SimTime};

/// A pod as the HPA knows it, without its metrics.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pod<K> {
    /// Its name, which its samples carry too.
    pub name: K,
    /// Where it stands in its life.
    pub phase: Phase,
    /// Whether it was asked to go.
    pub deleting: bool,
    /// When it started, once it has.
    pub started: Option<SimTime>,
    /// Whether it can serve, once that was probed.
    pub readiness: Option<Readiness>,
    /// What it may use of the resource, in thousandths; for metrics that are a share of that.
    pub request_milli: Option<i64>,
}

/// Where a pod stands in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// No container runs yet.
    Pending,
    /// It runs.
    Running,
    /// It has succeeded or failed.
    Ended,
}

/// The answer of the readiness probe.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Readiness {
    /// Whether it can serve.
    pub ready: bool,
    /// Since when this is so.
    pub since: SimTime,
}

/// A metric of a pod.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sample {
    /// Its value, in thousandths.
    pub milli: i64,
    /// When it was taken.
    pub at: SimTime,
    /// Over which time before.
    pub window: SimDuration,
}

/// Samples by the name of their pod. Some may be of pods that nobody knows.
pub type Samples<K> = BTreeMap<K, Sample>;

/// Whose samples are believed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trust {
    /// Everybody's who runs.
    Running,
    /// Not those of pods that start: they burn CPU without serving. The HPA believes CPU so.
    Started(Initialisation),
}

/// How long a pod is taken to start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Initialisation {
    /// Within it a pod must be ready, and its sample from after that.
    pub period: SimDuration,
    /// A pod unready since before this delay has never been ready.
    pub readiness_delay: SimDuration,
}

/// What the HPA makes of a pod.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    /// Not counted anywhere.
    Ignored,
    /// Counts as idle when the fleet would grow, else not at all.
    Unready,
    /// Counts as idle when the fleet would grow, as fully used when it would shrink.
    Missing,
    /// Its sample counts.
    Ready,
}

/// Pods by class.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Groups<K> {
    /// How many are ready.
    pub ready: usize,
    /// The unready ones.
    pub unready: BTreeSet<K>,
    /// Those without a sample.
    pub missing: BTreeSet<K>,
    /// The others.
    pub ignored: BTreeSet<K>,
}

impl<K> Pod<K> {
    /// What the HPA makes of this pod with this sample.
    pub fn class(&self, now: SimTime, sample: Option<&Sample>, trust: Trust) -> Class {
        if self.deleting || self.phase == Phase::Ended {
            return Class::Ignored;
        }
        if self.phase == Phase::Pending {
            return Class::Unready;
        }
        match (sample, trust) {
            (None, _) => Class::Missing,
            (Some(_), Trust::Running) => Class::Ready,
            (Some(sample), Trust::Started(initialisation))
                if self.is_starting(now, sample, initialisation) =>
            {
                Class::Unready
            }
            (Some(_), Trust::Started(_)) => Class::Ready,
        }
    }

    /// Whether it runs and can serve.
    pub fn serves(&self) -> bool {
        self.phase == Phase::Running && self.readiness.is_some_and(|readiness| readiness.ready)
    }

    fn is_starting(&self, now: SimTime, sample: &Sample, initialisation: Initialisation) -> bool {
        let (Some(started), Some(Readiness { ready, since })) = (self.started, self.readiness) else {
            return true;
        };
        if now < started + initialisation.period {
            !ready || sample.at < since + sample.window
        } else {
            !ready && since < started + initialisation.readiness_delay
        }
    }
}

impl<K: Clone + Ord> Groups<K> {
    /// Sorts pods by what the HPA makes of them.
    pub fn of(now: SimTime, pods: &[Pod<K>], samples: &Samples<K>, trust: Trust) -> Self {
        let [unready, missing, ignored] = [const { BTreeSet::new() }; 3];
        let mut groups = Groups { ready: 0, unready, missing, ignored };
        for pod in pods {
            let class = match pod.class(now, samples.get(&pod.name), trust) {
                Class::Ready => {
                    groups.ready += 1;
                    continue;
                }
                Class::Unready => &mut groups.unready,
                Class::Missing => &mut groups.missing,
                Class::Ignored => &mut groups.ignored,
            };
            class.insert(pod.name.clone());
        }
        groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 1000;
    const CPU: Trust = Trust::Started(Initialisation {
        period: SimDuration::from_secs(300),
        readiness_delay: SimDuration::from_secs(30),
    });

    fn at(seconds: u64) -> SimTime {
        SimTime::ZERO + SimDuration::from_secs(seconds)
    }

    fn class(now: u64, ready: bool, since: u64, sampled: u64) -> Class {
        let pod = Pod {
            name: 0,
            phase: Phase::Running,
            deleting: false,
            started: Some(at(START)),
            readiness: Some(Readiness { ready, since: at(since) }),
            request_milli: None,
        };
        let sample = Sample { milli: 1, at: at(sampled), window: SimDuration::from_secs(60) };
        assert_eq!(pod.class(at(now), Some(&sample), Trust::Running), Class::Ready);
        pod.class(at(now), Some(&sample), CPU)
    }

    #[test]
    fn while_a_pod_starts_its_sample_must_be_a_window_younger_than_its_readiness() {
        assert_eq!(class(1299, true, 1100, 1159), Class::Unready);
        assert_eq!(class(1299, true, 1100, 1160), Class::Ready);
        assert_eq!(class(1300, true, 1100, 1159), Class::Ready, "the period is over");
    }

    #[test]
    fn a_pod_that_was_ready_once_counts_even_when_it_is_no_longer() {
        assert_eq!(class(2000, false, 1029, 1990), Class::Unready);
        assert_eq!(class(2000, false, 1030, 1990), Class::Ready);
    }

    #[test]
    fn a_pod_that_leaves_is_ignored_whatever_else_holds() {
        let pod = Pod {
            name: 0,
            phase: Phase::Pending,
            deleting: true,
            started: None,
            readiness: None,
            request_milli: None,
        };
        assert_eq!(pod.class(at(0), None, Trust::Running), Class::Ignored);
        assert_eq!(Pod { deleting: false, ..pod }.class(at(0), None, Trust::Running), Class::Unready);
        assert!(!pod.serves());
    }
}
