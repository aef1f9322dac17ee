//! What a log may say, and under which names.

use std::ops::Range;

use crate::diagnosis::{RowProblem, nearest};
use crate::replay::{Measured, Partial};

/// A name, and what its values are multiplied with to become seconds or tokens.
type Alias = (&'static str, f64);

const MS: f64 = 1e-3;

/// When the engine got the request. `queued_ts` before `arrival_time`: where both are, they are of different clocks.
const ARRIVAL: &[Alias] = &[
    ("arrival_s", 1.0),
    ("arrival_ms", MS),
    ("queued_ts", 1.0),
    ("arrived_at", 1.0),
    ("arrival_time", 1.0),
    ("start_time", 1.0),
];
const PROMPT: &[Alias] = &[
    ("prompt_tokens", 1.0),
    ("input_toks", 1.0),
    ("input_tokens", 1.0),
    ("input_length", 1.0),
    ("input_len", 1.0),
    ("prompt_len", 1.0),
    ("num_prefill_tokens", 1.0),
];
const OUTPUT: &[Alias] = &[
    ("output_tokens", 1.0),
    ("output_toks", 1.0),
    ("completion_tokens", 1.0),
    ("output_length", 1.0),
    ("output_len", 1.0),
    ("num_decode_tokens", 1.0),
];
const TTFT: &[Alias] = &[("ttft_s", 1.0), ("ttft_ms", MS), ("ttft", 1.0)];
const TPOT: &[Alias] = &[("tpot_s", 1.0), ("tpot_ms", MS), ("tpot", 1.0)];
const E2E: &[Alias] =
    &[("e2e_s", 1.0), ("e2e_ms", MS), ("latency_s", 1.0), ("latency_ms", MS), ("latency", 1.0)];
/// Moments, of the clock that the arrival is of.
const FIRST: &[Alias] = &[("first_token_s", 1.0), ("first_token_ts", 1.0), ("first_token_time", 1.0)];
const LAST: &[Alias] = &[
    ("last_token_s", 1.0),
    ("last_token_ts", 1.0),
    ("last_token_time", 1.0),
    ("finish_time", 1.0),
    ("finished_ts", 1.0),
];

/// Every request is shorter than this.
const MOST_TOKENS: f64 = 1e8;

/// What a log has to say.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Lack {
    /// e.g. `arrivals`.
    pub quantity: &'static str,
    /// Any of these would do.
    names: [&'static [Alias]; 3],
}

impl Lack {
    /// The names it could have, the most likely first.
    pub(super) fn help(&self, found: &[&str]) -> String {
        let names = || self.names.iter().copied().flatten().map(|alias| alias.0);
        let mut unknown = found.iter().filter(|found| !is_known(found));
        let meant = unknown.find_map(|found| Some((*found, nearest(found, names())?)));
        let hint = meant.map(|(found, meant)| format!("did you mean `{meant}` by `{found}`? "));
        let list: Vec<String> = names().map(|name| format!("`{name}`")).collect();
        format!("{}expected one of {}", hint.unwrap_or_default(), list.join(", "))
    }
}

/// Whether some quantity has this name.
fn is_known(name: &str) -> bool {
    let all = [ARRIVAL, PROMPT, OUTPUT, TTFT, TPOT, E2E, FIRST, LAST];
    all.into_iter().flatten().any(|alias| alias.0 == name)
}

/// A column that is there.
#[derive(Clone, Copy, Debug)]
struct Column {
    index: usize,
    name: &'static str,
    unit: f64,
}

/// Where a log says what.
#[derive(Debug)]
pub(super) struct Columns {
    arrival: Column,
    prompt: Column,
    output: Column,
    ttft: Option<Column>,
    tpot: Option<Column>,
    e2e: Option<Column>,
    first: Option<Column>,
    last: Option<Column>,
}

/// The fields of a row: the text of a column, and where it stands.
pub(super) trait Fields {
    /// None: the row does not have it.
    fn text(&self, column: usize) -> Option<&str>;
}

impl Columns {
    /// Finds them among the names of a log's columns.
    pub(super) fn among(names: &[&str]) -> Result<Self, Lack> {
        let find = |aliases: &'static [Alias]| {
            aliases.iter().find_map(|&(name, unit)| {
                let index = names.iter().position(|found| *found == name)?;
                Some(Column { index, name, unit })
            })
        };
        let need = |quantity, aliases| find(aliases).ok_or(Lack { quantity, names: [aliases, &[], &[]] });
        let columns = Columns {
            arrival: need("arrivals", ARRIVAL)?,
            prompt: need("lengths of prompts", PROMPT)?,
            output: need("lengths of answers", OUTPUT)?,
            ttft: find(TTFT),
            tpot: find(TPOT),
            e2e: find(E2E),
            first: find(FIRST),
            last: find(LAST),
        };
        let times = [columns.ttft, columns.tpot, columns.e2e, columns.first, columns.last];
        if times.iter().all(Option::is_none) {
            return Err(Lack { quantity: "times of requests", names: [TTFT, TPOT, E2E] });
        }
        Ok(columns)
    }

    /// The request in a row; its arrival is of the log's clock still.
    pub(super) fn read(&self, row: &impl Fields) -> Result<Measured, RowProblem> {
        let arrival_s = seconds(row, self.arrival)?;
        let (prompt_tokens, output_tokens) = (tokens(row, self.prompt)?, tokens(row, self.output)?);
        let latency = Partial {
            ttft_s: self.since(row, self.ttft, self.first, arrival_s)?,
            tpot_s: optional(row, self.tpot)?,
            e2e_s: self.since(row, self.e2e, self.last, arrival_s)?,
        };
        let latency = latency.completed(output_tokens);
        Ok(Measured { arrival_s, prompt_tokens, output_tokens, latency })
    }

    /// A time, or what passed until a moment.
    fn since(
        &self,
        row: &impl Fields,
        time: Option<Column>,
        moment: Option<Column>,
        arrival_s: f64,
    ) -> Result<Option<f64>, RowProblem> {
        if let Some(time) = optional(row, time)? {
            return Ok(Some(time));
        }
        let (Some(column), Some(at_s)) = (moment, optional(row, moment)?) else { return Ok(None) };
        if at_s < arrival_s {
            let expected = format!("a moment after the request's arrival ({})", self.arrival.name);
            return Err(RowProblem::new(column.name, row.text(column.index).unwrap_or_default(), expected));
        }
        Ok(Some(at_s - arrival_s))
    }

    /// Where the column of this name is.
    pub(super) fn index_of(&self, name: &str) -> Option<usize> {
        let needed = [self.arrival, self.prompt, self.output];
        let optional = [self.ttft, self.tpot, self.e2e, self.first, self.last];
        let mut all = needed.into_iter().chain(optional.into_iter().flatten());
        all.find(|column| column.name == name).map(|column| column.index)
    }
}

