//! What the columns of the tables hold. A name means the same in every table, so one list serves all.

/// The type of a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// An id or a count.
    Integer,
    /// A quantity: seconds, watts, dollars, a share.
    Number,
    /// Words.
    Text,
}

const INTEGERS: [&str; 35] = [
    "active",
    "bytes",
    "bytes_per_s",
    "cached_tokens",
    "decode_instance",
    "decode_j",
    "draining",
    "gpu_memory_bytes",
    "gpus",
    "id",
    "iterations",
    "output_tokens",
    "preemptions",
    "prefill_instance",
    "prefill_j",
    "prefix_hit_tokens",
    "prefix_queried_tokens",
    "priority",
    "prompt_sizes",
    "prompt_tokens",
    "recomputed",
    "request_id",
    "request_ids",
    "request_type",
    "requeued",
    "sequences",
    "server",
    "session",
    "starting",
    "tasks_completed",
    "token_gaps",
    "token_sizes",
    "transfer_to",
    "transfers",
    "wanted",
];

/// Besides those whose names end with `_s`, for seconds, or `_w`, for watts.
const NUMBERS: [&str; 10] = [
    "nth_token_overheads",
    "prefix_hit_rate",
    "queue_times",
    "raw",
    "response_times",
    "tbt_times",
    "time",
    "ttft_times",
    "usd_per_gpu_h",
    "utilizations",
];

const TEXTS: [&str; 21] = [
    "action",
    "class",
    "detail",
    "direction",
    "event",
    "gpu",
    "inputs",
    "instance_names",
    "limited_by",
    "link",
    "outcome",
    "policy",
    "pool",
    "processors",
    "reason",
    "reason_or_stage",
    "sku",
    "status",
    "tag",
    "target",
    "tenant",
];

/// The type of the column of this name, if there is one.
pub fn kind(name: &str) -> Option<Kind> {
    if INTEGERS.contains(&name) {
        Some(Kind::Integer)
    } else if NUMBERS.contains(&name) || name.ends_with("_s") || name.ends_with("_w") {
        Some(Kind::Number)
    } else {
        TEXTS.contains(&name).then_some(Kind::Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Registry;
    use crate::results::{self, Report, RunDirectory};
    use crate::scenario::{self, Scenario};
    use crate::simulation::{self, RunOptions};
    use crate::workload;

    fn scenario() -> Scenario {
        let overrides = ["end_time=40", "applications.0.scaling_manager.autoscaling_policy=threshold"];
        scenario::builtin(&overrides.map(String::from), &Registry::builtin()).unwrap()
    }

    #[test]
    fn every_column_of_every_table_has_a_type() {
        let (scenario, registry) = (scenario(), Registry::builtin());
        let applications: Vec<_> = scenario.applications.iter().map(|application| application.id).collect();
        let workload = workload::open(&scenario.workload, &applications, scenario.seed).unwrap();
        let run = simulation::run(&scenario, workload, &registry, &RunOptions::default()).unwrap();
        let home = tempfile::tempdir().unwrap();
        let target = RunDirectory::exactly(home.path().join("run"), false);
        let directory = results::write(&target, &run, &Report::new(&run, &scenario), &scenario).unwrap();
        for name in [
            "requests/0",
            "detailed/0",
            "detailed/0_alloc",
            "lifecycle/0",
            "lifecycle/0_servers",
            "scaling/0",
            "scaling/0_events",
            "scaling/0_decisions",
        ] {
            let mut table = csv::Reader::from_path(directory.join(format!("{name}.csv"))).unwrap();
            for column in table.headers().unwrap() {
                assert!(kind(column).is_some(), "what is `{column}` of {name}?");
            }
        }
    }
}
