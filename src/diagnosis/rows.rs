//! Rows of a table that cannot be used: the first ones in full, the rest counted.

use std::fmt;
use std::path::Path;

use super::{Excerpt, Finding};

/// So many rows are shown; a file of another kind would have millions.
const SHOWN: u64 = 10;

/// What is wrong with a row of a trace or table.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{what} is {found}; expected {expected}")]
pub struct RowProblem {
    /// The column or part of the row.
    pub what: &'static str,
    /// What stands there, quoted and shortened; or that it is `missing`; or why it is nothing at all.
    pub found: String,
    /// What may stand there.
    pub expected: String,
}

/// A row with its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadRow {
    /// What is wrong with it.
    pub problem: RowProblem,
    /// The row, with the wrong part marked.
    pub excerpt: Excerpt,
}

/// All bad rows of a file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct BadRows {
    shown: Vec<BadRow>,
    count: u64,
}

impl RowProblem {
    pub(crate) fn new(what: &'static str, found: &str, expected: impl Into<String>) -> Self {
        let found = if found.is_empty() { "missing".to_owned() } else { format!("`{}`", shortened(found)) };
        RowProblem { what, found, expected: expected.into() }
    }

    /// A part that is `not` what it has to be to be read at all.
    pub(crate) fn unreadable(
        what: &'static str,
        not: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        RowProblem { what, found: not.into(), expected: expected.into() }
    }
}

impl BadRows {
    /// Counts one more, which is made only if it will be shown.
    pub(crate) fn add(&mut self, row: impl FnOnce() -> BadRow) {
        if self.count < SHOWN {
            self.shown.push(row());
        }
        self.count += 1;
    }

    /// The first ones.
    pub fn shown(&self) -> &[BadRow] {
        &self.shown
    }

    /// How many there are in all.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// `3 rows of the trace t.csv cannot be read`.
    pub(crate) fn headline(&self, kind: &str, file: &Path) -> String {
        let rows = if self.count == 1 { "row" } else { "rows" };
        format!("{} {rows} of {kind} {} cannot be read", self.count, file.display())
    }

    pub(crate) fn findings(&self) -> Vec<Finding> {
        let finding = |row: &BadRow| Finding {
            message: row.problem.to_string(),
            excerpt: Some(row.excerpt.clone()),
            help: None,
        };
        self.shown.iter().map(finding).collect()
    }

    /// `and 241 more`, unless all are shown.
    pub(crate) fn unshown(&self) -> Option<String> {
        let more = self.count - self.shown.len() as u64;
        (more > 0).then(|| format!("and {more} more"))
    }
}

/// One line a row.
impl fmt::Display for BadRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.shown.iter().map(|row| format!("{}: {}", row.excerpt.place(), row.problem));
        f.write_str(&rows.chain(self.unshown()).collect::<Vec<_>>().join("\n"))
    }
}

/// The beginning of a text of unknown length and content, fit for a message.
fn shortened(text: &str) -> String {
    const CHARACTERS: usize = 60;
    let visible = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    let mut begin: String = text.chars().take(CHARACTERS).map(visible).collect();
    if text.chars().nth(CHARACTERS).is_some() {
        begin.push_str("...");
    }
    begin
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_rows_are_shown_and_the_rest_counted() {
        let mut rows = BadRows::default();
        for line in 1..=251 {
            rows.add(|| BadRow {
                problem: RowProblem::new("tokens", "", "a number"),
                excerpt: Excerpt::of_line("t.csv", line, "1,", vec![(2..2).into()]),
            });
        }
        let text = rows.to_string();
        assert_eq!(text.lines().count(), 11);
        assert!(text.starts_with("t.csv:1:3: tokens is missing; expected a number\nt.csv:2:3"), "{text}");
        assert!(text.ends_with("\nand 241 more"), "{text}");
    }
}
