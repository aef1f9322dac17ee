//! What can be wrong with a table of measurements or a question to it.

use std::path::PathBuf;

use super::LookupKey;
use crate::diagnosis::{BadRows, Findings, HeaderProblem};

/// A table that cannot be read, or that has no answer.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// The file cannot be read as text.
    #[error("cannot read the performance table {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A Parquet file, and a build that cannot read it.
    #[error(
        "{} is a Parquet file, and this ebbflow was built without Parquet; build one with it (cargo build --release \
         --features parquet), or give the same table as CSV",
        path.display()
    )]
    ParquetNotBuilt {
        /// The file.
        path: PathBuf,
    },
    /// A Parquet file that cannot be read.
    #[error("cannot read the performance table {} as Parquet: {problem}", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        problem: String,
    },
    /// The header names neither kind of table.
    #[error("{0}")]
    Header(Box<HeaderProblem>),
    /// Rows that cannot be used.
    #[error("{rows}")]
    Rows {
        /// The file.
        path: PathBuf,
        /// All of them.
        rows: BadRows,
    },
    /// No measurement at all.
    #[error("{}: the performance table has no rows", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// No table of kernels where some should be.
    #[error(
        "{} {} no table of kernels (CSV or Parquet in NVIDIA AIConfigurator's columns, e.g. gemm_perf.parquet with \
         gemm_dtype, m, n, k, latency)",
        list(paths),
        if paths.len() == 1 { "holds" } else { "hold" }
    )]
    NoKernels {
        /// Files or folders.
        paths: Vec<PathBuf>,
    },
    /// Knots by tokens are missing for a key that has others.
    #[error("{}: {key} has no knots by tokens; every configuration needs at least one", path.display())]
    NoKnotsByTokens {
        /// The file.
        path: PathBuf,
        /// The key.
        key: LookupKey,
    },
    /// The key was not measured.
    #[error(
        "no performance figures for {key}; the table has {} (model on GPU: tensor parallelism). \
         Choose one of these or give a table that has it",
        by_model_and_gpu(available)
    )]
    NoRow {
        /// The key asked for.
        key: LookupKey,
        /// The keys there are.
        available: Vec<LookupKey>,
    },
    /// The key was measured under several engines or in several number formats.
    #[error(
        "the performance table has points of {key} under different engines or in different precisions ({}); keep \
         those of one in a file of their own",
        served.join(", ")
    )]
    Mixed {
        /// The key asked for.
        key: LookupKey,
        /// Engines and number formats.
        served: Vec<String>,
    },
    /// The key was not measured at several batch sizes.
    #[error(
        "the performance table has no decode times by batch size for {key}; look them up by batch tokens"
    )]
    NoDecodeByBatchSize {
        /// The key asked for.
        key: LookupKey,
    },
}

impl LookupError {
    /// The error with the lines of the table that are wrong.
    pub fn findings(&self) -> Findings {
        match self {
            LookupError::Header(header) => Findings {
                headline: "the performance table cannot be read".to_owned(),
                list: vec![header.finding()],
                closing: None,
            },
            LookupError::Rows { path, rows } => Findings {
                headline: rows.headline("the performance table", path),
                list: rows.findings(),
                closing: rows.unshown(),
            },
            other => Findings::general(other.to_string(), None),
        }
    }
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// `llama2-70b on h100-80gb: 2, 4, 8; …`
fn by_model_and_gpu(keys: &[LookupKey]) -> String {
    let same = |a: &LookupKey, b: &LookupKey| a.model == b.model && a.gpu == b.gpu;
    let line = |keys: &[LookupKey]| {
        let degrees: Vec<_> = keys.iter().map(|key| key.tensor_parallelism.to_string()).collect();
        format!("{} on {}: {}", keys[0].model, keys[0].gpu, degrees.join(", "))
    };
    keys.chunk_by(same).map(line).collect::<Vec<_>>().join("; ")
}
