//! A point: words from options or from a row, made into a deployment and its load.

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;

use crate::models::{self, Model, Precision};
use crate::performance::KernelTables;
use crate::performance::roofline::{
    Deployment, GPU_MEMORY_UTILIZATION, Gpu, Load, Parallelism, Roofline, RooflineError, find_gpu, read_gpu,
};

/// More tokens or clients than this are a slip of the keyboard.
const MOST: u64 = 100_000_000;
/// More GPUs than any instance has.
const MOST_GPUS: u64 = 1024;

/// The columns a point is described by. An empty precision is that of the released weights.
pub const NEEDED: [&str; 8] =
    ["model", "gpu", "engine", "precision", "tensor_parallel", "isl", "osl", "concurrency"];
/// Columns that need not be there.
pub const OPTIONAL: [&str; 5] =
    ["pipeline_parallel", "data_parallel", "expert_parallel", "kv_dtype", "gpu_memory_utilization"];

/// What was said in each of those columns.
pub type Words = BTreeMap<&'static str, String>;

/// A deployment and what is asked of it.
pub struct Point {
    pub roofline: Roofline,
    pub load: Load,
}

/// What is wrong with a point, and in which column.
#[derive(Debug)]
pub struct Wrong {
    pub column: &'static str,
    pub problem: String,
}

/// Models and GPUs met before, so that a file of many points reads each description once.
#[derive(Default)]
pub struct Catalogue {
    models: BTreeMap<String, Result<Model, String>>,
    gpus: BTreeMap<String, Result<Gpu, String>>,
    kernels: Option<KernelTables>,
}

impl Catalogue {
    /// Points get their times from these tables of kernels, as far as they go.
    pub fn measured_by(&mut self, kernels: KernelTables) {
        self.kernels = Some(kernels);
    }

    /// The point these words describe.
    pub fn point(&mut self, words: &Words) -> Result<Point, Wrong> {
        let mut roofline = self.roofline(words)?;
        if let Some(kernels) = &self.kernels {
            roofline = roofline.with_kernels(kernels);
        }
        let load = Load {
            prompt_tokens: count(words, "isl", MOST)?,
            output_tokens: count(words, "osl", MOST)?,
            concurrency: count(words, "concurrency", MOST)?,
            token_budget: None,
        };
        Ok(Point { roofline, load })
    }

    /// The deployment these words describe.
    pub fn roofline(&mut self, words: &Words) -> Result<Roofline, Wrong> {
        let model = self.model(&text(words, "model")?).map_err(in_column("model"))?;
        let gpu = self.gpu(&text(words, "gpu")?).map_err(in_column("gpu"))?;
        let backend = text(words, "engine")?
            .parse()
            .map_err(|error: RooflineError| Wrong { column: "engine", problem: error.to_string() })?;
        let parallelism = Parallelism {
            tensor: degree(words, "tensor_parallel")?,
            pipeline: degree(words, "pipeline_parallel")?,
            data: degree(words, "data_parallel")?,
            expert: degree(words, "expert_parallel")?,
        };
        // Tables leave it out where the weights are as released.
        let precision = match words.get("precision").filter(|word| !word.is_empty()) {
            Some(word) => precision(word).map_err(in_column("precision"))?,
            None => model.released,
        };
        let cache = cache(words)?;
        let memory_share = memory_share(words)?;
        let deployment = Deployment { model, gpu, backend, parallelism, precision, cache };
        let roofline = Roofline::new(deployment)
            .map_err(|error| Wrong { column: axis(&error), problem: error.to_string() })?;
        Ok(roofline.with_memory_share(memory_share))
    }

    fn model(&mut self, name: &str) -> Result<Model, String> {
        let read = || match is_file(name, "json") {
            true => models::read_config(Path::new(name)),
            false => models::find(name),
        };
        let known = self.models.entry(name.to_owned());
        known.or_insert_with(|| read().map_err(|error| error.to_string())).clone()
    }

    fn gpu(&mut self, name: &str) -> Result<Gpu, String> {
        let read = || match is_file(name, "yaml") || is_file(name, "yml") {
            true => read_gpu(Path::new(name)),
            false => find_gpu(name),
        };
        let known = self.gpus.entry(name.to_owned());
        known.or_insert_with(|| read().map_err(|error| error.to_string())).clone()
    }
}

fn is_file(name: &str, extension: &str) -> bool {
    Path::new(name).extension().is_some_and(|found| found.eq_ignore_ascii_case(extension))
}

fn in_column(column: &'static str) -> impl Fn(String) -> Wrong {
    move |problem| Wrong { column, problem }
}

