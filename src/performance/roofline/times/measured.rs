//! Measured times in the place of formulas, as far as tables of kernels cover a deployment.
//!
//! Kernels measured one by one start later than within a CUDA graph: the shortest kernel of a kind in the tables (of a
//! number format; of attention) is nearly all start, so by as much as it takes longer than the formula's start, all of
//! its kind count as shorter. A format of which not even the shortest multiplication is faster than 20 µs was launched
//! by a host slower than its kernels (in NVIDIA AIConfigurator's tables under vLLM: fp8 with scales of blocks, 55 µs on
//! H100, 151 µs on B200) and keeps the formula. Sums over GPUs are taken as they are, those within CUDA graphs first.
//!
//! A kernel keeps the formula's split into moving data and arithmetic beyond it, and both take longer by the factor by
//! which it was measured longer: so at measured sizes their sum is the measured time, and the engine's constants apply
//! to it as to the formula's. Matrices of sizes that were not measured lie between the next smaller and larger ones
//! that were: leaving out every second size of AIConfigurator's grid (vLLM 0.24), its times come back within 4 % on
//! average on H100, 5 % in bf16 and 12 % in fp8 on B200, 8 % on A100 (vLLM 0.14). What is larger or smaller than all
//! that were measured keeps the formula.
//!
//! The engines' constants are fitted to the formulas. With them, and AIConfigurator's tables, the mean error of the time
//! of a token over its measured points under vLLM is 8.8 % for dense models (formulas: 5.8 %; most of it Llama-3.1-70B in
//! fp8 on B200, 21 %) and 8.0 % for mixtures of experts (formulas: 9.0 %); with constants fitted to the tables 6.8 and
//! 8.2 %. `cargo test --features parquet --test suite roofline::kernels -- --nocapture` prints every group.
//!
//! Routing in the experts' tables is drawn; the least skewed power law counts where there are several.

use std::collections::{BTreeMap, BTreeSet};

use super::experts::ExpertCosts;
use super::{ATTENTION_START_S, Arithmetic, Gemm, LayerCosts};
use crate::models::{Attention, Matrix, Precision, Window};
use crate::performance::lookup::kernels::{Experts, Format, Heads, Kernel, KernelTables, Points, Way};
use crate::performance::roofline::Deployment;
use crate::performance::roofline::coverage::{Cover, Coverage};
use crate::performance::roofline::decode_lines::DecodeLines;
use crate::performance::roofline::factor::{Factor, Surface};
use crate::performance::roofline::iteration::{IterationSums, PrefillChunk};
use crate::performance::roofline::operators::Operator;

/// How tokens chose experts, what counts first first.
const ROUTINGS: [&str; 3] = ["power_law_1.01", "balanced", "power_law_1.2"];

/// Multiplications of which not even the shortest is faster were launched by a host that was slower than they.
const HOST_BOUND_S: f64 = 20e-6;

/// The tables, as they are asked for one deployment.
struct Tables<'a> {
    deployment: &'a Deployment,
    tables: &'a KernelTables,
    /// Matrices by number format.
    matrices: BTreeMap<Format, Matrices>,
    coverage: Coverage,
}

/// The matrices of one number format whose multiplication was measured.
#[derive(Default)]
struct Matrices {
    rows: BTreeSet<u64>,
    columns: BTreeSet<u64>,
    shortest_s: f64,
}

