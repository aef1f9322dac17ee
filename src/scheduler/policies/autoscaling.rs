//! `autoscaling`: a scheduler that scales its own pools by thresholds (splitwise-DRL's `Scaling_pool`,
//! the user's example of a scheduler that triggers scaling).
//!
//! Every `check_interval` requests, and not within `cooldown` of the last operation, it compares the
//! prompt tokens pending per prefill instance and the memory promised on decode instances with two
//! thresholds. Routing is least pending tokens for prefill and least promised memory for decode.

use ebbflow_actors::SimTime;

use super::BANDWIDTH;
use crate::ids::{InstanceId, Tag};
use crate::registry::{Kind, Parameter, Registry, Settings};
use crate::request::Request;
use crate::scheduler::{Fleet, Metric, PolicyTraits, PoolName, Route, RoutingContext, RoutingPolicy};

const fn parameter(name: &'static str, default: f64, minimum: f64, about: &'static str) -> Parameter {
    Parameter::number(name, default, about).at_least(minimum)
}

const PARAMETERS: &[Parameter] = &[
    BANDWIDTH,
    parameter("min_prompt_instances", 1.0, 0.0, "prefill instances that always stay"),
    parameter("max_prompt_instances", 100.0, 1.0, "prefill instances at most"),
    parameter("min_token_instances", 1.0, 0.0, "decode instances that always stay"),
    parameter("max_token_instances", 100.0, 1.0, "decode instances at most"),
    parameter("scale_up_threshold", 0.8, 0.0, "load above which a pool grows"),
    parameter("scale_down_threshold", 0.3, 0.0, "load below which a pool shrinks"),
    parameter("check_interval", 100.0, 1.0, "requests between two checks"),
    Parameter::seconds("cooldown", 5.0, "between two operations"),
    parameter("prompt_tokens_per_instance", 10_000.0, 1.0, "pending prompt tokens that count as load 1"),
];

pub(super) fn register(registry: &mut Registry) {
    let kind = Kind {
        name: "autoscaling",
        aliases: &["AutoScalingScheduler", "Scaling_pool"],
        about: "prefill and decode pools that it scales by load thresholds",
        parameters: PARAMETERS,
    };
    registry.add_scheduler(kind, |_, settings| Box::new(Autoscaling::new(settings)));
}

#[derive(Debug)]
struct Autoscaling {
    bandwidth_gib_per_s: f64,
    prompt: PoolRule,
    token: PoolRule,
    scale_up_threshold: f64,
    scale_down_threshold: f64,
    check_interval: u64,
    cooldown_s: f64,
    tokens_per_instance: f64,
    requests: u64,
    last_scale: SimTime,
}

/// A pool and its bounds.
#[derive(Debug)]
struct PoolRule {
    tag: Tag,
    pool: PoolName,
    victim_by: Metric,
    minimum: usize,
    maximum: usize,
    /// Asked for and not ACTIVE yet.
    starting: usize,
}

impl Autoscaling {
    fn new(settings: &Settings) -> Self {
        let rule = |tag, pool, victim_by, minimum, maximum| PoolRule {
            tag,
            pool,
            victim_by,
            minimum: settings.number(minimum) as usize,
            maximum: settings.number(maximum) as usize,
            starting: 0,
        };
        let (prompt, token) = (PoolName::Prompt, PoolName::Token);
        Autoscaling {
            bandwidth_gib_per_s: settings.number("transfer_bandwidth"),
            prompt: rule(
                Tag::Prompt,
                prompt,
                Metric::PendingTokens,
                "min_prompt_instances",
                "max_prompt_instances",
            ),
            token: rule(
                Tag::Token,
                token,
                Metric::ReservedBytes,
                "min_token_instances",
                "max_token_instances",
            ),
            scale_up_threshold: settings.number("scale_up_threshold"),
            scale_down_threshold: settings.number("scale_down_threshold"),
            check_interval: settings.number("check_interval") as u64,
            cooldown_s: settings.number("cooldown"),
            tokens_per_instance: settings.number("prompt_tokens_per_instance"),
            requests: 0,
            last_scale: SimTime::ZERO,
        }
    }

    fn check(&mut self, fleet: &Fleet, context: &mut RoutingContext) {
        if (context.now - self.last_scale).as_secs_f64() < self.cooldown_s {
            return;
        }
        let prompt_load = self.prompt_load(fleet);
        let token_load = token_load(fleet);
        for (rule, load) in [(&mut self.prompt, prompt_load), (&mut self.token, token_load)] {
            let Some(load) = load else { continue };
            if rule.act(load, self.scale_up_threshold, self.scale_down_threshold, fleet, context) {
                self.last_scale = context.now;
            }
        }
    }

    fn prompt_load(&self, fleet: &Fleet) -> Option<f64> {
        let pool = fleet.pool(PoolName::Prompt);
        let capacity = self.tokens_per_instance * pool.len() as f64;
        (!pool.is_empty()).then(|| pool.load().pending_tokens as f64 / capacity)
    }

    fn rule_of(&mut self, tag: Option<Tag>) -> Option<&mut PoolRule> {
        match tag {
            Some(Tag::Prompt) => Some(&mut self.prompt),
            Some(Tag::Token) => Some(&mut self.token),
            _ => None,
        }
    }
}

fn token_load(fleet: &Fleet) -> Option<f64> {
    let pool = fleet.pool(PoolName::Token);
    let (reserved, capacity) = (pool.load().reserved_bytes, pool.capacity_bytes());
    (capacity > 0).then(|| reserved as f64 / capacity as f64)
}

impl PoolRule {
    /// Grows or shrinks the pool by one if the load says so.
    fn act(&mut self, load: f64, up: f64, down: f64, fleet: &Fleet, context: &mut RoutingContext) -> bool {
        let active = fleet.pool(self.pool).len();
        if load > up && active + self.starting < self.maximum {
            self.starting += 1;
            context.scale_up_full(Some(self.tag));
            return true;
        }
        if load < down
            && active > self.minimum
            && let Some(victim) = fleet.least(self.pool, self.victim_by)
        {
            context.scale_down_full(victim);
            return true;
        }
        false
    }
}

impl RoutingPolicy for Autoscaling {
    fn traits(&self) -> PolicyTraits {
        PolicyTraits::split(&[Metric::PendingTokens, Metric::ReservedBytes])
    }

    fn route(&mut self, _: &Request, fleet: &mut Fleet, context: &mut RoutingContext) -> Option<Route> {
        self.requests += 1;
        if self.requests.is_multiple_of(self.check_interval) {
            self.check(fleet, context);
        }
        let prefill = fleet.least(PoolName::Prompt, Metric::PendingTokens)?;
        let decode = fleet.least(PoolName::Token, Metric::ReservedBytes)?;
        Some(super::mixed_pool::route(prefill, decode, self.bandwidth_gib_per_s))
    }

    fn joined(&mut self, instance: InstanceId, fleet: &mut Fleet) {
        let tag = fleet.get(instance).and_then(|known| known.tag);
        if let Some(rule) = self.rule_of(tag) {
            rule.starting = rule.starting.saturating_sub(1);
        }
    }

    fn scale_up_refused(&mut self, tag: Option<Tag>) {
        if let Some(rule) = self.rule_of(tag) {
            rule.starting = rule.starting.saturating_sub(1);
        }
    }
}
