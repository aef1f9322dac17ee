//! The lines of a text file, numbered: blank ones, a byte order mark and carriage returns are skipped.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::ops::Range;
use std::path::Path;

use crate::diagnosis::RowProblem;

/// The longest first line, in bytes. What has a longer one is no trace, and need not be read into memory.
const MAX_FIRST_LINE: u64 = 1 << 20;
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// A cursor over the lines of a file; it stands before the first one.
pub(super) struct Lines {
    file: BufReader<File>,
    line: Vec<u8>,
    number: u64,
}

impl Lines {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        if path.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder; expected a file"));
        }
        Ok(Lines { file: BufReader::new(File::open(path)?), line: Vec::new(), number: 0 })
    }

    /// Goes to the next line that is not blank; false at the end of the file.
    pub(super) fn advance(&mut self) -> io::Result<bool> {
        loop {
            self.line.clear();
            let read = match self.number {
                0 => self.file.by_ref().take(MAX_FIRST_LINE).read_until(b'\n', &mut self.line)?,
                _ => self.file.read_until(b'\n', &mut self.line)?,
            };
            if read == 0 {
                return Ok(false);
            }
            self.number += 1;
            if self.number == 1 && self.line.starts_with(BYTE_ORDER_MARK) {
                self.line.drain(..BYTE_ORDER_MARK.len());
            }
            if !self.line.trim_ascii().is_empty() {
                return Ok(true);
            }
        }
    }

    /// Counted from 1, as editors do.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The line without white space around it.
    pub(super) fn text(&self) -> Result<&str, RowProblem> {
        std::str::from_utf8(self.line.trim_ascii())
            .map_err(|_| RowProblem::unreadable("the line", "not text", "UTF-8"))
    }

    /// The line, whatever it holds.
    pub(super) fn lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.line.trim_ascii())
    }

    /// The first part of [`Self::lossy`] that stands for what is no text.
    pub(super) fn invalid(&self) -> Option<Range<usize>> {
        let at = std::str::from_utf8(self.line.trim_ascii()).err()?.valid_up_to();
        Some(at..at + char::REPLACEMENT_CHARACTER.len_utf8())
    }

    /// White space before the line.
    pub(super) fn indent(&self) -> usize {
        self.line.len() - self.line.trim_ascii_start().len()
    }
}
