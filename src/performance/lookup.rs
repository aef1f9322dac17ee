//! Iteration times looked up in a table of measurements (the ancestor's `db` model).
//!
//! Per model, GPU and tensor parallelism the table holds knots: median prompt and token time over batch
//! tokens (prompt size × batch size of the measurement), and median token time over batch size. Between
//! knots a straight line is drawn, beyond the ends the outer lines go on. With b = prompt tokens + decodes:
//! a batch of prompts takes prompt(b); of decodes token(b), see [`DecodeKey`]; a mixed one 1.1 · prompt(b).
//!
//! A file may also hold end-to-end points of benchmarks, from which such knots are worked out. Tables of single
//! [`kernels`] are no knots: they refine `roofline`.
//!
//! Where a falling outer line would reach 0 the nearest knot's time is taken: an iteration takes time.
//!
//! Leaves out: context length, pipeline parallelism, jitter. Units: seconds; files are in milliseconds
//! (measurements) or seconds (knots). Source of the rule: splitwise-sim, `performance_model.py`.

mod error;
pub mod kernels;
mod points;
mod read;
mod row;
mod text;

use std::collections::BTreeMap;
use std::path::Path;

pub use error::LookupError;

use super::curve::Curve;
use super::{BatchShape, PerformanceModel};

/// What a mixed iteration takes more than one of prompts only.
const MIXED_FACTOR: f64 = 1.1;

/// What the time of a decode-only iteration is looked up by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum DecodeKey {
    /// By the number of sequences in the batch, against measurements by batch size.
    #[default]
    BatchSize,
    /// As the ancestor does: the number of sequences against measurements by prompt *tokens*. Below 128
    /// sequences that is the extrapolated first segment, so batch size has next to no effect.
    BatchTokens,
}

/// What a row of measurements is for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LookupKey {
    /// e.g. `llama2-70b`.
    pub model: String,
    /// e.g. `h100-80gb`.
    pub gpu: String,
    /// GPUs per layer.
    pub tensor_parallelism: u32,
}

impl LookupKey {
    /// The key of these.
    pub fn new(model: impl Into<String>, gpu: impl Into<String>, tensor_parallelism: u32) -> Self {
        LookupKey { model: model.into(), gpu: gpu.into(), tensor_parallelism }
    }
}

impl std::fmt::Display for LookupKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} on {} with tensor parallelism {}", self.model, self.gpu, self.tensor_parallelism)
    }
}

/// Measurements of several models on several GPUs.
#[derive(Clone, PartialEq, Debug)]
pub struct LookupTable {
    curves: BTreeMap<LookupKey, Curves>,
}

/// The measurements of one key.
#[derive(Clone, PartialEq, Debug)]
struct Curves {
    prompt_by_tokens: Curve,
    decode_by_tokens: Curve,
    /// None when the file has no measurements by batch size.
    decode_by_sequences: Option<Curve>,
    /// Engines and number formats it was measured with, where the file says.
    served: Vec<String>,
}

impl LookupTable {
    /// Reads measurements (the ancestor's `perf_model.csv`), knots (a file like the built-in
    /// `configs/performance/splitwise-2023.csv`) or end-to-end points (NVIDIA AIConfigurator's, or what `ebbflow
    /// estimate` writes); the header tells which. CSV, or Parquet with the same columns in a build with the feature of
    /// this name.
    pub fn read(path: &Path) -> Result<Self, LookupError> {
        Self::parse(path, &text::of(path)?)
    }

    /// [`Self::read`] of a text; `path` is for messages.
    pub(super) fn parse(path: &Path, text: &str) -> Result<Self, LookupError> {
        Ok(LookupTable { curves: read::curves(path, text)? })
    }

    /// Whether there are measurements for this key.
    pub fn has(&self, key: &LookupKey) -> bool {
        self.curves.contains_key(key)
    }

    /// Everything that was measured, in order of model, GPU and tensor parallelism.
    pub fn keys(&self) -> impl Iterator<Item = &LookupKey> {
        self.curves.keys()
    }

    /// The performance model of one key.
    pub fn lookup(&self, key: &LookupKey, decode_key: DecodeKey) -> Result<Lookup, LookupError> {
        let Some(curves) = self.curves.get(key) else {
            return Err(LookupError::NoRow { key: key.clone(), available: self.keys().cloned().collect() });
        };
        if curves.served.len() > 1 {
            return Err(LookupError::Mixed { key: key.clone(), served: curves.served.clone() });
        }
        let decode = match decode_key {
            DecodeKey::BatchTokens => curves.decode_by_tokens.clone(),
            DecodeKey::BatchSize => curves
                .decode_by_sequences
                .clone()
                .ok_or_else(|| LookupError::NoDecodeByBatchSize { key: key.clone() })?,
        };
        Ok(Lookup { prompt: curves.prompt_by_tokens.clone(), decode })
    }
}

/// The table's performance model for one model, GPU and tensor parallelism.
#[derive(Clone, PartialEq, Debug)]
pub struct Lookup {
    prompt: Curve,
    decode: Curve,
}

