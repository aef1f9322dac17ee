//! A trigger: a metric of the fleet that wakes it, and that the HPA scales on.

use ebbflow_actors::SimDuration;

use super::executor::Fallback;
use crate::registry::Settings;
use crate::scaling::damping::Tolerance;
use crate::scaling::policies::hpa::replicas::{MetricError, Proposal};
use crate::scaling::policies::hpa::{FleetMetric, FleetPods, milli, span};
use crate::scaling::{Observation, PolicyRefusal};

/// A metric with its target and its activation threshold.
#[derive(Debug)]
pub(super) struct Trigger {
    /// As the scenario names it.
    pub name: &'static str,
    metric: FleetMetric,
    /// Over which its value is averaged.
    pub window: Option<SimDuration>,
    activation_threshold: f64,
    ignores_no_data: bool,
    /// In a row, this look included.
    pub failures: u32,
}

impl Trigger {
    /// From a row of the scenario; `ignores_no_data`: no data count as 0.
    pub fn read(row: &Settings, ignores_no_data: bool) -> Result<Self, PolicyRefusal> {
        Ok(Trigger {
            name: FleetMetric::name(row)?,
            metric: FleetMetric::read(row)?,
            window: row.optional("window").map(span),
            activation_threshold: row.number("activation_threshold"),
            ignores_no_data,
            failures: 0,
        })
    }

    /// Whether this value keeps the fleet from zero.
    pub fn is_active(&self, value: Result<f64, MetricError>) -> bool {
        value.is_ok_and(|value| value > self.activation_threshold)
    }

    /// Its value now.
    pub fn ask(&mut self, seen: &Observation<'_>, pods: &FleetPods) -> Result<f64, MetricError> {
        let value = match self.metric.measure(seen, pods, self.window) {
            Ok(None) if self.ignores_no_data => Ok(0.0),
            Ok(None) => Err(MetricError::NoSamples),
            Ok(Some(value)) => Ok(value),
            Err(error) => Err(error),
        };
        self.failures = if value.is_ok() { 0 } else { self.failures.saturating_add(1) };
        value
    }

    /// How many replicas it asks for, the fallback standing in for it after too many failures.
    pub fn propose(
        &self,
        value: Result<f64, MetricError>,
        pods: &FleetPods,
        current: u32,
        fallback: Option<Fallback>,
        tolerance: Tolerance,
    ) -> Result<Proposal, MetricError> {
        let instead = || fallback?.metric(self.failures, self.metric.target_milli, current);
        let usage_milli = value.map(milli).or_else(|error| instead().ok_or(error))?;
        Ok(self.metric.propose(usage_milli, pods, current, tolerance))
    }
}
