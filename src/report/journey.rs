//! Where a request was between its arrival and its end, read from its journal.
//!
//! A journal keeps the first start and the first end of each task: what a recomputed or requeued request did
//! again is not seen here. When a request was rejected is not in its journal; its journey ends where that does.

use ebbflow_actors::SimTime;

use crate::ids::InstanceId;
use crate::request::{Fate, Leg, Stage};
use crate::results::EndedRequest;

/// What a request is doing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Phase {
    /// At the scheduler: no instance could take it.
    SchedulerQueue,
    /// Waiting for its prefill, on its way there included.
    PrefillQueue,
    /// Its prompt is computed.
    Prefill,
    /// Its KV cache waits for room where it is to move.
    TransferQueue,
    /// Its KV cache moves.
    Transfer,
    /// Waiting to decode.
    DecodeQueue,
    /// Produces its further output tokens.
    Decode,
}

impl Phase {
    /// All of them, in their order.
    pub const ALL: [Phase; 7] = [
        Phase::SchedulerQueue,
        Phase::PrefillQueue,
        Phase::Prefill,
        Phase::TransferQueue,
        Phase::Transfer,
        Phase::DecodeQueue,
        Phase::Decode,
    ];

    /// The word used in timelines and labels.
    pub const fn name(self) -> &'static str {
        match self {
            Phase::SchedulerQueue => "scheduler_queue",
            Phase::PrefillQueue => "prefill_queue",
            Phase::Prefill => "prefill",
            Phase::TransferQueue => "transfer_queue",
            Phase::Transfer => "transfer",
            Phase::DecodeQueue => "decode_queue",
            Phase::Decode => "decode",
        }
    }
}

/// A stretch of a journey.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stay {
    /// What the request did.
    pub phase: Phase,
    /// On which instance; for a transfer the destination; none: on none, or its journal does not say.
    pub instance: Option<InstanceId>,
    /// From then on.
    pub from: SimTime,
    /// Until then; none: it still did when the run ended.
    pub to: Option<SimTime>,
}

/// The journey of a request, without the stretches that took no time.
pub fn stays(ended: &EndedRequest) -> impl Iterator<Item = Stay> {
    let mut path = Path::new(ended);
    path.walk(ended);
    path.stays.into_iter().flatten()
}

/// When a request is last heard of in its journal.
pub fn last_known(ended: &EndedRequest) -> SimTime {
    let journal = &ended.request.journal;
    let legs = [journal.prefill, journal.transfer, journal.decode].into_iter().flatten();
    let dates = legs.map(|leg| leg.end.unwrap_or(leg.start));
    let dates = dates.chain(journal.first_refusal).chain(journal.scheduled);
    dates.fold(ended.request.arrival, SimTime::max)
}

struct Path {
    at: SimTime,
    stays: [Option<Stay>; Phase::ALL.len()],
    /// Whether a stretch without an end goes on until the run ends.
    unfinished: bool,
}

impl Path {
    fn new(ended: &EndedRequest) -> Self {
        let unfinished = matches!(ended.fate, Fate::Unfinished(_));
        Path { at: ended.request.arrival, stays: [None; Phase::ALL.len()], unfinished }
    }

    /// Goes the way until a date is missing.
    fn walk(&mut self, ended: &EndedRequest) -> Option<()> {
        let journal = &ended.request.journal;
        let (prefill, transfer, decode) = (journal.prefill, journal.transfer, journal.decode);
        let on = |leg: Option<Leg>| leg.map(|leg| leg.instance);
        if journal.first_refusal.is_some() {
            // A requeued request was scheduled again after its prefill began.
            let first = prefill.map_or(SimTime::MAX, |leg| leg.start);
            self.go(Phase::SchedulerQueue, None, journal.scheduled.map(|time| time.min(first)))?;
        }
        self.go(Phase::PrefillQueue, on(prefill), prefill.map(|leg| leg.start))?;
        self.go(Phase::Prefill, on(prefill), prefill?.end)?;
        if ended.request.output_tokens <= 1 {
            return None;
        }
        if transfer.is_some() || (decode.is_none() && ended.fate == Fate::Unfinished(Stage::Transfer)) {
            self.go(Phase::TransferQueue, on(transfer), transfer.map(|leg| leg.start))?;
            self.go(Phase::Transfer, on(transfer), transfer?.end)?;
        }
        let where_to = decode.or(transfer).or(prefill);
        self.go(Phase::DecodeQueue, on(where_to), decode.map(|leg| leg.start))?;
        self.go(Phase::Decode, on(decode), decode?.end)
    }

