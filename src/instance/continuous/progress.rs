//! What iterations bring: tokens, gaps between them, prompts computed, requests done.

use ebbflow_actors::{SimDuration, SimTime};

use super::batcher::{ContinuousBatcher, Planned};
use super::sequence::Passage;
use super::stretch::Stretch;
use super::time::Decodes;
use crate::instance::batcher::Finished;
use crate::instance::energy::Iterations;
use crate::instance::resident::{Key, Work};
use crate::request::{Leg, Request};

impl ContinuousBatcher {
    /// The run is over: credits its tokens, reports the tasks that are done with what happened to their requests so
    /// far, starts the next run.
    pub fn finish_run(&mut self, now: SimTime, mut report: impl FnMut(Finished, Passage)) {
        let stretch = self.run.take().expect("the end of a run is only scheduled while it runs");
        self.credit(&stretch, stretch.iterations());
        while let Some(key) = self.decoding.first_done() {
            let (finished, passage) = self.complete(now, key);
            report(finished, passage);
        }
        for planned in std::mem::take(&mut self.planned) {
            if let Some((finished, passage)) = self.advance_prefill(now, planned) {
                report(finished, passage);
            }
        }
        self.start_run(now);
    }

    /// The first iterations of a stretch are over.
    fn credit(&mut self, stretch: &Stretch, iterations: u64) {
        self.statistics.iterations += iterations;
        self.measure(stretch, iterations);
        let sequences = self.decoding.sequences();
        if sequences > 0 {
            let steady = sequences - self.late.len() as u64;
            let gaps = &mut self.statistics.gaps;
            gaps.record_stretch(stretch, iterations, steady);
            // Tokens of one iteration come together.
            gaps.record(SimDuration::ZERO, (self.decoding.gained_in(iterations) - iterations) * sequences);
            for key in self.late.drain(..) {
                let gap = self.sequences[key as usize].emit(stretch.boundary(1));
                gaps.record(gap.unwrap_or_default(), u64::from(gap.is_some()));
            }
            self.peaks.push(self.decoding.ticks() + iterations, stretch.nth_ns(iterations - 1));
        }
        self.grant(iterations - 1);
        self.decoding.advance(iterations);
    }

    fn measure(&mut self, stretch: &Stretch, iterations: u64) {
        let Decodes { sequences, tokens_each, context, .. } = self.decoding.decodes();
        // Everybody's context grows evenly: 0 in the first iteration, all but one iteration's share in the last.
        let grown = u64::from(sequences) * self.decoding.gained_in(iterations) * (iterations - 1) / 2;
        self.timesheet.measure(Iterations {
            time: stretch.boundary(iterations) - stretch.start(),
            count: iterations,
            prompt_tokens: self.planned_tokens,
            decode_tokens: u64::from(sequences) * u64::from(tokens_each),
            context_tokens: context * iterations + grown,
        });
    }

    /// Credits the iterations that are over by `now`; the one in progress becomes the first of the run.
    pub(super) fn catch_up(&mut self, now: SimTime) {
        let Some(stretch) = self.run else { return };
        let done = stretch.done_by(now).min(stretch.iterations() - 1);
        if done > 0 {
            self.credit(&stretch, done);
            self.grant(0);
            self.run = Some(stretch.after(done));
        }
    }

    /// Ends the run with the iteration in progress, so that somebody may join.
    pub(super) fn cut_run(&mut self, now: SimTime) {
        self.catch_up(now);
        self.run = self.run.map(|stretch| stretch.at_most(1));
    }

    /// There are fewer blocks than when the run was planned.
    pub(super) fn shorten_run(&mut self) {
        self.run = self.run.map(|stretch| {
            let within = self.decoding.within_blocks(stretch.iterations(), self.blocks.available());
            stretch.at_most(within)
        });
    }

    /// A piece of a prompt is computed.
    fn advance_prefill(
        &mut self,
        now: SimTime,
        Planned { key, tokens }: Planned,
    ) -> Option<(Finished, Passage)> {
        self.sequences[key as usize].computed += tokens;
        self.publish(key);
        let sequence = &mut self.sequences[key as usize];
        if sequence.computed < sequence.tokens() {
            return None;
        }
        sequence.produced += 1;
        if let Some(gap) = sequence.emit(now) {
            self.statistics.gaps.record(gap, 1);
        }
        end_leg(&mut sequence.request.journal.prefill, now);
        match sequence.work {
            Work::PrefillFor(target) => {
                self.timesheet.complete_task();
                self.leave_running(now, key);
                let mut sequence = self.sequences.remove(key as usize);
                let held_bytes = self.hold_outgoing(&mut sequence);
                let passage = sequence.passage();
                Some((Finished::HandOver { request: sequence.request, target, held_bytes }, passage))
            }
            // The only token, or the last one of a preempted sequence.
            _ if sequence.left() == 0 => Some(self.complete(now, key)),
            _ => {
                self.timesheet.complete_task();
                let Request { prompt_tokens, arrival, .. } = *sequence.request;
                let known = std::mem::replace(&mut sequence.prefill_reported, true);
                let passage = sequence.passage();
                self.prefilling.remove(&(sequence.admitted, key));
                self.begin_decode(now, key);
                (!known).then_some((Finished::Prefilled { prompt_tokens, arrival }, passage))
            }
        }
    }

    /// The last token is out.
    fn complete(&mut self, now: SimTime, key: Key) -> (Finished, Passage) {
        self.timesheet.complete_task();
        self.leave_running(now, key);
        self.free_blocks_of(key);
        let mut sequence = self.sequences.remove(key as usize);
        end_leg(&mut sequence.request.journal.decode, now);
        let passage = sequence.passage();
        let prefill_reported = sequence.prefill_reported;
        (Finished::Completed { request: sequence.request, prefill_reported }, passage)
    }
}

fn end_leg(leg: &mut Option<Leg>, now: SimTime) {
    if let Some(leg) = leg {
        leg.end.get_or_insert(now);
    }
}
