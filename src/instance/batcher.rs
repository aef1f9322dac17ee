//! Runs batches: starts iterations, cuts decode runs when somebody arrives, finishes tasks.
//!
//! While a batch only decodes, nothing about it changes until its shortest member is done, so that
//! whole *run* of contiguous iterations is one event. Somebody who arrives in the middle cuts the run
//! at the next iteration boundary and joins there.
//!
//! A run's end is its start plus one product, `iteration time × iterations`, rounded once to a
//! nanosecond: rounding errors do not add up over iterations.

use std::sync::Arc;

use ebbflow_actors::{SimDuration, SimTime};

use super::energy::Iterations;
use super::engine::Engine;
use super::residents::{Key, Phase, Resident, Residents, TaskState, WaitingTask, Work};
use super::timesheet::Timesheet;
use crate::message::DecodeTarget;
use crate::performance::{BatchShape, PerformanceModel};
use crate::request::{Leg, Request};

/// A stretch of iterations with an unchanging batch.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Run {
    /// When it began.
    pub start: SimTime,
    /// Seconds of one iteration.
    pub iteration_s: f64,
    /// How many.
    pub iterations: u64,
    /// When the last one ends.
    pub end: SimTime,
    /// Prompt tasks in the batch.
    pub prompts: u32,
    /// Whether it was shortened to let somebody join.
    cut: bool,
}

impl Run {
    fn new(start: SimTime, iteration_s: f64, iterations: u64, prompts: u32) -> Self {
        let mut run = Run { start, iteration_s, iterations, end: start, prompts, cut: false };
        run.end = run.boundary(iterations);
        run
    }

    /// Ends it with the iteration in progress.
    fn cut(&mut self, now: SimTime) {
        // At the very moment the run ends, the iteration after it would be one too many.
        self.iterations = self.iterations.min(self.done_by(now) + 1);
        self.end = self.boundary(self.iterations);
        self.cut = true;
    }

    fn boundary(&self, iterations: u64) -> SimTime {
        let seconds = self.iteration_s * iterations as f64;
        let length = SimDuration::from_secs_f64(seconds)
            .expect("iteration times are finite and positive, as PerformanceModel promises");
        self.start + length
    }

    /// Iterations that have ended by `now`.
    fn done_by(&self, now: SimTime) -> u64 {
        let mut done = ((now - self.start).as_secs_f64() / self.iteration_s) as u64;
        while self.boundary(done) > now {
            done -= 1;
        }
        while self.boundary(done + 1) <= now {
            done += 1;
        }
        done
    }
}

/// What came of a task that ended with a run.
#[derive(Debug)]
pub enum Finished {
    /// The prompt is computed for the first time; its decode continues on this instance.
    Prefilled {
        /// Its length.
        prompt_tokens: u32,
        /// When its request arrived.
        arrival: SimTime,
    },
    /// The prompt is computed; its KV cache must move. The bytes stay allocated until it has.
    HandOver {
        /// The request.
        request: Box<Request>,
        /// Where it decodes.
        target: DecodeTarget,
        /// What it holds here.
        held_bytes: u64,
    },
    /// The last output token is out.
    Completed {
        /// The request.
        request: Box<Request>,
        /// Whether the scheduler knew before that its prompt is computed.
        prefill_reported: bool,
    },
}

/// The serving machinery of an instance: residents, engine and the run in progress.
#[derive(Debug)]
pub struct Batcher {
    timesheet: Timesheet,
    pub(super) residents: Residents,
    pub(super) engine: Box<dyn Engine>,
    performance: Arc<dyn PerformanceModel>,
    run: Option<Run>,
}

impl Batcher {
    /// An idle batcher.
    pub fn new(
        timesheet: Timesheet,
        residents: Residents,
        engine: Box<dyn Engine>,
        performance: Arc<dyn PerformanceModel>,
    ) -> Self {
        Batcher { timesheet, residents, engine, performance, run: None }
    }

    /// What it has done.
    pub fn timesheet(&self) -> &Timesheet {
        &self.timesheet
    }

