//! Work as slices: cut where a status of its instance ends, and merged where there is too much of it.
//!
//! Neighbours become one slice if that is no longer than a width. The width is none where all pieces are within
//! the budget; else it starts near what the total of work makes of the budget and doubles until they are.

use ebbflow_actors::{SimDuration, SimTime};
use serde_json::{Map, Value, json};

use super::event::{Event, Track};
use super::micros;
use super::work::{Piece, Work};
use crate::ids::InstanceId;
use crate::results::{ApplicationResults, InstanceRecord};

/// The smallest width that merges anything.
const NARROWEST: SimDuration = SimDuration::from_millis(1);

/// One or several pieces of work, within one status of an instance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slice {
    /// Where.
    pub instance: InstanceId,
    /// The sum of the pieces, from the first to the last.
    pub sum: Piece,
    /// Time in which there was work.
    pub busy: SimDuration,
    /// So many pieces.
    pub pieces: u64,
    /// Whether its instance drains.
    draining: bool,
    /// Whether it goes on with a piece that was cut.
    continued: bool,
}

/// The slices of each application, at most `budget` of them together, by instance and time; with the width.
pub fn merged(work: &[Work<'_>], budget: usize) -> (SimDuration, Vec<Vec<Slice>>) {
    let count = |width| work.iter().map(|work| slices(work, width).count()).sum::<usize>();
    let mut width = SimDuration::ZERO;
    if count(width) > budget {
        let total: u64 = work.iter().flat_map(Work::pieces).map(|piece| piece.span().as_nanos()).sum();
        let least = total / budget.max(1) as u64 / NARROWEST.as_nanos();
        width = NARROWEST * (least.max(1).next_power_of_two() / 2).max(1);
        let end = work.iter().map(|work| work.end).max().unwrap_or(SimTime::ZERO);
        while count(width) > budget && width <= end - SimTime::ZERO {
            width = width * 2;
        }
    }
    (width, work.iter().map(|work| slices(work, width).collect()).collect())
}

fn slices<'a>(work: &'a Work<'_>, width: SimDuration) -> impl Iterator<Item = Slice> + 'a {
    let mut cut =
        work.pieces().flat_map(|piece| cut(piece, work.application, work.end).into_iter().flatten());
    let mut ahead = cut.next();
    std::iter::from_fn(move || {
        let mut slice = ahead.take()?;
        for next in cut.by_ref() {
            if !slice.takes(&next, width) {
                ahead = Some(next);
                break;
            }
            slice.add(&next);
        }
        Some(slice)
    })
}

/// A piece within the life of its instance, in two where the drain begins; counts stay with the first.
fn cut(piece: Piece, application: &ApplicationResults, end: SimTime) -> [Option<Slice>; 2] {
    let place = application.instances.binary_search_by_key(&piece.instance, |instance| instance.id);
    let Ok(place) = place else { return [None; 2] };
    let &InstanceRecord { active, draining, removed, .. } = &application.instances[place];
    let Some(active) = active else { return [None; 2] };
    let gone = removed.unwrap_or(end);
    let drains = draining.unwrap_or(gone).min(gone);
    let first = within(piece, active, drains).map(|sum| Slice::of(sum, false, false));
    let nothing = Piece { prefills: 0, decodes: 0, iterations: 0, tokens: 0, ..piece };
    let second = match first {
        Some(_) => within(nothing, drains, gone).map(|sum| Slice::of(sum, true, true)),
        None => within(piece, drains, gone).map(|sum| Slice::of(sum, true, false)),
    };
    [first, second]
}

fn within(piece: Piece, from: SimTime, to: SimTime) -> Option<Piece> {
    let (start, end) = (piece.start.max(from), piece.end.min(to));
    (start < end).then_some(Piece { start, end, ..piece })
}

impl Slice {
    fn of(sum: Piece, draining: bool, continued: bool) -> Self {
        Slice { instance: sum.instance, sum, busy: sum.span(), pieces: 1, draining, continued }
    }

    fn takes(&self, next: &Slice, width: SimDuration) -> bool {
        self.instance == next.instance
            && self.draining == next.draining
            && next.sum.end - self.sum.start <= width
    }

    fn add(&mut self, next: &Slice) {
        let (sum, more) = (&mut self.sum, &next.sum);
        sum.end = more.end;
        sum.prefill |= more.prefill;
        sum.decode |= more.decode;
        sum.prefills += more.prefills;
        sum.decodes += more.decodes;
        sum.iterations += more.iterations;
        sum.tokens += more.tokens;
        sum.tasks = sum.tasks.max(more.tasks);
        self.busy += next.busy;
        self.pieces += next.pieces;
    }

    fn name(&self) -> &'static str {
        match (self.sum.prefill, self.sum.decode) {
            (true, true) => "prefill + decode",
            (true, false) => "prefill",
            (false, _) => "decode",
        }
    }

    /// The slice as it is shown.
    pub fn event(&self, track: Track) -> Event<'static> {
        let mut args = Map::new();
        let counts = [
            ("prefills", self.sum.prefills),
            ("decodes_begun", self.sum.decodes),
            ("iterations", self.sum.iterations),
            ("batch_tokens", self.sum.tokens),
            ("most_tasks", self.sum.tasks),
        ];
        args.extend(counts.into_iter().filter(|(_, n)| *n > 0).map(|(key, n)| (key.to_owned(), json!(n))));
        if self.pieces > 1 {
            args.insert("merged".to_owned(), json!(self.pieces));
            args.insert("busy_us".to_owned(), json!(self.busy.as_nanos() / 1000));
        }
        if self.continued {
            args.insert("continued".to_owned(), json!(true));
        }
        let span = (micros(self.sum.start), micros(self.sum.end));
        Event::slice("work", self.name(), track, span, Value::Object(args))
    }
}

