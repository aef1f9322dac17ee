//! What `rerun` found, in a sentence and what differs, or as JSON.

use std::fmt::Write;
use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};

use super::partial::Agreement;
use crate::cli::options::Format;
use crate::report::repeat::{Difference, Repetition};

/// How many differences are shown; JSON has them all.
const SHOWN: usize = 8;

/// What was found.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Verdict {
    /// `same`, `different`, or `incomplete` where the first run had ended early.
    verdict: &'static str,
    /// Why the first run had ended early.
    incomplete: Option<String>,
    /// How far that run went.
    simulated_s: Option<f64>,
    #[serde(flatten)]
    repetition: Repetition,
    /// How far an incomplete run agrees.
    as_far_as_it_went: Option<Agreement>,
}

impl Verdict {
    /// From the `run.json` of the first run and the comparisons made.
    pub fn new(before: &Value, mut repetition: Repetition, partial: Option<Agreement>) -> Self {
        let verdict = match (&partial, repetition.same) {
            (_, true) => "same",
            (Some(_), false) => "incomplete",
            (None, false) => "different",
        };
        if partial.is_some() {
            // Sums over a part differ from sums over the whole: that says nothing.
            repetition.differences.clear();
        }
        Verdict {
            verdict,
            incomplete: before["incomplete"].as_str().map(str::to_owned),
            simulated_s: before["simulated_s"].as_f64(),
            repetition,
            as_far_as_it_went: partial,
        }
    }

    /// Whether nothing was found to be different.
    pub fn is_same(&self) -> bool {
        let agrees = |agreement: &Agreement| agreement.different_count == 0;
        self.repetition.same || self.as_far_as_it_went.as_ref().is_some_and(agrees)
    }

    /// For stdout. `kept` is where the files of the new run are.
    pub fn shown(&self, format: Format, kept: Option<&Path>) -> String {
        let kept = kept.map(|place| place.display().to_string());
        match format {
            Format::Json => {
                let mut value = json!(self);
                value["out"] = json!(kept);
                format!("{value:#}")
            }
            Format::Text => {
                let files = kept.map(|place| format!("files           {place}\n"));
                self.text() + &files.unwrap_or_default()
            }
        }
    }

    fn text(&self) -> String {
        let Repetition { digest_before, digest_now, version_before, version_now, differences, .. } =
            &self.repetition;
        if self.repetition.same {
            return format!("same            digest {digest_now}, as before\n");
        }
        if let Some(agreement) = &self.as_far_as_it_went {
            return self.partial_text(agreement);
        }
        let mut text = format!("different       digest {digest_now}, before {digest_before}\n");
        if version_before != version_now {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "  version       {version_now}, before {version_before}");
        }
        let figures = differences.iter().filter(|difference| difference.key != "version");
        let all: Vec<&Difference> = figures.collect();
        for Difference { key, before, now } in all.iter().take(SHOWN) {
            let _ = writeln!(text, "  {key}: {now}, before {before}");
        }
        match all.len() {
            0 => text.push_str("  no figure of run.json differs: something happened in another order, or at another moment\n"),
            count if count > SHOWN => {
                let _ = writeln!(text, "  and {} more figures (--format json lists them)", count - SHOWN);
            }
            _ => {}
        }
        text
    }

    fn partial_text(&self, agreement: &Agreement) -> String {
        let Agreement { completed, different, different_count } = agreement;
        let reason = self.incomplete.as_deref().unwrap_or_default();
        let end = self.simulated_s.unwrap_or_default();
        let mut text = format!(
            "incomplete      the run had ended early ({reason}), at {end} s: beyond that there is nothing to compare\n"
        );
        let _ = match different_count {
            0 => writeln!(text, "  as far as it went, all {completed} requests it completed are the same"),
            _ => writeln!(
                text,
                "  {different_count} of the {completed} requests it completed are different, first {}",
                different.join(", ")
            ),
        };
        text
    }
}
