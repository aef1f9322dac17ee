//! What a user has to correct, shown where it stands.
//!
//! Problems of scenarios, overrides, objectives, traces and performance tables keep their own types; each of
//! these can say its [`Findings`]: a message, the line it is about with the wrong token marked, and help. So
//! all of them look alike, whatever prints them; [`Finding::fitted`] is a `miette` diagnostic. Lines and columns
//! count from 1, columns in characters, ranges in bytes.

mod cells;
mod excerpt;
mod header;
mod nearest;
mod rows;

pub(crate) use cells::{cell, cells};
pub use excerpt::{Excerpt, Mark};
pub use header::HeaderProblem;
pub(crate) use header::Layout;
pub(crate) use nearest::{nearest, nearest_file, suggestion};
pub use rows::{BadRow, BadRows, RowProblem};

use std::fmt;

use excerpt::Shown;
use miette::{Diagnostic, LabeledSpan, SourceCode};

/// One thing to correct.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// What is wrong, with what was found.
    pub message: String,
    /// Where it stands, if it stands anywhere.
    pub excerpt: Option<Excerpt>,
    /// What is accepted; what to do.
    pub help: Option<String>,
}

/// Everything to correct in one input.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Findings {
    /// How many there are, and in what.
    pub headline: String,
    /// All of them, or the first ones of very many.
    pub list: Vec<Finding>,
    /// What goes for all of them.
    pub closing: Option<String>,
}

impl Finding {
    /// A finding about no place in particular.
    pub fn general(message: impl Into<String>, help: Option<String>) -> Self {
        Finding { message: message.into(), excerpt: None, help }
    }

    /// The finding as `miette` shows it, its lines shortened to this many characters.
    pub fn fitted(&self, width: usize) -> impl Diagnostic + use<> {
        let shown = self.excerpt.as_ref().map(|excerpt| excerpt.fitted(width));
        Fitted { message: self.message.clone(), help: self.help.clone(), shown }
    }
}

impl Findings {
    /// A single finding about no place in particular.
    pub fn general(message: impl Into<String>, help: Option<String>) -> Self {
        Findings { headline: String::new(), list: vec![Finding::general(message, help)], closing: None }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{message}")]
struct Fitted {
    message: String,
    help: Option<String>,
    shown: Option<Shown>,
}

impl Diagnostic for Fitted {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.shown.as_ref().map(|shown| shown as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.shown.as_ref().map(|shown| Box::new(shown.labels()) as Box<dyn Iterator<Item = LabeledSpan>>)
    }
}
