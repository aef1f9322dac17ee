//! What the engines of each pool counted, as `run.json` has it; nothing where no engine counts.

use serde::Serialize;
use serde_json::Value;

use crate::ids::{ApplicationId, Tag};
use crate::report::FinishedRun;
use crate::report::series::{Pools, Values};

/// Pools whose engines count, as columns.
#[derive(Debug, Default, Serialize)]
pub struct Engines {
    pool: Vec<usize>,
    iterations: Values,
    preemptions: Values,
    prefix_queried_tokens: Values,
    prefix_hit_rate: Values,
    token_gap_p50_s: Values,
    token_gap_p99_s: Values,
}

impl Engines {
    /// Pool by pool.
    pub fn of(run: &FinishedRun, pools: &Pools) -> Self {
        let mut columns = Engines::default();
        for application in run.summary["applications"].as_array().into_iter().flatten() {
            let id = application["application_id"].as_u64().and_then(|id| u32::try_from(id).ok());
            let by_tag = application["engine"]["by_tag"].as_object();
            for (tag, counted) in by_tag.into_iter().flatten() {
                let place = id.and_then(|id| pools.place(ApplicationId(id), Tag::parse(tag)));
                columns.pool.extend(place);
                if place.is_some() {
                    columns.push(counted);
                }
            }
        }
        columns
    }

    fn push(&mut self, counted: &Value) {
        let number = |key: &str| counted.pointer(key).and_then(Value::as_f64);
        self.iterations.0.push(number("/iterations"));
        self.preemptions.0.push(number("/preemptions"));
        self.prefix_queried_tokens.0.push(number("/prefix_queried_tokens"));
        self.prefix_hit_rate.0.push(number("/prefix_hit_rate"));
        self.token_gap_p50_s.0.push(number("/token_gap_s/p50"));
        self.token_gap_p99_s.0.push(number("/token_gap_s/p99"));
    }
}
