//! Computed prompt blocks that others with the same beginning may use.
//!
//! A *unit* is what one id of a request's prefix names: [`prefix_block_tokens`](super::Settings) tokens together
//! with everything before them, as in Mooncake's traces. Units that sequences use are counted references; those
//! nobody uses stay until their room is needed, the longest unused first and of one sequence the last first, so
//! that beginnings, which more requests share, stay longest (vLLM v1: `block_pool.py`).
//!
//! Units are kept and evicted whole. With ids of 512 tokens vLLM could keep some of the 32 blocks; ids of 16
//! tokens lose nothing.

use std::collections::HashMap;

use crate::recency::{Key, Line};

/// Where a unit is found.
pub type UnitKey = Key;

#[derive(Debug)]
struct Unit {
    id: u64,
    references: u32,
}

/// All units, used or not.
#[derive(Debug, Default)]
pub struct PrefixCache {
    /// The unused ones stand in line to be evicted.
    units: Line<Unit>,
    /// Only ever looked up, never walked.
    by_id: HashMap<u64, UnitKey>,
    unused: u64,
}

impl PrefixCache {
    #[cfg(test)]
    pub(super) fn len(&self) -> u64 {
        self.units.len() as u64
    }

    /// How many of them nobody uses.
    pub fn unused(&self) -> u64 {
        self.unused
    }

    /// The units of the longest beginning of `ids` that is here.
    pub fn longest_prefix(&self, ids: &[u64]) -> Vec<UnitKey> {
        ids.iter().map_while(|id| self.by_id.get(id).copied()).collect()
    }

    /// How many of these units nobody uses.
    pub fn unused_among(&self, units: &[UnitKey]) -> u64 {
        units.iter().filter(|&&unit| self.units[unit].references == 0).count() as u64
    }

    /// Somebody uses a unit.
    pub fn acquire(&mut self, unit: UnitKey) {
        if self.units[unit].references == 0 {
            self.units.leave(unit);
            self.unused -= 1;
        }
        self.units[unit].references += 1;
    }

    /// Somebody uses a unit no more.
    pub fn release(&mut self, unit: UnitKey) {
        self.units[unit].references -= 1;
        if self.units[unit].references == 0 {
            self.units.join(unit);
            self.unused += 1;
        }
    }

    /// A unit is computed, and used by whoever computed it. None if it is here already: then the new one is a
    /// copy that nobody else will find.
    pub fn insert(&mut self, id: u64) -> Option<UnitKey> {
        let std::collections::hash_map::Entry::Vacant(vacant) = self.by_id.entry(id) else { return None };
        let unit = self.units.insert(Unit { id, references: 1 });
        vacant.insert(unit);
        Some(unit)
    }

    /// Gives up the unit that has been unused for longest; false if all are used.
    pub fn evict(&mut self) -> bool {
        let Some(Unit { id, .. }) = self.units.pop_oldest() else { return false };
        self.by_id.remove(&id);
        self.unused -= 1;
        true
    }

    #[cfg(test)]
    pub(super) fn references(&self) -> u64 {
        self.units.all().map(|unit| u64::from(unit.references)).sum()
    }

    #[cfg(test)]
    pub(super) fn check(&self) {
        let unused = |unit: &&Unit| unit.references == 0;
        assert_eq!(self.unused, self.units.all().filter(unused).count() as u64);
        assert_eq!(self.unused, self.units.in_line().count() as u64);
        assert!(self.units.in_line().all(|unit| unused(&unit)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn insert_all(cache: &mut PrefixCache, ids: &[u64]) -> Vec<UnitKey> {
        ids.iter().map(|&id| cache.insert(id).expect("new")).collect()
    }

    fn release_all(cache: &mut PrefixCache, units: &[UnitKey]) {
        units.iter().rev().for_each(|&unit| cache.release(unit));
        cache.check();
    }

    #[test]
    fn a_beginning_is_found_up_to_the_first_unit_that_is_missing() {
        let mut cache = PrefixCache::default();
        let units = insert_all(&mut cache, &[1, 2, 4]);
        assert_eq!(cache.longest_prefix(&[1, 2, 3, 4]), units[..2]);
        assert!(cache.longest_prefix(&[3, 1]).is_empty());
    }

    #[test]
    fn the_end_of_the_longest_unused_sequence_goes_first() {
        let mut cache = PrefixCache::default();
        let first = insert_all(&mut cache, &[1, 2]);
        let second = insert_all(&mut cache, &[3, 4]);
        release_all(&mut cache, &first);
        release_all(&mut cache, &second);
        assert!(cache.evict());
        assert_eq!(cache.longest_prefix(&[1, 2]).len(), 1, "the end went");
        cache.acquire(first[0]);
        assert!(cache.evict());
        assert_eq!(cache.longest_prefix(&[1, 2]).len(), 1, "the beginning is in use");
        assert_eq!(cache.longest_prefix(&[3, 4]).len(), 1);
        cache.check();
    }

    #[test]
    fn a_unit_in_use_is_never_evicted_and_a_copy_is_not_kept() {
        let mut cache = PrefixCache::default();
        let units = insert_all(&mut cache, &[1]);
        assert_eq!(cache.insert(1), None);
        cache.acquire(units[0]);
        cache.release(units[0]);
        assert!(!cache.evict());
        release_all(&mut cache, &units);
        assert!(cache.evict());
        assert_eq!((cache.len(), cache.unused()), (0, 0));
    }
}
