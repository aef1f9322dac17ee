//! From a metric to a number of replicas: the HPA's integer arithmetic in thousandths.
//!
//! Averages and percentages are cut to whole numbers before they are compared with the target, which decides
//! near the edges of the tolerance. Sums saturate at the largest `i64`, replicas at the largest `i32`.

use std::collections::BTreeMap;

use ebbflow_actors::SimTime;

use super::pods::{Groups, Pod, Samples, Trust};
use crate::scaling::damping::Tolerance;

/// The largest fleet that the API can name.
pub const MOST_REPLICAS: u32 = i32::MAX as u32;

/// What a metric asks for.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Proposal {
    /// So many replicas.
    pub replicas: u32,
    /// What was measured, per pod unless the target is for all, in thousandths.
    pub usage_milli: i64,
    /// What was measured in percent of the request, for metrics that are a share of it.
    pub utilisation_pct: Option<i32>,
    /// Measured by target.
    pub ratio: f64,
}

/// Why a metric asks for nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum MetricError {
    /// Nothing was measured.
    #[error("there are no samples")]
    NoSamples,
    /// What was measured is too old.
    #[error("the samples are stale")]
    Stale,
    /// There is no pod.
    #[error("there are no pods")]
    NoPods,
    /// All samples are of pods that do not count.
    #[error("only pods that do not count have samples")]
    OnlyUncounted,
    /// No sample is of a known pod.
    #[error("no sample is of a known pod")]
    NoneMatches,
    /// A pod does not say how much it may use.
    #[error("a pod has no request for the resource")]
    MissingRequest,
}

/// A metric that pods have one by one.
#[derive(Clone, Copy, Debug)]
pub struct PodMetric<'a, K> {
    /// When it is looked at.
    pub now: SimTime,
    /// All pods.
    pub pods: &'a [Pod<K>],
    /// What they showed.
    pub samples: &'a Samples<K>,
    /// Whose samples are believed.
    pub trust: Trust,
}

/// What pods use, in thousandths.
type Usage<K> = BTreeMap<K, i64>;

/// What was measured over several pods.
struct Measured {
    ratio: f64,
    usage_milli: i64,
    utilisation_pct: Option<i32>,
}

impl<K: Clone + Ord> PodMetric<'_, K> {
    /// Replicas at which pods use `target_pct` percent of what they may, on average.
    ///
    /// # Errors
    /// Without samples of pods that count, and when a pod has no request.
    pub fn utilisation(
        &self,
        current: u32,
        target_pct: u32,
        tolerance: Tolerance,
    ) -> Result<Proposal, MetricError> {
        let requests = self.requests();
        let measure = |usage: &Usage<K>| utilisation(usage, requests.as_ref().map_err(|&e| e)?, target_pct);
        let full_pct = i64::from(target_pct.max(100));
        let full = |pod: &K| match &requests {
            Ok(requests) => requests.get(pod).map_or(0, |request| request.saturating_mul(full_pct) / 100),
            Err(_) => 0,
        };
        self.propose(current, tolerance, measure, full)
    }

    /// Replicas at which the metric is `target_milli` on average.
    ///
    /// # Errors
    /// Without samples of pods that count.
    pub fn average(
        &self,
        current: u32,
        target_milli: i64,
        tolerance: Tolerance,
    ) -> Result<Proposal, MetricError> {
        let measure = |usage: &Usage<K>| Ok(average(usage, target_milli));
        self.propose(current, tolerance, measure, |_| target_milli)
    }

    /// The rule of both: pods without a trusted sample make the change smaller, and may forbid it.
    fn propose(
        &self,
        current: u32,
        tolerance: Tolerance,
        measure: impl Fn(&Usage<K>) -> Result<Measured, MetricError>,
        full: impl Fn(&K) -> i64,
    ) -> Result<Proposal, MetricError> {
        let (groups, mut usage) = self.counted()?;
        let seen = measure(&usage)?;
        let propose = |replicas| Proposal {
            replicas,
            usage_milli: seen.usage_milli,
            utilisation_pct: seen.utilisation_pct,
            ratio: seen.ratio,
        };
        let grows_with_unready = seen.ratio > 1.0 && !groups.unready.is_empty();
        if groups.missing.is_empty() && !grows_with_unready {
            let within = tolerance.covers(seen.ratio);
            return Ok(propose(if within { current } else { whole(seen.ratio * groups.ready as f64) }));
        }
        if seen.ratio < 1.0 {
            usage.extend(groups.missing.iter().map(|pod| (pod.clone(), full(pod))));
        } else if seen.ratio > 1.0 {
            let idle = groups.missing.iter().chain(&groups.unready);
            usage.extend(idle.map(|pod| (pod.clone(), 0)));
        }
        let filled = measure(&usage)?.ratio;
        let turned = (seen.ratio < 1.0 && filled > 1.0) || (seen.ratio > 1.0 && filled < 1.0);
        let replicas = whole(filled * usage.len() as f64);
        let against = (filled < 1.0 && replicas > current) || (filled > 1.0 && replicas < current);
        let stays = tolerance.covers(filled) || turned || against;
        Ok(propose(if stays { current } else { replicas }))
    }

    /// The pods by class, and the samples that count.
    fn counted(&self) -> Result<(Groups<K>, Usage<K>), MetricError> {
        if self.samples.is_empty() {
            return Err(MetricError::NoSamples);
        }
        if self.pods.is_empty() {
            return Err(MetricError::NoPods);
        }
        let groups = Groups::of(self.now, self.pods, self.samples, self.trust);
        let counts = |pod: &K| !groups.ignored.contains(pod) && !groups.unready.contains(pod);
        let counted = self.samples.iter().filter(|(pod, _)| counts(pod));
        let usage: Usage<K> = counted.map(|(pod, sample)| (pod.clone(), sample.milli)).collect();
        if usage.is_empty() { Err(MetricError::OnlyUncounted) } else { Ok((groups, usage)) }
    }

    fn requests(&self) -> Result<Usage<K>, MetricError> {
        let requests = self.pods.iter().map(|pod| Some((pod.name.clone(), pod.request_milli?)));
        requests.collect::<Option<_>>().ok_or(MetricError::MissingRequest)
    }
}

