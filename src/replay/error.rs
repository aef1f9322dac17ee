//! What can be wrong with a log, or with asking it again.

use std::path::PathBuf;

use crate::diagnosis::{BadRows, Excerpt, Finding, Findings, nearest_file};
use crate::instance::continuous::SettingsError;

/// A log that cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The file cannot be read.
    #[error("cannot read the log {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Something that every log has is not there.
    #[error("{}: the log says no {quantity}; {help}", excerpt.place())]
    Lacks {
        /// The file.
        path: PathBuf,
        /// What it does not say.
        quantity: &'static str,
        /// The names it could have.
        help: String,
        /// The first line.
        excerpt: Box<Excerpt>,
    },
    /// Malformed rows.
    #[error("{rows}\n{HOW_TO_GO_ON}")]
    Rows {
        /// The file.
        path: PathBuf,
        /// All of them.
        rows: BadRows,
    },
    /// No requests.
    #[error("{}: the log holds no requests", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

const HOW_TO_GO_ON: &str = "correct the rows, or have them left out: `--skip-bad-rows`";

impl LogError {
    /// The error with the lines that are wrong.
    pub fn findings(&self) -> Findings {
        match self {
            LogError::Unreadable { path, .. } => {
                let help = nearest_file(path).map(|file| format!("did you mean `{}`?", file.display()));
                Findings::general(self.to_string(), help)
            }
            LogError::Lacks { quantity, help, excerpt, .. } => Findings {
                headline: "the log cannot be read".to_owned(),
                list: vec![Finding {
                    message: format!("the log says no {quantity}"),
                    excerpt: Some(excerpt.as_ref().clone()),
                    help: Some(help.clone()),
                }],
                closing: None,
            },
            LogError::Rows { path, rows } => {
                let closing = rows.unshown().into_iter().chain([format!("help: {HOW_TO_GO_ON}")]);
                Findings {
                    headline: rows.headline("the log", path),
                    list: rows.findings(),
                    closing: Some(closing.collect::<Vec<_>>().join("\n")),
                }
            }
            LogError::Empty { .. } => {
                let help = "a log has a row for every request, below a line with the names of the columns, or \
                            a JSON object a line";
                Findings::general(self.to_string(), Some(help.to_owned()))
            }
        }
    }
}

/// Requests that the engine cannot be asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// Settings that do not make an engine.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A request that never fits.
    #[error(
        "request {nth} has {prompt_tokens} prompt and {output_tokens} output tokens; a KV cache of {kv_tokens} \
         tokens never holds it: say how many the engine had (vLLM logs `GPU KV cache size`)"
    )]
    TooLarge {
        /// Which, by arrival, from 1.
        nth: u64,
        /// Its prompt.
        prompt_tokens: u32,
        /// Its answer.
        output_tokens: u32,
        /// The cache.
        kv_tokens: u64,
    },
    /// A moment that cannot be simulated.
    #[error("request {nth} arrives {arrival_s} s after the first; expected at most 292 years")]
    Arrival {
        /// Which, by arrival, from 1.
        nth: u64,
        /// When.
        arrival_s: f64,
    },
    /// Nothing to fit to.
    #[error("the log holds {found} requests; fitting and judging takes at least {needed}")]
    TooFew {
        /// Requests in the log.
        found: usize,
        /// What it takes.
        needed: usize,
    },
}
