//! Typed reading of the tree: every getter returns what it found or records a problem and returns nothing,
//! so a reader goes on and all problems of a file are found at once.
//!
//! [`At`] is a value with its place; [`Keys`] a mapping that is being read; [`Log`] takes problems and notes.

mod keys;
mod log;
mod values;

use std::ops::Range;

pub(super) use keys::Keys;
pub(super) use log::Log;

use super::problem::{Place, Problem};
use super::tree::{Entry, Node, Value};
use crate::diagnosis::suggestion;

/// A value, the path that leads to it, and where to report problems.
#[derive(Clone, Debug)]
pub(super) struct At<'t> {
    node: &'t Node,
    place: &'t Place,
    pub path: String,
    pub log: &'t Log,
}

/// A word, alone or as the only key of a mapping: `token_jsq` or `token_jsq: {…}`.
pub(super) struct Named<'t> {
    pub name: &'t str,
    /// The word, for problems with it.
    pub at: At<'t>,
    /// What stands behind it.
    pub body: Option<At<'t>>,
}

impl<'t> At<'t> {
    pub(super) fn root(node: &'t Node, log: &'t Log) -> Self {
        At { node, place: &node.place, path: String::new(), log }
    }

    fn child(&self, key: &str, node: &'t Node) -> At<'t> {
        let path = if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
        At { node, place: &node.place, path, log: self.log }
    }

    /// The value behind these keys, or the innermost one there is: a place for problems found later.
    pub(super) fn descend(&self, keys: &[&'static str]) -> At<'t> {
        let Some((first, rest)) = keys.split_first() else {
            return self.clone();
        };
        let Value::Map(entries) = &self.node.value else {
            return self.clone();
        };
        match entries.iter().find(|entry| entry.key == *first) {
            Some(entry) => self.child(first, &entry.value).descend(rest),
            None => self.clone(),
        }
    }

    /// True when an override put it here.
    pub(super) fn is_override(&self) -> bool {
        matches!(self.place, Place::Override { .. })
    }

    /// True when an override put it, or anything in it, here.
    pub(super) fn is_override_inside(&self) -> bool {
        let inside = |node: &Node| matches!(node.place, Place::Override { .. });
        let entry = match &self.node.value {
            Value::Map(entries) => entries.iter().any(|entry| inside(&entry.value)),
            _ => false,
        };
        entry || inside(self.node)
    }

    pub(super) fn is_list(&self) -> bool {
        matches!(self.node.value, Value::List(_))
    }

    pub(super) fn is_map(&self) -> bool {
        matches!(self.node.value, Value::Map(_))
    }

    /// Records a problem here.
    pub(super) fn refuse(&self, message: impl Into<String>, help: Option<String>) {
        let (place, path) = (self.place.clone(), self.path.clone());
        self.log.problem(Problem { place, path, message: message.into(), help });
    }

    /// Records a problem with a part of the text that stands here.
    pub(super) fn refuse_part(&self, range: &Range<usize>, message: impl Into<String>, help: Option<String>) {
        let mut place = self.place.clone();
        let (text, plain) = match &self.node.value {
            Value::Scalar { text, plain } => (text.as_str(), *plain),
            _ => ("", false),
        };
        // Within quotes, unless escapes or line ends stand in between.
        let quote = usize::from(!plain);
        let before = text.get(..range.start).map_or(0, |before| before.chars().count());
        match &mut place {
            Place::Override { offset, length, .. } if *length == text.len() + 2 * quote => {
                (*offset, *length) = (*offset + quote + range.start, range.len());
            }
            Place::Text { offset, length, column, .. } if *length == text.len() + 2 * quote => {
                (*offset, *length) = (*offset + quote + range.start, range.len());
                *column += quote + before;
            }
            _ => {}
        }
        self.log.problem(Problem { place, path: self.path.clone(), message: message.into(), help });
    }

    /// Records that something else was expected here.
    pub(super) fn expected<T>(&self, what: &str) -> Option<T> {
        self.refuse(format!("expected {what}, found {}", self.node.describe()), None);
        None
    }

    /// Records that `word` is none of the `known` names of a `kind` of thing.
    pub(super) fn unknown<T>(&self, kind: &str, word: &str, known: &[&str]) -> Option<T> {
        self.unknown_alias(kind, word, known, &[])
    }

    /// [`Self::unknown`] where things also have `aliases`, which are suggested but not listed.
    pub(super) fn unknown_alias<T>(
        &self,
        kind: &str,
        word: &str,
        known: &[&str],
        aliases: &[&str],
    ) -> Option<T> {
        self.refuse(format!("unknown {kind} `{word}`"), Some(suggestion(word, known, aliases)));
        None
    }

    pub(super) fn keys(&self) -> Option<Keys<'t>> {
        match &self.node.value {
            Value::Map(entries) => Some(Keys::new(self.clone(), entries)),
            _ => self.expected("a mapping (`key: value` lines)"),
        }
    }

    pub(super) fn list(&self) -> Option<Vec<At<'t>>> {
        match &self.node.value {
            Value::List(items) => Some(
                items.iter().enumerate().map(|(index, item)| self.child(&index.to_string(), item)).collect(),
            ),
            _ => self.expected("a list"),
        }
    }

    /// A list with at least one entry.
    pub(super) fn filled_list(&self) -> Option<Vec<At<'t>>> {
        let items = self.list()?;
        if items.is_empty() {
            self.refuse("expected at least one entry, found an empty list", None);
            return None;
        }
        Some(items)
    }

    /// Whether this very word stands here.
    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(&self.node.value, Value::Scalar { text, .. } if text == word)
    }

    pub(super) fn text(&self) -> Option<&'t str> {
        match &self.node.value {
            Value::Scalar { text, .. } if !self.node.is_null() => Some(text),
            _ => self.expected("a word or text"),
        }
    }

    pub(super) fn named(&self) -> Option<Named<'t>> {
        match &self.node.value {
            Value::Scalar { text, .. } if !self.node.is_null() => {
                Some(Named { name: text, at: self.clone(), body: None })
            }
            Value::Map(entries) if entries.len() == 1 => {
                let Entry { key, key_place, value } = &entries[0];
                let body = self.child(key, value);
                let at = At { place: key_place, ..body.clone() };
                Some(Named { name: key, at, body: (!value.is_null()).then_some(body) })
            }
            _ => self.expected("a name, or one name with its settings (`name: {…}`)"),
        }
    }
}
