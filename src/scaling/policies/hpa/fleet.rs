//! Our instances as the HPA's pods; the table is in [`super`].

use ebbflow_actors::{SimDuration, SimTime};

use super::pods::{Initialisation, Phase, Pod, Readiness, Sample, Samples, Trust};
use super::replicas::PodMetric;
use crate::ids::{InstanceId, Tag};
use crate::instance::InstanceStatus;
use crate::registry::{Parameter, Settings};
use crate::scaling::metrics::Signal;
use crate::scaling::{Member, Observation};

use super::metric::span;

/// What says how instances become pods.
pub(super) const PARAMETERS: [Parameter; 4] = [
    Parameter::word(
        "starting_instances",
        "running",
        &["running", "pending"],
        "what an instance that starts is: a running pod without samples yet, or a pending one",
    ),
    Parameter::seconds(
        "initialization_period",
        300.0,
        "how long after its start `busy` of an instance is doubted",
    )
    .from("kube-controller-manager"),
    Parameter::seconds("readiness_delay", 30.0, "an instance unready since before this has never been ready")
        .from("kube-controller-manager"),
    STALENESS,
];

/// How old a sample may be.
pub(in crate::scaling::policies) const STALENESS: Parameter =
    Parameter::seconds("staleness", 300.0, "older samples count as none")
        .from("Prometheus, look-back of a query");

/// The pods of a pool.
#[derive(Clone, Debug)]
pub(in crate::scaling::policies) struct FleetPods {
    pub pool: Option<Tag>,
    /// Older samples count as none.
    pub staleness: SimDuration,
    starting: Phase,
    initialisation: Initialisation,
    pods: Vec<Pod<InstanceId>>,
}

impl FleetPods {
    /// Of a pool, from the parameters above.
    pub fn new(pool: Option<Tag>, settings: &Settings) -> Self {
        let starting = match settings.text("starting_instances") {
            "pending" => Phase::Pending,
            _ => Phase::Running,
        };
        let period = settings.seconds("initialization_period");
        let readiness_delay = settings.seconds("readiness_delay");
        let initialisation = Initialisation { period, readiness_delay };
        let staleness = settings.seconds("staleness");
        FleetPods { pool, staleness, starting, initialisation, pods: Vec::new() }
    }

    /// Of a pool whose pods are not looked at one by one.
    pub fn of_pool(pool: Option<Tag>, staleness: SimDuration) -> Self {
        let initialisation = Initialisation { period: span(300.0), readiness_delay: span(30.0) };
        FleetPods { pool, staleness, starting: Phase::Running, initialisation, pods: Vec::new() }
    }

    /// Looks at the fleet anew.
    pub fn refresh(&mut self, seen: &Observation<'_>) {
        self.pods = seen.members(self.pool).map(|member| self.pod(member)).collect();
    }

    /// How many can serve.
    pub fn serving(&self) -> u32 {
        u32::try_from(self.pods.iter().filter(|pod| pod.serves()).count()).unwrap_or(u32::MAX)
    }

    /// What the instances have shown of a signal lately.
    pub fn samples(
        &self,
        seen: &Observation<'_>,
        signal: Signal,
        window: Option<SimDuration>,
    ) -> Samples<InstanceId> {
        let readings = match window {
            Some(window) => seen.over(window).readings(signal, self.pool),
            None => seen.readings(signal, self.pool),
        };
        let fresh = readings.iter().filter(|reading| reading.age <= self.staleness);
        let sample = |age: SimDuration, value: f64| Sample {
            milli: super::metric::milli(value),
            at: SimTime::ZERO + (seen.now - SimTime::ZERO).saturating_sub(age),
            window: window.unwrap_or_default(),
        };
        fresh.map(|reading| (reading.instance, sample(reading.age, reading.value))).collect()
    }

    /// A signal of these pods. `busy` is to an instance what CPU is to a pod.
    pub fn metric<'a>(
        &'a self,
        seen: &Observation<'_>,
        signal: Signal,
        samples: &'a Samples<InstanceId>,
    ) -> PodMetric<'a, InstanceId> {
        let trust = if signal == Signal::Busy { Trust::Started(self.initialisation) } else { Trust::Running };
        PodMetric { now: seen.now, pods: &self.pods, samples, trust }
    }

    fn pod(&self, member: &Member) -> Pod<InstanceId> {
        let starting = member.status == InstanceStatus::ScalingUp;
        let ready = member.status == InstanceStatus::Active;
        Pod {
            name: member.id,
            phase: if starting { self.starting } else { Phase::Running },
            deleting: !starting && !ready,
            started: Some(member.created),
            readiness: Some(Readiness { ready, since: member.active.unwrap_or(member.created) }),
            request_milli: Some(1000),
        }
    }
}
