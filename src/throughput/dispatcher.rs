//! The dispatcher: draws jobs and sends each to the less loaded of two workers.

use ebbflow_actors::{CounterRng, EntityId, Outbox, SimDuration};

use super::load::{CONTROLLER, DISPATCHER, Load, job_ticks, worker_id, worker_number};
use super::note::Note;
use super::part::Part;

/// Knows how many jobs it sent to each worker and has not heard of since.
#[derive(Debug)]
pub struct Dispatcher {
    load: Load,
    random: CounterRng,
    /// By worker.
    in_hand: Vec<u32>,
    total_in_hand: u64,
}

impl Dispatcher {
    pub(super) fn new(load: Load) -> Self {
        Dispatcher {
            load,
            random: CounterRng::new(0, DISPATCHER, 0),
            in_hand: vec![load.initial_jobs(); load.workers as usize],
            total_in_hand: u64::from(load.initial_jobs()) * u64::from(load.workers),
        }
    }

    pub(super) fn start(&mut self, outbox: &mut Outbox<'_, Part>) {
        self.random = outbox.random(0);
        self.wait_for_next(outbox);
    }

    pub(super) fn handle(&mut self, from: EntityId, note: Note, outbox: &mut Outbox<'_, Part>) {
        match note {
            Note::Arrival => {
                self.dispatch(outbox);
                self.wait_for_next(outbox);
            }
            Note::Done { .. } => {
                self.in_hand[worker_number(from)] -= 1;
                self.total_in_hand -= 1;
            }
            Note::Sample => outbox.send(CONTROLLER, Note::InHand(self.total_in_hand)),
            other => unreachable!("nobody tells the dispatcher {other:?}"),
        }
    }

    fn dispatch(&mut self, outbox: &mut Outbox<'_, Part>) {
        let (one, other) = (self.any_worker(), self.any_worker());
        let chosen = if self.in_hand[one] <= self.in_hand[other] { one } else { other };
        self.in_hand[chosen] += 1;
        self.total_in_hand += 1;
        let ticks = job_ticks(&mut self.random);
        let payload = vec![ticks as u8; self.load.payload_bytes].into();
        outbox.send(worker_id(chosen as u32), Note::Job { ticks, payload });
    }

    fn any_worker(&mut self) -> usize {
        self.random.below(u64::from(self.load.workers)) as usize
    }

    fn wait_for_next(&mut self, outbox: &mut Outbox<'_, Part>) {
        let mean_ns = 1e9 / (self.load.jobs_per_worker_s * f64::from(self.load.workers));
        let gap_ns = -libm::log(self.random.unit_f64()) * mean_ns;
        outbox.tick(SimDuration::from_nanos(gap_ns as u64 + 1), Note::Arrival);
    }
}