    fn go(&mut self, phase: Phase, instance: Option<InstanceId>, to: Option<SimTime>) -> Option<()> {
        let to = to.map(|to| to.max(self.at));
        let stay = Stay { phase, instance, from: self.at, to };
        let goes = to.map_or(self.unfinished, |to| to > self.at);
        self.stays[phase as usize] = goes.then_some(stay);
        self.at = to?;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{ApplicationId, GpuName, RequestId};
    use crate::request::{Journal, Request};

    fn at(seconds: u64) -> SimTime {
        SimTime::from_nanos(seconds * 1_000_000_000)
    }

    fn leg(instance: u32, start: u64, end: Option<u64>) -> Option<Leg> {
        let gpu = GpuName::of("h100-80gb");
        Some(Leg { instance: InstanceId(instance), gpu, start: at(start), end: end.map(at) })
    }

    fn ended(fate: Fate, journal: Journal) -> EndedRequest {
        let (id, application) = (RequestId(0), ApplicationId(0));
        let (arrival, batch_size, prompt_tokens, output_tokens) = (at(1), 1, 10, 5);
        let request = Request {
            id,
            request_type: 2,
            application,
            arrival,
            batch_size,
            prompt_tokens,
            output_tokens,
            attributes: None,
            journal,
        };
        EndedRequest { request: Box::new(request), fate }
    }

    fn told(ended: &EndedRequest) -> Vec<(Phase, u64, Option<u64>)> {
        let seconds = |time: SimTime| time.as_nanos() / 1_000_000_000;
        stays(ended).map(|stay| (stay.phase, seconds(stay.from), stay.to.map(seconds))).collect()
    }

    #[test]
    fn a_journey_has_no_holes_from_arrival_to_completion() {
        let journal = Journal {
            first_refusal: Some(at(1)),
            scheduled: Some(at(3)),
            prefill: leg(0, 4, Some(6)),
            transfer: leg(1, 7, Some(8)),
            decode: leg(1, 9, Some(12)),
            ..Journal::default()
        };
        let ended = ended(Fate::Completed, journal);
        let expected = [
            (Phase::SchedulerQueue, 1, Some(3)),
            (Phase::PrefillQueue, 3, Some(4)),
            (Phase::Prefill, 4, Some(6)),
            (Phase::TransferQueue, 6, Some(7)),
            (Phase::Transfer, 7, Some(8)),
            (Phase::DecodeQueue, 8, Some(9)),
            (Phase::Decode, 9, Some(12)),
        ];
        assert_eq!(told(&ended), expected);
        assert_eq!(last_known(&ended), at(12));
    }

    #[test]
    fn an_unfinished_request_is_still_where_its_journal_breaks_off() {
        let journal = Journal { scheduled: Some(at(1)), prefill: leg(0, 4, Some(6)), ..Journal::default() };
        let waits = ended(Fate::Unfinished(Stage::Transfer), journal.clone());
        assert_eq!(told(&waits).last(), Some(&(Phase::TransferQueue, 6, None)));
        let waits = ended(Fate::Unfinished(Stage::WaitingForDecode), journal);
        assert_eq!(told(&waits).last(), Some(&(Phase::DecodeQueue, 6, None)));
    }

    #[test]
    fn a_rejected_request_is_nowhere_after_what_is_known_of_it() {
        let journal = Journal { scheduled: Some(at(1)), prefill: leg(0, 4, None), ..Journal::default() };
        let fate = Fate::Rejected(crate::request::Rejection::DrainTimeout);
        assert_eq!(told(&ended(fate, journal)), [(Phase::PrefillQueue, 1, Some(4))]);
    }

    #[test]
    fn a_requeued_request_is_not_scheduled_after_its_first_start() {
        let journal = Journal {
            first_refusal: Some(at(2)),
            scheduled: Some(at(20)),
            prefill: leg(0, 4, Some(30)),
            decode: leg(2, 31, Some(40)),
            requeued: 1,
            ..Journal::default()
        };
        let told = told(&ended(Fate::Completed, journal));
        assert_eq!(told[..2], [(Phase::SchedulerQueue, 1, Some(4)), (Phase::Prefill, 4, Some(30))]);
    }
}
