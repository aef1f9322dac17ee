//! The screen a text for people is set on: how wide it is, and whether it has colours.
//!
//! Lines are a label and what there is to say, broken where the screen ends. Every character counts as one column,
//! which is true of all that is printed here. Leaves out right-to-left scripts and wide characters.

use std::fmt::Write;

use console::Style;

/// Columns of the labels.
pub(super) const LABEL: usize = 16;

/// A screen for a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Screen {
    columns: usize,
    colours: bool,
}

impl Default for Screen {
    /// For files, pipes and whatever else is no terminal.
    fn default() -> Self {
        Screen { columns: 80, colours: false }
    }
}

impl Screen {
    /// A screen with this many columns, but no narrower than 60 and no wider than 120.
    pub fn new(columns: usize, colours: bool) -> Self {
        Screen { columns: columns.clamp(60, 120), colours }
    }

    /// How wide it is.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// A label, and statements that are kept whole where they fit.
    pub fn line(&self, out: &mut String, label: &str, parts: &[String]) {
        let room = self.columns - LABEL;
        let mut label = label;
        for row in rows(parts, room) {
            self.row(out, label, &row);
            label = "";
        }
    }

    /// A label, and a text that is not broken.
    pub(super) fn row(&self, out: &mut String, label: &str, text: &str) {
        let label = self.dim(&format!("{label:<LABEL$}"));
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{label}{text}");
    }

    /// Says that something is as it should be.
    pub(super) fn good(&self, text: &str) -> String {
        self.styled(Style::new().green(), text)
    }

    /// Says that something is not as it should be.
    pub(super) fn bad(&self, text: &str) -> String {
        self.styled(Style::new().red(), text)
    }

    /// Steps back behind what it belongs to.
    pub(super) fn dim(&self, text: &str) -> String {
        self.styled(Style::new().dim(), text)
    }

    fn styled(&self, style: Style, text: &str) -> String {
        if text.trim().is_empty() {
            return text.to_owned();
        }
        style.force_styling(self.colours).apply_to(text).to_string()
    }
}

/// The statements in as few rows as there is room for.
fn rows(parts: &[String], room: usize) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    for part in parts {
        match rows.last_mut() {
            Some(row) if width(row) + 3 + width(part) <= room => {
                row.push_str(" · ");
                row.push_str(part);
            }
            _ => rows.extend(broken(part, room)),
        }
    }
    rows
}

/// A statement, broken between words where it is too long.
fn broken(part: &str, room: usize) -> Vec<String> {
    let mut rows = vec![String::new()];
    for word in part.split(' ') {
        let last = rows.len() - 1;
        let row = &mut rows[last];
        if row.is_empty() {
            row.push_str(word);
        } else if width(row) + 1 + width(word) <= room {
            row.push(' ');
            row.push_str(word);
        } else {
            rows.push(word.to_owned());
        }
    }
    rows
}

fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(columns: usize, parts: &[&str]) -> String {
        let mut out = String::new();
        let parts: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
        Screen::new(columns, false).line(&mut out, "label", &parts);
        out
    }

    #[test]
    fn statements_stay_whole_and_stand_below_each_other() {
        let text = line(60, &["one statement of some length", "another statement", "a third"]);
        assert_eq!(
            text,
            "label           one statement of some length\n                another statement · a third\n"
        );
    }

    #[test]
    fn a_statement_longer_than_the_page_breaks_between_words() {
        let text = line(60, &["nothing of what stands here is short enough for one line of the screen"]);
        assert_eq!(text.lines().count(), 2);
        assert!(text.lines().all(|line| line.chars().count() <= 60), "{text}");
    }

    #[test]
    fn colours_come_only_where_they_are_wanted() {
        assert_eq!(Screen::default().good("✓"), "✓");
        assert_eq!(Screen::new(80, true).good("✓"), "\u{1b}[32m✓\u{1b}[0m");
    }
}
