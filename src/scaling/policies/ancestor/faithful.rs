//! The ancestor's way of deciding: ACTIVE prompt and token instances, one cooldown a direction.

use ebbflow_actors::SimDuration;

use crate::ids::Tag;
use crate::scaling::damping::{Cooldown, Tolerance};
use crate::scaling::{
    AutoscalingPolicy, Counting, Decision, Observation, PolicyContext, PolicyRefusal, Target,
};

use super::common::Common;
use super::lens::Lens;
use super::rule::{Action, Bounds, Rested, Rule, Sizes, Verdict};

#[derive(Debug)]
pub(super) struct Faithful<R> {
    rule: R,
    cooldown: Cooldown,
}

impl<R: Rule> Faithful<R> {
    pub fn new(rule: R, common: Common, context: &PolicyContext) -> Result<Self, PolicyRefusal> {
        if context.pools.iter().any(|pool| matches!(pool.tag, Some(Tag::Prompt | Tag::Token))) {
            return Ok(Faithful { rule, cooldown: common.cooldown });
        }
        Err(PolicyRefusal(
            "with `faithful: true` it sees only prompt and token instances, and this fleet has none; take a \
             `splitwise` start state, or leave `faithful` out"
                .to_owned(),
        ))
    }
}

impl<R: Rule> AutoscalingPolicy for Faithful<R> {
    fn decide(&mut self, seen: &Observation<'_>) -> Decision {
        let lens = Lens { seen, window: None, prompt: &[Some(Tag::Prompt)], token: &[Some(Tag::Token)] };
        let active = |tag| seen.pool(Some(tag)).active;
        let sizes = Sizes { prompt: active(Tag::Prompt), token: active(Tag::Token) };
        let rested =
            Rested { out: self.cooldown.may_scale_out(seen.now), into: self.cooldown.may_scale_in(seen.now) };
        let verdict = self.rule.faithful(sizes, &self.rule.look(&lens), rested);
        match verdict.action {
            Action::Out => self.cooldown.scaled_out(seen.now),
            Action::In => self.cooldown.scaled_in(seen.now),
            Action::Stay => return Decision::hold(verdict.reason),
        }
        let target = |tag, size| Target::new(Some(tag), size).counting(Counting::Ready);
        let Sizes { prompt, token } = verdict.sizes;
        Decision::of([target(Tag::Prompt, prompt), target(Tag::Token, token)], verdict.reason)
    }

    fn look_back(&self) -> SimDuration {
        SimDuration::ZERO
    }
}

/// The verdict of policies that compare what each pool needs with what it has: out if one lacks, in if
/// both have too much, and either way both are set.
pub(super) fn by_ratios(
    sizes: Sizes,
    (prompt, token): (f64, f64),
    (tolerance, bounds): (Tolerance, Bounds),
    rested: Rested,
    reason: String,
) -> Verdict {
    let ratios = [prompt / f64::from(sizes.prompt), token / f64::from(sizes.token)];
    let action = if rested.out && ratios.iter().any(|ratio| *ratio > 1.0 + tolerance.up) {
        Action::Out
    } else if rested.into && ratios.iter().all(|ratio| *ratio < 1.0 - tolerance.down) {
        Action::In
    } else {
        return Verdict::stay(sizes);
    };
    Verdict { action, sizes: rounded(prompt, token, bounds), reason }
}

/// Sizes as the ancestor rounds and bounds them: prompt pools may be empty.
pub(super) fn rounded(prompt: f64, token: f64, bounds: Bounds) -> Sizes {
    Sizes {
        prompt: bounds.without_least().hold(prompt.round_ties_even()),
        token: bounds.hold(token.round_ties_even()),
    }
}

/// The ancestor reckons with one instance where there is none.
pub(super) fn at_least_one(sizes: Sizes) -> Sizes {
    Sizes { prompt: sizes.prompt.max(1), token: sizes.token.max(1) }
}
