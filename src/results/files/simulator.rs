//! `simulator.csv`: when the run ended, in seconds.

use std::path::Path;

use ebbflow_actors::SimTime;

use super::WriteError;
use super::table::Table;
use crate::results::format::Seconds;

pub fn write(directory: &Path, end: SimTime) -> Result<(), WriteError> {
    let mut table = Table::create(&directory.join("simulator.csv"), ["time", "event"])?;
    table.row(&[&Seconds::from(end), &"end"])?;
    table.finish()
}
