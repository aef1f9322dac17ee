//! The lines of a text file, numbered: blank ones, a byte order mark and carriage returns are skipped. Of a file
//! that is a JSON array, its elements instead.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::ops::Range;
use std::path::Path;

use super::elements;
use crate::diagnosis::RowProblem;

/// The longest first line, in bytes. What has a longer one is no trace, and need not be read into memory.
const MAX_FIRST_LINE: u64 = 1 << 20;
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// A cursor over the lines of a file; it stands before the first one.
pub(super) struct Lines {
    file: BufReader<File>,
    line: Vec<u8>,
    number: u64,
    is_array: bool,
}

impl Lines {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        if path.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder; expected a file"));
        }
        let mut file = BufReader::new(File::open(path)?);
        let (skipped, is_array) = array_begin(file.fill_buf()?);
        let number = if is_array { 1 + breaks(&file.buffer()[..skipped]) } else { 0 };
        file.consume(skipped);
        Ok(Lines { file, line: Vec::new(), number, is_array })
    }

    /// Goes to the next line that is not blank, or to the next element; false at the end of the file.
    pub(super) fn advance(&mut self) -> io::Result<bool> {
        if self.is_array {
            self.number += breaks(&self.line);
            self.line.clear();
            return elements::next(&mut self.file, &mut self.line, &mut self.number);
        }
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

    /// Counted from 1, as editors do. Of an element, where it begins.
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

/// If a file that begins like this is an array, what comes before its first element.
fn array_begin(begin: &[u8]) -> (usize, bool) {
    let text = begin.strip_prefix(BYTE_ORDER_MARK).unwrap_or(begin).trim_ascii_start();
    match text.first() {
        Some(b'[') => (begin.len() - text.len() + 1, true),
        _ => (0, false),
    }
}

fn breaks(text: &[u8]) -> u64 {
    text.iter().filter(|byte| **byte == b'\n').count() as u64
}