impl LayerCosts {
    /// Takes measured times for formulas, and says which.
    pub(in crate::performance::roofline) fn refine(
        &mut self,
        deployment: &Deployment,
        cache: Precision,
        tables: &KernelTables,
    ) -> Coverage {
        let (matrices, coverage) = (BTreeMap::new(), Coverage::default());
        let mut tables = Tables { deployment, tables, matrices, coverage };
        let weights = deployment.model.weight_precision(deployment.precision);
        let blocks = deployment.model.block_scaled;
        let dense = gemm_format(deployment.model.dense_precision(weights), blocks);
        let bf16 = gemm_format(Precision::Bf16, false);
        tables.gemms(Operator::Projections, &mut self.projections, self.dense, &dense);
        if self.dense_layers > 0.0 {
            tables.gemms(Operator::FeedForward, &mut self.feed_forward, self.dense, &dense);
        }
        if let Some(experts) = &mut self.experts {
            tables.gemms(Operator::FeedForward, &mut experts.shared, self.dense, &dense);
            tables.gemms(Operator::Experts, std::slice::from_mut(&mut experts.router), self.bf16, &bf16);
            experts.factor = tables.experts(experts, &expert_formats(weights, blocks));
        }
        tables.gemms(Operator::LmHead, std::slice::from_mut(&mut self.lm_head), self.bf16, &bf16);
        self.refine_attention(&mut tables, cache);
        if self.tensor > 1.0 {
            self.sum_factor = tables.all_reduce(self);
        }
        tables.coverage
    }

    fn refine_attention(&mut self, tables: &mut Tables<'_>, cache: Precision) {
        let window = tables.deployment.model.window();
        let kinds = [
            (self.layers > self.windowed_layers).then_some(None),
            window.filter(|window| window.layers > 0).map(Some),
        ];
        for (kind, window) in kinds.into_iter().enumerate().filter_map(|(kind, window)| Some((kind, window?)))
        {
            let Some(heads) = heads(tables.deployment, cache, window) else { continue };
            self.prefill[kind] = tables.prefill(self, &heads, window);
            self.decode[kind] = tables.decode(&heads);
        }
    }
}

/// The name of matrices' format in tables.
fn gemm_format(weights: Precision, blocks: bool) -> Format {
    Format::of(match weights {
        Precision::Bf16 => "bf16",
        Precision::Fp8 if blocks => "fp8_block",
        Precision::Fp8 => "fp8",
        Precision::Fp4 => "nvfp4",
        Precision::Mxfp4 => "mxfp4",
    })
}

/// The names of experts' formats in tables, what counts first first.
fn expert_formats(weights: Precision, blocks: bool) -> Vec<Format> {
    match weights {
        Precision::Mxfp4 => ["w4a16_mxfp4", "w4a8_mxfp4_mxfp8"].map(Format::of).to_vec(),
        other => vec![gemm_format(other, blocks)],
    }
}

/// The heads of one GPU; none: they are of a kind without tables.
fn heads(deployment: &Deployment, cache: Precision, window: Option<Window>) -> Option<Heads> {
    let Attention::Grouped { kv_heads, .. } = deployment.model.attention else { return None };
    let tensor = deployment.parallelism.tensor;
    Some(Heads {
        queries: u64::from(deployment.model.heads / tensor),
        keys: u64::from((kv_heads / tensor).max(1)),
        width: u64::from(deployment.model.head_dim),
        window: window.map_or(0, |window| u64::from(window.tokens)),
        cache: Format::of(cache.name()),
    })
}

/// A whole number of elements; none: it is none, so nothing like it was measured.
fn whole(size: f64) -> Option<u64> {
    (size >= 1.0 && size.fract() == 0.0).then_some(size as u64)
}

