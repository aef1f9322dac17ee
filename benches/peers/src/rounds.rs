//! Rounds: every engine once, then every engine again, each run in a process of its own.

use std::error::Error;
use std::io::{self, IsTerminal};
use std::process::Command;

use crate::engine::{Engine, Measured};

/// By engine, then by round.
pub fn measure(
    engines: &[Engine],
    entities: u32,
    seconds: f64,
    rounds: u32,
) -> Result<Vec<Vec<Measured>>, Box<dyn Error>> {
    let mut measured = vec![Vec::new(); engines.len()];
    for round in 1..=rounds {
        for (engine, taken) in engines.iter().zip(&mut measured) {
            if io::stderr().is_terminal() {
                eprint!("\r{entities} entities, round {round} of {rounds}, {:<12}", engine.word());
            }
            taken.push(measure_elsewhere(*engine, entities, seconds)?);
        }
    }
    if io::stderr().is_terminal() {
        eprintln!();
    }
    Ok(measured)
}

fn measure_elsewhere(engine: Engine, entities: u32, seconds: f64) -> Result<Measured, Box<dyn Error>> {
    let output = Command::new(std::env::current_exe()?)
        .args(["--one", &engine.word()])
        .args(["--entities", &entities.to_string(), "--seconds", &seconds.to_string()])
        .output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{} failed, {}: {said}", engine.word(), output.status).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