    /// Who is here.
    pub fn residents(&self) -> &Residents {
        &self.residents
    }

    /// The run in progress.
    pub fn run(&self) -> Option<&Run> {
        self.run.as_ref()
    }

    /// Whether a request could be served here at all.
    pub fn could_ever_hold(&self, request: &Request, work: Work) -> bool {
        let bytes = self.residents.peak_bytes(request, work);
        self.residents.memory.could_ever_fit(bytes)
    }

    /// Allocates room for a KV cache on its way here, if there is any now.
    pub fn reserve_inbound(&mut self, request: &Request) -> Option<u64> {
        let bytes = self.residents.kv_bytes(request, request.prompt_tokens + 1);
        let fits = self.residents.memory.fits(bytes);
        if fits {
            self.residents.memory.allocate(bytes);
        }
        fits.then_some(bytes)
    }

    /// Frees memory of a KV cache that has moved away, or that will not come after all.
    pub fn free(&mut self, now: SimTime, bytes: u64) {
        self.residents.memory.free(bytes);
        self.readmit_deferred();
        self.use_freed_memory(now);
    }

    /// A request arrives with its tasks. The prompt enters first, then the decode that follows it
    /// here; each may start or cut a run.
    pub fn arrive(&mut self, now: SimTime, request: Box<Request>, work: Work, held_bytes: u64) {
        let has_decode = matches!(work, Work::Whole | Work::DecodeOnly);
        let key = self.residents.admit(request, work, held_bytes);
        if work != Work::DecodeOnly {
            self.task_arrives(now, WaitingTask { key, phase: Phase::Prefill });
        }
        if has_decode {
            self.task_arrives(now, WaitingTask { key, phase: Phase::Decode });
        }
    }

    fn task_arrives(&mut self, now: SimTime, task: WaitingTask) {
        self.engine.enqueue(&mut self.residents, task);
        if task.phase == Phase::Prefill {
            self.residents.prompts.push_back(task.key);
        }
        if self.residents.batch.is_empty() {
            let bytes = self.residents.task_bytes(task.key, task.phase);
            if self.residents.memory.fits(bytes) {
                self.start_run(now);
            }
            return;
        }
        let tokens = match task.phase {
            Phase::Prefill => u64::from(self.residents.get(task.key).request.prompt_tokens),
            Phase::Decode => 1,
        };
        if self.engine.interrupts(&self.residents, tokens, task.phase) {
            self.cut_run(now);
        }
    }

    /// Shortens a run of decodes to the iteration in progress. A prompt iteration is never cut.
    fn cut_run(&mut self, now: SimTime) {
        let Some(run) = &mut self.run else { return };
        if !run.cut && run.prompts == 0 {
            run.cut(now);
        }
    }

    /// The run is over: credits its tokens, hands over the tasks that are done, starts the next run.
    pub fn finish_run(&mut self, now: SimTime, mut report: impl FnMut(Finished)) {
        let run = self.run.take().expect("the end of a run is only scheduled while it runs");
        self.measure(&run);
        self.residents.batch.pass(run.iterations);
        let mut completed = false;
        while let Some(key) = self.residents.batch.take_done() {
            if let Some(finished) = self.finish_task(now, key) {
                completed |= matches!(finished, Finished::Completed { .. });
                report(finished);
            }
        }
        if self.residents.batch.is_empty() {
            self.timesheet.end_busy(now);
        }
        if completed {
            self.readmit_deferred();
        }
        self.start_run(now);
    }

    /// Contexts are not known here, so that reading them costs nothing.
    fn measure(&mut self, run: &Run) {
        let batch = &self.residents.batch;
        self.timesheet.measure(Iterations {
            time: run.end - run.start,
            count: run.iterations,
            prompt_tokens: batch.prompt_tokens(),
            decode_tokens: u64::from(batch.decodes()),
            context_tokens: 0,
        });
    }

