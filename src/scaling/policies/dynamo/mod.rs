//! `dynamo` and `dynamo_load`: the two modes of NVIDIA Dynamo's SLA planner.
//!
//! * [`throughput`]: every few minutes, from predicted traffic and a profile of the engines to numbers of
//!   prefill and decode instances within a budget of GPUs ([`sizing`]).
//! * [`load`]: every few seconds, one more or one fewer, from what each worker has to do and what latency that
//!   means ([`regression`], [`moves`]), or from plain thresholds. The first mode may give it a floor.
//!
//! The original profiles an engine on real hardware beforehand; here the [`profile`] is read off the
//! performance model of the instances simulated. Both govern the prompt and the token pool together. A fleet
//! with a single pool gets the larger of the two numbers, as every instance then does both.
//!
//! Source: ai-dynamo/dynamo, `components/src/dynamo/planner`, and its `tests/planner`.

pub mod load;
pub mod moves;
mod predictor;
pub mod profile;
pub mod regression;
pub mod sizing;
pub mod throughput;

use crate::ids::Tag;
use crate::registry::Registry;
use crate::scaling::{Observation, PolicyContext, PolicyRefusal, Target};

pub(super) fn register(registry: &mut Registry) {
    throughput::register(registry);
    load::register(registry);
}

/// The pools to size.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Layout {
    /// One that computes prompts and one that computes outputs.
    Split,
    /// One that does both.
    Single(Option<Tag>),
}

impl Layout {
    fn of(context: &PolicyContext) -> Result<Self, PolicyRefusal> {
        let tags: Vec<Option<Tag>> = context.pools.iter().map(|pool| pool.tag).collect();
        let has = |tag| tags.contains(&Some(tag));
        match tags[..] {
            _ if has(Tag::Prompt) && has(Tag::Token) => Ok(Layout::Split),
            [tag @ (None | Some(Tag::Mixed))] => Ok(Layout::Single(tag)),
            _ => Err(PolicyRefusal(
                "it sizes a prompt and a token pool together, or a single pool that does both; start with \
                 `start_state: splitwise` or `baseline`, or give each pool a policy of its own"
                    .to_owned(),
            )),
        }
    }

    /// The pool that computes prompts.
    fn prefill(self) -> Option<Tag> {
        match self {
            Layout::Split => Some(Tag::Prompt),
            Layout::Single(tag) => tag,
        }
    }

    /// The pool that computes outputs.
    fn decode(self) -> Option<Tag> {
        match self {
            Layout::Split => Some(Tag::Token),
            Layout::Single(tag) => tag,
        }
    }

    /// All of them.
    fn pools(self) -> Vec<Option<Tag>> {
        match self {
            Layout::Split => vec![self.prefill(), self.decode()],
            Layout::Single(tag) => vec![tag],
        }
    }

    /// Whether an instance of any pool starts or leaves.
    fn is_changing(self, seen: &Observation<'_>) -> bool {
        self.pools().into_iter().any(|tag| seen.pool(tag).starting + seen.pool(tag).draining > 0)
    }

    /// These sizes as targets.
    fn targets(self, sizes: sizing::Sizes) -> Vec<Target> {
        match self {
            Layout::Split => {
                vec![Target::new(self.prefill(), sizes.prefill), Target::new(self.decode(), sizes.decode)]
            }
            Layout::Single(tag) => vec![Target::new(tag, sizes.prefill.max(sizes.decode))],
        }
    }
}
