//! A policy at work: when it is asked, and when what it says is worth a row in the log.

use ebbflow_actors::{SimDuration, SimTime, TickId};

use super::decision::{Decision, DecisionRow, Limiter, Target};
use super::metrics::{Input, Observation};
use super::policy::AutoscalingPolicy;
use crate::ids::Tag;

/// A policy of an application, and when it is asked.
#[derive(Debug)]
pub struct Governor {
    name: &'static str,
    policy: Box<dyn AutoscalingPolicy>,
    interval: SimDuration,
    asked: SimTime,
    pub(super) next: Option<TickId>,
    /// What each pool was last told, for the log says only what is new.
    told: Vec<Told>,
    holding: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Told {
    tag: Option<Tag>,
    wanted: u32,
    limited_by: Option<Limiter>,
}

impl Governor {
    /// A policy that is asked every `interval`, which is above zero.
    pub fn new(name: &'static str, policy: Box<dyn AutoscalingPolicy>, interval: SimDuration) -> Self {
        Governor {
            name,
            policy,
            interval,
            asked: SimTime::ZERO,
            next: None,
            told: Vec::new(),
            holding: false,
        }
    }

    /// The policy's name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Between two decisions.
    pub fn interval(&self) -> SimDuration {
        self.interval
    }

    /// How far back it looks.
    pub fn look_back(&self) -> SimDuration {
        self.policy.look_back().max(self.interval)
    }

    /// Asks the policy. What it saw is returned beside what it wants.
    pub(super) fn decide(&mut self, seen: Observation<'_>, startup: SimDuration) -> (Decision, Vec<Input>) {
        let elapsed = seen.now - self.asked;
        self.asked = seen.now;
        let seen = seen.with_times(elapsed, startup);
        let decision = self.policy.decide(&seen);
        (decision, seen.into_inputs())
    }

    /// Whether a decision without targets is the first of its kind after others.
    pub(super) fn is_hold_news(&mut self, decision: &Decision) -> bool {
        let holds = decision.targets.is_empty();
        let is_news = holds && !self.holding;
        self.holding = holds;
        is_news
    }

    /// Whether this target says something the log does not have yet.
    pub(super) fn is_news(&mut self, target: &Target) -> bool {
        let Target { tag, wanted, limited_by, .. } = *target;
        let told = Told { tag, wanted, limited_by };
        match self.told.iter_mut().find(|known| known.tag == tag) {
            Some(known) if *known == told => false,
            Some(known) => {
                *known = told;
                true
            }
            None => {
                self.told.push(told);
                true
            }
        }
    }
}

/// Inputs as the log shows them: `arrivals_per_s[60s]=4.25@0.5; waiting/prompt=3@1`.
pub(super) fn describe(inputs: &[Input]) -> String {
    let texts: Vec<String> = inputs.iter().map(describe_one).collect();
    texts.join("; ")
}

fn describe_one(input: &Input) -> String {
    let pool = input.pool.flatten().map(|tag| format!("/{}", tag.name())).unwrap_or_default();
    let window = input.window.map(|window| format!("[{}s]", window.as_secs_f64())).unwrap_or_default();
    let value = input.value.map_or("none".to_owned(), |value| format!("{}", (value * 1e6).round() / 1e6));
    let age = input.age.map(|age| format!("@{}", age.as_secs_f64())).unwrap_or_default();
    format!("{}{pool}{window}={value}{age}", input.what)
}

impl DecisionRow {
    /// A decision without a target.
    pub(super) fn held(time: SimTime, policy: &'static str, decision: &Decision, inputs: &[Input]) -> Self {
        DecisionRow {
            time,
            policy,
            pool: None,
            inputs: describe(inputs),
            raw: None,
            limited_by: None,
            wanted: None,
            reason: decision.reason.clone(),
            outcome: "held".to_owned(),
        }
    }
}
