//! Why a model is not to be had.

use std::path::PathBuf;

/// A model that is not known, or a description that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// Not in the table.
    #[error(
        "there is no built-in model `{name}`{}; known are {}. For any other give the path of its config.json",
        nearest.as_ref().map(|nearest| format!(" (did you mean `{nearest}`?)")).unwrap_or_default(),
        known.join(", ")
    )]
    Unknown {
        /// As the user wrote it.
        name: String,
        /// The name most like it, if any is.
        nearest: Option<String>,
        /// All names.
        known: Vec<String>,
    },
    /// The file cannot be read as text.
    #[error("cannot read the model description {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no JSON.
    #[error(
        "{}:{}:{}: this is no JSON: {source}. A model is described by its Hugging Face config.json",
        path.display(), source.line(), source.column()
    )]
    NoJson {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// A key is missing or has a value that cannot be.
    #[error("{}: `{key}` is {found}; expected {expected}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
        /// What stands there, or `missing`.
        found: String,
        /// What may stand there.
        expected: String,
    },
}