/// The slice that an instance worked on at a time.
pub fn at(slices: &[Slice], instance: InstanceId, time: SimTime) -> Option<&Slice> {
    let next = slices.partition_point(|slice| (slice.instance, slice.sum.start) <= (instance, time));
    let found = slices[..next].last()?;
    (found.instance == instance && time < found.sum.end).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;
    use crate::results::RunResults;

    fn ran() -> RunResults {
        samples::run(&["debug=true", "workload.until=60", "actions=null"]).results
    }

    fn told(slices: &[Vec<Slice>]) -> (u64, u64, u64, SimDuration) {
        let all = || slices.iter().flatten();
        let busy = all().map(|slice| slice.busy.as_nanos()).sum();
        let sum = |of: fn(&Slice) -> u64| all().map(of).sum();
        let (iterations, tokens) = (sum(|s| s.sum.iterations), sum(|s| s.sum.tokens));
        (iterations, tokens, sum(|s| s.sum.prefills), SimDuration::from_nanos(busy))
    }

    #[test]
    fn merging_keeps_the_budget_and_every_count() {
        let results = ran();
        let work = [Work::of(&results.applications[0], results.end)];
        let (width, plain) = merged(&work, usize::MAX);
        assert!(width.is_zero() && plain[0].len() > 500, "{} slices", plain[0].len());
        for budget in [plain[0].len() - 1, 200, 50, 8] {
            let (width, slices) = merged(&work, budget);
            assert!(!width.is_zero() && slices[0].len() <= budget, "{} of {budget}", slices[0].len());
            assert_eq!(told(&slices), told(&plain));
        }
        // More than one slice an instance cannot be saved.
        assert!(merged(&work, 0).1[0].len() >= 2);
    }

    #[test]
    fn a_wider_budget_is_used() {
        let results = ran();
        let work = [Work::of(&results.applications[0], results.end)];
        let (_, slices) = merged(&work, 200);
        assert!(slices[0].len() > 40, "{} slices of 200", slices[0].len());
    }

    #[test]
    fn the_slice_at_a_time_is_the_one_that_encloses_it() {
        let results = ran();
        let work = [Work::of(&results.applications[0], results.end)];
        let (_, slices) = merged(&work, 200);
        for slice in &slices[0] {
            assert_eq!(at(&slices[0], slice.instance, slice.sum.start), Some(slice));
            assert_ne!(at(&slices[0], slice.instance, slice.sum.end), Some(slice));
        }
        assert_eq!(at(&slices[0], InstanceId(99), SimTime::ZERO), None);
    }
}
