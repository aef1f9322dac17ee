//! A map that can tell which of its entries was used longest ago, in O(1).

use std::collections::HashMap;
use std::hash::Hash;

use slab::Slab;

type Slot = u32;

const NONE: Slot = Slot::MAX;

#[derive(Clone, Debug)]
struct Entry<K, V> {
    key: K,
    value: V,
    /// Neighbours: towards the one used longest ago, and towards the one used last.
    older: Slot,
    younger: Slot,
}

/// Entries by key and in the order of their last use.
#[derive(Clone, Debug)]
pub(super) struct Recent<K, V> {
    entries: Slab<Entry<K, V>>,
    /// Only ever looked up, never walked.
    slots: HashMap<K, Slot>,
    oldest: Slot,
    youngest: Slot,
}

impl<K, V> Default for Recent<K, V> {
    fn default() -> Self {
        Recent { entries: Slab::new(), slots: HashMap::new(), oldest: NONE, youngest: NONE }
    }
}

impl<K: Copy + Eq + Hash, V> Recent<K, V> {
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// A look that does not count as use.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.slots.get(key).map(|&slot| &self.entries[slot as usize].value)
    }

    /// Writes an entry and counts it as used now; whether it is new.
    pub fn put(&mut self, key: K, value: V) -> bool {
        if let Some(&slot) = self.slots.get(&key) {
            self.entries[slot as usize].value = value;
            self.unlink(slot);
            self.link(slot);
            return false;
        }
        let slot = self.entries.insert(Entry { key, value, older: NONE, younger: NONE }) as Slot;
        self.slots.insert(key, slot);
        self.link(slot);
        true
    }

    /// Takes out the entry used longest ago.
    pub fn pop_oldest(&mut self) -> Option<K> {
        let slot = self.oldest;
        if slot == NONE {
            return None;
        }
        self.unlink(slot);
        let Entry { key, .. } = self.entries.remove(slot as usize);
        self.slots.remove(&key);
        Some(key)
    }

    fn link(&mut self, slot: Slot) {
        let older = std::mem::replace(&mut self.youngest, slot);
        let entry = &mut self.entries[slot as usize];
        (entry.older, entry.younger) = (older, NONE);
        match older {
            NONE => self.oldest = slot,
            _ => self.entries[older as usize].younger = slot,
        }
    }

    fn unlink(&mut self, slot: Slot) {
        let Entry { older, younger, .. } = self.entries[slot as usize];
        match older {
            NONE => self.oldest = younger,
            _ => self.entries[older as usize].younger = younger,
        }
        match younger {
            NONE => self.youngest = older,
            _ => self.entries[younger as usize].older = older,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_agrees_with_a_list_that_is_searched(uses in proptest::collection::vec(proptest::option::of(0u8..9), 0..99)) {
            let (mut recent, mut list) = (Recent::default(), Vec::<(u8, usize)>::new());
            for (value, step) in uses.into_iter().enumerate() {
                match step {
                    Some(key) => {
                        let known = list.iter().position(|(listed, _)| *listed == key);
                        known.map(|position| list.remove(position));
                        list.push((key, value));
                        prop_assert_eq!(recent.put(key, value), known.is_none());
                    }
                    None => {
                        let oldest = (!list.is_empty()).then(|| list.remove(0).0);
                        prop_assert_eq!(recent.pop_oldest(), oldest);
                    }
                }
                prop_assert_eq!(recent.len(), list.len());
                for key in 0..9 {
                    let listed = list.iter().find(|(listed, _)| *listed == key).map(|(_, value)| value);
                    prop_assert_eq!(recent.get(&key), listed);
                }
            }
        }
    }
}
