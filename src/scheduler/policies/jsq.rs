//! `jsq`: the instance with the fewest requests on it.

use super::least::Least;
use crate::registry::{Kind, Registry};
use crate::scheduler::Metric;

pub(super) fn register(registry: &mut Registry) {
    let kind = Kind {
        name: "jsq",
        aliases: &["JSQScheduler"],
        about: "the instance with the fewest requests on it",
        parameters: &[],
    };
    registry.add_scheduler(kind, |_, _| Box::new(Least(&[Metric::Residents])));
}
