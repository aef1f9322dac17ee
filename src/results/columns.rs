//! The columns of `detailed/{app}.csv`, and their statistics for `summary.csv` and `run.json`.

use super::{Served, Statistics, Tally};

/// A figure of a served request.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// The ancestor's name.
    pub name: &'static str,
    /// The value.
    pub value: fn(&Served) -> f64,
}

/// All columns of the file in order. Sizes are tokens, the rest but the id are seconds.
pub const COLUMNS: [Column; 8] = [
    Column { name: "request_ids", value: |served| served.id as f64 },
    Column { name: "response_times", value: |served| served.e2e.as_secs_f64() },
    Column { name: "queue_times", value: |served| served.queue.as_secs_f64() },
    Column { name: "ttft_times", value: |served| served.ttft.as_secs_f64() },
    Column { name: "tbt_times", value: Served::tbt_s },
    Column { name: "nth_token_overheads", value: |served| served.nth_token_overhead.as_secs_f64() },
    Column { name: "prompt_sizes", value: |served| f64::from(served.prompt_tokens) },
    Column { name: "token_sizes", value: |served| f64::from(served.output_tokens) },
];

/// The statistics of the figures of many requests; none where there is no figure.
#[derive(Clone, PartialEq, Debug)]
pub struct Figures {
    /// Of every column, in order.
    pub columns: [Option<Statistics>; COLUMNS.len()],
    /// Of the time per output token, for which the file has no column.
    pub tpot_s: Option<Statistics>,
    /// Of the longest gap between two tokens, for which it has none either.
    pub longest_gap_s: Option<Statistics>,
}

impl Figures {
    /// Sums up these requests, in order.
    pub fn of<'a>(tallies: impl Iterator<Item = &'a Tally> + Clone) -> Self {
        let requests = tallies.clone().map(|tally| tally.served.len()).sum();
        let statistics = |column: Column| {
            // A column of ten million requests should not grow by doubling.
            let mut values = Vec::with_capacity(requests);
            tallies.clone().for_each(|tally| values.extend(tally.served.iter().map(column.value)));
            Statistics::of(values)
        };
        let beside = |figure: fn(&Served) -> Option<f64>| {
            Statistics::of(tallies.clone().flat_map(|tally| &tally.served).filter_map(figure).collect())
        };
        Figures {
            columns: COLUMNS.map(statistics),
            tpot_s: beside(Served::tpot_s),
            longest_gap_s: beside(Served::longest_gap_s),
        }
    }

    /// The statistics of the column of this name.
    pub fn column(&self, name: &str) -> Option<&Statistics> {
        let place = COLUMNS.iter().position(|column| column.name == name)?;
        self.columns[place].as_ref()
    }
}
