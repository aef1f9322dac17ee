//! What can be wrong with a deployment.

use std::path::PathBuf;

/// A GPU, engine or parallelism that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RooflineError {
    /// Not a built-in GPU.
    #[error(
        "there is no built-in GPU `{name}`{}; known are {}. For any other give the path of its data sheet in YAML",
        nearest.as_ref().map(|nearest| format!(" (did you mean `{nearest}`?)")).unwrap_or_default(),
        known.join(", ")
    )]
    UnknownGpu {
        /// As the user wrote it.
        name: String,
        /// The name most like it, if any is.
        nearest: Option<String>,
        /// All names.
        known: Vec<String>,
    },
    /// Not an engine with measured constants.
    #[error("there is no engine `{name}`; expected one of {}", known.join(", "))]
    UnknownBackend {
        /// As the user wrote it.
        name: String,
        /// All names.
        known: Vec<&'static str>,
    },
    /// The file cannot be read as text.
    #[error("cannot read the GPU's data sheet {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The sheet has a wrong key or value.
    #[error("{}: {problem}", path.display())]
    Sheet {
        /// The file.
        path: PathBuf,
        /// What is wrong, where, and what was expected.
        problem: String,
    },
    /// The model cannot be split this way.
    #[error("{what} parallelism {degree} does not suit {model}: {why}")]
    Parallelism {
        /// Which: `tensor`, `pipeline` or `expert`.
        what: &'static str,
        /// Its degree.
        degree: u32,
        /// The model.
        model: String,
        /// Which counts do not go together, and which do.
        why: String,
    },
}