impl PerformanceModel for Lookup {
    fn iteration_s(&self, batch: BatchShape) -> f64 {
        // Exact below 2^53 tokens.
        let tokens = (batch.prompt_tokens + u64::from(batch.decodes)) as f64;
        match (batch.prompts, batch.decodes) {
            (0, _) => self.decode.at(f64::from(batch.decodes)),
            (_, 0) => self.prompt.at(tokens),
            _ => self.prompt.at(tokens) * MIXED_FACTOR,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::performance::splitwise_2023;

    const TABLE: &str = "model,hardware,prompt_size,batch_size,prompt_time,token_time,tensor_parallel\n\
        m,g,100,1,1000,10,2\n\
        m,g,200,1,2000,20,2\n\
        m,g,100,2,4000,40,2\n";

    fn model(decode_key: DecodeKey) -> Lookup {
        let table = LookupTable::parse(Path::new("t.csv"), TABLE).unwrap();
        table.lookup(&LookupKey::new("m", "g", 2), decode_key).unwrap()
    }

    fn close(left: f64, right: f64) -> bool {
        (left - right).abs() < 1e-12
    }

    #[test]
    fn prompts_are_interpolated_over_tokens_and_mixed_batches_cost_a_tenth_more() {
        let model = model(DecodeKey::BatchTokens);
        // 200 tokens: the median of 2 s and 4 s.
        let prompt = BatchShape { prompts: 3, prompt_tokens: 150, decodes: 0 };
        assert!(close(model.iteration_s(prompt), 2.0));
        let mixed = BatchShape { prompts: 2, prompt_tokens: 140, decodes: 10 };
        assert!(close(model.iteration_s(mixed), 2.2));
    }

    #[test]
    fn decodes_are_looked_up_by_the_chosen_key() {
        let decode = BatchShape { prompts: 0, prompt_tokens: 0, decodes: 2 };
        // Line through (100, 10 ms) and (200, 30 ms), at 2: below zero, so the first knot.
        assert!(close(model(DecodeKey::BatchTokens).iteration_s(decode), 0.010));
        // Line through (1, 10 ms) and (2, 40 ms).
        assert!(close(model(DecodeKey::BatchSize).iteration_s(decode), 0.040));
    }

    #[test]
    fn a_missing_row_is_an_error_that_lists_what_there_is() {
        let wanted = LookupKey::new("llama2-70b", "h100-80gb", 1);
        let error = splitwise_2023().lookup(&wanted, DecodeKey::BatchSize).unwrap_err().to_string();
        assert!(error.contains("llama2-70b on h100-80gb with tensor parallelism 1"), "{error}");
        assert!(error.contains("llama2-70b on h100-80gb: 2, 4, 8"), "{error}");
        assert!(error.contains("bloom-176b on a100-80gb: 8"), "{error}");
    }

    #[cfg(not(feature = "parquet"))]
    #[test]
    fn a_parquet_table_is_refused_with_the_feature_that_reads_it() {
        let home = tempfile::tempdir().unwrap();
        for (name, bytes) in [("t.parquet", "anything"), ("t.csv", "PAR1 in spite of its name")] {
            std::fs::write(home.path().join(name), bytes).unwrap();
            let error = LookupTable::read(&home.path().join(name)).unwrap_err();
            assert!(matches!(error, LookupError::ParquetNotBuilt { .. }));
            assert!(error.to_string().contains("--features parquet"), "{error}");
        }
    }

    #[cfg(feature = "parquet")]
    #[test]
    fn a_parquet_table_is_the_same_as_in_csv_and_its_bad_rows_are_named() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("t.parquet");
        text::tests::write(&path, TABLE);
        assert_eq!(LookupTable::read(&path).unwrap(), LookupTable::parse(&path, TABLE).unwrap());
        text::tests::write(&path, &TABLE.replace("2000", "-2000"));
        let error = LookupTable::read(&path).unwrap_err().to_string();
        assert!(
            error.contains("t.parquet:3:11: prompt_time is `-2000`; expected a finite time above 0"),
            "{error}"
        );
    }

    proptest! {
        #[test]
        fn every_batch_takes_a_finite_positive_time(
            key in 0usize..12, by_size: bool, prompts in 0u32..2000, tokens in 0u64..10_000_000, decodes: u32,
        ) {
            let key = splitwise_2023().keys().nth(key).unwrap();
            let decode_key = if by_size { DecodeKey::BatchSize } else { DecodeKey::BatchTokens };
            let model = splitwise_2023().lookup(key, decode_key).unwrap();
            let seconds = model.iteration_s(BatchShape { prompts, prompt_tokens: tokens, decodes });
            prop_assert!(seconds.is_finite() && seconds > 0.0);
        }
    }

    #[test]
    fn larger_batches_take_longer_by_batch_size() {
        for key in splitwise_2023().keys() {
            let model = splitwise_2023().lookup(key, DecodeKey::BatchSize).unwrap();
            let at = |decodes| model.iteration_s(BatchShape { prompts: 0, prompt_tokens: 0, decodes });
            // Measurement noise is below 2 %.
            assert!((0..9).all(|power| at(2 << power) > 0.98 * at(1 << power)), "{key}");
        }
    }
}
