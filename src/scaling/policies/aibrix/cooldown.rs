//! Recent wishes: a change must have been wanted for a while.

use std::collections::VecDeque;

use ebbflow_actors::{SimDuration, SimTime};

/// The wishes of a while, and what remains of a new one.
#[derive(Clone, Debug)]
pub struct Cooldown {
    up: SimDuration,
    down: SimDuration,
    /// As shipped: the boldest of the recent wishes counts, not the most cautious.
    bold: bool,
    wishes: VecDeque<(SimTime, u32)>,
}

impl Cooldown {
    /// So long before growing, so long before shrinking.
    pub fn new(up: SimDuration, down: SimDuration, bold: bool) -> Self {
        Cooldown { up, down, bold, wishes: VecDeque::new() }
    }

    /// What remains of a wish. One as old as the cooldown no longer counts.
    pub fn settle(&mut self, now: SimTime, current: u32, wish: u32) -> u32 {
        self.wishes.push_back((now, wish));
        let longest = self.up.max(self.down);
        while self.wishes.front().is_some_and(|&(then, _)| then < now && now - then >= longest) {
            self.wishes.pop_front();
        }
        let within = |span: SimDuration| {
            let recent = self.wishes.iter().filter(move |(then, _)| now - *then < span);
            recent.map(|&(_, wish)| wish)
        };
        match (wish > current, self.bold) {
            _ if wish == current => current,
            (true, true) => within(self.up).fold(wish, u32::max),
            (true, false) => within(self.up).fold(wish, u32::min).max(current),
            (false, true) => within(self.down).fold(wish, u32::min),
            (false, false) => within(self.down).fold(wish, u32::max).min(current),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SimTime {
        SimTime::ZERO + SimDuration::from_secs(seconds)
    }

    #[test]
    fn a_cooldown_keeps_the_cautious_wish_unless_it_is_the_shipped_one() {
        let settle = |bold| {
            let spans = (SimDuration::from_secs(20), SimDuration::from_secs(60));
            let mut cooldown = Cooldown::new(spans.0, spans.1, bold);
            let mut wishes = Vec::new();
            for (now, wish) in [(0, 5), (10, 2), (20, 3), (60, 3), (70, 3), (80, 9), (90, 12)] {
                wishes.push(cooldown.settle(at(now), 5, wish));
            }
            wishes
        };
        assert_eq!(settle(false), [5, 5, 5, 3, 3, 5, 9]);
        assert_eq!(settle(true), [5, 2, 2, 2, 3, 9, 12]);
    }
}
