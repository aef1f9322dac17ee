//! A small queueing model that uses everything: random arrivals and service, routing, quiet ticks with a promise,
//! workers that are spawned and drained while the run goes on.

use std::collections::VecDeque;

use ebbflow_actors::{CounterRng, Entity, EntityId, Group, Member, Message, Outbox, SimTime};

use crate::support::{member, ms};

pub const FRONT: EntityId = EntityId(0);
pub const MANAGER: EntityId = EntityId(1);
const FIRST_WORKER: u32 = 2;

#[derive(Hash, Debug, Clone, Copy)]
pub enum Note {
    Arrival,
    Job { number: u64, steps: u32 },
    Step,
    Done { number: u64 },
    Plan,
    Ready { worker: EntityId },
    Retire { worker: EntityId },
    Drain,
    Left,
}

impl Message for Note {
    fn class(&self) -> u8 {
        // News of workers before the jobs that depend on them.
        if matches!(self, Note::Ready { .. } | Note::Retire { .. } | Note::Drain) { 0 } else { 1 }
    }
}

#[derive(Debug)]
pub enum Part {
    Front { random: CounterRng, workers: Vec<EntityId>, sent: u64, done: u64 },
    Manager { next: u32, oldest: u32, left: u32 },
    Worker { queue: VecDeque<(u64, u32)>, draining: bool, handled: u64 },
}

use Part::{Front, Manager, Worker};

/// `workers` workers at the beginning; every 20 ms one is spawned and the oldest is retired.
pub fn population(workers: u32) -> Vec<Member<Part>> {
    let ids: Vec<_> = (0..workers).map(|number| EntityId(FIRST_WORKER + number)).collect();
    let random = CounterRng::new(0, FRONT, 0);
    let mut members = vec![
        member(0, Front { random, workers: ids.clone(), sent: 0, done: 0 }),
        member(1, Manager { next: FIRST_WORKER + workers, oldest: FIRST_WORKER, left: 0 }),
    ];
    members.extend(ids.iter().map(|id| member(id.0, Part::worker())));
    members
}

impl Part {
    fn worker() -> Part {
        Worker { queue: VecDeque::new(), draining: false, handled: 0 }
    }
}

impl Entity for Part {
    type Message = Note;

    fn label(&self) -> String {
        String::from(match self {
            Front { .. } => "front",
            Manager { .. } => "manager",
            Worker { .. } => "worker",
        })
    }

    fn start(&mut self, _: SimTime, outbox: &mut Outbox<'_, Self>) {
        match self {
            Front { random, .. } => {
                *random = outbox.random(7);
                outbox.tick(ms(0), Note::Arrival);
            }
            Manager { .. } => {
                outbox.tick(ms(20), Note::Plan);
            }
            Worker { .. } => {}
        }
    }

    fn handle(&mut self, _: SimTime, from: EntityId, note: Note, outbox: &mut Outbox<'_, Self>) {
        match (self, note) {
            (Front { random, workers, sent, .. }, Note::Arrival) => {
                let worker = workers[random.below(workers.len() as u64) as usize];
                let steps = 1 + random.below(6) as u32;
                outbox.send(worker, Note::Job { number: *sent, steps });
                *sent += 1;
                outbox.tick(ms(1) * random.below(4), Note::Arrival);
            }
            (Front { done, .. }, Note::Done { .. }) => *done += 1,
            (Front { workers, .. }, Note::Ready { worker }) => workers.push(worker),
            (Front { workers, .. }, Note::Retire { worker }) => {
                workers.retain(|other| *other != worker);
                // From the router itself, so no job can come after it.
                outbox.send(worker, Note::Drain);
            }
            (Manager { next, oldest, .. }, Note::Plan) => {
                let worker = EntityId(*next);
                outbox.spawn_after(worker, Group(*next), ms(5), Part::worker());
                outbox.send(FRONT, Note::Ready { worker });
                outbox.send(FRONT, Note::Retire { worker: EntityId(*oldest) });
                (*next, *oldest) = (*next + 1, *oldest + 1);
                outbox.tick(ms(20), Note::Plan);
            }
            (Manager { left, .. }, Note::Left) => *left += 1,
            (Worker { queue, .. }, Note::Job { number, steps }) => {
                if queue.is_empty() {
                    outbox.tick(ms(2), Note::Step);
                }
                queue.push_back((number, steps));
            }
            (Worker { queue, draining, handled }, Note::Step) => {
                *handled += 1;
                let Some((number, steps)) = queue.front_mut() else {
                    return;
                };
                *steps -= 1;
                if *steps == 0 {
                    outbox.send(FRONT, Note::Done { number: *number });
                    queue.pop_front();
                }
                if !queue.is_empty() {
                    outbox.tick(ms(2), Note::Step);
                } else if *draining {
                    outbox.send(MANAGER, Note::Left);
                    outbox.stop();
                }
            }
            (Worker { queue, draining, .. }, Note::Drain) => {
                *draining = true;
                if queue.is_empty() {
                    outbox.send(MANAGER, Note::Left);
                    outbox.stop();
                }
            }
            (part, note) => panic!("{} cannot handle {note:?} from {from}", part.label()),
        }
    }

    fn promise(&self, next_tick: Option<SimTime>) -> Option<SimTime> {
        match self {
            // All but the last step of a job concern nobody else.
            Worker { queue, .. } => Some(next_tick? + ms(2) * u64::from(queue.front()?.1 - 1)),
            Front { .. } | Manager { .. } => next_tick,
        }
    }
}
