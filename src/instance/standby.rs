//! Who could join the batch, by arrival.

use std::collections::VecDeque;

use ebbflow_actors::SimTime;

use super::resident::Key;

/// Rank among residents: by arrival, then by when it came to the instance.
pub type Rank = (SimTime, u64);

/// The residents that stand by: their first task waits, or is preempted. Those that run are not here, nor
/// those that stand aside; so a selection need not look at a batch to find who could join it.
///
/// A sorted deque: most enter at its end and leave at its head.
#[derive(Debug, Default)]
pub struct Standby {
    by_rank: VecDeque<(Rank, Key)>,
}

impl Standby {
    /// The nth by arrival.
    pub fn get(&self, position: usize) -> Option<Key> {
        self.by_rank.get(position).map(|(_, key)| *key)
    }

    /// Takes one in.
    pub fn enter(&mut self, rank: Rank, key: Key) {
        let place = self.place(rank);
        self.by_rank.insert(place, (rank, key));
    }

    /// Lets one go that is here.
    pub fn leave(&mut self, rank: Rank) {
        let place = self.place(rank);
        debug_assert_eq!(self.by_rank.get(place).map(|(found, _)| *found), Some(rank));
        self.by_rank.remove(place);
    }

    /// Lets all go that are not to stay.
    pub fn retain(&mut self, mut stays: impl FnMut(Key) -> bool) {
        self.by_rank.retain(|(_, key)| stays(*key));
    }

    /// Lets everybody go.
    pub fn clear(&mut self) {
        self.by_rank.clear();
    }

    fn place(&self, rank: Rank) -> usize {
        match self.by_rank.back() {
            Some((last, _)) if *last < rank => self.by_rank.len(),
            _ => self.by_rank.partition_point(|(other, _)| *other < rank),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_stays_in_order_of_arrival_whoever_comes_and_goes(
            steps in proptest::collection::vec((any::<bool>(), 0u64..30, 0u64..3), 0..100),
        ) {
            let (mut standby, mut oracle) = (Standby::default(), BTreeMap::new());
            for (key, (enters, arrival, number)) in (0..).zip(steps) {
                let rank = (SimTime::from_nanos(arrival), number);
                if enters && !oracle.contains_key(&rank) {
                    standby.enter(rank, key);
                    oracle.insert(rank, key);
                } else if oracle.remove(&rank).is_some() {
                    standby.leave(rank);
                }
                let found: Vec<Key> = (0..).map_while(|nth| standby.get(nth)).collect();
                prop_assert_eq!(found, oracle.values().copied().collect::<Vec<_>>());
            }
        }
    }
}
