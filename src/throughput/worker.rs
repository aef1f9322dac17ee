//! A worker: ticks by itself, and with some ticks jobs end.

use ebbflow_actors::{CounterRng, Outbox, SimDuration, SimTime};

use super::load::{DISPATCHER, MIN_TICKS, TICKS_RANGE, job_ticks};
use super::note::{Note, Payload};
use super::part::Part;

/// The mean time between two ticks; a gap differs from it by up to a tenth.
pub(super) const PERIOD: SimDuration = SimDuration::from_millis(30);

/// Holds a few jobs at a time.
#[derive(Debug)]
pub struct Worker {
    random: CounterRng,
    /// Ticks so far.
    ticks: u64,
    /// The tick with which each job ends, and what the job carries; the next to end is last.
    jobs: Vec<(u64, Payload)>,
    initial_jobs: u32,
    payload_bytes: usize,
}

impl Worker {
    pub(super) fn new(initial_jobs: u32, payload_bytes: usize) -> Self {
        let random = CounterRng::new(0, DISPATCHER, 0);
        Worker { random, ticks: 0, jobs: Vec::new(), initial_jobs, payload_bytes }
    }

    /// Takes up the jobs of a worker that has been at work for a while, and begins to tick.
    pub(super) fn start(&mut self, outbox: &mut Outbox<'_, Part>) {
        self.random = outbox.random(0);
        for _ in 0..self.initial_jobs {
            let left = rest_of_a_job(&mut self.random);
            self.take(left, vec![0; self.payload_bytes].into());
        }
        let first = self.random.below(PERIOD.as_nanos()) + 1;
        outbox.tick(SimDuration::from_nanos(first), Note::Tick);
    }

    pub(super) fn handle(&mut self, note: Note, outbox: &mut Outbox<'_, Part>) {
        match note {
            Note::Tick => self.tick(outbox),
            Note::Job { ticks, payload } => self.take(ticks, payload),
            other => unreachable!("nobody tells a worker {other:?}"),
        }
    }

    fn take(&mut self, ticks: u32, payload: Payload) {
        let end = self.ticks + u64::from(ticks);
        let place = self.jobs.partition_point(|(other, _)| *other > end);
        self.jobs.insert(place, (end, payload));
    }

    fn tick(&mut self, outbox: &mut Outbox<'_, Part>) {
        self.ticks += 1;
        while let Some((_, payload)) = self.jobs.pop_if(|(end, _)| *end <= self.ticks) {
            outbox.send(DISPATCHER, Note::Done { payload });
        }
        outbox.tick(gap(&mut self.random), Note::Tick);
    }

    /// The tick with which the next job ends: the gaps until then are known beforehand.
    pub(super) fn promise(&self, next_tick: SimTime) -> Option<SimTime> {
        let (end, _) = self.jobs.last()?;
        let mut ahead = self.random.clone();
        Some((self.ticks + 1..*end).fold(next_tick, |time, _| time + gap(&mut ahead)))
    }
}

/// What is left of a job met at a random moment: long jobs are met more often, and anywhere in their life.
fn rest_of_a_job(random: &mut CounterRng) -> u32 {
    let longest = u64::from(MIN_TICKS + TICKS_RANGE - 1);
    loop {
        let left = 1 + random.below(longest) as u32;
        if left <= job_ticks(random) {
            return left;
        }
    }
}

fn gap(random: &mut CounterRng) -> SimDuration {
    let period = PERIOD.as_nanos();
    SimDuration::from_nanos(period * 9 / 10 + random.below(period / 5))
}
