//! What a count depends on besides the code: compiler, target, C library.

use std::env::consts::{ARCH, OS};
use std::io;
use std::process::Command;

/// For example `rustc 1.95.0 (59807616e 2026-04-14), x86_64 linux, glibc 2.36`.
pub fn here() -> io::Result<String> {
    let compiler = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let rustc = said(&compiler, "--version")?;
    // Where there is no getconf there is no glibc either.
    let library = said("getconf", "GNU_LIBC_VERSION").unwrap_or_else(|_| "unknown C library".to_owned());
    Ok(format!("{rustc}, {ARCH} {OS}, {library}"))
}

fn said(program: &str, argument: &str) -> io::Result<String> {
    let output = Command::new(program).arg(argument).output().map_err(|problem| {
        io::Error::new(problem.kind(), format!("could not ask `{program} {argument}`: {problem}"))
    })?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
