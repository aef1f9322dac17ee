//! End-to-end points as benchmarks of serving engines publish them: prompts of `isl` tokens, answers of `osl`, so
//! many clients that always have one request each, and the mean time to first token and of a token they saw. The
//! columns are those of NVIDIA AIConfigurator's samples and results, or those that `ebbflow estimate` writes.
//!
//! What an iteration took is worked out from that:
//!
//! * A prompt of `isl` tokens: the time to first token at the fewest clients that were measured, at least that of a
//!   shorter prompt. It includes what is no iteration, such as tokenising. Where only one length was measured, other
//!   prompts take time in proportion to their length.
//! * An iteration of `c` decodes: the time of a token less what others' prompts took of it, as [`Lookup`](super::Lookup)
//!   will charge it: in the `osl` iterations of an answer each of the `c − 1` other clients comes by with its prompt
//!   once. That is half of the time of a token at most, and no less than with fewer decodes. Of several lengths the
//!   median counts.
//!
//! So a closed loop on such a table sees the times that were measured, as far as prompts did not take more than half
//! of them. Leaves out rows of separate prefill and decode instances, and of pipeline or data parallelism. Points of
//! one model, GPU and tensor parallelism that differ in engine or precision make no table; see
//! [`LookupError::Mixed`](super::LookupError).

use std::collections::{BTreeMap, BTreeSet};

use super::read::median;
use super::row::{Columns, Row};
use super::{Curves, LookupKey, MIXED_FACTOR};
use crate::cluster::known_gpus;
use crate::diagnosis::RowProblem;
use crate::models;
use crate::performance::curve::{Curve, Knot};
use crate::performance::roofline::find_gpu;

/// The columns there must be, each under any of its names; the first is ours.
const NEEDED: [&[&str]; 8] = [
    &["model", "model_path"],
    &["gpu", "system"],
    &["tensor_parallel", "tp", "tp_size"],
    &["isl"],
    &["osl"],
    &["concurrency", "batch_size", "bs"],
    &["ttft_ms", "ttft", "silicon_ttft_ms"],
    &["tpot_ms", "tpot", "silicon_tpot_ms"],
];
/// Columns that tell engines and number formats apart.
const APART: [&str; 3] = ["backend", "engine", "precision"];
/// Columns that are 1 or empty in the rows that count, and one that says `agg` or nothing.
const SINGLE: [&str; 6] = ["pp", "pp_size", "pipeline_parallel", "dp", "attention_dp_size", "moe_dp"];
const MODE: &str = "mode";

/// Where a file of points has its columns.
pub(super) struct Points {
    pub(super) columns: Columns,
    apart: Vec<usize>,
    single: Vec<usize>,
    mode: Option<usize>,
    collected: BTreeMap<LookupKey, Collected>,
    /// Names that were made those of scenarios before.
    models: BTreeMap<String, String>,
    gpus: BTreeMap<String, String>,
}

#[derive(Default)]
struct Collected {
    points: Vec<Point>,
    served: BTreeSet<String>,
}

#[derive(Clone, Copy)]
struct Point {
    prompt_tokens: u64,
    output_tokens: u64,
    clients: u64,
    first_token_s: f64,
    token_s: f64,
}

