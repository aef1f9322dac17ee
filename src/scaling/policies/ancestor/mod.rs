//! The policies of splitwise-DRL (its branch with automatic scaling): `heteroscale`, `hpa_gpu`,
//! `independent_tps`, `pure_latency` and `latency`. They size the prompt and the token pool together.
//!
//! Each has two arithmetics. With `faithful: true` it computes what the original computes, oddities
//! included: Python's `round` to even, `int()` truncation, one cooldown a direction for the whole fleet,
//! metrics of the last decision interval, medians, memory use as utilisation. By default it is mended:
//!
//! | the original | mended |
//! |---|---|
//! | starting instances are invisible: the same capacity is ordered again at every decision | those asked for count, and nothing is added for a latency while an order is under way |
//! | mixed instances are invisible | mixed and untagged ones count as token instances; a fleet without pools is sized as one |
//! | the prompt pool may go down to nothing, and then nothing is ever served again | `min_instances` holds for both pools |
//! | a decision that changes nothing uses up the cooldown | only one that changes something does, by pool |
//! | rounding: small pools cannot move, demand is cut off | needs are rounded up, and a step moves by one at least |
//! | an order to scale out may take instances from the other pool | a pool only moves the way of the decision |
//! | no request completed counts as a latency of 0, thus as little load | no data is no reason to move |
//! | rates over one interval in which whole requests complete | rates over `window`; nothing is taken away before a window has been seen |
//! | medians, where the comments promise P90 | `percentile`, 90 |
//! | the SLO violation rate is always 0 | [`violation_rate`](crate::scaling::metrics::View::violation_rate) counts |
//!
//! What a single policy mends besides is in its file. Left out: the ancestor's reading of pools is its
//! scheduler's, in which a token instance that helps out with prompts is neither; here an instance stays in
//! the pool it was started for. TTFT is known when the first token comes, not at the end of the request.
//!
//! Units: seconds; `decode_tps` is output tokens/s, counted when requests complete; `prefill_tps` is
//! requests/s, in spite of its name.

mod common;
mod faithful;
pub mod heteroscale;
pub mod hpa_gpu;
pub mod independent_tps;
pub mod latency;
mod lens;
mod mended;
pub mod pure_latency;
pub mod rule;

use crate::registry::{Kind, Registry, Settings};
use crate::scaling::{Governs, PolicyContext, PolicyKind, PolicyRefusal};

use common::Common;
use faithful::Faithful;
use mended::Mended;
use rule::Rule;

pub(super) fn register(registry: &mut Registry) {
    add(registry, heteroscale::KIND, heteroscale::HeteroScale::new);
    add(registry, hpa_gpu::KIND, hpa_gpu::HpaGpu::new);
    add(registry, independent_tps::KIND, independent_tps::IndependentTps::new);
    add(registry, pure_latency::KIND, pure_latency::PureLatency::new);
    add(registry, latency::KIND, latency::Latency::new);
}

type Built<T> = Result<T, PolicyRefusal>;

fn add<R: Rule + 'static>(registry: &mut Registry, kind: Kind, rule: fn(&Settings) -> Built<R>) {
    let kind = PolicyKind { governs: Governs::Fleet, ..kind.into() };
    registry.add_policy(kind, move |settings, context: &PolicyContext| {
        let common = Common::read(settings);
        let rule = rule(settings)?;
        if settings.flag("faithful") {
            return Ok(Box::new(Faithful::new(rule, common, context)?));
        }
        Ok(Box::new(Mended::new(rule, common, context)))
    });
}
