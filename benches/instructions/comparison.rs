//! Committed counts next to those of now.

use std::collections::BTreeSet;
use std::fmt;

use super::counts::Counts;

/// By how much a count may differ, in per cent.
const TOLERANCE: f64 = 3.0;

/// One path, before and now; where one of both is missing, there is no such path.
struct Row {
    name: String,
    committed: Option<f64>,
    now: Option<f64>,
}

/// Every path of either side.
pub struct Comparison {
    rows: Vec<Row>,
}

impl Comparison {
    /// Of the committed counts those with `filter` in their name, as `now` was counted.
    pub fn new(committed: &Counts, now: Vec<(String, f64)>, filter: &str) -> Self {
        let known: BTreeSet<String> = now.iter().map(|(name, _)| name.clone()).collect();
        let gone = committed.paths.iter().filter(|(name, _)| name.contains(filter) && !known.contains(name));
        let gone = gone.map(|(name, count)| Row { name: name.clone(), committed: Some(*count), now: None });
        let rows = now.into_iter().map(|(name, count)| Row {
            committed: committed.of(&name),
            now: Some(count),
            name,
        });
        Comparison { rows: rows.chain(gone.collect::<Vec<_>>()).collect() }
    }

    /// Whether the committed counts are those of now.
    pub fn holds(&self) -> bool {
        self.rows.iter().all(Row::holds)
    }
}

impl Row {
    /// In per cent.
    fn change(&self) -> Option<f64> {
        let committed = self.committed?;
        Some((self.now? - committed) / committed * 100.0)
    }

    fn holds(&self) -> bool {
        self.change().is_some_and(|change| change.abs() <= TOLERANCE)
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
        writeln!(f, "{:<width$} {:>12} {:>12} {:>9}", "instructions", "committed", "now", "change")?;
        for row in &self.rows {
            let [committed, now] = [row.committed, row.now].map(|count| match count {
                Some(count) => format!("{count:.1}"),
                None => "-".to_owned(),
            });
            let change = row.change().map_or("-".to_owned(), |change| format!("{change:+.2} %"));
            let mark = if row.holds() { "" } else { "  <" };
            writeln!(f, "{:<width$} {committed:>12} {now:>12} {change:>9}{mark}", row.name)?;
        }
        let off = self.rows.iter().filter(|row| !row.holds()).count();
        if off == 0 {
            return writeln!(f, "all {} within {TOLERANCE} %", self.rows.len());
        }
        writeln!(
            f,
            "{off} of {} are not what was committed (more than {TOLERANCE} % up or down, new, or gone).\n\
             A loss that was not meant: mend it. Else, and for every gain, renew the counts and commit them:\n\
             \x20   cargo bench --bench instructions -- --save",
            self.rows.len()
        )
    }
}