fn seconds(row: &impl Fields, column: Column) -> Result<f64, RowProblem> {
    let text = row.text(column.index).unwrap_or_default();
    let value = text.parse().ok().filter(|value: &f64| value.is_finite() && *value >= 0.0);
    let value = value.ok_or_else(|| RowProblem::new(column.name, text, "a number, at least 0"))?;
    Ok(value * column.unit)
}

/// A column that need not be there, in a row that may leave it empty.
fn optional(row: &impl Fields, column: Option<Column>) -> Result<Option<f64>, RowProblem> {
    let Some(column) = column else { return Ok(None) };
    match row.text(column.index) {
        None | Some("" | "null") => Ok(None),
        Some(_) => seconds(row, column).map(Some),
    }
}

fn tokens(row: &impl Fields, column: Column) -> Result<u32, RowProblem> {
    let text = row.text(column.index).unwrap_or_default();
    let whole = text.parse().ok().filter(|value: &f64| value.fract() == 0.0);
    let value = whole.filter(|value| (1.0..=MOST_TOKENS).contains(value));
    let expected = format!("a whole number from 1 to {MOST_TOKENS}");
    value.map(|value| value as u32).ok_or_else(|| RowProblem::new(column.name, text, expected))
}

/// Where a row stands wrong, of a line whose fields stand there.
pub(super) fn place(columns: &Columns, places: &[Range<usize>], line: &str, what: &str) -> Range<usize> {
    let end = line.len()..line.len();
    match columns.index_of(what) {
        Some(index) => places.get(index).cloned().filter(|place| !place.is_empty()).unwrap_or(end),
        None => 0..line.len(),
    }
}
