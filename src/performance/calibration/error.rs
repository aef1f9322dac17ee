//! What can be wrong with a calibration.

use std::path::PathBuf;

use crate::diagnosis::{Excerpt, Finding, Findings, nearest_file};

/// A calibration that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CalibrationError {
    /// The file cannot be read as text.
    #[error("cannot read the calibration {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file has a wrong key or value.
    #[error("{}: {problem}", place(path, excerpt.as_deref()))]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what was expected.
        problem: String,
        /// Where it stands.
        excerpt: Option<Box<Excerpt>>,
    },
    /// It was measured on something else.
    #[error(
        "the calibration is for the {what} {calibrated}, not for {wanted}: calibrate on a log of {wanted}"
    )]
    Other {
        /// `engine` or `GPU`.
        what: &'static str,
        /// The one that was measured.
        calibrated: String,
        /// The one that is deployed.
        wanted: String,
    },
}

impl CalibrationError {
    /// The error with the line that is wrong.
    pub fn findings(&self) -> Findings {
        match self {
            CalibrationError::Unreadable { path, .. } => {
                let help = nearest_file(path).map(|file| format!("did you mean `{}`?", file.display()));
                Findings::general(self.to_string(), help)
            }
            CalibrationError::Wrong { path, problem, excerpt: Some(excerpt) } => Findings {
                headline: format!("the calibration {} cannot be used", path.display()),
                list: vec![Finding {
                    message: problem.clone(),
                    excerpt: Some(excerpt.as_ref().clone()),
                    help: Some("`ebbflow calibrate --output FILE` writes such a file".to_owned()),
                }],
                closing: None,
            },
            other => Findings::general(other.to_string(), None),
        }
    }
}

fn place(path: &std::path::Path, excerpt: Option<&Excerpt>) -> String {
    excerpt.map_or_else(|| path.display().to_string(), Excerpt::place)
}