impl Points {
    /// The columns of a file with this header; none if it is no file of points.
    pub(super) fn recognise(header: &csv::StringRecord) -> Option<Self> {
        let find = |name: &str| header.iter().position(|found| found == name);
        let column = |names: &&[&'static str]| names.iter().find_map(|name| Some((find(name)?, *name)));
        Some(Points {
            columns: NEEDED.iter().map(column).collect::<Option<_>>()?,
            apart: APART.iter().filter_map(|name| find(name)).collect(),
            single: SINGLE.iter().filter_map(|name| find(name)).collect(),
            mode: find(MODE),
            collected: BTreeMap::new(),
            models: BTreeMap::new(),
            gpus: BTreeMap::new(),
        })
    }

    /// Takes a row, unless it is of a kind that is left out.
    pub(super) fn take(&mut self, record: csv::StringRecord) -> Result<(), RowProblem> {
        let field = |at: usize| record.get(at).unwrap_or_default();
        let alone = |at: &usize| matches!(field(*at), "" | "1" | "1.0");
        if !self.single.iter().all(alone) || self.mode.is_some_and(|at| !matches!(field(at), "" | "agg")) {
            return Ok(());
        }
        let served = self.apart.iter().map(|at| field(*at)).filter(|word| !word.is_empty());
        let served = served.collect::<Vec<_>>().join(" ");
        let row = Row { columns: &self.columns, record };
        let point = Point {
            prompt_tokens: row.count(3)?,
            output_tokens: row.count(4)?,
            clients: row.count(5)?,
            first_token_s: row.time(6)? / 1000.0,
            token_s: row.time(7)? / 1000.0,
        };
        let name = |known: &mut BTreeMap<String, String>, word: &str, in_scenarios: fn(&str) -> String| {
            known.entry(word.to_owned()).or_insert_with(|| in_scenarios(word)).clone()
        };
        let key = LookupKey {
            model: name(&mut self.models, row.text(0)?, model_in_scenarios),
            gpu: name(&mut self.gpus, row.text(1)?, gpu_in_scenarios),
            tensor_parallelism: row.count(2)?.try_into().unwrap_or(u32::MAX),
        };
        let to = self.collected.entry(key).or_default();
        to.points.push(point);
        to.served.insert(served);
        Ok(())
    }

    /// The curves of every key.
    pub(super) fn curves(self) -> BTreeMap<LookupKey, Curves> {
        let curves = |(key, collected): (LookupKey, Collected)| Some((key, collected.curves()?));
        self.collected.into_iter().filter_map(curves).collect()
    }
}

impl Collected {
    fn curves(self) -> Option<Curves> {
        let prompt_by_tokens = Curve::through(&self.prompts())?;
        let mut by_clients: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
        for point in &self.points {
            let others = (point.clients - 1) as f64 / point.output_tokens as f64;
            let prompts_s = others * MIXED_FACTOR * prompt_by_tokens.at(point.prompt_tokens as f64);
            let decode_s = point.token_s - prompts_s.min(point.token_s / 2.0);
            by_clients.entry(point.clients).or_default().push(decode_s);
        }
        let decode = Curve::through(&growing(by_clients))?;
        Some(Curves {
            prompt_by_tokens,
            // Prompt tokens say nothing of decodes here.
            decode_by_tokens: decode.clone(),
            decode_by_sequences: Some(decode),
            served: self.served.into_iter().collect(),
        })
    }

