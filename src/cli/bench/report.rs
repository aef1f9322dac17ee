//! What was measured, for people and for programs.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::machine::Machine;
use super::row::Row;
use super::saturation::Saturation;

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub struct Report {
    machine: Machine,
    rounds: u16,
    rows: Vec<Row>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    saturation: Vec<Saturation>,
}

/// A file could not be written.
#[derive(Debug, thiserror::Error)]
#[error("could not write {}: {problem}", file.display())]
pub struct WriteError {
    file: PathBuf,
    problem: Box<dyn std::error::Error>,
}

const NOTE: &str = "\
events: handled, ticks to oneself included; messages: sent from one entity to another; envelopes: actix mailbox
deliveries. Rates and ns/event leave out the start of the entities (start s). Equal digests: equal runs.";

impl Report {
    pub fn of_rows(rows: Vec<Row>, rounds: u16) -> Self {
        Report { machine: Machine::here(), rounds, rows, saturation: Vec::new() }
    }

    pub fn of_saturations(saturation: Vec<Saturation>, rounds: u16) -> Self {
        let rows = saturation.iter().flat_map(|found| found.steps.clone()).collect();
        Report { machine: Machine::here(), rounds, rows, saturation }
    }

    pub fn to_json(&self) -> String {
        let text = serde_json::to_string_pretty(self);
        text.expect("plain structs of finite numbers and words have no reason to fail")
    }

    pub fn write_json(&self, file: &Path) -> Result<(), WriteError> {
        fs::write(file, self.to_json() + "\n").map_err(|problem| WriteError::new(file, problem))
    }

    pub fn write_csv(&self, file: &Path) -> Result<(), WriteError> {
        let mut writer = csv::Writer::from_path(file).map_err(|problem| WriteError::new(file, problem))?;
        for row in &self.rows {
            writer.serialize(row).map_err(|problem| WriteError::new(file, problem))?;
        }
        writer.flush().map_err(|problem| WriteError::new(file, problem))
    }

    pub fn to_text(&self) -> String {
        let mut text = format!("{}; medians of {} rounds\n\n", self.machine.describe(), self.rounds);
        text.push_str(&heading());
        let mut load = None;
        for row in &self.rows {
            let this = (row.entities, row.payload_bytes);
            if load.replace(this).is_some_and(|last| last != this) {
                text.push('\n');
            }
            text.push_str(&line(row));
        }
        for found in &self.saturation {
            text.push_str(&summary(found));
        }
        text + "\n" + NOTE
    }
}

impl WriteError {
    fn new(file: &Path, problem: impl Into<Box<dyn std::error::Error>>) -> Self {
        WriteError { file: file.to_owned(), problem: problem.into() }
    }
}

fn heading() -> String {
    let mut text = String::new();
    let (counts, rates) = (["events", "messages", "envelopes"], ["events/s", "messages/s", "envelopes/s"]);
    let _ =
        write!(text, "{:>8} {:<10} {:>3} {:>7} {:>9}", "entities", "runner", "arb", "payload", "offered/s");
    for word in counts {
        let _ = write!(text, " {word:>9}");
    }
    let _ = write!(text, " {:>8} {:>8}", "wall s", "start s");
    for word in rates {
        let _ = write!(text, " {word:>11}");
    }
    text + &format!(" {:>8} {:>8}  digest\n", "ns/event", "peak MiB")
}

fn line(row: &Row) -> String {
    let Row { entities, runner, arbiters, payload_bytes, .. } = row;
    let offered = short(row.offered_messages_per_simulated_s);
    let mut text = format!("{entities:>8} {runner:<10} {arbiters:>3} {payload_bytes:>7} {offered:>9}");
    for count in [row.events, row.messages, row.envelopes] {
        let _ = write!(text, " {count:>9}");
    }
    let _ = write!(text, " {:>8.3} {:>8.3}", row.wall_s, row.start_s);
    for rate in [row.events_per_s, row.messages_per_s, row.envelopes_per_s] {
        let _ = write!(text, " {:>11}", or_dash(rate, short));
    }
    let ns = or_dash(row.ns_per_event, |ns| format!("{ns:.0}"));
    let peak = or_dash(row.peak_memory_bytes, |bytes| format!("{:.1}", bytes as f64 / f64::from(1 << 20)));
    text + &format!(" {ns:>8} {peak:>8}  {}\n", row.digest)
}

fn summary(found: &Saturation) -> String {
    let Row { entities, runner, arbiters, payload_bytes, .. } = &found.best;
    let offered = short(found.best.offered_messages_per_simulated_s);
    let most = or_dash(found.best.messages_per_s, short);
    let mut text = format!(
        "\n{runner}, {entities} entities, {arbiters} arbiter(s), {payload_bytes} bytes: at most {most} messages/s, \
         with {offered} offered per simulated second"
    );
    if let Some(bottleneck) = &found.bottleneck {
        let share = 100.0 * bottleneck.share_of_events;
        let _ = write!(text, "; bottleneck: {}, {share:.0} % of all events", bottleneck.entity);
    }
    text + "\n"
}

fn or_dash<T>(value: Option<T>, format: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| "-".to_owned(), format)
}

/// Three digits and a unit: 1.23 M.
fn short(number: f64) -> String {
    let (scaled, unit) = match number {
        n if n >= 999.5e6 => (n / 1e9, " G"),
        n if n >= 999.5e3 => (n / 1e6, " M"),
        n if n >= 999.5 => (n / 1e3, " k"),
        0.0 => return "0".to_owned(),
        n => (n, ""),
    };
    let decimals = if scaled < 9.995 { 2 } else { usize::from(scaled < 99.95) };
    format!("{scaled:.decimals$}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_are_short() {
        let numbers = [0.0, 0.5, 12.34, 999.0, 999.9, 1_234.0, 45_600.0, 999_700.0, 2e9];
        let words = ["0", "0.50", "12.3", "999", "1.00 k", "1.23 k", "45.6 k", "1.00 M", "2.00 G"];
        assert_eq!(numbers.map(short), words);
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named() {
        let report = Report::of_rows(Vec::new(), 1);
        let error = report.write_csv(Path::new("/no/such/folder/bench.csv")).unwrap_err().to_string();
        assert!(error.contains("/no/such/folder/bench.csv"), "{error}");
    }
}
