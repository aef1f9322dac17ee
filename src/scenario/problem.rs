//! What is wrong with a scenario: every problem at once, each with its place, what was found and what is
//! accepted instead.
//!
//! [`ScenarioErrors`] prints compactly, one block per problem; [`ScenarioErrors::report`] makes the same
//! problems printable with source snippets by any `miette` handler. Lines and columns count from 1, columns
//! in characters, offsets in bytes.

use std::fmt;
use std::sync::Arc;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};

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
    /// In a `KEY=VALUE` override, quoted as given.
    Override(Arc<str>),
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
}

impl ScenarioErrors {
    /// `problems` of the scenario `file` with this `text`, sorted by place.
    pub(super) fn new(file: &str, text: &str, found: Vec<Problem>) -> Self {
        let mut problems: Vec<Problem> = Vec::new();
        for problem in found {
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
        problems.sort_by(|a, b| a.place.cmp(&b.place));
        ScenarioErrors { file: file.to_owned(), text: text.into(), problems }
    }

    /// The one problem of a file that cannot be read at all.
    pub(super) fn whole(file: &str, message: impl Into<String>, help: Option<String>) -> Self {
        let problem = Problem { place: Place::Whole, path: String::new(), message: message.into(), help };
        ScenarioErrors::new(file, "", vec![problem])
    }

    /// The problems in order of their place.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The problems with a source snippet each, for a `miette` handler.
    pub fn report(&self) -> ScenarioReport {
        ScenarioReport {
            headline: self.headline(),
            text: NamedSource::new(&self.file, self.text.to_string()),
            problems: self.problems.iter().map(|problem| Snippet(problem.clone())).collect(),
        }
    }

    fn headline(&self) -> String {
        match self.problems.len() {
            1 => format!("1 problem in {}", self.file),
            count => format!("{count} problems in {}", self.file),
        }
    }
}

impl fmt::Display for ScenarioErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.headline())?;
        for problem in &self.problems {
            match &problem.place {
                Place::Whole => write!(f, "\n{}: ", self.file)?,
                Place::Text { line, column, .. } => write!(f, "\n{}:{line}:{column}  ", self.file)?,
                Place::Override(given) => write!(f, "\noverride {given}  ")?,
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

/// [`ScenarioErrors`] with source snippets.
#[derive(Debug, thiserror::Error)]
#[error("{headline}")]
pub struct ScenarioReport {
    headline: String,
    text: NamedSource<String>,
    problems: Vec<Snippet>,
}

impl Diagnostic for ScenarioReport {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.text)
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.problems.iter().map(|problem| problem as &dyn Diagnostic)))
    }
}

/// A problem as `miette` shows it.
#[derive(Debug)]
struct Snippet(Problem);

impl fmt::Display for Snippet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.place {
            Place::Override(given) => write!(f, "override {given}: {}", self.0),
            _ => self.0.fmt(f),
        }
    }
}

impl std::error::Error for Snippet {}

impl Diagnostic for Snippet {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.0.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        match self.0.place {
            Place::Text { offset, length, .. } => {
                Some(Box::new(std::iter::once(LabeledSpan::new(Some("here".to_owned()), offset, length))))
            }
            _ => None,
        }
    }
}

/// `did you mean …? accepted: …` for a word that is none of `known` nor of their `aliases`.
pub(super) fn suggestion(word: &str, known: &[&str], aliases: &[&str]) -> String {
    let accepted = match known {
        [] => "there are none".to_owned(),
        known => format!("accepted: {}", known.join(", ")),
    };
    match nearest(word, &[known, aliases].concat()) {
        Some(name) => format!("did you mean `{name}`? {accepted}"),
        None => accepted,
    }
}

/// The known name that `word` most likely stands for.
fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let word = word.to_lowercase();
    let likeness = |name: &str| strsim::normalized_damerau_levenshtein(&word, &name.to_lowercase());
    known
        .iter()
        .map(|name| (likeness(name), *name))
        .filter(|(likeness, _)| *likeness >= 0.5)
        .reduce(|best, next| if next.0 > best.0 { next } else { best })
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested_and_a_far_one_is_not() {
        assert_eq!(nearest("schedular", &["seed", "scheduler", "debug"]), Some("scheduler"));
        assert_eq!(nearest("DGX-H10", &["dgx-a100", "dgx-h100"]), Some("dgx-h100"));
        assert_eq!(nearest("banana", &["seed", "scheduler"]), None);
    }

    #[test]
    fn the_report_shows_a_snippet_with_a_caret() {
        let place = Place::Text { offset: 6, length: 3, line: 1, column: 7 };
        let problem = Problem {
            place,
            path: "seed".into(),
            message: "no".into(),
            help: Some("accepted: a number".into()),
        };
        let errors = ScenarioErrors::new("x.yaml", "seed: abc\n", vec![problem]);
        let mut shown = String::new();
        let handler = miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::unicode_nocolor());
        handler.render_report(&mut shown, &errors.report()).unwrap();
        assert!(shown.contains("x.yaml:1:7"), "{shown}");
        assert!(shown.contains("1 │ seed: abc"), "{shown}");
        assert!(shown.contains("accepted: a number"), "{shown}");
    }
}
