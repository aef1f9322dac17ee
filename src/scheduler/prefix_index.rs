//! Which blocks of prompts were sent to which instance: what a router that asks nobody believes to be in their
//! prefix caches.
//!
//! A block is named by an id that stands for its tokens *and all before them*
//! ([`Attributes::prefix`](crate::request::Attributes)), so whoever has a block has those before it. Each instance
//! is remembered with as many blocks as fit its KV memory, the ones used longest ago forgotten first and of one
//! prompt the last first, as engines evict them. Leaves out: output, which routers do not see as they route, and
//! evictions for want of memory, which instances do not report.

use std::collections::HashMap;

use super::recent::Recent;
use crate::ids::InstanceId;

/// Blocks by instance, instances by block.
#[derive(Clone, Debug, Default)]
pub(super) struct PrefixIndex {
    /// Who was sent a block. Only ever looked up, never walked.
    holders: HashMap<u64, Vec<InstanceId>>,
    /// What an instance was sent, by its number.
    sent: Vec<Recent<u64, ()>>,
}

impl PrefixIndex {
    /// The instances that were sent this block, in the order they first were.
    pub fn holders(&self, block: u64) -> &[InstanceId] {
        self.holders.get(&block).map_or(&[], Vec::as_slice)
    }

    /// A prompt of these blocks goes to an instance with room for so many.
    pub fn send(&mut self, instance: InstanceId, room: usize, blocks: &[u64]) {
        let index = instance.0 as usize;
        if self.sent.len() <= index {
            self.sent.resize_with(index + 1, Recent::default);
        }
        let sent = &mut self.sent[index];
        for &block in blocks.iter().take(room).rev() {
            if sent.put(block, ()) {
                self.holders.entry(block).or_default().push(instance);
            }
        }
        while sent.len() > room
            && let Some(block) = sent.pop_oldest()
        {
            release(&mut self.holders, block, instance);
        }
    }

    /// An instance is gone, and its cache with it.
    pub fn forget(&mut self, instance: InstanceId) {
        let Some(sent) = self.sent.get_mut(instance.0 as usize) else { return };
        let mut sent = std::mem::take(sent);
        while let Some(block) = sent.pop_oldest() {
            release(&mut self.holders, block, instance);
        }
    }
}

fn release(holders: &mut HashMap<u64, Vec<InstanceId>>, block: u64, instance: InstanceId) {
    let std::collections::hash_map::Entry::Occupied(mut entry) = holders.entry(block) else { return };
    entry.get_mut().retain(|&holder| holder != instance);
    if entry.get().is_empty() {
        entry.remove();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: InstanceId = InstanceId(0);
    const B: InstanceId = InstanceId(3);

    #[test]
    fn a_block_is_where_it_was_sent_until_the_instance_is_gone() {
        let mut index = PrefixIndex::default();
        index.send(B, 10, &[1, 2]);
        index.send(A, 10, &[1]);
        index.send(B, 10, &[1, 2, 3]);
        assert_eq!((index.holders(1), index.holders(3), index.holders(4)), (&[B, A][..], &[B][..], &[][..]));
        index.forget(B);
        assert_eq!((index.holders(1), index.holders(2)), (&[A][..], &[][..]));
        index.forget(B);
        index.forget(InstanceId(7));
    }

    #[test]
    fn the_end_of_the_prompt_used_longest_ago_is_forgotten_first() {
        let mut index = PrefixIndex::default();
        index.send(A, 4, &[1, 2]);
        index.send(A, 4, &[5, 6, 7]);
        assert_eq!((index.holders(1), index.holders(2)), (&[A][..], &[][..]));
        assert!([5, 6, 7].iter().all(|&block| index.holders(block) == [A]));
        index.send(A, 4, &[1]);
        index.send(A, 4, &[8]);
        assert_eq!((index.holders(1), index.holders(7)), (&[A][..], &[][..]), "what is used again stays");
    }

    #[test]
    fn of_a_prompt_larger_than_the_memory_the_beginning_is_remembered() {
        let mut index = PrefixIndex::default();
        index.send(A, 2, &[1, 2, 3]);
        assert_eq!((index.holders(2), index.holders(3)), (&[A][..], &[][..]));
    }
}
