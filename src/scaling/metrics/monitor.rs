//! Keeps the samples that windows may ask for.

use std::collections::{BTreeMap, VecDeque};

use ebbflow_actors::{SimDuration, SimTime};

use super::sample::{FirstToken, GatewaySample, InstanceSample, Sample, Served, Traffic};
use crate::ids::InstanceId;

/// Samples by source, the oldest first; older ones than the retention are forgotten.
#[derive(Clone, Debug)]
pub struct Monitor {
    retention: SimDuration,
    pub(super) gateway: VecDeque<GatewaySample>,
    pub(super) first_tokens: VecDeque<FirstToken>,
    pub(super) served: VecDeque<Served>,
    pub(super) instances: BTreeMap<InstanceId, VecDeque<InstanceSample>>,
}

impl Monitor {
    /// A monitor that can answer for windows up to `retention`.
    pub fn new(retention: SimDuration) -> Self {
        Monitor {
            retention,
            gateway: VecDeque::new(),
            first_tokens: VecDeque::new(),
            served: VecDeque::new(),
            instances: BTreeMap::new(),
        }
    }

    /// Takes a sample. Samples of one source come in their order.
    pub fn record(&mut self, sample: Sample) {
        match sample {
            Sample::Gateway(sample) => self.record_gateway(sample),
            Sample::Instance(sample) => self.record_instance(sample),
        }
    }

    /// Forgets an instance that has left or is leaving.
    pub fn forget(&mut self, instance: InstanceId) {
        self.instances.remove(&instance);
    }

    /// The newest sample of the scheduler.
    pub fn latest(&self) -> Option<&GatewaySample> {
        self.gateway.back()
    }

    /// The newest sample of an instance.
    pub fn latest_of(&self, instance: InstanceId) -> Option<&InstanceSample> {
        self.instances.get(&instance).and_then(VecDeque::back)
    }

    /// Requests at an instance, by its newest sample; 0 for one that has shown none yet.
    pub fn load(&self, instance: InstanceId) -> f64 {
        self.latest_of(instance).map_or(0.0, |sample| f64::from(sample.running) + f64::from(sample.waiting))
    }

    fn record_gateway(&mut self, mut sample: GatewaySample) {
        let oldest = before(sample.at, self.retention);
        self.first_tokens.extend(sample.first_tokens.drain(..));
        self.served.extend(sample.served.drain(..));
        self.gateway.push_back(sample);
        // One sample from before the window stays: rates are differences to it.
        while self.gateway.get(1).is_some_and(|second| second.at <= oldest) {
            self.gateway.pop_front();
        }
        while self.first_tokens.front().is_some_and(|first| first.at < oldest) {
            self.first_tokens.pop_front();
        }
        while self.served.front().is_some_and(|first| first.at < oldest) {
            self.served.pop_front();
        }
    }

    fn record_instance(&mut self, sample: InstanceSample) {
        let oldest = before(sample.at, self.retention);
        let samples = self.instances.entry(sample.instance).or_default();
        samples.push_back(sample);
        while samples.get(1).is_some_and(|second| second.at <= oldest) {
            samples.pop_front();
        }
    }

    /// What passed the scheduler in the `window` before its newest sample, and in how long: less than the
    /// window while the run is younger, more by up to a scrape interval where samples do not fit it.
    pub(super) fn traffic(&self, window: SimDuration) -> Option<(Traffic, SimDuration)> {
        let newest = self.gateway.back()?;
        let from = before(newest.at, window);
        let base = self.gateway.iter().rev().find(|sample| sample.at <= from);
        let (base, since) = base.map_or((Traffic::default(), SimTime::ZERO), |base| (base.traffic, base.at));
        Some((newest.traffic.since(&base), newest.at - since))
    }
}

/// A moment before another, not before the beginning.
pub(super) fn before(moment: SimTime, span: SimDuration) -> SimTime {
    SimTime::ZERO + (moment - SimTime::ZERO).saturating_sub(span)
}
