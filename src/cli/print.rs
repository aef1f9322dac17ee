//! Printing that survives a reader who has left: `ebbflow run | head` is not an error.

use std::io::{self, Write};

/// Prints a line on stdout. A closed pipe counts as printed.
pub fn stdout(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    let printed = writeln!(stdout, "{}", text.trim_end()).and_then(|()| stdout.flush());
    match printed {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// Prints a line on stderr. There is nowhere left to complain if that fails.
pub fn stderr(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", text.trim_end());
}

/// Prints one note a line on stderr.
pub fn notes(notes: &[String]) {
    for note in notes {
        stderr(&format!("note: {note}"));
    }
}
