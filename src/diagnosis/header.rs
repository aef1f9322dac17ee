//! A first line that is of no known layout: what it most likely was meant to be, and what it lacks for that.

use std::fmt;
use std::ops::Range;

use super::nearest::{likeness, nearest};
use super::{Excerpt, Finding, Mark, cells};

/// Layouts with less in common than this share of their columns are not meant.
const MEANT: f64 = 0.3;

/// A layout that a first line may have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    /// e.g. `Azure LLM inference trace`.
    pub name: &'static str,
    /// A first line of it.
    pub first_line: &'static str,
    /// What must be in it: columns, or keys of a JSON object.
    pub columns: &'static [&'static str],
    /// What must not be in it, and what that means.
    pub foreign: Option<(&'static str, &'static str)>,
}

/// What is wrong with a first line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeaderProblem {
    message: String,
    help: String,
    excerpt: Excerpt,
}

/// The names in a first line, and where they stand.
struct Names<'l> {
    line: &'l str,
    places: Vec<Range<usize>>,
    separator: char,
}

impl HeaderProblem {
    /// Compares line `number` of `file` with the `layouts` of a `kind` of file.
    pub(crate) fn new(kind: &str, file: &str, number: u64, line: &str, layouts: &[Layout]) -> Self {
        let names = Names::of(line);
        let nearest = layouts
            .iter()
            .map(|layout| (names.share(layout), layout))
            .filter(|(share, layout)| *share >= MEANT || names.is_foreign_to(layout))
            .reduce(|best, next| if next.0 > best.0 { next } else { best });
        let (message, marks, help) = match nearest {
            Some((_, layout)) => names.lacks(layout),
            None => {
                let message = format!("this first line is of no known format of a {kind}");
                (message, vec![Mark::from(0..line.len())], names.hint() + &accepted(layouts))
            }
        };
        HeaderProblem { message, help, excerpt: Excerpt::of_line(file, number, line, marks) }
    }

    pub(crate) fn finding(&self) -> Finding {
        Finding {
            message: self.message.clone(),
            excerpt: Some(self.excerpt.clone()),
            help: Some(self.help.clone()),
        }
    }
}

impl fmt::Display for HeaderProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.excerpt.place(), self.message, self.help)
    }
}

impl<'l> Names<'l> {
    fn of(line: &'l str) -> Self {
        if line.starts_with('{') {
            return Names { line, places: keys(line), separator: ',' };
        }
        let columns = |separator| Names { line, places: cells(line, separator), separator };
        let by = |separator: &char| line.matches(*separator).count();
        let other = [';', '\t', '|'].into_iter().max_by_key(by).filter(|other| by(other) > by(&','));
        columns(other.unwrap_or(','))
    }

