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

use slab::Slab;

/// Where a unit is found.
pub type UnitKey = u32;

const NONE: UnitKey = UnitKey::MAX;

#[derive(Debug)]
struct Unit {
    id: u64,
    references: u32,
    /// Neighbours among the unused: towards the next to be evicted, and away from it.
    older: UnitKey,
    younger: UnitKey,
}

/// All units, used or not.
#[derive(Debug)]
pub struct PrefixCache {
    units: Slab<Unit>,
    /// Only ever looked up, never walked.
    by_id: HashMap<u64, UnitKey>,
    oldest: UnitKey,
    youngest: UnitKey,
    unused: u64,
}

impl Default for PrefixCache {
    fn default() -> Self {
        PrefixCache { units: Slab::new(), by_id: HashMap::new(), oldest: NONE, youngest: NONE, unused: 0 }
    }
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
        units.iter().filter(|&&unit| self.units[unit as usize].references == 0).count() as u64
    }

    /// Somebody uses a unit.
    pub fn acquire(&mut self, unit: UnitKey) {
        if self.units[unit as usize].references == 0 {
            self.unlink(unit);
        }
        self.units[unit as usize].references += 1;
    }

    /// Somebody uses a unit no more.
    pub fn release(&mut self, unit: UnitKey) {
        self.units[unit as usize].references -= 1;
        if self.units[unit as usize].references == 0 {
            self.append(unit);
        }
    }

    /// A unit is computed, and used by whoever computed it. None if it is here already: then the new one is a
    /// copy that nobody else will find.
    pub fn insert(&mut self, id: u64) -> Option<UnitKey> {
        let std::collections::hash_map::Entry::Vacant(vacant) = self.by_id.entry(id) else { return None };
        let unit = self.units.insert(Unit { id, references: 1, older: NONE, younger: NONE }) as UnitKey;
        vacant.insert(unit);
        Some(unit)
    }

    /// Gives up the unit that has been unused for longest; false if all are used.
    pub fn evict(&mut self) -> bool {
        if self.oldest == NONE {
            return false;
        }
        let unit = self.oldest;
        self.unlink(unit);
        let Unit { id, .. } = self.units.remove(unit as usize);
        self.by_id.remove(&id);
        true
    }

    fn append(&mut self, unit: UnitKey) {
        let older = std::mem::replace(&mut self.youngest, unit);
        let entry = &mut self.units[unit as usize];
        (entry.older, entry.younger) = (older, NONE);
        match older {
            NONE => self.oldest = unit,
            _ => self.units[older as usize].younger = unit,
        }
        self.unused += 1;
    }

    fn unlink(&mut self, unit: UnitKey) {
        let Unit { older, younger, .. } = self.units[unit as usize];
        match older {
            NONE => self.oldest = younger,
            _ => self.units[older as usize].younger = younger,
        }
        match younger {
            NONE => self.youngest = older,
            _ => self.units[younger as usize].older = older,
        }
        self.unused -= 1;
    }

    #[cfg(test)]
    pub(super) fn references(&self) -> u64 {
        self.units.iter().map(|(_, unit)| u64::from(unit.references)).sum()
    }

    #[cfg(test)]
    pub(super) fn check(&self) {
        let unused = self.units.iter().filter(|(_, unit)| unit.references == 0).count();
        assert_eq!(self.unused, unused as u64);
        let mut walked = 0;
        let mut unit = self.oldest;
        while unit != NONE {
            walked += 1;
            assert_eq!(self.units[unit as usize].references, 0);
            unit = self.units[unit as usize].younger;
        }
        assert_eq!(walked, unused);
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
