//! A counter with three clerks: how long do customers wait?
//!
//! ```text
//! cargo run --release -p ebbflow-actors --example queue
//! ```
//!
//! Customers arrive at random at a door, 1.35 a minute, and join the clerk with the shortest queue as the door
//! sees it: it hears of a served customer half a second late. Service takes one to three minutes. The door closes
//! after eight hours; the clerks finish the queues.

use std::collections::VecDeque;

use ebbflow_actors::{
    CounterRng, Entity, EntityId, Group, Member, Message, Outbox, Outcome, RunConfig, RunFailure,
    SimDuration, SimTime, run,
};

const DOOR: EntityId = EntityId(0);
const CLERKS: u32 = 3;

const LOOKAHEAD: SimDuration = SimDuration::from_millis(500);
const OPEN: SimDuration = SimDuration::from_secs(8 * 3600);
const MEAN_GAP_SECONDS: f64 = 60.0 / 1.35;

#[derive(Hash, Debug)]
enum Note {
    /// The door's tick: somebody comes in.
    Arrival,
    /// From the door: a customer who came in at that time joins the queue.
    Customer { since: SimTime },
    /// The clerk's tick: the customer at the counter leaves.
    Served,
    /// To the door: the queue is one shorter.
    OneLess,
}

impl Message for Note {}

enum Part {
    Door { random: CounterRng, queues: Vec<u32> },
    Clerk { random: CounterRng, queue: VecDeque<SimTime>, waits: Vec<SimDuration> },
}

/// The door: draws the next arrival and sends the customer to the shortest queue.
fn let_in(now: SimTime, random: &mut CounterRng, queues: &mut [u32], outbox: &mut Outbox<'_, Part>) {
    let shortest = (0..queues.len()).min_by_key(|&clerk| queues[clerk]).unwrap_or(0);
    queues[shortest] += 1;
    outbox.send(EntityId(1 + shortest as u32), Note::Customer { since: now });
    let gap = -random.unit_f64().ln() * MEAN_GAP_SECONDS;
    let gap = SimDuration::from_secs_f64(gap).unwrap_or(SimDuration::ZERO);
    if now + gap < SimTime::ZERO + OPEN {
        outbox.tick(gap, Note::Arrival);
    }
}

/// The clerk: the next customer steps up to the counter.
fn serve_next(
    now: SimTime,
    random: &mut CounterRng,
    queue: &VecDeque<SimTime>,
    waits: &mut Vec<SimDuration>,
    outbox: &mut Outbox<'_, Part>,
) {
    if let Some(since) = queue.front() {
        waits.push(now - *since);
        outbox.tick(SimDuration::from_secs(60 + random.below(121)), Note::Served);
    }
}

impl Entity for Part {
    type Message = Note;

    fn label(&self) -> String {
        String::from(if matches!(self, Part::Door { .. }) { "door" } else { "clerk" })
    }

    fn start(&mut self, _: SimTime, outbox: &mut Outbox<'_, Self>) {
        match self {
            Part::Door { random, .. } => {
                *random = outbox.random(0);
                outbox.tick(SimDuration::ZERO, Note::Arrival);
            }
            Part::Clerk { random, .. } => *random = outbox.random(0),
        }
    }

    fn handle(&mut self, now: SimTime, from: EntityId, note: Note, outbox: &mut Outbox<'_, Self>) {
        match (self, note) {
            (Part::Door { random, queues }, Note::Arrival) => let_in(now, random, queues, outbox),
            (Part::Door { queues, .. }, Note::OneLess) => queues[from.0 as usize - 1] -= 1,
            (Part::Clerk { random, queue, waits }, Note::Customer { since }) => {
                queue.push_back(since);
                if queue.len() == 1 {
                    serve_next(now, random, queue, waits, outbox);
                }
            }
            (Part::Clerk { random, queue, waits }, Note::Served) => {
                queue.pop_front();
                outbox.send(DOOR, Note::OneLess);
                serve_next(now, random, queue, waits, outbox);
            }
            (part, note) => unreachable!("{} does not expect {note:?}", part.label()),
        }
    }
}

fn population() -> Vec<Member<Part>> {
    let random = CounterRng::new(0, DOOR, 0);
    let door = Part::Door { random: random.clone(), queues: vec![0; CLERKS as usize] };
    let mut members = vec![Member { id: DOOR, group: Group(0), entity: door }];
    members.extend((1..=CLERKS).map(|id| {
        let clerk = Part::Clerk { random: random.clone(), queue: VecDeque::new(), waits: Vec::new() };
        Member { id: EntityId(id), group: Group(id), entity: clerk }
    }));
    members
}

fn print(outcome: &Outcome<Part>) {
    let mut all = Vec::new();
    for (id, entity) in &outcome.entities {
        if let Part::Clerk { waits, .. } = entity {
            println!("clerk {}: {:>4} customers", id.0, waits.len());
            all.extend_from_slice(waits);
        }
    }
    all.sort_unstable();
    let mean = all.iter().copied().sum::<SimDuration>().as_secs_f64() / all.len() as f64;
    println!(
        "mean wait {mean:.0} s, 95 of 100 wait at most {:.0} s",
        all[all.len() * 95 / 100].as_secs_f64()
    );
    println!("closed at {:.2} h, digest {}", outcome.ended_at.as_secs_f64() / 3600.0, outcome.digest);
}

fn main() -> Result<(), Box<RunFailure<Part>>> {
    for seed in 1..=3 {
        println!("--- day {seed}");
        print(&run(population(), &RunConfig::default().seed(seed).lookahead(LOOKAHEAD).arbiters(2))?);
    }
    Ok(())
}