impl Tables<'_> {
    fn points(&self, kernel: &Kernel) -> Option<&Points> {
        self.tables.points(&self.deployment.gpu.name, self.deployment.backend, kernel)
    }

    fn gemms(&mut self, operator: Operator, gemms: &mut [Gemm], formula: Arithmetic, format: &Format) {
        for gemm in gemms {
            let Matrix { rows, columns } = gemm.matrix;
            let (factor, cover) = match (whole(rows), whole(columns)) {
                (Some(rows), Some(columns)) => self.gemm(rows, columns, formula, format),
                _ => (Factor::default(), Cover::Formula),
            };
            let kernel = format!("GEMM n {rows}, k {columns} in {format}");
            self.coverage.note(operator, kernel, cover);
            gemm.factor = factor;
        }
    }

    fn matrices(&mut self, wanted: &Format) -> &Matrices {
        if !self.matrices.contains_key(wanted) {
            let mut found = Matrices { shortest_s: f64::INFINITY, ..Matrices::default() };
            for (kernel, shortest_s) in self.kernels() {
                if let Kernel::Gemm { format, rows, columns } = kernel
                    && format == wanted
                {
                    found.rows.insert(*rows);
                    found.columns.insert(*columns);
                    found.shortest_s = found.shortest_s.min(shortest_s);
                }
            }
            self.matrices.insert(wanted.clone(), found);
        }
        &self.matrices[wanted]
    }

    fn kernels(&self) -> impl Iterator<Item = (&Kernel, f64)> {
        self.tables.kernels(&self.deployment.gpu.name, self.deployment.backend)
    }

    /// By how much kernels of a kind start later, as measured, than one that starts after `formula_s`: of the shortest
    /// of them nearly all is its start.
    fn late_s(&self, formula_s: f64, of_kind: impl Fn(&Kernel) -> bool) -> f64 {
        let all = self.kernels().filter(|(kernel, _)| of_kind(kernel)).map(|(_, shortest_s)| shortest_s);
        all.fold(f64::INFINITY, f64::min) - formula_s
    }

    /// Measured at these sizes, or between the nearest.
    fn gemm(&mut self, rows: u64, columns: u64, formula: Arithmetic, format: &Format) -> (Factor, Cover) {
        let matrices = self.matrices(format);
        let late_s = matrices.shortest_s - formula.start_s;
        let near = (around(&matrices.rows, rows), around(&matrices.columns, columns));
        let (true, (Some(near_rows), Some(near_columns))) = (matrices.shortest_s < HOST_BOUND_S, near) else {
            return (Factor::default(), Cover::Formula);
        };
        let mut parts = Vec::new();
        for (rows, of_rows) in &near_rows {
            for (columns, of_columns) in &near_columns {
                let kernel = Kernel::Gemm { format: format.clone(), rows: *rows, columns: *columns };
                let Some(points) = self.points(&kernel) else { return (Factor::default(), Cover::Formula) };
                let matrix = Matrix { rows: *rows as f64, columns: *columns as f64 };
                let factor = by_one_size(points, late_s, |tokens| formula.gemm_s(matrix, tokens).total());
                parts.push((of_rows * of_columns, factor));
            }
        }
        match parts.len() {
            1 => (parts.remove(0).1, Cover::Measured),
            _ => (Factor::between(&parts), Cover::Between),
        }
    }

    fn experts(&mut self, costs: &ExpertCosts, formats: &[Format]) -> Factor {
        let Deployment { model, parallelism, .. } = self.deployment;
        let Some(experts) = model.experts else { return Factor::default() };
        let mut shape = Experts {
            format: formats[0].clone(),
            hidden: u64::from(model.hidden_size),
            inner: u64::from(experts.size),
            active: u64::from(experts.active),
            count: u64::from(experts.count),
            tensor: u64::from(parallelism.expert_gpus() / parallelism.expert),
            expert: u64::from(parallelism.expert),
            routing: String::new(),
        };
        let name = Kernel::Experts(shape.clone()).to_string();
        for (format, routing) in formats.iter().flat_map(|format| ROUTINGS.map(|routing| (format, routing))) {
            shape = Experts { format: format.clone(), routing: routing.to_owned(), ..shape };
            if let Some(points) = self.points(&Kernel::Experts(shape.clone())) {
                let late_s = self.late_s(
                    costs.start_s,
                    |kernel| matches!(kernel, Kernel::Experts(other) if other.format == shape.format),
                );
                let factor = by_one_size(points, late_s, |tokens| costs.chosen_s(tokens).total());
                self.coverage.note(Operator::Experts, name, Cover::Measured);
                return factor;
            }
        }
        self.coverage.note(Operator::Experts, name, Cover::Formula);
        Factor::default()
    }

    fn prefill(&mut self, costs: &LayerCosts, heads: &Heads, window: Option<Window>) -> Option<Surface> {
        let kernel = Kernel::PrefillAttention(heads.clone());
        let late_s = self.late_s(ATTENTION_START_S, |kernel| matches!(kernel, Kernel::PrefillAttention(_)));
        let surface = self.points(&kernel).map(|points| {
            let formula_s = |prompts: u64, tokens: u64| {
                let one = IterationSums::of(&[PrefillChunk { tokens, context: 0 }], &[], window);
                let pairs = if window.is_some() { one.windowed_prefill_pairs } else { one.prefill_pairs };
                costs.prompts_s(prompts as f64 * pairs as f64).total()
            };
            let points: Vec<([u64; 2], f64)> = points.iter().map(|(sizes, s)| (*sizes, *s)).collect();
            let row = |row: &[([u64; 2], f64)]| {
                let points = row.iter();
                let ratio =
                    Factor::through(points.map(|&([prompts, tokens], s)| {
                        (tokens as f64, s - late_s, formula_s(prompts, tokens))
                    }));
                (row[0].0[0] as f64, ratio)
            };
            Surface::through(points.chunk_by(|one, next| one.0[0] == next.0[0]).map(row))
        });
        let cover = if surface.is_some() { Cover::Measured } else { Cover::Formula };
        self.coverage.note(Operator::PrefillAttention, kernel.to_string(), cover);
        surface
    }

    fn decode(&mut self, heads: &Heads) -> Option<DecodeLines> {
        let kernel = Kernel::DecodeAttention(heads.clone());
        let seen = |[sequences, context]: [u64; 2]| match heads.window {
            0 => [sequences, context],
            window => [sequences, context.min(window)],
        };
        let late_s = self.late_s(ATTENTION_START_S, |kernel| matches!(kernel, Kernel::DecodeAttention(_)));
        let points = self.points(&kernel);
        let lines = points
            .and_then(|points| DecodeLines::fit(points.iter().map(|(sizes, s)| (seen(*sizes), *s - late_s))));
        let cover = lines.as_ref().map_or(Cover::Formula, |lines| Cover::Line(lines.error()));
        self.coverage.note(Operator::DecodeAttention, kernel.to_string(), cover);
        lines
    }

    fn all_reduce(&mut self, costs: &LayerCosts) -> Factor {
        let gpus = u64::from(self.deployment.parallelism.tensor);
        let kernels = [Way::Graph, Way::Nccl, Way::Eager].map(|way| Kernel::AllReduce { gpus, way });
        let points = kernels.iter().find_map(|kernel| self.points(kernel));
        let factor = points.map(|points| by_one_size(points, 0.0, |elements| costs.sum_s(elements)));
        let cover = if factor.is_some() { Cover::Measured } else { Cover::Formula };
        self.coverage.note(Operator::AllReduce, kernels[0].to_string(), cover);
        factor.unwrap_or_default()
    }
}

fn by_one_size(points: &Points, late_s: f64, formula_s: impl Fn(f64) -> f64) -> Factor {
    let point = |(sizes, seconds): (&[u64; 2], &f64)| {
        let size = sizes[0] as f64;
        (size, *seconds - late_s, formula_s(size))
    };
    Factor::through(points.iter().map(point))
}

/// The size itself, or the next smaller and larger one with their shares of the way between them; none: it lies beyond
/// all.
fn around(sizes: &BTreeSet<u64>, size: u64) -> Option<Vec<(u64, f64)>> {
    let (below, above) = (*sizes.range(..=size).next_back()?, *sizes.range(size..).next()?);
    if below == above {
        return Some(vec![(size, 1.0)]);
    }
    let ln = |size: u64| libm::log(size as f64);
    let share = (ln(size) - ln(below)) / (ln(above) - ln(below));
    Some(vec![(below, 1.0 - share), (above, share)])
}
