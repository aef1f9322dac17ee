//! Time per output token against 1,900 measured points.

use std::collections::BTreeMap;

use ebbflow::performance::roofline::Constants;

use super::constants::{fitted, rows_of};
use super::measured;
use super::rows::{Group, Row, Rows};

const DENSE: f64 = 0.08;
const LEFT_OUT: f64 = 0.12;
const EXPERTS: f64 = 0.15;
/// Fewer points than these say nothing by themselves; printed, not held.
const FEW: usize = 5;
/// Fewer points than these fit nothing.
const MANY: usize = 20;

/// Mean absolute relative error, and the mean relative one.
pub fn errors(rows: &[&Row], values: &[f64; Constants::COUNT]) -> (f64, f64) {
    let errors: Vec<f64> = rows.iter().map(|row| row.sample(1.0).error(values)).collect();
    let count = errors.len() as f64;
    (errors.iter().map(|error| error.abs()).sum::<f64>() / count, errors.iter().sum::<f64>() / count)
}

#[test]
fn tokens_take_as_long_as_measured() {
    let Some(path) = measured("aiconfigurator/silicon_sample.csv") else { return };
    let rows = Rows::read(&path);
    let mut groups: BTreeMap<&Group, Vec<&Row>> = BTreeMap::new();
    for row in &rows.judged {
        groups.entry(&row.group).or_default().push(row);
    }
    let mut broken = Vec::new();
    println!(
        "model            gpu   engine  precision  points  mean error   (bias)   left out of the fit   ttft"
    );
    for (group, of) in &groups {
        let (name, gpu, backend, precision) = group;
        let experts = of[0].experts;
        let (error, bias) = errors(of, &backend.constants(experts).values());
        let others = rows_of(&rows, *backend, experts, Some(group));
        let enough = others.len() >= MANY;
        let apart = enough.then(|| errors(of, &fitted(&others, *backend, experts)).0);
        let ttft: Vec<f64> = of.iter().map(|row| row.predicted.ttft_s / row.ttft_s - 1.0).collect();
        let ttft = ttft.iter().map(|error| error.abs()).sum::<f64>() / ttft.len() as f64;
        println!(
            "{name:16} {gpu:5} {:7} {:9} {:7} {:9.1} % {:+7.1} % {:>18} {:8.0} %",
            backend.name(),
            precision.name(),
            of.len(),
            100.0 * error,
            100.0 * bias,
            apart.map_or("-".to_owned(), |apart| format!("{:.1} %", 100.0 * apart)),
            100.0 * ttft
        );
        if of.len() < FEW {
            continue;
        }
        let bound = if experts { EXPERTS } else { DENSE };
        if error > bound {
            broken.push(format!("{group:?}: {error:.3} above {bound}"));
        }
        if let Some(apart) = apart.filter(|&apart| !experts && apart > LEFT_OUT) {
            broken.push(format!("{group:?}: {apart:.3} left out, above {LEFT_OUT}"));
        }
    }
    println!("\nnot covered:");
    for (reason, count) in &rows.left_out {
        println!("{count:5} rows  {reason}");
    }
    assert!(broken.is_empty(), "{broken:#?}");
}
