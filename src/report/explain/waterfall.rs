//! The time of a request as parts that follow each other without gaps, from its arrival to its end.
//!
//! A journal keeps the first start and the first completion of each task, and only the last time at which the
//! scheduler chose. So a KV cache that was dropped and computed again hides in the decode part; and of a
//! request that a drain sent back it is known when, and when it was routed for the last time: that span is
//! cut out of whatever part it lies in. What is left of that part behind it is marked as repeated; where that
//! was, and that it began with the prompt once more, no journal says.

use ebbflow_actors::SimTime;
use serde::Serialize;

use super::clock::Span;
use super::waits::Detail;
use crate::ids::InstanceId;
use crate::request::Request;

/// What a request did, or waited for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PartKind {
    /// It waited for the scheduler to choose an instance.
    WaitAtScheduler,
    /// It waited at its instance for its prompt to be computed.
    WaitForPrefill,
    /// Its prompt was computed.
    Prefill,
    /// Its KV cache waited for room at the instance that decodes.
    WaitForTransfer,
    /// Its KV cache moved.
    Transfer,
    /// It waited to decode.
    WaitForDecode,
    /// Its output was produced.
    Decode,
}

/// A part of a request's time.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Part {
    /// What it was.
    pub kind: PartKind,
    /// Where; for a transfer: to where.
    pub instance: Option<InstanceId>,
    /// When.
    #[serde(flatten)]
    pub span: Span,
    /// Its share of the whole.
    pub share: f64,
    /// After a drain had sent the request back.
    pub repeated: bool,
    /// What is known of the reasons.
    pub detail: Option<Detail>,
}

/// Cuts the time of a request, which left at `end`. `sent_back` is when a drain returned it for the last time.
pub fn parts(request: &Request, end: SimTime, sent_back: Option<SimTime>) -> Vec<Part> {
    let mut marks = marks(request);
    if sent_back.is_some() {
        // When it was routed first is not known any more.
        marks[0].1 = PartKind::WaitForPrefill;
    }
    let whole = Span::new(request.arrival, end).length().as_secs_f64();
    let mut parts = Vec::new();
    let mut from = request.arrival;
    for (place, &(_, kind, instance)) in marks.iter().enumerate() {
        let next = marks.get(place + 1).map_or(end, |&(start, ..)| start);
        let span = Span::new(from, next.min(end));
        from = span.to;
        let share = 0.0;
        parts.push(Part { kind, instance, span, share, repeated: false, detail: None });
    }
    if let Some(back) = sent_back {
        let again = request.journal.scheduled.filter(|&scheduled| scheduled >= back).unwrap_or(end);
        parts = cut_out(parts, Span::new(back, again.min(end)));
    }
    parts.retain(|part| !part.span.length().is_zero());
    for part in &mut parts {
        part.share = part.span.length().as_secs_f64() / whole;
    }
    parts
}

/// Where each part begins.
fn marks(request: &Request) -> Vec<(SimTime, PartKind, Option<InstanceId>)> {
    let journal = &request.journal;
    let mut marks = vec![(request.arrival, PartKind::WaitAtScheduler, None)];
    let began = journal.prefill.map(|leg| leg.start);
    let at = journal.prefill.map(|leg| leg.instance);
    match journal.scheduled {
        Some(scheduled) if began.is_none_or(|began| scheduled <= began) => {
            marks.push((scheduled, PartKind::WaitForPrefill, at));
        }
        _ => {}
    }
    let Some(prefill) = journal.prefill else { return marks };
    marks.push((prefill.start, PartKind::Prefill, at));
    let Some(first_token) = prefill.end.filter(|_| request.output_tokens > 1) else { return marks };
    if let Some(transfer) = journal.transfer {
        let to = Some(transfer.instance);
        marks.push((first_token, PartKind::WaitForTransfer, to));
        marks.push((transfer.start, PartKind::Transfer, to));
        marks.extend(transfer.end.map(|end| (end, PartKind::WaitForDecode, to)));
    } else {
        let to = journal.decode.map_or(prefill.instance, |leg| leg.instance);
        marks.push((first_token, PartKind::WaitForDecode, Some(to)));
    }
    marks.extend(journal.decode.map(|leg| (leg.start, PartKind::Decode, Some(leg.instance))));
    marks
}

