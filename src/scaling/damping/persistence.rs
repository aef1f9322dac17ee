//! A wish counts only when it has persisted: the same direction, decision after decision, for a delay.

use std::cmp::Ordering;

use ebbflow_actors::{SimDuration, SimTime};

/// How long the wish of a direction has persisted. Any other wish, also none, begins anew.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Persistence {
    measure: Patience,
    held: Option<Held>,
}

/// What a delay is measured by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Patience {
    /// The time since the first decision in this direction.
    Clock,
    /// The number of decisions, as if one came every period: a loop that runs late delays longer.
    Decisions {
        /// Between two decisions as the configuration believes, above zero.
        period: SimDuration,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Held {
    direction: Ordering,
    since: SimTime,
    decisions: u64,
}

impl Persistence {
    /// No wish so far.
    pub const fn new(measure: Patience) -> Self {
        Persistence { measure, held: None }
    }

    /// Takes a wish: the comparison of what is wanted with what there is. True when it has persisted for
    /// `delay`; it may be followed then, and begins anew.
    pub fn allows(&mut self, now: SimTime, direction: Ordering, delay: SimDuration) -> bool {
        if direction == Ordering::Equal {
            self.held = None;
            return false;
        }
        let before = self.held.filter(|held| held.direction == direction);
        let mut held = before.unwrap_or(Held { direction, since: now, decisions: 0 });
        held.decisions += 1;
        let allowed = match self.measure {
            Patience::Clock => now - held.since >= delay,
            // Cut off, as the original does: 0.3 s over 0.1 s are two periods in binary fractions.
            Patience::Decisions { period } => {
                held.decisions > (delay.as_secs_f64() / period.as_secs_f64()) as u64
            }
        };
        self.held = (!allowed).then_some(held);
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN_S: SimDuration = SimDuration::from_secs(10);

    fn at(seconds: u64) -> SimTime {
        SimTime::ZERO + SimDuration::from_secs(seconds)
    }

    #[test]
    fn by_the_clock_a_late_loop_waits_no_longer_than_the_delay() {
        let mut persistence = Persistence::new(Patience::Clock);
        assert!(!persistence.allows(at(5), Ordering::Greater, TEN_S));
        assert!(!persistence.allows(at(14), Ordering::Greater, TEN_S));
        assert!(persistence.allows(at(15), Ordering::Greater, TEN_S));
        assert!(!persistence.allows(at(16), Ordering::Greater, TEN_S), "it begins anew");
    }

    #[test]
    fn by_decisions_only_their_number_counts() {
        let mut persistence = Persistence::new(Patience::Decisions { period: SimDuration::from_secs(5) });
        assert!(!persistence.allows(at(0), Ordering::Less, TEN_S));
        assert!(!persistence.allows(at(100), Ordering::Less, TEN_S));
        assert!(persistence.allows(at(101), Ordering::Less, TEN_S));
    }

    #[test]
    fn another_wish_or_none_begins_anew() {
        for other in [Ordering::Equal, Ordering::Less] {
            let mut persistence = Persistence::new(Patience::Clock);
            assert!(!persistence.allows(at(0), Ordering::Greater, TEN_S));
            assert!(!persistence.allows(at(5), other, TEN_S));
            assert!(!persistence.allows(at(12), Ordering::Greater, TEN_S));
            assert!(persistence.allows(at(22), Ordering::Greater, TEN_S));
        }
    }

    #[test]
    fn without_a_delay_every_wish_is_followed_at_once() {
        for measure in [Patience::Clock, Patience::Decisions { period: TEN_S }] {
            let mut persistence = Persistence::new(measure);
            assert!(persistence.allows(at(0), Ordering::Less, SimDuration::ZERO));
            assert!(!persistence.allows(at(0), Ordering::Equal, SimDuration::ZERO), "that is no wish");
        }
    }
}
