//! `classes.csv`: one row a class of requests, over all applications. Only there if the scenario has classes.

use std::fmt::Display;
use std::path::Path;

use super::WriteError;
use super::table::Table;
use crate::results::format::OrEmpty;
use crate::results::{ClassReport, GroupFigures, Latency};

const FIRST: [&str; 11] = [
    "class",
    "tenant",
    "priority",
    "arrived",
    "completed",
    "rejected",
    "unfinished",
    "prompt_tokens",
    "output_tokens",
    "attainment",
    "slo_met",
];
const LATENCIES: [&str; 6] = ["ttft_s", "tbt_s", "tpot_s", "e2e_s", "queue_s", "longest_gap_s"];
const STATISTICS: [&str; 5] = ["mean", "p50", "p90", "p99", "max"];

pub fn write(directory: &Path, classes: &[ClassReport]) -> Result<(), WriteError> {
    if classes.is_empty() {
        return Ok(());
    }
    let latencies =
        LATENCIES.iter().flat_map(|name| STATISTICS.map(|statistic| format!("{name}_{statistic}")));
    let header: Vec<String> = FIRST.iter().map(|&name| name.to_owned()).chain(latencies).collect();
    let mut table = Table::create(&directory.join("classes.csv"), header.iter().map(String::as_str))?;
    for class in classes {
        let GroupFigures { requests, prompt_tokens, output_tokens, .. } = &class.figures;
        let attainment = OrEmpty(class.slo.as_ref().and_then(|slo| slo.attainment));
        let met = OrEmpty(class.slo.as_ref().map(|slo| slo.met));
        let tenant = OrEmpty(class.tenant.as_deref());
        let values = latencies_of(&class.figures);
        let mut cells: Vec<&dyn Display> = vec![
            &class.class,
            &tenant,
            &class.priority,
            &requests.arrived,
            &requests.completed,
            &requests.rejected,
            &requests.unfinished,
            prompt_tokens,
            output_tokens,
            &attainment,
            &met,
        ];
        cells.extend(values.iter().map(|value| value as &dyn Display));
        table.row(&cells)?;
    }
    table.finish()
}

fn latencies_of(figures: &GroupFigures) -> Vec<OrEmpty<f64>> {
    let GroupFigures { ttft_s, tbt_s, tpot_s, e2e_s, queue_s, longest_gap_s, .. } = figures;
    let latencies = [ttft_s, tbt_s, tpot_s, e2e_s, queue_s, longest_gap_s];
    latencies.into_iter().flat_map(Latency::values).map(OrEmpty).collect()
}
