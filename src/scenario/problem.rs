//! What is wrong with a scenario: every problem at once, each with its place, what was found and what is
//! accepted instead.
//!
//! [`ScenarioErrors`] prints compactly, one block per problem; [`ScenarioErrors::findings`] are the same problems
//! with the lines they stand in. Lines and columns count from 1, columns
//! in characters, offsets in bytes.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::diagnosis::{Excerpt, Finding, Findings};

/// Where in the input something stands.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Place {
    /// The file as a whole, e.g. because it cannot be read.
    Whole,
    /// In the text of the scenario.
    Text {
        /// Bytes before it.
        offset: usize,
        /// Bytes it spans on its first line.
        length: usize,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
    },
    /// In a `KEY=VALUE` override.
    Override {
        /// The override as given.
        given: Arc<str>,
        /// Bytes before it.
        offset: usize,
        /// Bytes it spans.
        length: usize,
    },
}

/// One thing that is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Where it stands.
    pub place: Place,
    /// Keys and list indices that lead there, e.g. `applications.0.scheduler`; empty for the whole file.
    pub path: String,
    /// What is wrong, with what was found.
    pub message: String,
    /// What is accepted, with the nearest known name; what to do.
    pub help: Option<String>,
}

/// Everything that is wrong with a scenario; never empty.
#[derive(Clone, Debug)]
pub struct ScenarioErrors {
    file: String,
    text: Arc<str>,
    problems: Vec<Problem>,
    /// What is wrong with the files that the scenario names.
    elsewhere: Vec<Findings>,
}

impl ScenarioErrors {
    /// The problems `found` in the scenario `file` with this `text`, sorted by place, and those `elsewhere`.
    pub(super) fn new(file: &str, text: &str, found: Vec<Problem>, elsewhere: Vec<Findings>) -> Self {
        let mut problems: Vec<Problem> = Vec::new();
        for problem in found {
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
        problems.sort_by(|a, b| a.place.cmp(&b.place));
        ScenarioErrors { file: file.to_owned(), text: text.into(), problems, elsewhere }
    }

    /// The one problem of a file that cannot be read at all.
    pub(super) fn whole(file: &str, message: impl Into<String>, help: Option<String>) -> Self {
        let problem = Problem { place: Place::Whole, path: String::new(), message: message.into(), help };
        ScenarioErrors::new(file, "", vec![problem], Vec::new())
    }

    /// The problems in order of their place.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The problems with the lines they stand in; those in other files that the scenario names follow.
    pub fn findings(&self) -> Findings {
        let own = self.problems.iter().map(|problem| Finding {
            message: problem.to_string(),
            excerpt: self.excerpt(&problem.place),
            help: problem.help.clone(),
        });
        let others = self.elsewhere.iter().flat_map(|findings| findings.list.iter().cloned());
        let closing = self.elsewhere.iter().filter_map(|findings| findings.closing.clone());
        Findings {
            headline: self.headline(),
            list: own.chain(others).collect(),
            closing: closing.reduce(|all, next| format!("{all}\n{next}")),
        }
    }

    fn excerpt(&self, place: &Place) -> Option<Excerpt> {
        match place {
            Place::Whole => None,
            Place::Text { offset, length, .. } => {
                Some(Excerpt::of_text(&self.file, &self.text, *offset..offset + length))
            }
            Place::Override { given, offset, length } => {
                Some(Excerpt::of_argument(given, *offset..offset + length))
            }
        }
    }

    /// Says of the override `given` that the user wrote it in an `option`, and where its value stands there.
    pub(crate) fn write_as(&mut self, given: &str, option: &str, value: &Range<usize>) {
        let written: Arc<str> = option.into();
        for problem in &mut self.problems {
            if matches!(&problem.place, Place::Override { given: it, .. } if **it == *given) {
                let (offset, length) = (value.start, value.len());
                problem.place = Place::Override { given: Arc::clone(&written), offset, length };
            }
        }
    }

    fn headline(&self) -> String {
        let is_argument = |problem: &&Problem| matches!(problem.place, Place::Override { .. });
        let arguments = self.problems.iter().filter(is_argument).count();
        let place = match arguments {
            0 => self.file.clone(),
            all if all == self.problems.len() => "the arguments".to_owned(),
            _ => format!("{} and the arguments", self.file),
        };
        match self.problems.len() {
            1 => format!("1 problem in {place}"),
            count => format!("{count} problems in {place}"),
        }
    }
}

impl fmt::Display for ScenarioErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.headline())?;
        for problem in &self.problems {
            match &problem.place {
                Place::Whole => writeln!(f)?,
                Place::Text { line, column, .. } => write!(f, "\n{}:{line}:{column}  ", self.file)?,
                Place::Override { given, .. } => write!(f, "\noverride {given}  ")?,
            }
            write!(f, "{problem}")?;
            if let Some(help) = &problem.help {
                write!(f, "\n    {help}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for ScenarioErrors {}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.path, self.message)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_in_the_value_of_an_option_is_shown_in_the_option() {
        let given: Arc<str> = "trace=\"t.csv\"".into();
        let place = Place::Override { given, offset: 6, length: 7 };
        let problem = Problem { place, path: "trace".into(), message: "no".into(), help: None };
        let mut errors = ScenarioErrors::new("x.yaml", "", vec![problem], Vec::new());
        errors.write_as("trace=\"t.csv\"", "--trace t.csv", &(8..13));
        let excerpt = Excerpt::of_argument("--trace t.csv", 8..13);
        assert_eq!(errors.findings().list[0].excerpt, Some(excerpt));
    }
}
