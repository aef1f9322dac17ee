//! Reads one table of kernels: which kind it is, from its first line; then its rows.

use std::path::Path;

use super::kernel::{Experts, Format, Heads, Kernel, Way};
use super::{Collected, LookupError, Origin};
use crate::diagnosis::{BadRows, HeaderProblem, Layout, RowProblem};
use crate::performance::lookup::row::{Columns, Row, bad_row, malformed};
use crate::performance::roofline::{Backend, gpu_letters};

const GEMM: [&str; 5] = ["gemm_dtype", "m", "n", "k", "latency"];
const ATTENTION: [&str; 9] = [
    "op_name",
    "batch_size",
    "isl",
    "step",
    "num_heads",
    "num_key_value_heads",
    "head_dim",
    "kv_cache_dtype",
    "latency",
];
const EXPERTS: [&str; 10] = [
    "moe_dtype",
    "num_tokens",
    "hidden_size",
    "inter_size",
    "topk",
    "num_experts",
    "moe_tp_size",
    "moe_ep_size",
    "distribution",
    "latency",
];
const ALL_REDUCE: [&str; 5] = ["allreduce_dtype", "num_gpus", "message_size", "backend", "latency"];
const NCCL: [&str; 5] = ["nccl_dtype", "num_gpus", "message_size", "op_name", "latency"];
/// Columns that a table may have.
const WINDOW: &str = "window_size";
const ENGINE: &str = "framework";
const DEVICE: &str = "device";

/// Beyond these a kernel takes minutes, or is a slip of the keyboard.
const LONGEST_MS: f64 = 1e6;
const LATENCY: &str = "a time above 0 ms, at most 1000000 ms";
const LARGEST: u64 = 1 << 31;
const SIZE: &str = "a whole number from 1 to 2147483648";

const LAYOUTS: [Layout; 5] = [
    layout("table of GEMM kernels in ms", "gemm_dtype,m,n,k,latency", &GEMM),
    layout(
        "table of attention kernels in ms",
        "op_name,batch_size,isl,step,num_heads,num_key_value_heads,head_dim,kv_cache_dtype,latency",
        &ATTENTION,
    ),
    layout(
        "table of expert kernels in ms",
        "moe_dtype,num_tokens,hidden_size,inter_size,topk,num_experts,moe_tp_size,moe_ep_size,distribution,latency",
        &EXPERTS,
    ),
    layout(
        "table of an engine's all-reduce in ms",
        "allreduce_dtype,num_gpus,message_size,backend,latency",
        &ALL_REDUCE,
    ),
    layout("table of NCCL's collectives in ms", "nccl_dtype,num_gpus,message_size,op_name,latency", &NCCL),
];

const fn layout(name: &'static str, first_line: &'static str, columns: &'static [&'static str]) -> Layout {
    Layout { name, first_line, columns, foreign: None }
}

/// A kernel, the sizes it was measured at, and seconds.
type Measured = (Kernel, [u64; 2], f64);
/// Reads a row; none: it is of a kind that is left out.
type Read = fn(&Row<'_>, window: u64) -> Result<Option<Measured>, RowProblem>;

/// How each layout is read, and whether its times are an engine's own.
const KINDS: [(Read, bool); 5] =
    [(gemm, true), (attention, true), (experts, true), (all_reduce, true), (nccl, false)];

/// Where the columns stand.
struct Kind {
    columns: Columns,
    read: Read,
    window: Option<usize>,
    engine: Option<usize>,
    device: Option<usize>,
}

/// What the last row said of its origin, and what that means.
#[derive(Default)]
struct Said {
    device: String,
    engine: String,
    origin: Origin,
}

/// Adds the rows of a table to those collected. False if it is none of kernels, which is an error unless it only lay in
/// a `folder`.
pub(super) fn rows(
    path: &Path,
    text: &str,
    folder: bool,
    collected: &mut Collected,
) -> Result<bool, LookupError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let header = reader.headers().cloned().unwrap_or_default();
    let Some(kind) = Kind::recognise(&header) else {
        return if folder && !is_meant(&header) { Ok(false) } else { Err(foreign(path, text)) };
    };
    let mut bad = BadRows::default();
    let mut said = Said::default();
    for record in reader.into_records() {
        let read = record.map_err(|error| malformed(&error)).and_then(|record| {
            let byte = record.position().map_or(0, csv::Position::byte);
            kind.note_origin(&record, &mut said);
            let row = Row { columns: &kind.columns, record };
            kind.measured(&row).map_err(|problem| (byte, problem))
        });
        match read {
            Ok(Some((kernel, sizes, seconds))) => {
                let kernels = collected.entry(said.origin.clone()).or_default();
                kernels.entry(kernel).or_default().entry(sizes).or_default().push(seconds);
            }
            Ok(None) => {}
            Err((byte, problem)) => bad.add(|| bad_row(path, text, byte, &kind.columns, problem)),
        }
    }
    match bad.count() {
        0 => Ok(true),
        _ => Err(LookupError::Rows { path: path.to_owned(), rows: bad }),
    }
}

/// Whether a first line names a kernel's number format: then the table was meant to be one of these.
fn is_meant(header: &csv::StringRecord) -> bool {
    let signs = [GEMM[0], EXPERTS[0], ALL_REDUCE[0], NCCL[0]];
    header.iter().any(|name| signs.contains(&name))
}

