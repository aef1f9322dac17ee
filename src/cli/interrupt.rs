//! Ctrl-C: the first asks the run to end, the second ends the process.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{exit, print};

/// Listens for Ctrl-C from now on. The flag turns true at the first one; the second removes what is
/// `unfinished`.
pub fn listen(unfinished: Option<PathBuf>) -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    let raised = Arc::clone(&flag);
    let listening = ctrlc::set_handler(move || {
        if raised.swap(true, Ordering::Relaxed) {
            // Half a result must not stay; if it cannot be removed there is nobody left to tell.
            let _ = unfinished.as_ref().map(std::fs::remove_dir_all);
            std::process::exit(i32::from(exit::INTERRUPTED));
        }
        // The terminal has just put `^C` somewhere into the line.
        let start = if std::io::stderr().is_terminal() { "\n" } else { "" };
        print::stderr(&format!("{start}interrupted: what there is will be written; Ctrl-C again aborts"));
    });
    if let Err(error) = listening {
        tracing::warn!("Ctrl-C will end the run without results: {error}");
    }
    flag
}
