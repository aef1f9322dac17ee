//! What is kept of every request, whatever becomes of the request itself: the figures of those that were
//! served in full, and counts of all.
//!
//! Times are whole nanoseconds, so that a figure is the same whether the request is still at hand or not;
//! 56 bytes a served request. Means and percentiles are computed from them at the end, exactly.

use ebbflow_actors::SimDuration;

use super::{EndedRequest, Kinds, RequestCounts};
use crate::request::{Fate, Request};

/// The figures of a request that was served in full.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Served {
    /// Name in the trace.
    pub id: u64,
    /// End-to-end response time.
    pub e2e: SimDuration,
    /// Time to first token.
    pub ttft: SimDuration,
    /// Wait before the prompt was first worked on.
    pub queue: SimDuration,
    /// From the end of the prompt task to the start of the token task.
    pub nth_token_overhead: SimDuration,
    /// The longest wait between two output tokens; zero where there was no gap, or the engine does not tell.
    pub longest_gap: SimDuration,
    /// Prompt length in tokens.
    pub prompt_tokens: u32,
    /// Output length in tokens.
    pub output_tokens: u32,
}

/// What became of the requests of an application.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Counts of all of them.
    pub counts: RequestCounts,
    /// The served ones in order of completion.
    pub served: Vec<Served>,
    /// Of which classes and tenants they are.
    pub kinds: Kinds,
}

impl Served {
    /// The figures of a request; none if it was not served in full.
    pub fn of(request: &Request) -> Option<Self> {
        let prefill = request.journal.prefill?;
        let first_token = prefill.end?;
        let overhead = request.journal.decode.map_or(SimDuration::ZERO, |decode| decode.start - first_token);
        Some(Served {
            id: request.id.0,
            e2e: request.completion()? - request.arrival,
            ttft: first_token - request.arrival,
            queue: prefill.start - request.arrival,
            nth_token_overhead: overhead,
            longest_gap: request.journal.longest_gap,
            prompt_tokens: request.prompt_tokens,
            output_tokens: request.output_tokens,
        })
    }

    /// See [`Request::tbt_s`].
    pub fn tbt_s(&self) -> f64 {
        self.decoding_s() / f64::from(self.output_tokens)
    }

    /// See [`Request::tpot_s`].
    pub fn tpot_s(&self) -> Option<f64> {
        (self.output_tokens > 1).then(|| self.decoding_s() / f64::from(self.output_tokens - 1))
    }

    /// See [`Request::longest_gap_s`].
    pub fn longest_gap_s(&self) -> Option<f64> {
        (!self.longest_gap.is_zero()).then(|| self.longest_gap.as_secs_f64())
    }

    fn decoding_s(&self) -> f64 {
        self.e2e.as_secs_f64() - self.ttft.as_secs_f64()
    }
}

impl Tally {
    /// Notes a request that has ended.
    pub fn note(&mut self, request: &Request, fate: &Fate) {
        self.counts.note(fate);
        let kind = self.kinds.note(request, fate);
        if *fate == Fate::Completed
            && let Some(served) = Served::of(request)
        {
            self.kinds.serve(self.served.len(), kind);
            self.served.push(served);
        }
    }
}

impl<'a> FromIterator<&'a EndedRequest> for Tally {
    fn from_iter<I: IntoIterator<Item = &'a EndedRequest>>(requests: I) -> Self {
        let mut tally = Tally::default();
        for ended in requests {
            tally.note(&ended.request, &ended.fate);
        }
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn the_figures_of_a_request_outlive_it_to_the_bit() {
        for request in samples::results().applications[0].completed() {
            let served = Served::of(request).unwrap();
            let seconds = SimDuration::as_secs_f64;
            assert_eq!(Some(seconds(served.e2e)), request.e2e_s());
            assert_eq!(Some(seconds(served.ttft)), request.ttft_s());
            assert_eq!(Some(seconds(served.queue)), request.queue_s());
            assert_eq!(Some(seconds(served.nth_token_overhead)), request.nth_token_overhead_s());
            assert_eq!((Some(served.tbt_s()), served.tpot_s()), (request.tbt_s(), request.tpot_s()));
            assert_eq!(served.longest_gap_s(), request.longest_gap_s());
        }
    }

    #[test]
    fn a_request_is_counted_whatever_became_of_it_and_measured_if_it_was_served() {
        let tally: Tally = samples::results().applications[0].requests.iter().collect();
        assert_eq!(tally.counts.arrived, 4);
        assert_eq!(tally.served.iter().map(|served| served.id).collect::<Vec<_>>(), [16, 2]);
    }
}
