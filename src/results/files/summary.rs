//! `summary.csv`: one row an application, every statistic of every column of `detailed/{app}.csv`.
//! Fields are empty when no request completed.

use std::fmt::Display;
use std::path::Path;

use super::WriteError;
use super::table::Table;
use crate::results::format::OrEmpty;
use crate::results::{ApplicationReport, COLUMNS, Statistics};

pub fn write(directory: &Path, applications: &[ApplicationReport]) -> Result<(), WriteError> {
    let names =
        COLUMNS.iter().flat_map(|column| Statistics::NAMES.map(|name| format!("{}_{name}", column.name)));
    let header: Vec<String> = std::iter::once("application_id".to_owned()).chain(names).collect();
    let mut table = Table::create(&directory.join("summary.csv"), header.iter().map(String::as_str))?;
    for application in applications {
        let values: Vec<_> = application.figures.columns.iter().flat_map(values).collect();
        let mut cells: Vec<&dyn Display> = vec![&application.application_id];
        cells.extend(values.iter().map(|value| value as &dyn Display));
        table.row(&cells)?;
    }
    table.finish()
}

fn values(statistics: &Option<Statistics>) -> [OrEmpty<f64>; Statistics::NAMES.len()] {
    match statistics {
        Some(statistics) => statistics.values().map(|value| OrEmpty(Some(value))),
        None => [OrEmpty(None); Statistics::NAMES.len()],
    }
}
