//! Tables in Markdown: what each engine takes, and the ratios.

use std::fmt::Write;
use std::fs;

use crate::engine::{Engine, Measured, Time};

/// Against whom each of Ebbflow's runners is measured; a ratio above one is in Ebbflow's favour.
const RATIOS: [(Engine, Engine); 12] = [
    (Engine::Lazy, Engine::Nexosim),
    (Engine::Lazy, Engine::Simcore),
    (Engine::Lazy, Engine::Naive),
    (Engine::Lazy, Engine::Sequential),
    (Engine::Lazy2, Engine::Nexosim),
    (Engine::Lazy2, Engine::Lazy),
    (Engine::Eager, Engine::Nexosim),
    (Engine::Eager, Engine::Simcore),
    (Engine::Naive, Engine::Nexosim),
    (Engine::Naive, Engine::Simcore),
    (Engine::Sequential, Engine::Nexosim),
    (Engine::Sequential, Engine::Simcore),
];

/// One line about the machine and what runs on it.
pub fn machine() -> String {
    let read = |file| fs::read_to_string(file).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let model =
        cpuinfo.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split_once(": "));
    let load = read("/proc/loadavg").split_whitespace().take(3).collect::<Vec<_>>().join(" ");
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let model = model.map_or("unknown", |(_, model)| model);
    format!("{processors} processors ({model}), load average at the start {load}")
}

/// What each engine takes, and the ratios.
pub fn table(entities: u32, seconds: f64, engines: &[Engine], measured: &[Vec<Measured>]) -> String {
    let mut text = format!("\n{entities} entities, {seconds:.2} simulated s\n\n");
    text.push_str("| engine | events | ns/event, wall (fastest to slowest) | ns/event, CPU | start, ms |\n");
    text.push_str("|---|---|---|---|---|\n");
    for (engine, taken) in engines.iter().zip(measured) {
        text.push_str(&row(*engine, taken));
    }
    text.push_str("\n| times as fast | wall (least to most) | CPU |\n|---|---|---|\n");
    let of = |engine| engines.iter().position(|other| *other == engine).map(|place| &measured[place]);
    for (one, other) in RATIOS {
        if let (Some(ours), Some(theirs)) = (of(one), of(other)) {
            text.push_str(&ratio(one, other, ours, theirs));
        }
    }
    text
}

fn row(engine: Engine, taken: &[Measured]) -> String {
    let events = taken.first().map_or(0, |measured| measured.events);
    let wall = Spread::of(taken.iter().map(|measured| ns_per_event(measured, |time| time.wall_s)));
    let cpu = Spread::of(taken.iter().map(|measured| ns_per_event(measured, |time| time.cpu_s)));
    let start = Spread::of(taken.iter().map(|measured| measured.start.wall_s * 1e3));
    let Spread { least, median, most } = wall;
    format!(
        "| {} | {events} | {median:.0} ({least:.0} to {most:.0}) | {:.0} | {:.1} |\n",
        engine.word(),
        cpu.median,
        start.median
    )
}

/// The median of the rounds' ratios: what slows a whole round slows both sides of it.
fn ratio(one: Engine, other: Engine, ours: &[Measured], theirs: &[Measured]) -> String {
    let spread = |seconds: fn(Time) -> f64| {
        let rounds = ours.iter().zip(theirs);
        Spread::of(rounds.map(|(ours, theirs)| ns_per_event(theirs, seconds) / ns_per_event(ours, seconds)))
    };
    let (wall, cpu) = (spread(|time| time.wall_s), spread(|time| time.cpu_s));
    let mut text = String::new();
    let Spread { least, median, most } = wall;
    let _ =
        write!(text, "| {} against {} | {median:.2} ({least:.2} to {most:.2}) ", one.word(), other.word());
    text + &format!("| {:.2} |\n", cpu.median)
}

fn ns_per_event(measured: &Measured, seconds: fn(Time) -> f64) -> f64 {
    seconds(measured.run) * 1e9 / measured.events as f64
}

struct Spread {
    least: f64,
    median: f64,
    most: f64,
}

impl Spread {
    fn of(numbers: impl Iterator<Item = f64>) -> Self {
        let mut numbers: Vec<f64> = numbers.collect();
        numbers.sort_by(f64::total_cmp);
        let at = |place: usize| numbers.get(place).copied().unwrap_or(f64::NAN);
        Spread { least: at(0), median: at(numbers.len() / 2), most: at(numbers.len().saturating_sub(1)) }
    }
}