/// Puts a wait at the scheduler in place of what these parts say of `wait`.
fn cut_out(parts: Vec<Part>, wait: Span) -> Vec<Part> {
    let piece = |part: &Part, from: SimTime, to: SimTime| {
        let span = Span { from: part.span.from.max(from), to: part.span.to.min(to) };
        (span.from < span.to).then(|| Part { span, ..part.clone() })
    };
    let mut cut: Vec<Part> = parts.iter().filter_map(|part| piece(part, SimTime::ZERO, wait.from)).collect();
    cut.push(Part {
        kind: PartKind::WaitAtScheduler,
        instance: None,
        span: wait,
        share: 0.0,
        repeated: true,
        detail: None,
    });
    // What was going on when the wait began was begun anew after it, who knows where.
    let after = parts.iter().filter_map(|part| {
        let rest = piece(part, wait.to, SimTime::from_nanos(u64::MAX))?;
        let is_new = part.span.from >= wait.to;
        Some(if is_new { rest } else { Part { repeated: true, instance: None, ..rest } })
    });
    cut.extend(after);
    cut
}

impl PartKind {
    /// The words for it.
    pub const fn words(self) -> &'static str {
        match self {
            PartKind::WaitAtScheduler => "wait at the scheduler",
            PartKind::WaitForPrefill => "wait for prefill",
            PartKind::Prefill => "prefill",
            PartKind::WaitForTransfer => "wait for transfer",
            PartKind::Transfer => "KV transfer",
            PartKind::WaitForDecode => "wait for decode",
            PartKind::Decode => "decode",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{ApplicationId, GpuName, RequestId};
    use crate::request::{Journal, Leg};

    fn at(nanos: u64) -> SimTime {
        SimTime::from_nanos(nanos)
    }

    fn leg(instance: u32, start: u64, end: Option<u64>) -> Option<Leg> {
        let gpu = GpuName::of("test");
        Some(Leg { instance: InstanceId(instance), gpu, start: at(start), end: end.map(at) })
    }

    fn request(journal: Journal) -> Request {
        Request {
            id: RequestId(1),
            request_type: 2,
            application: ApplicationId(0),
            arrival: at(100),
            batch_size: 1,
            prompt_tokens: 10,
            output_tokens: 10,
            attributes: None,
            journal,
        }
    }

    fn shown(parts: &[Part]) -> Vec<(PartKind, u64, u64, bool)> {
        let row =
            |part: &Part| (part.kind, part.span.from.as_nanos(), part.span.to.as_nanos(), part.repeated);
        parts.iter().map(row).collect()
    }

    #[test]
    fn a_split_request_has_seven_parts() {
        let journal = Journal {
            scheduled: Some(at(101)),
            prefill: leg(1, 110, Some(130)),
            transfer: leg(2, 135, Some(140)),
            decode: leg(2, 141, Some(200)),
            ..Journal::default()
        };
        let parts = parts(&request(journal), at(200), None);
        let kinds: Vec<PartKind> = parts.iter().map(|part| part.kind).collect();
        assert_eq!(kinds.len(), 7);
        assert!(kinds.is_sorted() && parts.windows(2).all(|pair| pair[0].span.to == pair[1].span.from));
        assert!((parts.iter().map(|part| part.share).sum::<f64>() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn who_was_sent_back_waited_again_and_was_served_again() {
        let journal = Journal {
            scheduled: Some(at(160)),
            prefill: leg(1, 110, Some(130)),
            decode: leg(1, 130, Some(300)),
            requeued: 1,
            ..Journal::default()
        };
        let parts = parts(&request(journal), at(300), Some(at(150)));
        assert_eq!(parts.last().unwrap().instance, None);
        let expected = [
            (PartKind::WaitForPrefill, 100, 110, false),
            (PartKind::Prefill, 110, 130, false),
            (PartKind::Decode, 130, 150, false),
            (PartKind::WaitAtScheduler, 150, 160, true),
            (PartKind::Decode, 160, 300, true),
        ];
        assert_eq!(shown(&parts), expected);
    }

    #[test]
    fn who_was_sent_back_before_it_began_did_not_begin_twice() {
        let journal = Journal {
            scheduled: Some(at(160)),
            prefill: leg(2, 170, Some(180)),
            decode: leg(2, 180, Some(300)),
            requeued: 1,
            ..Journal::default()
        };
        let parts = parts(&request(journal), at(300), Some(at(150)));
        let expected = [
            (PartKind::WaitForPrefill, 100, 150, false),
            (PartKind::WaitAtScheduler, 150, 160, true),
            (PartKind::WaitForPrefill, 160, 170, false),
            (PartKind::Prefill, 170, 180, false),
            (PartKind::Decode, 180, 300, false),
        ];
        assert_eq!(shown(&parts), expected);
    }

    #[test]
    fn who_never_got_anywhere_only_waited() {
        let parts = parts(&request(Journal::default()), at(500), None);
        assert_eq!(shown(&parts), [(PartKind::WaitAtScheduler, 100, 500, false)]);
    }
}
