//! Paths of the actor runtime: the window, the wheel, messages, the exchange between arbiters, the ticks that
//! an entity sleeps through.

use ebbflow::throughput::{LATENCY, Load};
use ebbflow_actors::{Entity, EntityId, Member, RunConfig, Runner, SimDuration, SimTime, TickMode};

use super::beaters::{Habit, WINDOW, population};
use super::{Path, Work};

const EVERY_WINDOW: Habit = Habit::Tick { shortest: 1, range: 1 };
/// Within the slots of the wheel.
const NEAR: Habit = Habit::Tick { shortest: 1, range: 1_000 };
/// Beyond them.
const FAR: Habit = Habit::Tick { shortest: 2_000, range: 20_000 };

pub fn paths() -> Vec<Path> {
    let mut paths = vec![
        beating("window/least: one tick", (20_000, "window"), 1, 1, EVERY_WINDOW),
        beating("window/full: 1,000 ticks", (100_000, "event"), 1, 1_000, EVERY_WINDOW),
        beating("wheel/near: ticks within 1,000 windows", (20_000, "event"), 1, 1_000, NEAR),
        beating("wheel/far: ticks 2,000 to 22,000 windows ahead", (20_000, "event"), 1, 1_000, FAR),
        rallying("message/2 entities", (20_000, "message"), 1, 2),
        rallying("message/1,000 entities", (100_000, "message"), 1, 1_000),
        beating("exchange/2 arbiters, nothing to say", (20_000, "window"), 2, 2, EVERY_WINDOW).uncounted(),
        rallying("exchange/2 arbiters, 1,000 messages a window", (100_000, "message"), 2, 1_000).uncounted(),
    ];
    let runners = [
        ("lazy", RunConfig::default()),
        ("eager", RunConfig::default().ticks(TickMode::Eager)),
        ("naive", RunConfig::default().runner(Runner::Naive)),
        ("sequential", RunConfig::default().runner(Runner::Sequential)),
    ];
    paths.extend(runners.map(|(name, config)| bench_load(name, config)));
    paths
}

fn beating(name: &str, size: (u64, &'static str), arbiters: usize, entities: u32, habit: Habit) -> Path {
    // Half of what two arbiters do happens at the same time.
    Path::new(name, size, move |units| {
        let beats = if arbiters == 2 { 2 * units } else { units };
        run(population(entities, beats, |_| habit), eager(arbiters))
    })
}

/// Even ids play with odd ones.
fn rallying(name: &str, size: (u64, &'static str), arbiters: usize, entities: u32) -> Path {
    Path::new(name, size, move |units| {
        let habit = |id| Habit::Rally { partner: EntityId(id ^ 1) };
        run(population(entities, units, habit), eager(arbiters))
    })
}

/// A thousand workers of the load of `ebbflow bench`, about forty events a simulated millisecond.
fn bench_load(name: &str, config: RunConfig) -> Path {
    let name = format!("runner/{name}, 1,000 workers of the bench command");
    Path::new(name, (300, "simulated ms"), move |units| {
        let until = SimTime::ZERO + SimDuration::from_millis(units);
        let config = config.clone().lookahead(LATENCY).until(until);
        run(Load::new(1_000).population(), config)
    })
}

fn eager(arbiters: usize) -> RunConfig {
    RunConfig::default().lookahead(WINDOW).ticks(TickMode::Eager).arbiters(arbiters)
}

/// Without the watchdog, whose looks would be counted by the wall clock.
fn run<E: Entity>(population: Vec<Member<E>>, config: RunConfig) -> Work {
    let config = config.watchdog(None);
    Box::new(move || match ebbflow_actors::run(population, &config) {
        Ok(outcome) => Box::new(outcome.entities),
        Err(failure) => panic!("a load of the benches failed: {}", failure.fault),
    })
}
