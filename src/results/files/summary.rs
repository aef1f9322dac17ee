//! `summary.csv`: one row an application, every statistic of every column of `detailed/{app}.csv`.
//! Fields are empty when no request completed.

use std::fmt::Display;
use std::path::Path;

use super::detailed::{COLUMNS, Column};
use super::table::Table;
use super::{ApplicationResults, WriteError};
use crate::results::format::OrEmpty;
use crate::results::statistics::Statistics;

pub fn write(directory: &Path, applications: &[ApplicationResults]) -> Result<(), WriteError> {
    let names =
        COLUMNS.iter().flat_map(|column| Statistics::NAMES.map(|name| format!("{}_{name}", column.name)));
    let header: Vec<String> = std::iter::once("application_id".to_owned()).chain(names).collect();
    let mut table = Table::create(&directory.join("summary.csv"), header.iter().map(String::as_str))?;
    for application in applications {
        let values: Vec<_> = COLUMNS.iter().flat_map(|column| statistics(application, column)).collect();
        let mut cells: Vec<&dyn Display> = vec![&application.id];
        cells.extend(values.iter().map(|value| value as &dyn Display));
        table.row(&cells)?;
    }
    table.finish()
}

fn statistics(application: &ApplicationResults, column: &Column) -> [OrEmpty<f64>; 11] {
    match Statistics::of(application.completed().filter_map(column.value).collect()) {
        Some(statistics) => statistics.values().map(|value| OrEmpty(Some(value))),
        None => [OrEmpty(None); 11],
    }
}
