//! How many nanoseconds one event costs: a dispatcher and many workers that tick by themselves.
//!
//! ```text
//! cargo run --release -p ebbflow-actors --example throughput -- [workers] [simulated seconds] [arbiters]
//! ```
//!
//! Every worker ticks each 30 ms ± 10 %, 33 times a second; the dispatcher sends it two jobs a second, each of
//! which takes a few ticks (8 to 24). A tick concerns nobody else unless a job ends with it: the lazy mode sleeps
//! through the rest. What the start of the entities takes is listed apart, measured by a run that ends right after it.
//! The environment can set `LOOKAHEAD_MS` (1), `MIN_TICKS` (8), `MORE_TICKS` (17, the width of
//! the range), `RATE` (jobs per worker and second, 2), `ONLY` (one of the rows), and `ROUNDS` (3, the best counts).

use std::str::FromStr;
use std::time::Instant;

use ebbflow_actors::{
    CounterRng, Entity, EntityId, Group, Member, Message, Outbox, Outcome, RunConfig, Runner, SimDuration,
    SimTime, TickMode, run,
};

const DISPATCHER: EntityId = EntityId(0);
const PERIOD: u64 = 30_000_000;

#[derive(Hash, Debug, Clone, Copy)]
enum Note {
    Arrival,
    Tick,
    Job { number: u32, ticks: u32 },
    Done { number: u32 },
}

impl Message for Note {}

#[derive(Clone, Copy)]
struct Load {
    workers: u32,
    jobs_per_second: f64,
    min_ticks: u32,
    more_ticks: u64,
}

enum Part {
    Dispatcher(Dispatcher),
    Worker(Worker),
}

struct Dispatcher {
    load: Load,
    random: CounterRng,
    /// By worker.
    jobs_out: Vec<u32>,
}

struct Worker {
    random: CounterRng,
    /// Jobs in hand and how many ticks each still takes.
    jobs: Vec<(u32, u32)>,
}

impl Dispatcher {
    /// The less loaded of two workers drawn at random.
    fn arrival(&mut self, outbox: &mut Outbox<'_, Part>) {
        let workers = u64::from(self.load.workers);
        let (one, other) = (self.random.below(workers) as usize, self.random.below(workers) as usize);
        let chosen = if self.jobs_out[one] <= self.jobs_out[other] { one } else { other };
        self.jobs_out[chosen] += 1;
        let ticks = self.load.min_ticks + self.random.below(self.load.more_ticks) as u32;
        outbox.send(EntityId(chosen as u32 + 1), Note::Job { number: chosen as u32, ticks });
        let mean = 1e9 / (self.load.jobs_per_second * f64::from(self.load.workers));
        let gap = (-self.random.unit_f64().ln() * mean) as u64 + 1;
        outbox.tick(SimDuration::from_nanos(gap), Note::Arrival);
    }
}

fn next_gap(random: &mut CounterRng) -> SimDuration {
    SimDuration::from_nanos(PERIOD * 9 / 10 + random.below(PERIOD / 5))
}

impl Worker {
    fn tick(&mut self, outbox: &mut Outbox<'_, Part>) {
        self.jobs.retain_mut(|(number, left)| {
            *left -= 1;
            if *left == 0 {
                outbox.send(DISPATCHER, Note::Done { number: *number });
            }
            *left > 0
        });
        outbox.tick(next_gap(&mut self.random), Note::Tick);
    }

    /// The tick with which the shortest job ends: the gaps until then are known beforehand.
    fn promise(&self, next_tick: SimTime) -> Option<SimTime> {
        let shortest = self.jobs.iter().map(|(_, left)| *left).min()?;
        let mut ahead = self.random.clone();
        Some((1..shortest).fold(next_tick, |time, _| time + next_gap(&mut ahead)))
    }
}

impl Entity for Part {
    type Message = Note;

    fn label(&self) -> String {
        String::from(match self {
            Part::Dispatcher(_) => "dispatcher",
            Part::Worker(_) => "worker",
        })
    }

    fn start(&mut self, _: SimTime, outbox: &mut Outbox<'_, Self>) {
        match self {
            Part::Dispatcher(dispatcher) => {
                dispatcher.random = outbox.random(0);
                outbox.tick(SimDuration::from_nanos(1), Note::Arrival);
            }
            Part::Worker(worker) => {
                worker.random = outbox.random(0);
                let first = SimDuration::from_nanos(worker.random.below(PERIOD) + 1);
                outbox.tick(first, Note::Tick);
            }
        }
    }

