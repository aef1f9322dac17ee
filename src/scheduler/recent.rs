//! A map that can tell which of its entries was used longest ago, in O(1).

use std::collections::HashMap;
use std::hash::Hash;

use crate::recency::{Key, Line};

/// Entries by key and in the order of their last use.
#[derive(Clone, Debug)]
pub(super) struct Recent<K, V> {
    /// All of them stand in line.
    entries: Line<(K, V)>,
    /// Only ever looked up, never walked.
    slots: HashMap<K, Key>,
}

impl<K, V> Default for Recent<K, V> {
    fn default() -> Self {
        Recent { entries: Line::default(), slots: HashMap::new() }
    }
}

impl<K: Copy + Eq + Hash, V> Recent<K, V> {
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// A look that does not count as use.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.slots.get(key).map(|&slot| &self.entries[slot].1)
    }

    /// Writes an entry and counts it as used now; whether it is new.
    pub fn put(&mut self, key: K, value: V) -> bool {
        if let Some(&slot) = self.slots.get(&key) {
            self.entries[slot].1 = value;
            self.entries.leave(slot);
            self.entries.join(slot);
            return false;
        }
        let slot = self.entries.insert((key, value));
        self.slots.insert(key, slot);
        self.entries.join(slot);
        true
    }

    /// Takes out the entry used longest ago.
    pub fn pop_oldest(&mut self) -> Option<K> {
        let (key, _) = self.entries.pop_oldest()?;
        self.slots.remove(&key);
        Some(key)
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
