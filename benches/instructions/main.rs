//! Counts the instructions of every hot path under callgrind and compares them with the committed counts.
//!
//! ```text
//! cargo bench --bench instructions             # compare; fails where a count is 3 % off, in either direction
//! cargo bench --bench instructions -- wheel    # only paths with this in their name
//! cargo bench --bench instructions -- --save   # write benches/instructions/counts.txt, to be committed
//! ```
//!
//! Wall clocks on shared machines drift by tens of per cent; instructions do not. They say nothing of memory and
//! caches, and hold for one compiler and C library only: with others nothing is compared. A gain must be
//! committed like a loss, or the next loss would hide in it.

mod comparison;
mod counter;
mod counts;
mod toolchain;

#[path = "../paths/mod.rs"]
mod paths;

use std::path::PathBuf;
use std::process::ExitCode;

use comparison::Comparison;
use counter::Failure;
use counts::Counts;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words[..] {
        [counter::RUN, path, units] => counter::run(path, units),
        ["--save"] => save(),
        [] => compare(""),
        [filter] if !filter.starts_with('-') => compare(filter),
        _ => Err(format!("expected nothing, a part of a path's name, or --save; found {words:?}").into()),
    };
    done.unwrap_or_else(|problem| {
        eprintln!("error: {problem}");
        ExitCode::FAILURE
    })
}

type Done = Result<ExitCode, Failure>;

fn file() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "benches", "instructions", "counts.txt"].iter().collect()
}

fn save() -> Done {
    let counts = Counts { toolchain: toolchain::here()?, paths: counter::count("")? };
    std::fs::write(file(), counts.to_string())?;
    println!("{} counts are in {}; commit them", counts.paths.len(), file().display());
    Ok(ExitCode::SUCCESS)
}

fn compare(filter: &str) -> Done {
    let committed: Counts = std::fs::read_to_string(file())?.parse()?;
    if let Some(reason) = reason_to_skip(&committed)? {
        println!("skipped, no instructions were counted: {reason}");
        return Ok(ExitCode::SUCCESS);
    }
    let comparison = Comparison::new(&committed, counter::count(filter)?, filter);
    print!("{comparison}");
    Ok(if comparison.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn reason_to_skip(committed: &Counts) -> Result<Option<String>, Failure> {
    if !counter::is_there() {
        return Ok(Some("valgrind is not installed".to_owned()));
    }
    let here = toolchain::here()?;
    let differs = here != committed.toolchain;
    Ok(differs.then(|| format!("they were taken with {}; here is {here}", committed.toolchain)))
}
