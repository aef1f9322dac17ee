//! What would have helped a request, said only where it follows from the records.

use super::waits::Detail;
use super::waterfall::{Part, PartKind};
use crate::request::{Fate, Rejection};
use crate::results::EndedRequest;

/// A wait that is less of the whole is no reason for advice.
const WORTH_IT: f64 = 0.1;

/// One sentence, or none.
pub fn hint(ended: &EndedRequest, parts: &[Part]) -> Option<String> {
    match ended.fate {
        Fate::Rejected(Rejection::TooLarge) => {
            return Some("An instance with more memory: its KV cache does not fit even an empty one.".into());
        }
        Fate::Rejected(Rejection::DrainTimeout) => {
            return Some("A longer drain_timeout, or drain_timeout_action: requeue.".into());
        }
        _ => {}
    }
    let journal = &ended.request.journal;
    if journal.requeued > 0 && parts.iter().any(|part| part.repeated && part.share >= WORTH_IT) {
        return Some("A longer drain_timeout: the drain of its instance gave up its work.".into());
    }
    let is_wait =
        |part: &&Part| !matches!(part.kind, PartKind::Prefill | PartKind::Transfer | PartKind::Decode);
    let longest = parts.iter().filter(is_wait).max_by(|a, b| a.share.total_cmp(&b.share));
    let wait = longest.filter(|part| part.share >= WORTH_IT);
    wait.and_then(of_wait).or_else(|| {
        let again = journal.recomputed > 0;
        again.then(|| {
            "More memory for KV caches, or fewer requests at once: its cache had to be dropped.".into()
        })
    })
}

fn of_wait(part: &Part) -> Option<String> {
    match part.detail.as_ref()? {
        Detail::Scheduler(seen) if seen.refused => {
            let next = seen.starting.iter().map(|start| (start.span.to, start.instance)).min()?;
            // Only the one that ended the wait would have ended it earlier.
            let (ready, instance) = next;
            let ended_it = seen.active == 0 && ready <= part.span.to;
            ended_it.then(|| {
                format!(
                    "A faster or earlier start of instance {instance}: until {ready} no instance was ACTIVE."
                )
            })
        }
        Detail::Instance(seen) => {
            if let Some(idle) = seen.idle_elsewhere {
                let here = part.instance?;
                return Some(format!(
                    "Another choice of the scheduler: instance {idle} was ACTIVE and held no work while it waited at \
                     instance {here}."
                ));
            }
            let full = seen.memory.is_some_and(|memory| memory.full);
            full.then(|| "More memory for KV caches: what it needed did not fit while it waited.".into())
        }
        _ => None,
    }
}
