//! A policy's window onto the fleet.

use std::cell::RefCell;

use ebbflow_actors::{SimDuration, SimTime};

use super::monitor::{Monitor, before};
use super::readings::{Reading, Readings, Signal};
use super::sample::{GatewaySample, InstanceSample, Traffic};
use crate::ids::Tag;
use crate::instance::InstanceStatus;
use crate::scaling::census::Member;
use crate::scaling::policy::PoolCount;
use crate::slo::{LatencyKind, Slo, Statistic};

/// What a policy looks at when it decides: the manager's own books, and what the [`Monitor`] has.
///
/// Every metric that is asked for is remembered for the decision log.
#[derive(Debug)]
pub struct Observation<'a> {
    /// When the decision is taken.
    pub now: SimTime,
    /// Time since the decision before, or since the start of the run.
    pub elapsed: SimDuration,
    /// From a scale-up to ACTIVE, on average: how far ahead a policy must look.
    pub startup: SimDuration,
    members: &'a [Member],
    monitor: &'a Monitor,
    slo: Option<&'a Slo>,
    inputs: RefCell<Vec<Input>>,
}

/// A metric as a policy saw it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Input {
    /// Which metric.
    pub what: &'static str,
    /// Of which pool; the outer none: it is no matter of pools.
    pub pool: Option<Option<Tag>>,
    /// Over which window; none: the newest value.
    pub window: Option<SimDuration>,
    /// Its value; none: there was no data.
    pub value: Option<f64>,
    /// How old the newest sample was.
    pub age: Option<SimDuration>,
}

impl<'a> Observation<'a> {
    /// What is to be seen at `now`. `members` are the instances the manager knows, by id.
    pub fn new(now: SimTime, members: &'a [Member], monitor: &'a Monitor) -> Self {
        Observation {
            now,
            elapsed: now - SimTime::ZERO,
            startup: SimDuration::ZERO,
            members,
            monitor,
            slo: None,
            inputs: RefCell::default(),
        }
    }

    /// The same, judging requests by these objectives.
    pub fn with_slo(mut self, slo: Option<&'a Slo>) -> Self {
        self.slo = slo;
        self
    }

    /// The same, `elapsed` after the decision before, with instances that need `startup`.
    pub fn with_times(mut self, elapsed: SimDuration, startup: SimDuration) -> Self {
        (self.elapsed, self.startup) = (elapsed, startup);
        self
    }

    /// What was asked so far, in order.
    pub fn into_inputs(self) -> Vec<Input> {
        self.inputs.into_inner()
    }

    /// The instances with this tag, counted by status.
    pub fn pool(&self, tag: Option<Tag>) -> PoolCount {
        let mut pool = PoolCount::none(tag);
        for member in self.members(tag) {
            pool.count(member.status);
        }
        pool
    }

