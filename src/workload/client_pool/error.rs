//! What can be wrong with a client pool, told so that it can be repaired.

use std::path::PathBuf;

use crate::diagnosis::{BadRows, Excerpt, Finding, Findings, RowProblem, nearest_file};

/// A client pool that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ClientPoolError {
    /// The folder or one of its files cannot be read.
    #[error("cannot read {} of the client pool: {source}", path.display())]
    Unreadable {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A folder of something else.
    #[error("{} is no client pool: it holds no file named like chunk-0-trace.csv", folder.display())]
    NoClients {
        /// The folder.
        folder: PathBuf,
    },
    /// The scenario asks for a client that is not there.
    #[error("the client pool {} has no client {unknown}; it has {}", folder.display(), numbers(known))]
    UnknownClient {
        /// The folder.
        folder: PathBuf,
        /// The one asked for.
        unknown: u32,
        /// Those there are.
        known: Vec<u32>,
    },
    /// Malformed rows of a client's windows.
    #[error("{rows}")]
    Rows {
        /// The file.
        path: PathBuf,
        /// All of them.
        rows: BadRows,
    },
    /// A file of lengths that is no such JSON.
    #[error("{}: these are not the lengths of a client: {source}", excerpt.place())]
    Json {
        /// What is wrong.
        source: serde_json::Error,
        /// Where.
        excerpt: Box<Excerpt>,
    },
    /// A distribution of lengths that is none.
    #[error("{}: window {window}, {quantity}: {problem}", excerpt.place())]
    Lengths {
        /// The key of the window.
        window: String,
        /// What is distributed.
        quantity: String,
        /// What is wrong with it.
        problem: RowProblem,
        /// Where it stands, as far as that can be told.
        excerpt: Box<Excerpt>,
    },
    /// Clients that do not say how long their requests are.
    #[error(
        "{} of {of} clients of the pool {} come without lengths: chunk-N-dataset.json is not there, or empty, for N = {}",
        without.len(), folder.display(), numbers(without)
    )]
    NoLengths {
        /// The folder.
        folder: PathBuf,
        /// Those that do not.
        without: Vec<u32>,
        /// How many were chosen.
        of: usize,
    },
    /// Nobody sends anything.
    #[error("no request arrives: the chosen clients of the pool {} are silent from `start` for `duration`", folder.display())]
    Silent {
        /// The folder.
        folder: PathBuf,
    },
}

impl ClientPoolError {
    /// The error with the lines that are wrong.
    pub fn findings(&self) -> Findings {
        if let ClientPoolError::Rows { path, rows } = self {
            let headline = rows.headline("the client pool's file", path);
            return Findings { headline, list: rows.findings(), closing: rows.unshown() };
        }
        let shown = match self {
            ClientPoolError::Json { source, excerpt } => Some((source.to_string(), excerpt)),
            ClientPoolError::Lengths { window, quantity, problem, excerpt } => {
                Some((format!("window {window}, {quantity}: {problem}"), excerpt))
            }
            _ => None,
        };
        let Some((message, excerpt)) = shown else { return Findings::general(self.to_string(), self.help()) };
        let finding = Finding { message, excerpt: Some(Excerpt::clone(excerpt)), help: self.help() };
        let headline = "the lengths of a client of the pool cannot be read".to_owned();
        Findings { headline, list: vec![finding], closing: None }
    }

    fn help(&self) -> Option<String> {
        match self {
            ClientPoolError::Unreadable { path, .. } => {
                nearest_file(path).map(|file| format!("did you mean `{}`?", file.display()))
            }
            ClientPoolError::NoClients { .. } => {
                Some("name the folder of one model, e.g. data/reason/deepseek-r1 of alibaba/ServeGen".to_owned())
            }
            ClientPoolError::Json { .. } => Some(
                "expected by window, in seconds, and by quantity a text: {\"0\": {\"input_tokens\": \"{45: 0.5, 90: 0.5}\", \
                 \"output_tokens\": \"{7: 1.0}\"}}"
                    .to_owned(),
            ),
            ClientPoolError::NoLengths { .. } => Some(
                "name the lengths of all requests in the scenario, e.g. `client_pool: {path: …, prompt: 500, output: \
                 {lognormal: {mu: 5, sigma: 1, max: 4000}}}`, or choose other `clients`"
                    .to_owned(),
            ),
            ClientPoolError::Silent { .. } => {
                Some("move `start`, lengthen `duration`, or choose other `clients`".to_owned())
            }
            _ => None,
        }
    }
}

/// The first ones of a list of numbers.
fn numbers(all: &[u32]) -> String {
    const SHOWN: usize = 12;
    let shown: Vec<String> = all.iter().take(SHOWN).map(ToString::to_string).collect();
    let more = all.len().saturating_sub(SHOWN);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    shown.join(", ") + &rest
}
