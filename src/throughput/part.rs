//! All parts of the load under one roof, as the runtime wants them, each with a count of what it handled.

use ebbflow_actors::{Entity, EntityId, Outbox, SimTime};

use super::controller::Controller;
use super::dispatcher::Dispatcher;
use super::note::Note;
use super::worker::Worker;

/// One entity of the load.
#[derive(Debug)]
pub struct Part {
    role: Role,
    /// Messages and ticks so far.
    handled: u64,
}

#[derive(Debug)]
pub(super) enum Role {
    Dispatcher(Dispatcher),
    Controller(Controller),
    Worker(Worker),
}

/// The entity that handled more events than any other: the first to limit a run on many processors.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Busiest {
    /// What it is.
    pub label: String,
    /// Which one.
    pub id: EntityId,
    /// Messages and ticks it handled.
    pub handled: u64,
}

impl Part {
    pub(super) fn new(role: Role) -> Self {
        Part { role, handled: 0 }
    }
}

/// Who of the entities of a finished run handled most; of equals the first.
pub fn busiest(entities: &[(EntityId, Part)]) -> Option<Busiest> {
    let most = entities.iter().map(|(_, part)| part.handled).max()?;
    let (id, part) = entities.iter().find(|(_, part)| part.handled == most)?;
    Some(Busiest { label: part.label(), id: *id, handled: most })
}

impl Entity for Part {
    type Message = Note;

    fn label(&self) -> String {
        let label = match self.role {
            Role::Dispatcher(_) => "dispatcher",
            Role::Controller(_) => "controller",
            Role::Worker(_) => "worker",
        };
        label.to_owned()
    }

    fn start(&mut self, _now: SimTime, outbox: &mut Outbox<'_, Self>) {
        match &mut self.role {
            Role::Dispatcher(dispatcher) => dispatcher.start(outbox),
            Role::Controller(controller) => controller.start(outbox),
            Role::Worker(worker) => worker.start(outbox),
        }
    }

    fn handle(&mut self, _now: SimTime, from: EntityId, note: Note, outbox: &mut Outbox<'_, Self>) {
        self.handled += 1;
        match &mut self.role {
            Role::Dispatcher(dispatcher) => dispatcher.handle(from, note, outbox),
            Role::Controller(controller) => controller.handle(note, outbox),
            Role::Worker(worker) => worker.handle(note, outbox),
        }
    }

    fn promise(&self, next_tick: Option<SimTime>) -> Option<SimTime> {
        match &self.role {
            Role::Dispatcher(_) | Role::Controller(_) => next_tick,
            Role::Worker(worker) => worker.promise(next_tick?),
        }
    }
}