    /// The instances with this tag, by id: of every status.
    pub fn members(&self, tag: Option<Tag>) -> impl Iterator<Item = &'a Member> {
        self.members.iter().filter(move |member| member.tag == tag)
    }

    /// How old the newest sample of the scheduler is; none: there is none yet.
    pub fn age(&self) -> Option<SimDuration> {
        self.newest().map(|sample| self.now - sample.at)
    }

    /// Requests that no instance could take yet.
    pub fn waiting(&self) -> Option<f64> {
        self.gauge("scheduler_waiting", |sample| sample.waiting as f64)
    }

    /// Prompt tokens of the requests that no instance could take yet.
    pub fn waiting_prompt_tokens(&self) -> Option<f64> {
        self.gauge("scheduler_waiting_prompt_tokens", |sample| sample.waiting_prompt_tokens as f64)
    }

    /// Requests at instances.
    pub fn in_service(&self) -> Option<f64> {
        self.gauge("in_service", |sample| sample.in_service as f64)
    }

    /// A signal of the ACTIVE instances with this tag: the newest sample of each.
    pub fn readings(&self, signal: Signal, tag: Option<Tag>) -> Readings {
        let readings = self.read(signal, tag, None);
        self.note(signal.name(), Some(tag), None, readings.mean(), readings.oldest());
        readings
    }

    /// Averages and rates over the `window` before the newest samples.
    pub fn over(&self, window: SimDuration) -> View<'_, 'a> {
        View { seen: self, window }
    }

    /// Averages and rates since the decision before.
    pub fn since_last(&self) -> View<'_, 'a> {
        self.over(self.elapsed)
    }

    fn newest(&self) -> Option<&'a GatewaySample> {
        self.monitor.latest()
    }

    fn gauge(&self, what: &'static str, value: impl Fn(&GatewaySample) -> f64) -> Option<f64> {
        let value = self.newest().map(value);
        self.note(what, None, None, value, self.age());
        value
    }

    fn read(&self, signal: Signal, tag: Option<Tag>, window: Option<SimDuration>) -> Readings {
        let ready = self.members(tag).filter(|member| member.status == InstanceStatus::Active);
        let readings = ready.filter_map(|member| {
            let samples = self.monitor.instances.get(&member.id)?;
            let newest = samples.back()?;
            let value = average(signal, samples.iter(), before(newest.at, window.unwrap_or_default()))?;
            Some(Reading { instance: member.id, value, age: self.now - newest.at })
        });
        Readings(readings.collect())
    }

    fn note(
        &self,
        what: &'static str,
        pool: Option<Option<Tag>>,
        window: Option<SimDuration>,
        value: Option<f64>,
        age: Option<SimDuration>,
    ) {
        let input = Input { what, pool, window, value, age };
        let mut inputs = self.inputs.borrow_mut();
        if !inputs.contains(&input) {
            inputs.push(input);
        }
    }
}

/// The mean of a signal over the samples after `from`, the newest in any case.
fn average<'s>(
    signal: Signal,
    samples: impl Iterator<Item = &'s InstanceSample>,
    from: SimTime,
) -> Option<f64> {
    let (mut sum, mut count, mut last) = (0.0, 0, None);
    let mut previous = None;
    for sample in samples {
        if let Some(value) = signal.value(sample, previous) {
            last = Some(value);
            if sample.at > from {
                sum += value;
                count += 1;
            }
        }
        previous = Some(sample);
    }
    if count > 0 { Some(sum / f64::from(count)) } else { last }
}

/// An [`Observation`] over a window of time.
#[derive(Clone, Copy, Debug)]
pub struct View<'o, 'a> {
    seen: &'o Observation<'a>,
    window: SimDuration,
}

impl View<'_, '_> {
    /// Requests that arrived, per second.
    pub fn arrivals_per_s(&self) -> Option<f64> {
        self.rate("arrivals_per_s", |traffic| traffic.arrivals)
    }

    /// Prompt tokens that arrived, per second.
    pub fn prompt_tokens_per_s(&self) -> Option<f64> {
        self.rate("prompt_tokens_per_s", |traffic| traffic.prompt_tokens)
    }

    /// Requests completed, per second.
    pub fn completions_per_s(&self) -> Option<f64> {
        self.rate("completions_per_s", |traffic| traffic.completions)
    }

    /// Output tokens per second, each request's counted when it is complete.
    pub fn output_tokens_per_s(&self) -> Option<f64> {
        self.rate("output_tokens_per_s", |traffic| traffic.output_tokens)
    }

    /// Prompt tokens of a mean request that arrived.
    pub fn mean_prompt_tokens(&self) -> Option<f64> {
        self.ratio("mean_prompt_tokens", |traffic| (traffic.prompt_tokens, traffic.arrivals))
    }

    /// Output tokens of a mean request that completed.
    pub fn mean_output_tokens(&self) -> Option<f64> {
        self.ratio("mean_output_tokens", |traffic| (traffic.output_tokens, traffic.completions))
    }

    /// Requests in the system, waiting at the scheduler or at instances: the mean of the samples.
    pub fn concurrency(&self) -> Option<f64> {
        self.mean_gauge("concurrency", |sample| sample.waiting + sample.in_service)
    }

    /// Requests that no instance could take yet: the mean of the samples.
    pub fn waiting(&self) -> Option<f64> {
        self.mean_gauge("scheduler_waiting", |sample| sample.waiting)
    }

    /// A signal of the ACTIVE instances with this tag: the mean of the samples of each.
    pub fn readings(&self, signal: Signal, tag: Option<Tag>) -> Readings {
        let readings = self.seen.read(signal, tag, Some(self.window));
        self.seen.note(signal.name(), Some(tag), Some(self.window), readings.mean(), readings.oldest());
        readings
    }

