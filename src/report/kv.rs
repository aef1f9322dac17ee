//! Which KV caches an instance held when, read from journals: bytes of GPU memory beside the weights.
//!
//! Computing a prompt allocates it and its first token, decoding all further tokens at once (as
//! [`Residents`](crate::instance) does). A cache that moves is held at both ends until it has moved. Leaves out
//! what a recomputed or requeued request held again, and the moment that news of a move takes.

use ebbflow_actors::SimTime;

use crate::ids::InstanceId;
use crate::request::Fate;
use crate::results::{ApplicationResults, EndedRequest};
use crate::scenario::ModelSpec;

/// Bytes held for a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Holding {
    /// Where.
    pub instance: InstanceId,
    /// From then on.
    pub from: SimTime,
    /// Until then; none: they still were when the run ended.
    pub to: Option<SimTime>,
    /// So many.
    pub bytes: u64,
}

/// All that the instances of an application held, with the place of each among them.
pub fn held(application: &ApplicationResults, model: &ModelSpec) -> impl Iterator<Item = (usize, Holding)> {
    let holdings = application.requests.iter().flat_map(|ended| holdings(ended, model));
    holdings.filter_map(|mut holding| {
        let id = holding.instance;
        let place = application.instances.binary_search_by_key(&id, |instance| instance.id).ok()?;
        // What a requeued request held is gone with its instance.
        if let Some(removed) = application.instances[place].removed {
            holding.to = Some(holding.to.map_or(removed, |to| to.min(removed)));
        }
        (holding.to.is_none_or(|to| to > holding.from)).then_some((place, holding))
    })
}

/// What was held for a request of this model.
fn holdings(ended: &EndedRequest, model: &ModelSpec) -> impl Iterator<Item = Holding> + use<> {
    let (request, journal) = (&ended.request, &ended.request.journal);
    let bytes = |tokens: u32| model.kv_bytes(request.batch_size, u64::from(tokens));
    let prompt = bytes(request.prompt_tokens.saturating_add(1));
    let rest = bytes(request.output_tokens.saturating_sub(1));
    let done = request.completion();
    let left = match (journal.transfer, journal.prefill, journal.decode) {
        (Some(transfer), ..) => transfer.end,
        // It was requeued: computed again elsewhere.
        (None, Some(prefill), Some(decode)) if prefill.instance != decode.instance => Some(decode.start),
        _ => done,
    };
    let held =
        [(journal.prefill, left, prompt), (journal.transfer, done, prompt), (journal.decode, done, rest)];
    let unfinished = matches!(ended.fate, Fate::Unfinished(_));
    held.into_iter().filter_map(move |(leg, to, bytes)| {
        let leg = leg?;
        let known = (unfinished || to.is_some()) && bytes > 0;
        known.then_some(Holding { instance: leg.instance, from: leg.start, to, bytes })
    })
}