    fn finish_task(&mut self, now: SimTime, key: Key) -> Option<Finished> {
        self.timesheet.complete_task();
        let resident = self.residents.get_mut(key);
        let journal = &mut resident.request.journal;
        match resident.phase {
            Phase::Prefill => end_leg(&mut journal.prefill, now),
            Phase::Decode => end_leg(&mut journal.decode, now),
        }
        match (resident.phase, resident.work) {
            (Phase::Prefill, Work::Whole) => {
                let Request { prompt_tokens, arrival, .. } = *resident.request;
                let known = std::mem::replace(&mut resident.prefill_reported, true);
                self.residents.turn_to_decode(key);
                (!known).then_some(Finished::Prefilled { prompt_tokens, arrival })
            }
            (Phase::Prefill, Work::PrefillFor(target)) => {
                let Resident { request, held_bytes, .. } = self.residents.release(key);
                Some(Finished::HandOver { request, target, held_bytes })
            }
            _ => {
                let Resident { request, held_bytes, prefill_reported, .. } = self.residents.release(key);
                self.residents.memory.free(held_bytes);
                Some(Finished::Completed { request, prefill_reported })
            }
        }
    }

    /// Chooses a batch and runs it. Without anybody to run the batcher rests until something arrives
    /// or memory is freed.
    pub(super) fn start_run(&mut self, now: SimTime) {
        self.engine.select(&mut self.residents);
        self.preempt_the_unkept();
        self.residents.dequeue_chosen();
        for position in 0..self.residents.chosen.len() {
            self.begin_task(now, self.residents.chosen[position]);
        }
        self.residents.count_start();
        let batch = &self.residents.batch;
        let Some(iterations) = batch.iterations_left() else { return };
        let prompts = batch.prompts();
        let shape = BatchShape { prompts, prompt_tokens: batch.prompt_tokens(), decodes: batch.decodes() };
        self.timesheet.begin_busy(now);
        self.run = Some(Run::new(now, self.performance.iteration_s(shape), iterations, prompts));
    }

    fn preempt_the_unkept(&mut self) {
        let kept = self.residents.kept();
        let mut position = kept;
        while let Some((key, remaining)) = self.residents.batch.get(position) {
            position += 1;
            self.residents.get_mut(key).remaining = remaining;
            self.residents.set_aside(key, TaskState::Blocked);
            self.engine.enqueue(&mut self.residents, WaitingTask { key, phase: Phase::Decode });
            self.residents.blocked.push(key);
        }
        self.residents.batch.truncate(kept);
    }

    fn begin_task(&mut self, now: SimTime, key: Key) {
        let fresh = self.residents.get(key).state == TaskState::Waiting;
        if fresh {
            let bytes = self.residents.task_bytes(key, self.residents.get(key).phase);
            self.residents.memory.allocate(bytes);
            self.residents.get_mut(key).held_bytes += bytes;
        }
        self.residents.enter_batch(key);
        let leg = self.timesheet.begin_leg(now);
        let resident = self.residents.get_mut(key);
        let journal = &mut resident.request.journal;
        let first = match resident.phase {
            Phase::Prefill => &mut journal.prefill,
            Phase::Decode => &mut journal.decode,
        };
        first.get_or_insert(leg);
    }

    /// Memory was freed from outside: start, or cut the run so that the head of the queue may join
    /// there.
    fn use_freed_memory(&mut self, now: SimTime) {
        let Some(&WaitingTask { key, phase }) = self.residents.queue.front() else { return };
        if self.residents.batch.is_empty() {
            if self.residents.memory.fits(self.residents.task_bytes(key, phase)) {
                self.start_run(now);
            }
        } else if self.engine.has_room(&self.residents) {
            self.cut_run(now);
        }
    }

    /// Ends everything at once: all residents, by arrival, their memory freed.
    pub fn evict_all(&mut self, now: SimTime) -> Vec<Resident> {
        self.run = None;
        self.timesheet.end_busy(now);
        self.residents.evict_all()
    }
}

fn end_leg(leg: &mut Option<Leg>, now: SimTime) {
    if let Some(leg) = leg {
        leg.end.get_or_insert(now);
    }
}
