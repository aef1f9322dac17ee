//! `simulator.csv`: when the run ended, in seconds.

use std::path::Path;

use ebbflow_actors::SimTime;

use super::scanner::Scanner;
use super::table::Table;
use super::{ReadError, WriteError};
use crate::results::format::Seconds;

const HEADER: [&str; 2] = ["time", "event"];

pub fn write(directory: &Path, end: SimTime) -> Result<(), WriteError> {
    let mut table = Table::create(&directory.join("simulator.csv"), HEADER)?;
    table.row(&[&Seconds::from(end), &"end"])?;
    table.finish()
}

/// Reads the end back.
pub fn read(directory: &Path) -> Result<SimTime, ReadError> {
    let times = Scanner::open(&directory.join("simulator.csv"), &HEADER)?.rows(|row| row.next())?;
    Ok(times.into_iter().max().unwrap_or(SimTime::ZERO))
}