    /// A statistic of a latency in seconds: TTFT of the requests that had their first token in the window,
    /// the others of those that completed in it; none without any.
    pub fn latency_s(&self, kind: LatencyKind, statistic: Statistic) -> Option<f64> {
        let from = self.from();
        let monitor = self.seen.monitor;
        let mut values: Vec<f64> = match kind {
            LatencyKind::Ttft => {
                let recent = monitor.first_tokens.iter().rev().take_while(|first| first.at > from);
                recent.map(|first| first.ttft.as_secs_f64()).collect()
            }
            _ => {
                let recent = monitor.served.iter().rev().take_while(|served| served.at > from);
                recent.filter_map(|served| served.latency_s(kind)).collect()
            }
        };
        let value = statistic_of(&mut values, statistic);
        let what = match kind {
            LatencyKind::Ttft => "ttft_s",
            LatencyKind::Tbt => "tbt_s",
            LatencyKind::Tpot => "tpot_s",
            LatencyKind::E2e => "e2e_s",
            LatencyKind::Queue => "queue_s",
            LatencyKind::TokenGap => "token_gap_s",
            LatencyKind::LongestGap => "longest_gap_s",
        };
        self.note(what, value);
        value
    }

    /// Share of the requests completed in the window that violate the scenario's SLO, from 0 to 1; none
    /// without an SLO or without requests.
    pub fn violation_rate(&self) -> Option<f64> {
        let from = self.from();
        let recent = self.seen.monitor.served.iter().rev().take_while(|served| served.at > from);
        let (mut violations, mut all) = (0.0, 0.0);
        let slo = self.seen.slo?;
        for served in recent {
            all += 1.0;
            violations += f64::from(!slo.is_met_by(|kind| served.latency_s(kind)));
        }
        let rate = (all > 0.0).then(|| violations / all);
        self.note("slo_violation_rate", rate);
        rate
    }

    fn from(&self) -> SimTime {
        self.seen.newest().map_or(SimTime::ZERO, |newest| before(newest.at, self.window))
    }

    fn rate(&self, what: &'static str, count: impl Fn(&Traffic) -> u64) -> Option<f64> {
        let rate = self.seen.monitor.traffic(self.window).and_then(|(traffic, span)| {
            let span_s = span.as_secs_f64();
            (span_s > 0.0).then(|| count(&traffic) as f64 / span_s)
        });
        self.note(what, rate);
        rate
    }

    fn ratio(&self, what: &'static str, parts: impl Fn(&Traffic) -> (u64, u64)) -> Option<f64> {
        let ratio = self.seen.monitor.traffic(self.window).and_then(|(traffic, _)| {
            let (above, below) = parts(&traffic);
            (below > 0).then(|| above as f64 / below as f64)
        });
        self.note(what, ratio);
        ratio
    }

    fn mean_gauge(&self, what: &'static str, value: impl Fn(&GatewaySample) -> u64) -> Option<f64> {
        let from = self.from();
        let recent = self.seen.monitor.gateway.iter().rev().take_while(|sample| sample.at > from);
        let (mut sum, mut count) = (0, 0);
        for sample in recent {
            sum += value(sample);
            count += 1;
        }
        let mean = if count > 0 {
            Some(sum as f64 / f64::from(count))
        } else {
            self.seen.newest().map(|sample| value(sample) as f64)
        };
        self.note(what, mean);
        mean
    }

    fn note(&self, what: &'static str, value: Option<f64>) {
        self.seen.note(what, None, Some(self.window), value, self.seen.age());
    }
}

/// A statistic of some values: quantiles by linear interpolation, as everywhere in Ebbflow.
fn statistic_of(values: &mut [f64], statistic: Statistic) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    match statistic {
        Statistic::Mean => Some(values.iter().sum::<f64>() / values.len() as f64),
        Statistic::Max => values.iter().copied().max_by(f64::total_cmp),
        Statistic::Quantile(quantile) => {
            values.sort_unstable_by(f64::total_cmp);
            Some(crate::results::percentile(values, quantile))
        }
    }
}