/// Usage in whole percent of the requests. Samples of unknown pods do not count.
fn utilisation<K: Ord>(
    usage: &Usage<K>,
    requests: &Usage<K>,
    target_pct: u32,
) -> Result<Measured, MetricError> {
    let (mut used, mut requested, mut pods) = (0_i128, 0_i128, 0_i128);
    for (pod, &milli) in usage {
        if let Some(&request) = requests.get(pod) {
            used += i128::from(milli);
            requested += i128::from(request);
            pods += 1;
        }
    }
    if requested == 0 {
        return Err(MetricError::NoneMatches);
    }
    let percent = (used * 100 / requested).clamp(i32::MIN.into(), i32::MAX.into()) as i32;
    let ratio = f64::from(percent) / f64::from(target_pct);
    Ok(Measured { ratio, usage_milli: saturated(used / pods), utilisation_pct: Some(percent) })
}

/// Usage of a mean pod; there is one at least.
fn average<K>(usage: &Usage<K>, target_milli: i64) -> Measured {
    let mean = total(usage.values().copied()) / usage.len() as i64;
    Measured { ratio: mean as f64 / target_milli as f64, usage_milli: mean, utilisation_pct: None }
}

/// The sum of samples.
pub fn total(milli: impl IntoIterator<Item = i64>) -> i64 {
    milli.into_iter().fold(0, i64::saturating_add)
}

/// Replicas at which a metric of the whole fleet is `target_milli`, taking it that it falls as they grow.
/// `serving` pods run and are ready; at zero replicas there is neither a tolerance nor a number to multiply.
pub fn value(
    current: u32,
    serving: u32,
    usage_milli: i64,
    target_milli: i64,
    tolerance: Tolerance,
) -> Proposal {
    let ratio = usage_milli as f64 / target_milli as f64;
    let replicas = match current {
        0 => whole(ratio),
        _ if tolerance.covers(ratio) => current,
        _ => whole(ratio * f64::from(serving)),
    };
    Proposal { replicas, usage_milli, utilisation_pct: None, ratio }
}

/// Replicas among which a metric of the whole fleet is `target_milli` each.
pub fn average_value(replicas: u32, usage_milli: i64, target_milli: i64, tolerance: Tolerance) -> Proposal {
    let target = target_milli as f64;
    let usage = usage_milli as f64;
    let ratio = usage / (target * f64::from(replicas));
    let wanted = if tolerance.covers(ratio) { replicas } else { whole(usage / target) };
    let each = match replicas {
        _ if usage_milli == i64::MAX => i64::MAX,
        0 => 0,
        replicas => (usage / f64::from(replicas)).ceil() as i64,
    };
    Proposal { replicas: wanted, usage_milli: each, utilisation_pct: None, ratio }
}

/// The next whole number of replicas, as far as the API can name one.
fn whole(replicas: f64) -> u32 {
    (replicas.ceil() as u32).min(MOST_REPLICAS)
}

