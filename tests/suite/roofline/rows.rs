//! Reads the measured end-to-end points of NVIDIA AIConfigurator (`silicon_sample.csv`, Apache-2.0) and says what
//! the model makes of each.

use std::collections::BTreeMap;
use std::path::Path;

use ebbflow::models::{Precision, canonical_name, find};
use ebbflow::performance::roofline::fit::Sample;
use ebbflow::performance::roofline::{
    Backend, ClosedLoop, Deployment, Load, Parallelism, Roofline, find_gpu,
};

/// InferenceMAX draws every length between 0.8 and 1.0 of the nominal one; the other benchmarks keep to it.
const MEAN_LENGTH: f64 = 0.9;
/// Above this the requests waited for memory, and the concurrency is not the batch.
const LONGEST_TTFT_MS: f64 = 15_000.0;

/// (model, GPU, backend, precision).
pub type Group = (String, String, Backend, Precision);

/// One measured point that the model can be asked about.
pub struct Row {
    pub group: Group,
    pub experts: bool,
    pub ttft_s: f64,
    pub tpot_s: f64,
    pub concurrency: u64,
    /// What is the same but for the concurrency.
    pub series: String,
    pub roofline: Roofline,
    pub load: Load,
    pub predicted: ClosedLoop,
}

impl Row {
    pub fn sample(&self, weight: f64) -> Sample {
        Sample { features: self.predicted.terms.features(), measured_s: self.tpot_s, weight }
    }
}

/// Rows that can be judged, and how many others there are for which reason.
#[derive(Default)]
pub struct Rows {
    pub judged: Vec<Row>,
    pub left_out: BTreeMap<String, usize>,
}

impl Rows {
    pub fn read(path: &Path) -> Self {
        let mut rows = Rows::default();
        let mut reader = csv::Reader::from_path(path).unwrap();
        let records: Result<Vec<BTreeMap<String, String>>, _> = reader.deserialize().collect();
        for record in records.unwrap() {
            match row(&Record(record)) {
                Ok(row) => rows.judged.push(row),
                Err(reason) => *rows.left_out.entry(reason).or_default() += 1,
            }
        }
        rows.drop_contradicted();
        rows
    }

    /// A point is contradicted when its own series decodes faster with more clients.
    fn drop_contradicted(&mut self) {
        let mut series: BTreeMap<String, Vec<(u64, f64)>> = BTreeMap::new();
        for row in &self.judged {
            series.entry(row.series.clone()).or_default().push((row.concurrency, row.tpot_s));
        }
        let contradicted = |row: &Row| {
            series[&row.series]
                .iter()
                .any(|&(more, tpot_s)| more > row.concurrency && tpot_s < 0.98 * row.tpot_s)
        };
        let before = self.judged.len();
        self.judged.retain(|row| !contradicted(row));
        let reason = "contradicted: more clients decode faster in the same series".to_owned();
        self.left_out.insert(reason, before - self.judged.len());
    }
}

struct Record(BTreeMap<String, String>);

impl Record {
    fn text(&self, column: &str) -> &str {
        self.0.get(column).map_or("", String::as_str)
    }

    /// A number; 0 where there is none.
    fn number(&self, column: &str) -> f64 {
        self.text(column).parse().unwrap_or(0.0)
    }

    fn degree(&self, column: &str) -> u32 {
        (self.number(column) as u32).max(1)
    }
}

fn row(record: &Record) -> Result<Row, String> {
    if record.text("mode") != "agg" {
        return Err("prefill and decode on different GPUs".to_owned());
    }
    let model = record.text("model_path");
    let name = canonical_name(model);
    let model = find(model).map_err(|_| format!("model not built in: {name}"))?;
    let gpu = record.text("system");
    let gpu = find_gpu(gpu).map_err(|_| format!("GPU not built in: {gpu}"))?;
    if record.degree("attention_dp_size") > 1 {
        return Err("attention data parallelism: see data_parallel.rs".to_owned());
    }
    let precision = record.text("precision").parse().unwrap_or(Precision::Bf16);
    let backend: Backend = record.text("backend").parse().unwrap();
    let group = (name, gpu.name.clone(), backend, precision);
    unexplained(&group)?;
    let expert = if model.is_moe() { record.degree("moe_ep_size") } else { 1 };
    let (pipeline, tensor) = (record.degree("pp_size"), record.degree("tp_size"));
    let parallelism = Parallelism { pipeline, expert, ..Parallelism::tensor(tensor) };
    let experts = model.is_moe();
    let deployment = Deployment { model, gpu, backend, parallelism, precision, cache: None };
    let roofline = Roofline::new(deployment).map_err(|error| error.to_string())?;
    let load = load(record);
    let predicted = roofline.closed_loop(load).ok_or("more clients than the cache holds")?;
    if predicted.running < load.concurrency {
        return Err("more clients than the cache holds".to_owned());
    }
    if record.number("silicon_ttft_ms") > LONGEST_TTFT_MS {
        return Err("first token after 15 s: requests waited for memory".to_owned());
    }
    let series =
        ["backend_version", "tp_size", "moe_ep_size", "isl", "osl"].map(|column| record.text(column));
    Ok(Row {
        series: format!("{group:?} {series:?}"),
        group,
        experts,
        ttft_s: record.number("silicon_ttft_ms") / 1e3,
        tpot_s: record.number("silicon_tpot_ms") / 1e3,
        concurrency: load.concurrency,
        roofline,
        load,
        predicted,
    })
}

fn load(record: &Record) -> Load {
    let exact = record.text("silicon_data_source").contains("source_file=/Users");
    let length = |column: &str| {
        let nominal = record.number(column);
        (if exact { nominal } else { MEAN_LENGTH * nominal }).round() as u64
    };
    Load {
        prompt_tokens: length("isl"),
        output_tokens: length("osl"),
        concurrency: record.number("batch_size") as u64,
        token_budget: None,
    }
}

/// Groups whose measurements do not go together with the others of the same engine.
fn unexplained((name, gpu, backend, precision): &Group) -> Result<(), String> {
    let reason = match (name.as_str(), gpu.as_str(), backend, precision) {
        ("qwen3-32b", "H100", Backend::Vllm, Precision::Fp8) => {
            "Qwen3-32B fp8 on H100, vLLM: three points faster than their prompts alone can be computed"
        }
        ("gpt-oss-120b", "H100", Backend::TrtLlm, _) => {
            "gpt-oss-120b on H100, TensorRT-LLM 1.3.0rc1: 47 to 60 ms a token whatever the load"
        }
        _ => return Ok(()),
    };
    Err(reason.to_owned())
}