fn foreign(path: &Path, text: &str) -> LookupError {
    let lines = (1..).zip(text.lines());
    let mut lines = lines.skip_while(|(_, line)| line.trim().is_empty() || line.starts_with('#'));
    let (number, line) = lines.next().unwrap_or((1, ""));
    let header = HeaderProblem::new("table of kernels", &path.display().to_string(), number, line, &LAYOUTS);
    LookupError::Header(Box::new(header))
}

impl Kind {
    fn recognise(header: &csv::StringRecord) -> Option<Self> {
        let find = |name: &str| header.iter().position(|found| found == name);
        let column = |name: &&'static str| Some((find(name)?, *name));
        let columns = |layout: &Layout| layout.columns.iter().map(column).collect::<Option<Columns>>();
        let mut kinds = LAYOUTS.iter().zip(KINDS);
        let (columns, (read, own)) = kinds.find_map(|(layout, kind)| Some((columns(layout)?, kind)))?;
        let engine = if own { find(ENGINE) } else { None };
        Some(Kind { columns, read, window: find(WINDOW), engine, device: find(DEVICE) })
    }

    /// Where a row was measured; nearly all rows of a table say the same.
    fn note_origin(&self, record: &csv::StringRecord, said: &mut Said) {
        let field = |at: Option<usize>| at.and_then(|at| record.get(at)).unwrap_or_default();
        let [device, engine] = [self.device, self.engine].map(field);
        if said.device != device {
            device.clone_into(&mut said.device);
            said.origin.gpu = gpu_letters(device);
        }
        if said.engine != engine {
            engine.clone_into(&mut said.engine);
            let known = engine.parse::<Backend>().map(Backend::name);
            said.origin.engine = known.unwrap_or(engine).to_ascii_lowercase();
        }
    }

    fn measured(&self, row: &Row<'_>) -> Result<Option<Measured>, RowProblem> {
        let window = self.window.and_then(|at| row.record.get(at)).unwrap_or_default();
        (self.read)(row, window.parse().unwrap_or(0))
    }
}

/// The last column, milliseconds.
fn seconds(row: &Row<'_>) -> Result<f64, RowProblem> {
    let latency = row.columns.len() - 1;
    let ms = row.time(latency)?;
    if ms <= LONGEST_MS { Ok(ms / 1000.0) } else { Err(row.problem(latency, LATENCY)) }
}

/// A size that products of two sizes can be formed of.
fn size(row: &Row<'_>, column: usize) -> Result<u64, RowProblem> {
    let size = row.count(column)?;
    if size <= LARGEST { Ok(size) } else { Err(row.problem(column, SIZE)) }
}

fn gemm(row: &Row<'_>, _: u64) -> Result<Option<Measured>, RowProblem> {
    let kernel =
        Kernel::Gemm { format: Format::of(row.text(0)?), rows: size(row, 2)?, columns: size(row, 3)? };
    Ok(Some((kernel, [size(row, 1)?, 0], seconds(row)?)))
}

fn attention(row: &Row<'_>, window: u64) -> Result<Option<Measured>, RowProblem> {
    let (sequences, tokens, before) = (size(row, 1)?, size(row, 2)?, row.count_or_none(3)?.min(LARGEST));
    let heads = Heads {
        queries: size(row, 4)?,
        keys: row.count_or_none(5)?,
        width: size(row, 6)?,
        window,
        cache: Format::of(row.text(7)?),
    };
    let (kernel, tokens) = match row.text(0)? {
        "context_attention" if before == 0 => (Kernel::PrefillAttention(heads), tokens),
        "generation_attention" => (Kernel::DecodeAttention(heads), tokens + before),
        // Pieces of prompts with context: the formula knows how those go on from whole ones.
        "context_attention" => return Ok(None),
        _ => return Err(row.problem(0, "`context_attention` or `generation_attention`")),
    };
    Ok(Some((kernel, [sequences, tokens], seconds(row)?)))
}

fn experts(row: &Row<'_>, _: u64) -> Result<Option<Measured>, RowProblem> {
    let kernel = Kernel::Experts(Experts {
        format: Format::of(row.text(0)?),
        hidden: size(row, 2)?,
        inner: size(row, 3)?,
        active: size(row, 4)?,
        count: size(row, 5)?,
        tensor: size(row, 6)?,
        expert: size(row, 7)?,
        routing: row.text(8)?.to_owned(),
    });
    Ok(Some((kernel, [size(row, 1)?, 0], seconds(row)?)))
}

fn all_reduce(row: &Row<'_>, _: u64) -> Result<Option<Measured>, RowProblem> {
    let way = if row.text(3)?.ends_with("graph") { Way::Graph } else { Way::Eager };
    sum(row, way)
}

fn nccl(row: &Row<'_>, _: u64) -> Result<Option<Measured>, RowProblem> {
    if row.text(3)? == "all_reduce" { sum(row, Way::Nccl) } else { Ok(None) }
}

/// Of elements of 16 bits.
fn sum(row: &Row<'_>, way: Way) -> Result<Option<Measured>, RowProblem> {
    if Format::of(row.text(0)?) != Format::of("bf16") {
        return Ok(None);
    }
    let kernel = Kernel::AllReduce { gpus: size(row, 1)?, way };
    Ok(Some((kernel, [size(row, 2)?, 0], seconds(row)?)))
}
