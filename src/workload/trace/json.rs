//! Rows that are JSON objects: what keeps one from being read, and where that stands.

use std::marker::PhantomData;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{DeserializeSeed, IgnoredAny};
use serde_json::{Map, Value};

use crate::diagnosis::{RowProblem, nearest};

/// What a problem may be with beside the keys.
const ROW: &str = "the line";

/// A key of a row.
pub(super) struct Key {
    pub(super) name: &'static str,
    needed: bool,
    fits: fn(&Value) -> bool,
    expected: &'static str,
}

impl Key {
    /// A number that must be there.
    pub(super) const fn number(name: &'static str) -> Self {
        Key { name, needed: true, fits: Value::is_number, expected: "a number" }
    }

    /// A whole number that must be there.
    pub(super) const fn whole(name: &'static str) -> Self {
        Key { name, needed: true, fits: Value::is_u64, expected: "a whole number" }
    }

    /// A list that must be there.
    pub(super) const fn list(name: &'static str, expected: &'static str) -> Self {
        Key { name, needed: true, fits: Value::is_array, expected }
    }

    /// Whole numbers that name blocks of a prefix; they may be absent.
    pub(super) const fn names(name: &'static str) -> Self {
        let fits = |value: &Value| value.as_array().is_some_and(|all| all.iter().all(Value::is_u64));
        Key { name, needed: false, fits, expected: "a list of whole numbers" }
    }

    /// The same, which may be absent.
    pub(super) const fn optional(mut self) -> Self {
        self.needed = false;
        self
    }
}

/// The object in a row; `example` is one.
pub(super) fn object<'l, T: Deserialize<'l>>(
    row: &'l str,
    keys: &[Key],
    example: &str,
) -> Result<T, RowProblem> {
    read(row, PhantomData, keys, example)
}

/// The same, read by `reader`.
pub(super) fn read<'l, R: DeserializeSeed<'l>>(
    row: &'l str,
    reader: R,
    keys: &[Key],
    example: &str,
) -> Result<R::Value, RowProblem> {
    let mut json = serde_json::Deserializer::from_str(row);
    let read = reader.deserialize(&mut json).and_then(|read| json.end().map(|()| read));
    read.map_err(|error| problem(row, keys, example, &error))
}

/// Whether a row may have this key.
pub(super) fn may_have(row: &str, key: &str) -> bool {
    row.contains(&format!("\"{key}\""))
}

/// What keeps a row from being such an object.
fn problem(row: &str, keys: &[Key], example: &str, error: &serde_json::Error) -> RowProblem {
    let object = serde_json::from_str::<Map<String, Value>>(row).ok();
    if let Some(Err(problem)) = object.as_ref().map(|object| check(object, keys)) {
        return problem;
    }
    let text = error.to_string();
    // The parser sees one row only: where that stands is not where it says.
    let cause = text.rsplit_once(" at line ").map_or(text.as_str(), |(cause, _)| cause);
    let not = if object.is_some() { "no such object" } else { "no JSON object" };
    RowProblem::unreadable(ROW, format!("{not} ({cause})"), example)
}

/// The first key that is missing, or has a value of another kind.
pub(super) fn check(object: &Map<String, Value>, keys: &[Key]) -> Result<(), RowProblem> {
    for key in keys {
        match object.get(key.name) {
            Some(value) if !(key.fits)(value) => {
                return Err(RowProblem::new(key.name, &value.to_string(), key.expected));
            }
            None if key.needed => {
                return Err(RowProblem::new(key.name, "", missing(key, keys, object)));
            }
            _ => {}
        }
    }
    Ok(())
}

fn missing(key: &Key, keys: &[Key], object: &Map<String, Value>) -> String {
    let known = |other: &&str| keys.iter().any(|key| key.name == *other);
    let others = object.keys().map(String::as_str).filter(|other| !known(other));
    match nearest(key.name, others) {
        Some(other) => format!("{} (did you mean it by `{other}`?)", key.expected),
        None => key.expected.to_owned(),
    }
}

/// Where in a row the value of a key stands, or where the row stops being JSON.
pub(super) fn locate(row: &str, what: &str) -> Range<usize> {
    if what == ROW { stop(row) } else { value_of(row, what) }
}

/// Where the value of a key stands; the end of the object if it has none.
fn value_of(row: &str, key: &str) -> Range<usize> {
    let quoted = format!("\"{key}\"");
    let value = row.find(&quoted).and_then(|at| {
        let behind = &row[at + quoted.len()..];
        let value = behind.trim_start().strip_prefix(':')?.trim_start();
        let mut values = serde_json::Deserializer::from_str(value).into_iter::<IgnoredAny>();
        values.next()?.ok()?;
        let begin = row.len() - value.len();
        Some(begin..begin + values.byte_offset())
    });
    value.unwrap_or(row.len().saturating_sub(1)..row.len())
}

/// Where a row stops being JSON.
fn stop(row: &str) -> Range<usize> {
    let Err(error) = serde_json::from_str::<IgnoredAny>(row) else { return 0..row.len() };
    if error.is_eof() {
        return row.len()..row.len();
    }
    let before: usize = row.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    // Columns count bytes, and may lie behind the end.
    let end = (before + error.column()).min(row.len());
    let begin = (0..end).rev().find(|at| row.is_char_boundary(*at)).unwrap_or(0);
    begin..begin + row[begin..].chars().next().map_or(0, char::len_utf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [Key; 2] = [Key::number("tokens"), Key::names("ids")];

    #[derive(Deserialize)]
    struct Row {
        #[serde(rename = "tokens")]
        _tokens: u32,
        #[serde(rename = "ids", default)]
        _ids: Vec<u64>,
    }

    fn wrong(row: &str) -> (String, &str) {
        let problem = object::<Row>(row, &KEYS, "{\"tokens\": 1}").err().expect("it is wrong");
        let place = locate(row, problem.what);
        (problem.to_string(), &row[place])
    }

    #[test]
    fn the_first_key_that_does_not_fit_is_named_and_found() {
        assert_eq!(wrong("{\"tokens\": \"9\"}").1, "\"9\"");
        let (text, place) = wrong("{\"tokens\": 1,\n \"ids\": [1, -2]}");
        assert_eq!((text.as_str(), place), ("ids is `[1,-2]`; expected a list of whole numbers", "[1, -2]"));
        let (text, place) = wrong("{\"token\": 1}");
        assert_eq!(text, "tokens is missing; expected a number (did you mean it by `token`?)");
        assert_eq!(place, "}");
    }

    #[test]
    fn what_is_no_json_is_marked_where_it_stops_being_it() {
        assert_eq!(wrong("{\"tokens\": 1,\n \"ids\" 5}").1, "5");
        assert_eq!(wrong("{\"tokens\": 1").1, "");
    }
}
