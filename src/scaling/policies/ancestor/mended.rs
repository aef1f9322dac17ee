//! The mended way of deciding: those asked for count, each pool rests by itself, and only after a change.

use ebbflow_actors::SimDuration;

use crate::ids::Tag;
use crate::scaling::damping::Cooldown;
use crate::scaling::{AutoscalingPolicy, Decision, Limiter, Observation, PolicyContext, Target};

use super::common::Common;
use super::lens::Lens;
use super::rule::{Pool, Rule, Wish};

const ALL: [Option<Tag>; 4] = [Some(Tag::Token), Some(Tag::Prompt), Some(Tag::Mixed), None];
/// Those that generate tokens beside prompt instances.
const DECODING: [Option<Tag>; 3] = [Some(Tag::Token), Some(Tag::Mixed), None];

#[derive(Debug)]
pub(super) struct Mended<R> {
    rule: R,
    window: SimDuration,
    fleet: Fleet,
}

#[derive(Debug)]
enum Fleet {
    Split { prompt: Governed, token: Governed },
    Shared(Governed),
}

/// A pool that grows and shrinks by one tag, and in which instances of others may be counted.
#[derive(Debug)]
struct Governed {
    tag: Option<Tag>,
    counted: &'static [Option<Tag>],
    cooldown: Cooldown,
}

impl<R: Rule> Mended<R> {
    pub fn new(rule: R, common: Common, context: &PolicyContext) -> Self {
        let Common { cooldown, window } = common;
        let governed = |tag, counted| Governed { tag, counted, cooldown };
        let is_split = context.pools.iter().any(|pool| matches!(pool.tag, Some(Tag::Prompt | Tag::Token)));
        let fleet = if is_split {
            Fleet::Split {
                prompt: governed(Some(Tag::Prompt), &[Some(Tag::Prompt)]),
                token: governed(Some(Tag::Token), &DECODING),
            }
        } else {
            Fleet::Shared(governed(context.pools.first().and_then(|pool| pool.tag), &ALL))
        };
        Mended { rule, window, fleet }
    }
}

impl<R: Rule> AutoscalingPolicy for Mended<R> {
    fn decide(&mut self, seen: &Observation<'_>) -> Decision {
        let bounds = self.rule.bounds();
        // Requests that began have not completed yet: rates are too low.
        let may_shrink = seen.now >= ebbflow_actors::SimTime::ZERO + self.window;
        let (prompt, token) = match &self.fleet {
            Fleet::Split { prompt, token } => (prompt.counted, token.counted),
            Fleet::Shared(all) => (all.counted, all.counted),
        };
        let seen_by_rule = self.rule.look(&Lens { seen, window: Some(self.window), prompt, token });
        let apply = |pool: &mut Governed, wish: Wish| {
            let within = wish.size.clamp(bounds.min, bounds.max);
            pool.target(seen, within, may_shrink, &wish)
        };
        match &mut self.fleet {
            Fleet::Split { prompt, token } => {
                let (more, other) = self.rule.split(prompt.count(seen), token.count(seen), &seen_by_rule);
                let reason = if more.reason == other.reason {
                    more.reason.clone()
                } else {
                    format!("prompt: {}; token: {}", more.reason, other.reason)
                };
                Decision::of([apply(prompt, more), apply(token, other)], reason)
            }
            Fleet::Shared(all) => {
                let wish = self.rule.shared(all.count(seen), &seen_by_rule);
                let reason = wish.reason.clone();
                Decision::of([apply(all, wish)], reason)
            }
        }
    }

    fn look_back(&self) -> SimDuration {
        self.window
    }
}

impl Governed {
    fn count(&self, seen: &Observation<'_>) -> Pool {
        let pools = self.counted.iter().map(|&tag| seen.pool(tag));
        pools.fold(Pool::default(), |sum, pool| Pool {
            ready: sum.ready + pool.active,
            asked: sum.asked + pool.asked(),
        })
    }

    /// What becomes of a wish that is `within` the bounds.
    fn target(&mut self, seen: &Observation<'_>, within: u32, may_shrink: bool, wish: &Wish) -> Target {
        let asked = self.count(seen).asked;
        let held = if within > asked && !self.cooldown.may_scale_out(seen.now)
            || within < asked && !self.cooldown.may_scale_in(seen.now)
        {
            Some(Limiter::Cooldown)
        } else if within < asked && !may_shrink {
            Some(Limiter::Data)
        } else {
            None
        };
        let wanted = if held.is_some() { asked } else { within };
        if wanted > asked {
            self.cooldown.scaled_out(seen.now);
        } else if wanted < asked {
            self.cooldown.scaled_in(seen.now);
        }
        let bounded = (within != wish.size).then_some(Limiter::Bounds);
        // Those of other tags are counted, but neither started nor stopped.
        let others = asked - seen.pool(self.tag).asked();
        let target = Target::new(self.tag, wanted.saturating_sub(others));
        Target { raw: wish.raw, ..target }.limited_by(held.or(bounded).or(wish.limited_by))
    }
}
