//! JSON objects a line: which keys they have, and where their values stand.

use std::ops::Range;

use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use crate::diagnosis::RowProblem;

/// The keys of an object; none if the line is not one.
pub(super) fn keys(line: &str) -> Option<Vec<String>> {
    let object: Map<String, Value> = serde_json::from_str(line).ok()?;
    Some(object.keys().cloned().collect())
}

/// Where the values of these keys stand; an empty place for a key that is not there.
pub(super) fn places(line: &str, keys: &[String]) -> Result<Vec<Range<usize>>, (RowProblem, Range<usize>)> {
    if let Err(error) = serde_json::from_str::<Map<String, Value>>(line) {
        // Columns count bytes, and may lie behind the end.
        let stop = (0..error.column().min(line.len())).rev().find(|at| line.is_char_boundary(*at));
        let text = error.to_string();
        let cause = text.split(" at line ").next().unwrap_or(&text);
        let problem =
            RowProblem::unreadable("the line", format!("no JSON object ({cause})"), "an object a line");
        return Err((problem, stop.unwrap_or(0)..line.len()));
    }
    Ok(keys.iter().map(|key| value_of(line, key).unwrap_or(0..0)).collect())
}

fn value_of(line: &str, key: &str) -> Option<Range<usize>> {
    let quoted = format!("\"{key}\"");
    let behind = &line[line.find(&quoted)? + quoted.len()..];
    let value = behind.trim_start().strip_prefix(':')?.trim_start();
    let mut values = serde_json::Deserializer::from_str(value).into_iter::<IgnoredAny>();
    values.next()?.ok()?;
    let begin = line.len() - value.len();
    Some(begin..begin + values.byte_offset())
}
