//! Ebbflow next to its peers: the load of `ebbflow::throughput` on several engines, in one interleaved run.
//!
//! Prints nanoseconds per event of each engine and how many times faster Ebbflow's runners are. Every run has a
//! process of its own. What an engine needs before the first event, building models and starting actors, is
//! listed apart and not part of the ratios. See `benches/README.md`.

mod ebbflow_engine;
mod engine;
mod nexosim_engine;
mod numbers;
mod report;
mod rounds;
mod simcore_engine;

use std::error::Error;

use clap::Parser;

use engine::Engine;

/// Ebbflow next to its peers.
#[derive(Parser)]
struct Arguments {
    /// Workers of the load
    #[arg(long, value_delimiter = ',', default_value = "1000,10000,100000")]
    entities: Vec<u32>,
    /// Rounds; medians count
    #[arg(long, default_value = "5", value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Simulated seconds of each run [default: about two million events, and at least one second]
    #[arg(long)]
    seconds: Option<f64>,
    /// Engines to leave out
    #[arg(long, value_delimiter = ',', value_enum)]
    without: Vec<Engine>,
    /// Do one run in this process and print what it took: how the command calls itself
    #[arg(long, hide = true, value_enum)]
    one: Option<Engine>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    if let (Some(engine), Some(seconds)) = (arguments.one, arguments.seconds) {
        println!("{}", serde_json::to_string(&engine.measure(arguments.entities[0], seconds))?);
        return Ok(());
    }
    let engines: Vec<Engine> =
        Engine::all().into_iter().filter(|engine| !arguments.without.contains(engine)).collect();
    println!("{}", report::machine());
    for entities in arguments.entities {
        let seconds = arguments.seconds.unwrap_or_else(|| default_seconds(entities));
        let measured = rounds::measure(&engines, entities, seconds, arguments.rounds)?;
        println!("{}", report::table(entities, seconds, &engines, &measured));
    }
    Ok(())
}

fn default_seconds(entities: u32) -> f64 {
    (2e6 / ebbflow::throughput::Load::new(entities).events_per_s()).max(1.0)
}
