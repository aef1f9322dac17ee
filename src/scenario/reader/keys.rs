//! A mapping that is being read.
//!
//! It remembers which keys were asked for; [`Keys::finish`] then knows which keys of the file are unknown, and
//! the accepted ones for the hint. Call it after the last key has been asked for.

use std::cell::RefCell;

use super::At;
use crate::scenario::tree::Entry;

/// A mapping that is being read.
#[derive(Debug)]
pub(in crate::scenario) struct Keys<'t> {
    pub at: At<'t>,
    entries: &'t [Entry],
    asked: RefCell<Vec<&'static str>>,
    ignored: RefCell<Vec<&'static str>>,
}

impl<'t> Keys<'t> {
    pub(super) fn new(at: At<'t>, entries: &'t [Entry]) -> Self {
        Keys { at, entries, asked: RefCell::default(), ignored: RefCell::default() }
    }

    /// The value behind `key`, if it is there and not null.
    pub(in crate::scenario) fn get(&self, key: &'static str) -> Option<At<'t>> {
        self.know(&[key]);
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        (!entry.value.is_null()).then(|| self.at.child(key, &entry.value))
    }

    /// The value behind `key`; a problem if it is missing.
    pub(in crate::scenario) fn need(&self, key: &'static str) -> Option<At<'t>> {
        let found = self.get(key);
        if found.is_none() {
            self.at.refuse(format!("`{key}` is missing"), None);
        }
        found
    }

    /// Whether `key` is written, even as null.
    pub(in crate::scenario) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.key == key)
    }

    /// Keys that are known although nobody may ask for them.
    pub(in crate::scenario) fn know(&self, keys: &[&'static str]) {
        let mut asked = self.asked.borrow_mut();
        for key in keys {
            if !asked.contains(key) {
                asked.push(key);
            }
        }
    }

    /// Keys that may be here but are not offered to anyone: those of the ancestor, whether read or not.
    pub(in crate::scenario) fn ignore(&self, keys: &[&'static str]) {
        self.ignored.borrow_mut().extend(keys);
    }

    /// Entries nobody asked for so far.
    pub(in crate::scenario) fn rest(&self) -> impl Iterator<Item = &'t Entry> {
        let expected = [self.asked.borrow().as_slice(), self.ignored.borrow().as_slice()].concat();
        self.entries.iter().filter(move |entry| !expected.contains(&entry.key.as_str()))
    }

    /// Records every key that nobody asked for as unknown.
    pub(in crate::scenario) fn finish(self) {
        let (asked, ignored) = (self.asked.borrow(), self.ignored.borrow());
        let known: Vec<&str> = asked.iter().copied().filter(|key| !ignored.contains(key)).collect();
        for entry in self.rest() {
            let at = At { place: &entry.key_place, ..self.at.child(&entry.key, &entry.value) };
            at.unknown::<()>("key", &entry.key, &known);
        }
    }
}