/// Which degree a refused split is about.
fn axis(error: &RooflineError) -> &'static str {
    match error {
        RooflineError::Parallelism { what: "pipeline", .. } => "pipeline_parallel",
        RooflineError::Parallelism { what: "data", .. } => "data_parallel",
        RooflineError::Parallelism { what: "expert", .. } => "expert_parallel",
        _ => "tensor_parallel",
    }
}

fn text(words: &Words, column: &'static str) -> Result<String, Wrong> {
    match words.get(column).filter(|word| !word.is_empty()) {
        Some(word) => Ok(word.clone()),
        None => Err(Wrong { column, problem: "nothing is said; expected a value".to_owned() }),
    }
}

fn precision(word: &str) -> Result<Precision, String> {
    Precision::from_str(word)
}

fn cache(words: &Words) -> Result<Option<Precision>, Wrong> {
    match words.get("kv_dtype").map_or("", String::as_str) {
        "" | "auto" => Ok(None),
        word => match precision(word) {
            Ok(precision) if !precision.is_four_bit() => Ok(Some(precision)),
            _ => {
                let problem = format!("`{word}` is no precision of a KV cache; expected auto, bf16 or fp8");
                Err(Wrong { column: "kv_dtype", problem })
            }
        },
    }
}

fn memory_share(words: &Words) -> Result<f64, Wrong> {
    let column = "gpu_memory_utilization";
    let Some(word) = words.get(column).filter(|word| !word.is_empty()) else {
        return Ok(GPU_MEMORY_UTILIZATION);
    };
    word.parse().ok().filter(|&share| share > 0.0 && share <= 1.0).ok_or_else(|| {
        let problem = format!("`{word}` is no share of the memory; expected a number above 0 and at most 1");
        Wrong { column, problem }
    })
}

/// A whole number from 1; a column that is not there or empty counts 1.
fn degree(words: &Words, column: &'static str) -> Result<u32, Wrong> {
    match words.get(column).filter(|word| !word.is_empty()) {
        Some(word) => Ok(number(word, column, MOST_GPUS)? as u32),
        None => Ok(1),
    }
}

fn count(words: &Words, column: &'static str, most: u64) -> Result<u64, Wrong> {
    number(&text(words, column)?, column, most)
}

fn number(word: &str, column: &'static str, most: u64) -> Result<u64, Wrong> {
    // Tables written by spreadsheets and data frames say 8.0.
    let whole = word.strip_suffix(".0").unwrap_or(word);
    let number = whole.parse().ok().filter(|number| (1..=most).contains(number));
    number.ok_or_else(|| {
        let problem = format!("`{word}` is not accepted; expected a whole number from 1 to {most}");
        Wrong { column, problem }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(changed: (&'static str, &'static str)) -> Result<Point, Wrong> {
        let said = [
            ("model", "Llama-3.1-8B"),
            ("gpu", "H100"),
            ("engine", "vllm"),
            ("precision", "bf16"),
            ("isl", "8"),
            ("osl", "8"),
            ("concurrency", "8"),
            changed,
        ];
        let words = said.map(|(column, word)| (column, word.to_owned()));
        Catalogue::default().point(&Words::from(words))
    }

    #[test]
    fn what_is_not_said_is_one_or_automatic() {
        let point = point(("isl", "1024.0")).unwrap();
        assert_eq!(point.load.prompt_tokens, 1024);
        assert_eq!(point.roofline.deployment().parallelism, Parallelism::tensor(1));
        assert_eq!(point.roofline.cache(), Precision::Bf16);
    }

    #[test]
    fn every_wrong_word_is_refused_in_its_column() {
        for (column, word, says) in [
            ("model", "Lama-3.1-8B", "did you mean `Llama-3.1-8B`?"),
            ("gpu", "H1000", "did you mean `H100`?"),
            ("engine", "tgi", "expected one of vllm, trtllm, sglang"),
            ("precision", "int3", "expected bf16"),
            ("kv_dtype", "fp4", "expected auto, bf16 or fp8"),
            ("gpu_memory_utilization", "90", "above 0 and at most 1"),
            ("tensor_parallel", "3", "32 heads"),
            ("expert_parallel", "2", "divide tensor parallelism"),
            ("isl", "-4", "a whole number from 1"),
            ("concurrency", "", "nothing is said"),
        ] {
            let Err(wrong) = point((column, word)) else { panic!("{column} `{word}` was accepted") };
            assert_eq!(wrong.column, column, "{}", wrong.problem);
            assert!(wrong.problem.contains(says), "{column}: {}", wrong.problem);
        }
    }
}
