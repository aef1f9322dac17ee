//! `token_jsq`: the instance with the fewest tokens pending.

use super::least::Least;
use crate::registry::{Kind, Registry};
use crate::scheduler::Metric;

pub(super) fn register(registry: &mut Registry) {
    let kind = Kind {
        name: "token_jsq",
        aliases: &["TokenJSQScheduler"],
        about: "the instance with the fewest tokens pending",
        parameters: &[],
    };
    registry.add_scheduler(kind, |_, _| Box::new(Least(&[Metric::PendingTokens])));
}