    fn handle(&mut self, _: SimTime, _: EntityId, note: Note, outbox: &mut Outbox<'_, Self>) {
        match (self, note) {
            (Part::Dispatcher(dispatcher), Note::Arrival) => dispatcher.arrival(outbox),
            (Part::Dispatcher(dispatcher), Note::Done { number }) => {
                dispatcher.jobs_out[number as usize] -= 1
            }
            (Part::Worker(worker), Note::Tick) => worker.tick(outbox),
            (Part::Worker(worker), Note::Job { number, ticks }) => worker.jobs.push((number, ticks)),
            (_, note) => unreachable!("{note:?} was sent to the wrong part"),
        }
    }

    fn promise(&self, next_tick: Option<SimTime>) -> Option<SimTime> {
        match self {
            Part::Dispatcher(_) => next_tick,
            Part::Worker(worker) => worker.promise(next_tick?),
        }
    }
}

fn population(load: Load) -> Vec<Member<Part>> {
    let random = CounterRng::new(0, DISPATCHER, 0);
    let jobs_out = vec![0; load.workers as usize];
    let dispatcher = Part::Dispatcher(Dispatcher { load, random: random.clone(), jobs_out });
    let mut members = vec![Member { id: DISPATCHER, group: Group(0), entity: dispatcher }];
    members.extend((1..=load.workers).map(|id| Member {
        id: EntityId(id),
        group: Group(id),
        entity: Part::Worker(Worker { random: random.clone(), jobs: Vec::new() }),
    }));
    members
}

/// One run and its nanoseconds.
fn timed(load: Load, config: &RunConfig) -> (Outcome<Part>, f64) {
    let population = population(load);
    let start = Instant::now();
    let outcome = run(population, config).expect("the model is sound");
    (outcome, start.elapsed().as_nanos() as f64)
}

fn setting<T: FromStr>(name: &str, otherwise: T) -> T {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn argument<T: FromStr>(place: usize, otherwise: T) -> T {
    std::env::args().nth(place).and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn main() {
    let load = Load {
        workers: argument(1, 1_000),
        jobs_per_second: setting("RATE", 2.0),
        min_ticks: setting("MIN_TICKS", 8),
        more_ticks: setting("MORE_TICKS", 17),
    };
    let until = SimTime::ZERO + SimDuration::from_secs(argument(2, 20));
    let lookahead = SimDuration::from_nanos((setting("LOOKAHEAD_MS", 1.0) * 1e6) as u64);
    let many: usize = argument(3, 2);
    let only: String = setting("ONLY", String::new());
    let config = RunConfig::default().seed(42).lookahead(lookahead).until(until);
    let rows = [
        ("sequential", config.clone().runner(Runner::Sequential)),
        ("naive", config.clone().runner(Runner::Naive)),
        ("eager", config.clone().ticks(TickMode::Eager)),
        ("lazy", config.clone()),
        ("eager-many", config.clone().ticks(TickMode::Eager).arbiters(many)),
        ("lazy-many", config.arbiters(many)),
    ];
    println!(
        "{:<11} {:>2} {:>10} {:>10} {:>9} {:>8} {:>8}  digest",
        "runner", "x", "events", "envelopes", "windows", "start ms", "ns/event"
    );
    for (name, config) in rows.iter().filter(|(name, _)| only.is_empty() || *name == only) {
        let only_start = config.clone().until(SimTime::from_nanos(1));
        let (mut best, mut best_start) = (f64::INFINITY, f64::INFINITY);
        let mut last = None;
        for _ in 0..setting("ROUNDS", 3) {
            let (outcome, whole_ns) = timed(load, config);
            let (started, start_ns) = timed(load, &only_start);
            let events = outcome.stats.events - started.stats.events;
            best = best.min((whole_ns - start_ns) / events as f64);
            best_start = best_start.min(start_ns / 1e6);
            last = Some((outcome.stats, outcome.digest));
        }
        let Some((stats, digest)) = last else { continue };
        println!(
            "{name:<11} {:>2} {:>10} {:>10} {:>9} {best_start:>8.1} {best:>8.1}  {digest}",
            stats.arbiters, stats.events, stats.envelopes, stats.windows
        );
    }
}
