//! How large the load is.

use ebbflow_actors::{CounterRng, EntityId, Group, Member, SimDuration};

use super::controller::{Controller, SAMPLE_PERIOD};
use super::dispatcher::Dispatcher;
use super::part::{Part, Role};
use super::worker::{PERIOD, Worker};

/// How long every message takes; also the lookahead to run the load with.
pub const LATENCY: SimDuration = SimDuration::from_millis(1);

pub(super) const DISPATCHER: EntityId = EntityId(0);
pub(super) const CONTROLLER: EntityId = EntityId(1);

/// The fewest ticks of a job, and how many more it may take.
pub(super) const MIN_TICKS: u32 = 8;
pub(super) const TICKS_RANGE: u32 = 17;

/// How many workers there are and how much they are asked.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Load {
    /// Self-ticking workers; a dispatcher and a controller come on top.
    pub workers: u32,
    /// Jobs a worker gets per simulated second, on average; above zero.
    pub jobs_per_worker_s: f64,
    /// Size of what a job carries to the worker and back.
    pub payload_bytes: usize,
}

impl Load {
    /// This many workers, two jobs a second each, without payload.
    pub fn new(workers: u32) -> Self {
        Load { workers, jobs_per_worker_s: 2.0, payload_bytes: 0 }
    }

    /// Everybody, ready to [run](ebbflow_actors::run) with a lookahead of [`LATENCY`].
    pub fn population(&self) -> Vec<Member<Part>> {
        let office = |id, role| Member { id, group: Group(0), entity: Part::new(role) };
        let worker = |number| {
            let worker = Worker::new(self.initial_jobs(), self.payload_bytes);
            Member { id: worker_id(number), group: Group(number), entity: Part::new(Role::Worker(worker)) }
        };
        let dispatcher = office(DISPATCHER, Role::Dispatcher(Dispatcher::new(*self)));
        let controller = office(CONTROLLER, Role::Controller(Controller::default()));
        [dispatcher, controller].into_iter().chain((0..self.workers).map(worker)).collect()
    }

    /// Events to expect in one simulated second: ticks, and three for each job.
    pub fn events_per_s(&self) -> f64 {
        let ticks = 1.0 / PERIOD.as_secs_f64();
        let samples = 3.0 / SAMPLE_PERIOD.as_secs_f64();
        f64::from(self.workers) * (ticks + 3.0 * self.jobs_per_worker_s) + samples
    }

    /// Messages offered in one simulated second: there and back for each job.
    pub fn messages_per_s(&self) -> f64 {
        2.0 * f64::from(self.workers) * self.jobs_per_worker_s
    }

    /// The jobs a worker holds on average: Little's law.
    pub(super) fn initial_jobs(&self) -> u32 {
        let mean_ticks = f64::from(MIN_TICKS) + f64::from(TICKS_RANGE - 1) / 2.0;
        (self.jobs_per_worker_s * mean_ticks * PERIOD.as_secs_f64()).round() as u32
    }
}

/// Draws how many ticks a job takes.
pub(super) fn job_ticks(random: &mut CounterRng) -> u32 {
    MIN_TICKS + random.below(u64::from(TICKS_RANGE)) as u32
}

pub(super) fn worker_id(number: u32) -> EntityId {
    EntityId(CONTROLLER.0 + 1 + number)
}

/// The place of a worker in the dispatcher's table.
pub(super) fn worker_number(id: EntityId) -> usize {
    (id.0 - CONTROLLER.0 - 1) as usize
}