    /// Time of a prompt by its length.
    fn prompts(&self) -> Vec<Knot> {
        let mut fewest: BTreeMap<u64, (u64, Vec<f64>)> = BTreeMap::new();
        for point in &self.points {
            let known = fewest.entry(point.prompt_tokens).or_insert_with(|| (point.clients, Vec::new()));
            if point.clients < known.0 {
                *known = (point.clients, Vec::new());
            }
            if point.clients == known.0 {
                known.1.push(point.first_token_s);
            }
        }
        let knots = growing(fewest.into_iter().map(|(tokens, (_, values))| (tokens, values)).collect());
        match knots[..] {
            [(tokens, seconds)] => vec![(tokens / 2.0, seconds / 2.0), (tokens, seconds)],
            _ => knots,
        }
    }
}

/// Medians, none below the one before.
fn growing(groups: BTreeMap<u64, Vec<f64>>) -> Vec<Knot> {
    let mut least = 0.0_f64;
    let knot = |(x, values): (u64, Vec<f64>)| {
        least = least.max(median(values));
        (x as f64, least)
    };
    groups.into_iter().map(knot).collect()
}

/// The built-in model that is meant, or the name without its publisher.
fn model_in_scenarios(name: &str) -> String {
    let without_publisher = || name.rsplit('/').next().unwrap_or(name).to_owned();
    models::find(name).map_or_else(|_| without_publisher(), |model| model.name)
}

/// The GPU of the catalogue that is meant, or the name as it is.
fn gpu_in_scenarios(name: &str) -> String {
    let Ok(meant) = find_gpu(name) else { return name.to_owned() };
    let same = |known: &&str| find_gpu(known).is_ok_and(|gpu| gpu.name == meant.name);
    known_gpus().find(same).unwrap_or(name).to_owned()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{DecodeKey, LookupError, LookupTable};
    use super::*;
    use crate::performance::{BatchShape, PerformanceModel};

    const HEADER: &str = "model_path,system,backend,precision,mode,isl,osl,batch_size,tp_size,pp_size,silicon_ttft_ms,silicon_tpot_ms";

    fn table(rows: &str) -> LookupTable {
        LookupTable::parse(Path::new("points.csv"), &format!("{HEADER}\n{rows}")).unwrap()
    }

    fn key() -> LookupKey {
        LookupKey::new("Llama-3.1-8B", "h100-80gb", 1)
    }

    fn decode_s(model: &impl PerformanceModel, decodes: u32) -> f64 {
        model.iteration_s(BatchShape { prompts: 0, prompt_tokens: 0, decodes })
    }

    fn prompt_s(model: &impl PerformanceModel, prompt_tokens: u64) -> f64 {
        model.iteration_s(BatchShape { prompts: 1, prompt_tokens, decodes: 0 })
    }

    #[test]
    fn points_become_times_that_give_the_points_again() {
        let table = table(
            "meta-llama/Llama-3.1-8B,h100_sxm,vllm,fp8,agg,1000,500,1,1,1,40,8\n\
             meta-llama/Llama-3.1-8B,h100_sxm,vllm,fp8,agg,1000,500,51,1,1,99,14.4\n\
             meta-llama/Llama-3.1-8B,h100_sxm,vllm,fp8,disagg,1000,500,9,1,1,1,1\n\
             meta-llama/Llama-3.1-8B,h100_sxm,vllm,fp8,agg,1000,500,9,1,2,1,1\n",
        );
        let model = table.lookup(&key(), DecodeKey::BatchSize).unwrap();
        assert!((prompt_s(&model, 1000) - 0.040).abs() < 1e-12);
        assert!((prompt_s(&model, 2000) - 0.080).abs() < 1e-12, "in proportion: one length was measured");
        // 50 other prompts of 40 ms, a tenth dearer beside decodes, in 500 iterations: 4.4 ms of 14.4.
        assert!((decode_s(&model, 51) - 0.010).abs() < 1e-12);
        assert!((decode_s(&model, 1) - 0.008).abs() < 1e-12);
    }

    #[test]
    fn what_estimates_write_is_a_table_too() {
        let text = "model,gpu,engine,precision,tensor_parallel,isl,osl,concurrency,ttft_ms,tpot_ms\n\
                    Llama-3.1-8B,H100,vllm,bf16,1,100,100,1,10,7\nLlama-3.1-8B,H100,vllm,bf16,1,300,100,1,20,7\n";
        let table = LookupTable::parse(Path::new("estimates.csv"), text).unwrap();
        let model = table.lookup(&key(), DecodeKey::BatchSize).unwrap();
        assert!((prompt_s(&model, 200) - 0.015).abs() < 1e-12);
    }

    #[test]
    fn prompts_take_half_of_a_token_at_most_and_more_decodes_no_less_time() {
        let table = table(
            "Llama-3.1-8B,h100,vllm,fp8,,8000,10,1,1,,900,10\nLlama-3.1-8B,h100,vllm,fp8,,8000,10,8,1,,900,12\n",
        );
        let model = table.lookup(&key(), DecodeKey::BatchSize).unwrap();
        assert!((decode_s(&model, 8) - 0.010).abs() < 1e-12);
    }

    #[test]
    fn points_of_different_engines_make_no_table() {
        let table = table(
            "Llama-3.1-8B,h100,vllm,fp8,agg,100,10,1,1,1,9,9\nLlama-3.1-8B,h100,trtllm,fp8,agg,100,10,1,1,1,9,9\n",
        );
        let error = table.lookup(&key(), DecodeKey::BatchSize).unwrap_err();
        assert!(matches!(error, LookupError::Mixed { .. }));
        let error = error.to_string();
        assert!(
            error.contains("trtllm fp8, vllm fp8") && error.contains("Llama-3.1-8B on h100-80gb"),
            "{error}"
        );
    }

    #[test]
    fn a_bad_row_is_shown_with_the_name_its_column_has_in_the_file() {
        let text = format!("{HEADER}\nm,g,vllm,fp8,agg,0,10,1,1,1,9,9\n");
        let error = LookupTable::parse(Path::new("points.csv"), &text).unwrap_err().to_string();
        assert!(
            error.starts_with("points.csv:2:18: isl is `0`; expected a whole number, at least 1"),
            "{error}"
        );
    }

    #[test]
    fn measured_points_come_back_within_their_scatter() {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/aiconfigurator/silicon_sample.csv");
        let Ok(text) = std::fs::read_to_string(&path) else {
            return println!("skipped: {} is not there", path.display());
        };
        let ours = |line: &&str| {
            line.starts_with("id,") || line.contains(",vllm,") && line.contains("70B,h200_sxm,fp8")
        };
        let own: String = text.lines().filter(ours).flat_map(|line| [line, "\n"]).collect();
        let table = LookupTable::parse(&path, &own).unwrap();
        let (mut errors, mut count) = (0.0, 0);
        let mut reader = csv::Reader::from_reader(own.as_bytes());
        let header = reader.headers().unwrap().clone();
        for record in reader.records().map(Result::unwrap) {
            let number = |name: &str| -> f64 {
                record[header.iter().position(|found| found == name).unwrap()].parse().unwrap()
            };
            let key = LookupKey::new("Llama-3.1-70B", "h200-141gb", number("tp_size") as u32);
            let model = table.lookup(&key, DecodeKey::BatchSize).unwrap();
            let others = (number("batch_size") - 1.0) / number("osl");
            let prompts_s = others * MIXED_FACTOR * prompt_s(&model, number("isl") as u64);
            let token_s = decode_s(&model, number("batch_size") as u32) + prompts_s;
            errors += (token_s * 1000.0 / number("silicon_tpot_ms") - 1.0).abs();
            count += 1;
        }
        println!(
            "{count} points of Llama-3.1-70B on H200 under vLLM: {:.1} % off",
            100.0 * errors / f64::from(count)
        );
        assert!(count > 20 && errors / f64::from(count) < 0.15, "{count} points, {errors}");
    }
}
