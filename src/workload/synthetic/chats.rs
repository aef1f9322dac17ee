//! Conversations found after the fact: a request whose length is drawn already goes on from an earlier one that fits.
//!
//! So lengths keep their published distribution, and arrivals theirs. What is wanted is drawn: how many tokens a turn
//! adds and how long it is since the turn before. Among the [`LOOKED_AT`] conversations that are nearest below the
//! length wanted, that goes on whose age is nearest; both come out near their distributions (tokens added more evenly
//! spread than published). An open conversation is given up when [`REMEMBERED`] later ones are open.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use ebbflow_actors::{CounterRng, SimTime};

use super::Stream;
use super::lengths::LengthSource;
use crate::request::Attributes;
use crate::scenario::Lengths;
use crate::workload::WorkloadError;
use crate::workload::presets::Turns;

/// Conversations compared by age. More would hold the ages nearer to what is wanted, and the lengths farther.
const LOOKED_AT: usize = 32;
/// Open conversations: at the rates of the traces, those of more than an hour.
const REMEMBERED: usize = 1 << 16;
/// Ages below this count as this.
const LEAST_AGE_S: f64 = 0.1;

/// Tokens so far, and a number to tell those of the same length apart.
type Place = (u64, u64);

/// Conversations that may go on.
pub(super) struct Chats {
    follow_up: f64,
    choices: CounterRng,
    new_tokens: LengthSource,
    gap_s: LengthSource,
    open: BTreeMap<Place, Chat>,
    /// In the order in which they were last used; some have gone on since.
    by_age: VecDeque<Place>,
    next: u64,
}

struct Chat {
    last: SimTime,
    attributes: Arc<Attributes>,
}

impl Chats {
    pub(super) fn new(turns: &Turns, stream: impl Fn(Stream) -> CounterRng) -> Result<Self, WorkloadError> {
        let drawn = |which, knots: &[(f64, f64)], wanted| {
            LengthSource::new(which, &Lengths::Quantiles(knots.to_vec()), stream(wanted))
        };
        Ok(Chats {
            follow_up: turns.follow_up,
            choices: stream(Stream::FollowUps),
            new_tokens: drawn("new tokens", turns.new_tokens, Stream::NewTokens)?,
            gap_s: drawn("gap", turns.gap_s, Stream::TurnGaps)?,
            open: BTreeMap::new(),
            by_age: VecDeque::new(),
            next: 0,
        })
    }

    /// The turn before the request of this length that arrives now; none if it begins a conversation.
    pub(super) fn go_on(&mut self, now: SimTime, prompt_tokens: u32) -> Option<Arc<Attributes>> {
        // Drawn in any case, so that every request takes as many numbers.
        let goes_on = self.choices.unit_f64() < self.follow_up;
        let (new_tokens, gap_s) = (self.new_tokens.draw(), f64::from(self.gap_s.draw()));
        let most = u64::from(prompt_tokens).checked_sub(u64::from(new_tokens)).filter(|_| goes_on)?;
        let misfit = |chat: &Chat| {
            let age_s = (now - chat.last).as_secs_f64().max(LEAST_AGE_S);
            libm::fabs(libm::log(age_s / gap_s))
        };
        let near = self.open.range(..=(most, u64::MAX)).rev().take(LOOKED_AT);
        let fits = near.map(|(place, chat)| (misfit(chat), *place)).min_by(|a, b| a.0.total_cmp(&b.0));
        self.open.remove(&fits?.1).map(|chat| chat.attributes)
    }

    /// A turn of so many tokens, its answer included, that another may go on from.
    pub(super) fn remember(&mut self, now: SimTime, tokens: u64, attributes: Arc<Attributes>) {
        let place = (tokens, self.next);
        self.next += 1;
        self.open.insert(place, Chat { last: now, attributes });
        self.by_age.push_back(place);
        while let Some(oldest) = self.by_age.front()
            && (self.open.len() > REMEMBERED || !self.open.contains_key(oldest))
        {
            self.open.remove(oldest);
            self.by_age.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use ebbflow_actors::{EntityId, SimDuration};

    use super::*;
    use crate::ids::SessionId;

    const TURNS: Turns = Turns { follow_up: 1.0, new_tokens: &[(0.0, 10.0)], gap_s: &[(0.0, 60.0)] };

    fn chats() -> Chats {
        Chats::new(&TURNS, |stream| CounterRng::new(1, EntityId(1), stream as u64)).unwrap()
    }

    fn at(seconds: u64) -> SimTime {
        SimTime::ZERO + SimDuration::from_secs(seconds)
    }

    fn of(session: u64) -> Arc<Attributes> {
        Arc::new(Attributes { session: Some(SessionId(session)), ..Attributes::NONE })
    }

    #[test]
    fn a_request_goes_on_from_what_it_is_longer_than_and_each_turn_once() {
        let mut chats = chats();
        chats.remember(at(0), 1000, of(1));
        assert_eq!(chats.go_on(at(60), 1009), None);
        assert_eq!(chats.go_on(at(60), 1010), Some(of(1)));
        assert_eq!(chats.go_on(at(60), 1010), None);
    }

    #[test]
    fn among_those_that_fit_the_age_decides() {
        let mut chats = chats();
        for (second, session) in [(0, 1), (940, 2), (990, 3)] {
            chats.remember(at(second), 500, of(session));
        }
        assert_eq!(chats.go_on(at(1000), 1000), Some(of(2)));
    }

    #[test]
    fn the_longest_unused_are_given_up() {
        let mut chats = chats();
        for session in 0..=REMEMBERED as u64 {
            chats.remember(at(0), 5 + session, of(session));
        }
        assert_eq!(chats.open.len(), REMEMBERED);
        assert_eq!(chats.go_on(at(1), 15), None, "the shortest was the first");
    }
}