fn saturated(milli: i128) -> i64 {
    milli.clamp(i64::MIN.into(), i64::MAX.into()) as i64
}

#[cfg(test)]
mod tests {
    use super::super::pods::{Phase, Readiness, Sample};
    use super::*;
    use ebbflow_actors::SimDuration;

    const TOLERANCE: Tolerance = Tolerance::both(0.1);

    fn pod(name: u32) -> Pod<u32> {
        Pod {
            name,
            phase: Phase::Running,
            deleting: false,
            started: Some(SimTime::ZERO),
            readiness: Some(Readiness { ready: true, since: SimTime::ZERO }),
            request_milli: Some(1000),
        }
    }

    fn samples(milli: &[i64]) -> Samples<u32> {
        let sample = |&milli| Sample { milli, at: SimTime::ZERO, window: SimDuration::ZERO };
        (0..).zip(milli.iter().map(sample)).collect()
    }

    fn metric<'a>(pods: &'a [Pod<u32>], samples: &'a Samples<u32>) -> PodMetric<'a, u32> {
        PodMetric { now: SimTime::ZERO, pods, samples, trust: Trust::Running }
    }

    #[test]
    fn the_tolerance_includes_its_ends_and_sees_averages_cut_to_whole_numbers() {
        let pods = [pod(0), pod(1)];
        let wanted = |milli: &[i64]| metric(&pods, &samples(milli)).average(2, 1000, TOLERANCE).unwrap();
        assert_eq!(wanted(&[1100, 1101]).replicas, 2, "1100.5 is cut to 1100");
        assert_eq!(wanted(&[1100, 1102]).replicas, 3);
        assert_eq!(wanted(&[900, 900]).replicas, 2);
    }

    #[test]
    fn a_pod_without_a_sample_makes_both_directions_timid() {
        let pods = [pod(0), pod(1), pod(2)];
        let wanted = |milli: &[i64]| metric(&pods, &samples(milli)).average(3, 1000, TOLERANCE).unwrap();
        assert_eq!(wanted(&[3000, 3000]).replicas, 6, "as idle: 2 x 3 instead of 3 x 3");
        assert_eq!(wanted(&[100, 100]).replicas, 2, "as on target: 0.4 x 3 instead of 0.1 x 3");
        assert_eq!(wanted(&[1300, 1300]).replicas, 3, "filled in it would shrink");
    }

    #[test]
    fn sums_and_replicas_saturate() {
        assert_eq!(total([i64::MAX, 5]), i64::MAX);
        assert_eq!(value(3, 3, i64::MAX, 1, TOLERANCE).replicas, MOST_REPLICAS);
        assert_eq!(average_value(3, i64::MAX, 1, TOLERANCE).replicas, MOST_REPLICAS);
        let pods = [pod(0), pod(1)];
        let full = samples(&[i64::MAX, i64::MAX]);
        assert!(metric(&pods, &full).utilisation(2, 50, TOLERANCE).unwrap().replicas > 2);
        assert_eq!(metric(&pods, &full).average(2, 1, TOLERANCE).unwrap().replicas, MOST_REPLICAS);
    }

    #[test]
    fn from_zero_a_value_needs_no_tolerance_and_an_average_no_replicas() {
        assert_eq!(value(0, 0, 1050, 1000, TOLERANCE).replicas, 2);
        assert_eq!(value(0, 0, 0, 1000, TOLERANCE).replicas, 0);
        assert_eq!(average_value(0, 1, 1000, TOLERANCE).replicas, 1);
        assert_eq!(average_value(0, 0, 1000, TOLERANCE).replicas, 0);
    }

    #[test]
    fn what_cannot_be_measured_is_an_error() {
        let mut without_request = pod(0);
        without_request.request_milli = None;
        let one = samples(&[100]);
        let utilisation = |pods: &[Pod<u32>], samples: &Samples<u32>| {
            metric(pods, samples).utilisation(1, 50, TOLERANCE).unwrap_err()
        };
        assert_eq!(utilisation(&[pod(0)], &Samples::new()), MetricError::NoSamples);
        assert_eq!(utilisation(&[], &one), MetricError::NoPods);
        assert_eq!(utilisation(&[pod(7)], &one), MetricError::NoneMatches);
        assert_eq!(utilisation(&[Pod { deleting: true, ..pod(0) }], &one), MetricError::OnlyUncounted);
        assert_eq!(utilisation(&[without_request], &one), MetricError::MissingRequest);
    }
}
