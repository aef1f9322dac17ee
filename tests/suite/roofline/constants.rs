//! The fit of the engines' constants, and that those in the source are its outcome.

use std::collections::BTreeMap;

use ebbflow::performance::roofline::fit::{Sample, fit, mean_error};
use ebbflow::performance::roofline::{Backend, Constants};

use super::measured;
use super::rows::{Group, Row, Rows};

/// Host work a sequence of dense models is not fitted where it is known from fits over more groups: TensorRT-LLM 28 µs
/// (Llama-70B on H200 and B200, Qwen3-32B on H100; one model at one version says 56), vLLM 26 µs (Llama-3.1-70B on
/// H100, H200 and B200; Qwen3-32B pulls it to 55).
const fn sequence_s(backend: Backend) -> Option<f64> {
    match backend {
        Backend::Vllm => Some(26e-6),
        Backend::TrtLlm => Some(28e-6),
        Backend::Sglang => None,
    }
}

/// SGLang's points with experts have 2 to 9 clients, which do not tell the time of reading weights from that of the
/// host: its memory scale is held at vLLM's.
const SGLANG_EXPERTS_MEMORY: f64 = 0.806;

/// The rows of a backend's models with or without experts, but for one group.
pub fn rows_of<'a>(rows: &'a Rows, backend: Backend, experts: bool, without: Option<&Group>) -> Vec<&'a Row> {
    let of = |row: &&Row| row.group.2 == backend && row.experts == experts && Some(&row.group) != without;
    rows.judged.iter().filter(of).collect()
}

/// Samples in which every model counts alike, however many points it has.
fn samples(rows: &[&Row]) -> Vec<Sample> {
    let mut points: BTreeMap<&str, f64> = BTreeMap::new();
    for row in rows {
        *points.entry(row.group.0.as_str()).or_default() += 1.0;
    }
    rows.iter().map(|row| row.sample(1.0 / points[row.group.0.as_str()])).collect()
}

/// The constants that fit these rows: host work an iteration for dense models, a layer for others.
pub fn fitted(rows: &[&Row], backend: Backend, experts: bool) -> [f64; Constants::COUNT] {
    let sequence = sequence_s(backend).filter(|_| !experts);
    let (host, layer) = if experts { (Some(0.0), None) } else { (None, Some(0.0)) };
    let memory = (backend == Backend::Sglang && experts).then_some(SGLANG_EXPERTS_MEMORY);
    fit(&samples(rows), [host, layer, sequence, memory, None])
}

/// The front end with the least mean relative error of the time to first token: the median of what the model does
/// not explain, each point weighing the more the shorter it is.
fn front_end(rows: &[&Row], constants: &Constants) -> f64 {
    let unexplained = |row: &&Row| row.ttft_s - (row.predicted.ttft_s - constants.front_end_s);
    let weights = samples(rows).into_iter().zip(rows).map(|(sample, row)| sample.weight / row.ttft_s);
    let mut rest: Vec<(f64, f64)> = rows.iter().map(unexplained).zip(weights).collect();
    rest.sort_by(|a, b| a.0.total_cmp(&b.0));
    let half = rest.iter().map(|(_, weight)| weight).sum::<f64>() / 2.0;
    let mut below = 0.0;
    let median = rest.iter().find(|(_, weight)| {
        below += weight;
        below >= half
    });
    median.map_or(0.0, |(rest, _)| rest.max(0.0))
}

#[test]
fn the_constants_of_every_engine_are_those_of_the_fit() {
    let Some(path) = measured("aiconfigurator/silicon_sample.csv") else { return };
    let rows = Rows::read(&path);
    let mut stale = Vec::new();
    println!(
        "engine   experts  points   host µs  layer µs  sequence µs  memory  compute  mean error  front end"
    );
    for backend in Backend::ALL {
        for experts in [false, true] {
            let of = rows_of(&rows, backend, experts, None);
            let values = fitted(&of, backend, experts);
            let [host, layer, sequence, memory, compute] = values;
            let front_end_s = front_end(&of, &backend.constants(experts));
            println!(
                "{:8} {experts:<7} {:7} {:9.0} {:9.1} {:12.1} {memory:7.3} {compute:8.3} {:9.1} % {:8.1} ms",
                backend.name(),
                of.len(),
                host * 1e6,
                layer * 1e6,
                sequence * 1e6,
                100.0 * mean_error(&samples(&of), &values),
                front_end_s * 1e3
            );
            let committed = backend.constants(experts).values();
            let close = |(found, committed): (&f64, &f64)| (found - committed).abs() <= 0.01 * found + 1e-7;
            let front_ends = (front_end_s - backend.constants(experts).front_end_s).abs();
            if !values.iter().zip(&committed).all(close) || front_ends > 1e-3 {
                stale.push(format!("{backend} {experts}: committed are {committed:?}"));
            }
        }
    }
    assert!(stale.is_empty(), "put the constants above into backend.rs: {stale:?}");
}