    fn names(&self) -> impl Iterator<Item = &'l str> {
        self.places.iter().map(|place| &self.line[place.clone()])
    }

    /// How much of a layout is here, from 0 to 1.
    fn share(&self, layout: &Layout) -> f64 {
        let most = |column: &&str| self.names().map(|name| likeness(name, column)).fold(0.0, f64::max);
        let present = layout.columns.iter().map(most).filter(|likeness| *likeness >= 0.6);
        present.sum::<f64>() / layout.columns.len() as f64
    }

    /// Whether it has what a layout must not have.
    fn is_foreign_to(&self, layout: &Layout) -> bool {
        layout.foreign.is_some_and(|(key, _)| self.place(key).is_some())
    }

    /// What keeps this from being of a layout, with marks under it, and help.
    fn lacks(&self, layout: &Layout) -> (String, Vec<Mark>, String) {
        let (name, all) = (layout.name, Mark::from(0..self.line.len()));
        let help = format!("{}its first line is like\n{}", self.hint(), layout.first_line);
        let missing =
            layout.columns.iter().copied().filter(|column| !self.names().any(|name| name == *column));
        let missing: Vec<&str> = missing.collect();
        let foreign = layout.foreign.and_then(|(key, why)| Some((self.place(key)?, why)));
        if let Some((place, why)) = foreign {
            return (format!("this looks like {name}, but {why}"), vec![place.into()], help);
        }
        if missing.is_empty() {
            let first = self.line.find(self.separator).unwrap_or_default();
            let message = format!("this looks like the {name}, but its columns are not separated by commas");
            return (message, vec![Mark::from(first..first + self.separator.len_utf8())], help);
        }
        let message = format!("this looks like the {name}, but lacks {}", listed(&missing));
        let marks = self.misspelt(layout, missing);
        (message, if marks.is_empty() { vec![all] } else { marks }, help)
    }

    /// Marks under names that may stand for missing ones.
    fn misspelt(&self, layout: &Layout, mut missing: Vec<&str>) -> Vec<Mark> {
        let unknown =
            self.places.iter().filter(|place| !layout.columns.contains(&&self.line[(*place).clone()]));
        let mut marks = Vec::new();
        for place in unknown {
            if let Some(meant) = nearest(&self.line[place.clone()], missing.iter().copied()) {
                missing.retain(|column| *column != meant);
                marks.push(Mark { range: place.clone(), label: Some(format!("did you mean `{meant}`?")) });
            }
        }
        marks
    }

    fn place(&self, name: &str) -> Option<Range<usize>> {
        self.places.iter().find(|place| &self.line[(*place).clone()] == name).cloned()
    }

    /// What is likely wrong with the line as a whole.
    fn hint(&self) -> String {
        if self.line.contains(['\0', char::REPLACEMENT_CHARACTER]) {
            "this is no text: is the file compressed, or of another kind? ".to_owned()
        } else if self.separator != ',' {
            let found =
                if self.separator == '\t' { "tabulators".into() } else { format!("`{}`", self.separator) };
            format!("separate columns by commas, not by {found}; ")
        } else if self.line.starts_with(|first: char| first.is_ascii_digit()) {
            "this looks like a row: the line with the names of the columns is missing; ".to_owned()
        } else {
            String::new()
        }
    }
}

fn accepted(layouts: &[Layout]) -> String {
    let lines = layouts.iter().map(|layout| format!("\n{} ({})", layout.first_line, layout.name));
    format!("a first line is one of{}", lines.collect::<String>())
}

/// Where the keys of a JSON object stand; none if it is not one.
fn keys(line: &str) -> Vec<Range<usize>> {
    let object = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(line).unwrap_or_default();
    let place = |key: &String| line.find(&format!("\"{key}\"")).map(|at| at + 1..at + 1 + key.len());
    object.keys().filter_map(place).collect()
}

fn listed(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        all => all.join(""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYOUTS: [Layout; 2] = [
        Layout {
            name: "first trace",
            first_line: "TIME,Prompt,Output",
            columns: &["TIME", "Prompt", "Output"],
            foreign: None,
        },
        Layout {
            name: "second trace",
            first_line: "id,arrival,size",
            columns: &["id", "arrival", "size"],
            foreign: Some(("chat", "with `chat` it is not read")),
        },
    ];

    fn problem(line: &str) -> String {
        HeaderProblem::new("trace", "t.csv", 1, line, &LAYOUTS).to_string()
    }

    #[test]
    fn the_nearest_layout_is_named_with_what_is_missing() {
        let found = problem("id,arival,size");
        assert!(
            found.starts_with("t.csv:1:4: this looks like the second trace, but lacks `arrival`"),
            "{found}"
        );
        let found = problem("TIME,Prompt");
        assert!(
            found.starts_with("t.csv:1:1: this looks like the first trace, but lacks `Output`"),
            "{found}"
        );
    }

    #[test]
    fn a_first_line_like_no_layout_is_answered_with_all_of_them() {
        let found = problem("hello");
        assert!(
            found.contains("of no known format") && found.contains("\nid,arrival,size (second"),
            "{found}"
        );
        assert!(problem("1,2,3").contains("this looks like a row"));
        assert!(problem("\u{1f}\u{fffd}").contains("is the file compressed"));
        assert!(problem("TIME;Prompt;Output").contains("are not separated by commas"));
        assert!(problem("id,arrival,size,chat").contains("second trace, but with `chat` it is not read"));
    }
}
