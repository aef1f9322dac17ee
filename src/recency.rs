//! Entries of which some stand in a line, by when they joined it: who has been there longest is found in O(1).
//!
//! Entries keep their key while they leave the line and join it anew, so that who looks them up by something else
//! need not look again. (The crates `lru`, `hashlink` and `schnellru` have maps of which every entry is in the line.)

use std::ops::{Index, IndexMut};

use slab::Slab;

/// Where an entry is found.
pub(crate) type Key = u32;

const NONE: Key = Key::MAX;

/// All entries, in the line or not.
#[derive(Clone, Debug)]
pub(crate) struct Line<T> {
    entries: Slab<Entry<T>>,
    oldest: Key,
    youngest: Key,
}

#[derive(Clone, Debug)]
struct Entry<T> {
    value: T,
    /// Neighbours in the line: towards whoever has been there longest, and towards who joined last.
    older: Key,
    younger: Key,
}

impl<T> Default for Line<T> {
    fn default() -> Self {
        Line { entries: Slab::new(), oldest: NONE, youngest: NONE }
    }
}

impl<T> Line<T> {
    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// A new entry, outside the line.
    pub fn insert(&mut self, value: T) -> Key {
        self.entries.insert(Entry { value, older: NONE, younger: NONE }) as Key
    }

    /// An entry outside the line joins it at its end.
    pub fn join(&mut self, key: Key) {
        let older = std::mem::replace(&mut self.youngest, key);
        let entry = &mut self.entries[key as usize];
        (entry.older, entry.younger) = (older, NONE);
        match older {
            NONE => self.oldest = key,
            _ => self.entries[older as usize].younger = key,
        }
    }

    /// An entry leaves the line.
    pub fn leave(&mut self, key: Key) {
        let Entry { older, younger, .. } = self.entries[key as usize];
        match older {
            NONE => self.oldest = younger,
            _ => self.entries[older as usize].younger = younger,
        }
        match younger {
            NONE => self.youngest = older,
            _ => self.entries[younger as usize].older = older,
        }
    }

    /// Removes the entry that has been in the line for longest.
    pub fn pop_oldest(&mut self) -> Option<T> {
        let key = self.oldest;
        if key == NONE {
            return None;
        }
        self.leave(key);
        Some(self.entries.remove(key as usize).value)
    }

    #[cfg(test)]
    pub fn all(&self) -> impl Iterator<Item = &T> {
        self.entries.iter().map(|(_, entry)| &entry.value)
    }

    /// Who stands in the line, the longest there first.
    #[cfg(test)]
    pub fn in_line(&self) -> impl Iterator<Item = &T> {
        let some = |key: Key| (key != NONE).then_some(key);
        let keys =
            std::iter::successors(some(self.oldest), move |&key| some(self.entries[key as usize].younger));
        keys.map(|key| &self.entries[key as usize].value)
    }
}

impl<T> Index<Key> for Line<T> {
    type Output = T;

    fn index(&self, key: Key) -> &T {
        &self.entries[key as usize].value
    }
}

impl<T> IndexMut<Key> for Line<T> {
    fn index_mut(&mut self, key: Key) -> &mut T {
        &mut self.entries[key as usize].value
    }
}
