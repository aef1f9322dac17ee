//! The options that say how a model is deployed, of every subcommand that works one out by itself.

use super::estimate::{Words, Wrong};
use super::exit::CliError;
use crate::diagnosis::{Excerpt, Finding, Findings};

/// How a model runs on some GPUs. Which model on which GPU is asked for by the subcommand.
#[derive(clap::Args, Debug)]
pub struct DeploymentArgs {
    /// The serving engine: vllm, trtllm or sglang
    #[arg(long, default_value = "vllm")]
    engine: String,
    /// Precision of the weights: bf16, fp8, fp4 or mxfp4
    #[arg(long, default_value = "bf16")]
    precision: String,
    /// Precision of the KV cache; auto: what the engine takes by itself
    #[arg(long, value_name = "PRECISION", default_value = "auto")]
    kv_dtype: String,
    /// GPUs that share every matrix (tensor parallelism)
    #[arg(long, visible_alias = "tp", value_name = "GPUS", default_value = "1")]
    tensor_parallel: String,
    /// Groups of layers on GPUs of their own (pipeline parallelism)
    #[arg(long, visible_alias = "pp", value_name = "STAGES", default_value = "1")]
    pipeline_parallel: String,
    /// Engines with requests of their own that share the experts, in step (data parallelism)
    #[arg(long, visible_alias = "dp", value_name = "ENGINES", default_value = "1")]
    data_parallel: String,
    /// How many of the tensor × data GPUs keep experts whole (expert parallelism)
    #[arg(long, visible_alias = "ep", value_name = "GPUS", default_value = "1")]
    expert_parallel: String,
    /// Share of the GPUs' memory that the engine takes, for weights, KV cache and itself
    #[arg(long, value_name = "SHARE", default_value = "0.9")]
    gpu_memory_utilization: String,
}

impl DeploymentArgs {
    /// What these options and those two say, by the names that columns of a file have.
    pub fn words(&self, model: &str, gpu: &str) -> Words {
        Words::from([
            ("model", model.to_owned()),
            ("gpu", gpu.to_owned()),
            ("engine", self.engine.clone()),
            ("precision", self.precision.clone()),
            ("kv_dtype", self.kv_dtype.clone()),
            ("tensor_parallel", self.tensor_parallel.clone()),
            ("pipeline_parallel", self.pipeline_parallel.clone()),
            ("data_parallel", self.data_parallel.clone()),
            ("expert_parallel", self.expert_parallel.clone()),
            ("gpu_memory_utilization", self.gpu_memory_utilization.clone()),
        ])
    }
}

/// The option with the word that is wrong: options are named as columns are.
pub fn misread(words: &Words, wrong: &Wrong) -> CliError {
    let option = wrong.column.replace('_', "-");
    let word = words.get(wrong.column).map(String::as_str).unwrap_or_default();
    let argument = format!("--{option} {word}");
    let place = argument.len() - word.len()..argument.len();
    CliError::Findings(Findings {
        headline: "an option makes no sense".to_owned(),
        list: vec![Finding {
            message: wrong.problem.clone(),
            excerpt: Some(Excerpt::of_argument(&argument, place)),
            help: None,
        }],
        closing: None,
    })
}
