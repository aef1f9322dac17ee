//! `detailed/{app}.csv`: one row a completed request, in order of completion. Sizes are tokens, the
//! rest are seconds. What the columns mean is said by [`Column`], which `summary.csv` sums up.

use std::path::Path;

use super::table::Table;
use super::{ApplicationResults, WriteError};
use crate::request::Request;

/// A column of `detailed/{app}.csv`: its name, and its value for a completed request.
pub struct Column {
    /// The ancestor's name.
    pub name: &'static str,
    /// The value; a completed request has all of them.
    pub value: fn(&Request) -> Option<f64>,
}

/// All columns in order.
pub const COLUMNS: [Column; 8] = [
    Column { name: "request_ids", value: |request| Some(request.id.0 as f64) },
    Column { name: "response_times", value: Request::e2e_s },
    Column { name: "queue_times", value: Request::queue_s },
    Column { name: "ttft_times", value: Request::ttft_s },
    Column { name: "tbt_times", value: Request::tbt_s },
    Column { name: "nth_token_overheads", value: Request::nth_token_overhead_s },
    Column { name: "prompt_sizes", value: |request| Some(f64::from(request.prompt_tokens)) },
    Column { name: "token_sizes", value: |request| Some(f64::from(request.output_tokens)) },
];

pub fn write(directory: &Path, application: &ApplicationResults) -> Result<(), WriteError> {
    let path = directory.join(format!("detailed/{}.csv", application.id));
    let mut table = Table::create(&path, COLUMNS.iter().map(|column| column.name))?;
    for request in application.completed() {
        let values =
            COLUMNS.each_ref().map(|column| crate::results::format::OrEmpty((column.value)(request)));
        table.row(&values.each_ref().map(|value| value as &dyn std::fmt::Display))?;
    }
    table.finish()
}
