//! Blocks of the paged KV cache: how many there are, and what they hold.
//!
//! A block is free, private to a sequence (or to a cache on its way), or part of a unit of the [`PrefixCache`].
//! Only units have an identity; of the others only the number matters. Free blocks are used up before unused units
//! are evicted. (vLLM keeps one list of both, by when they were freed.)

use super::prefix_cache::{PrefixCache, UnitKey};

/// The blocks of an instance.
///
/// Invariant: `free + private + units · blocks of a unit = capacity`.
#[derive(Debug)]
pub struct Blocks {
    capacity: u64,
    free: u64,
    blocks_in_unit: u64,
    cache: PrefixCache,
}

impl Blocks {
    /// So many free blocks; units of the prefix cache are `blocks_in_unit` ≥ 1 large.
    pub fn new(capacity: u64, blocks_in_unit: u64) -> Self {
        Blocks { capacity, free: capacity, blocks_in_unit, cache: PrefixCache::default() }
    }

    /// All blocks.
    pub fn capacity(&self) -> u64 {
        self.capacity
    }

    /// Blocks that can be had: free ones, and those of units that nobody uses.
    pub fn available(&self) -> u64 {
        self.free + self.cache.unused() * self.blocks_in_unit
    }

    /// Blocks in use.
    pub fn used(&self) -> u64 {
        self.capacity - self.available()
    }

    #[cfg(test)]
    pub(super) fn cached(&self) -> u64 {
        self.cache.len() * self.blocks_in_unit
    }

    /// Takes free blocks, evicting what it must. Whoever takes has asked what is available.
    pub fn take(&mut self, blocks: u64) {
        while self.free < blocks && self.cache.evict() {
            self.free += self.blocks_in_unit;
        }
        debug_assert!(self.free >= blocks, "took more blocks than are available");
        self.free -= blocks;
    }

    /// Private blocks become free.
    pub fn give_back(&mut self, blocks: u64) {
        self.free += blocks;
        debug_assert!(self.free <= self.capacity, "gave back more blocks than there are");
    }

    /// Units of the longest beginning of these ids that is cached.
    pub fn longest_prefix(&self, ids: &[u64]) -> Vec<UnitKey> {
        self.cache.longest_prefix(ids)
    }

    /// What using these units takes away from the available blocks.
    pub fn unused_blocks_of(&self, units: &[UnitKey]) -> u64 {
        self.cache.unused_among(units) * self.blocks_in_unit
    }

    /// A sequence uses these units.
    pub fn acquire(&mut self, units: &[UnitKey]) {
        units.iter().for_each(|&unit| self.cache.acquire(unit));
    }

    /// A sequence uses these units no more; the last of them are evicted first.
    pub fn release(&mut self, units: &[UnitKey]) {
        units.iter().rev().for_each(|&unit| self.cache.release(unit));
    }

    /// The private blocks that a sequence computed for this id become a unit, which it uses; none if the cache
    /// has such a unit already: the blocks stay private.
    pub fn publish(&mut self, id: u64) -> Option<UnitKey> {
        self.cache.insert(id)
    }

    #[cfg(test)]
    pub(super) fn check(&self, private: u64, references: u64) {
        self.cache.check();
        assert_eq!(self.free + private + self.cached(), self.capacity, "a block was lost or found");
        assert_eq!(self.cache.references(), references, "references differ from their holders");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_free_private_or_cached() {
        let mut blocks = Blocks::new(10, 2);
        blocks.take(5);
        let unit = blocks.publish(7).expect("new");
        blocks.check(3, 1);
        assert_eq!((blocks.used(), blocks.available(), blocks.cached()), (5, 5, 2));
        blocks.release(&[unit]);
        blocks.give_back(3);
        blocks.check(0, 0);
        assert_eq!((blocks.used(), blocks.available(), blocks.cached()), (0, 10, 2));
    }

    #[test]
    fn free_blocks_are_taken_before_the_cache_shrinks() {
        let mut blocks = Blocks::new(10, 2);
        blocks.take(4);
        let units: Vec<_> = [1, 2].into_iter().filter_map(|id| blocks.publish(id)).collect();
        blocks.release(&units);
        blocks.take(6);
        assert_eq!(blocks.cached(), 4);
        blocks.take(1);
        assert_eq!(blocks.longest_prefix(&[1, 2]), units[..1]);
        blocks.check(7, 0);
    }
}
