//! `links.csv`: what went over the links between instances, by server. Times are seconds of the run, 10⁹ bytes are a
//! gigabyte. Not written where requests have private links, or where nothing moved.

use std::path::{Path, PathBuf};

use super::scanner::Scanner;
use super::table::Table;
use super::{ReadError, WriteError};
use crate::results::LinkRecord;
use crate::results::format::Seconds;
use crate::transfer::fair::Usage;

const HEADER: [&str; 7] = ["server", "link", "direction", "bytes_per_s", "bytes", "busy_s", "transfers"];

fn path(directory: &Path) -> PathBuf {
    directory.join("links.csv")
}

pub fn write(directory: &Path, links: &[LinkRecord]) -> Result<(), WriteError> {
    if links.is_empty() {
        return Ok(());
    }
    let mut table = Table::create(&path(directory), HEADER)?;
    for LinkRecord { server, link, direction, usage } in links {
        let Usage { bytes_per_s, bytes, busy, flows } = usage;
        table.row(&[server, link, direction, bytes_per_s, bytes, &Seconds::from(*busy), flows])?;
    }
    table.finish()
}

/// Reads the file back, if there is one.
pub fn read(directory: &Path) -> Result<Vec<LinkRecord>, ReadError> {
    let path = path(directory);
    if !path.is_file() {
        return Ok(Vec::new());
    }
    Scanner::open(&path, &HEADER)?.rows(|row| {
        let (server, link, direction) = (row.next()?, row.word()?, row.word()?);
        let (bytes_per_s, bytes, busy, flows) = (row.next()?, row.next()?, row.next()?, row.next()?);
        Ok(LinkRecord { server, link, direction, usage: Usage { bytes_per_s, bytes, busy, flows } })
    })
}
