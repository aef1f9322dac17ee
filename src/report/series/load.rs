//! What requests did over time.

use ebbflow_actors::SimTime;
use serde::Serialize;

use super::Values;
use super::bins::{Bins, Level, Rate};
use crate::report::FinishedRun;
use crate::report::journey::{self, Phase};
use crate::request::{Fate, Leg, Request};
use crate::results::EndedRequest;

/// Requests over time: rates, and how many were where, as means.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Load {
    /// Requests that arrived, per second.
    pub arrived_per_s: Values,
    /// Requests that were completed, per second.
    pub completed_per_s: Values,
    /// Prompt tokens of the requests that arrived, per second.
    pub prompt_tokens_per_s: Values,
    /// Output tokens produced, per second; those of a decode are spread evenly over it.
    pub output_tokens_per_s: Values,
    /// Requests that waited for their prefill, wherever they were.
    pub waiting: Values,
    /// Requests in prefill.
    pub prefilling: Values,
    /// Requests between prefill and decode: their KV cache moved, or they waited to decode.
    pub transferring: Values,
    /// Requests in decode.
    pub decoding: Values,
}

/// Everything that is gathered, while it is.
struct Gathering {
    rates: [Rate; 3],
    output: Level,
    /// Waiting, in prefill, between the two, in decode.
    stays: [Level; 4],
}

impl Load {
    /// Over these bins.
    pub fn of(run: &FinishedRun, bins: Bins) -> Self {
        let level = || Level::new(bins);
        let rate = || Rate::new(bins);
        let mut gathering = Gathering {
            rates: [rate(), rate(), rate()],
            output: level(),
            stays: [level(), level(), level(), level()],
        };
        let applications = &run.results.applications;
        for ended in applications.iter().flat_map(|application| &application.requests) {
            gathering.add(ended, run.results.end);
        }
        gathering.done()
    }
}

impl Gathering {
    fn add(&mut self, ended: &EndedRequest, end: SimTime) {
        let request = &ended.request;
        let [arrived, completed, prompts] = &mut self.rates;
        arrived.add(request.arrival, 1.0);
        prompts.add(request.arrival, f64::from(request.prompt_tokens));
        if let (Fate::Completed, Some(time)) = (&ended.fate, request.completion()) {
            completed.add(time, 1.0);
        }
        for stay in journey::stays(ended) {
            let level = match stay.phase {
                Phase::SchedulerQueue | Phase::PrefillQueue => 0,
                Phase::Prefill => 1,
                Phase::TransferQueue | Phase::Transfer | Phase::DecodeQueue => 2,
                Phase::Decode => 3,
            };
            self.stays[level].add((stay.from, stay.to.unwrap_or(end)), 1.0);
        }
        self.tokens(request);
    }

    /// The first token comes at the end of the prefill, the others during the decode.
    fn tokens(&mut self, request: &Request) {
        if let Some(first) = request.journal.prefill.and_then(|leg| leg.end) {
            let moment = SimTime::from_nanos(first.as_nanos().saturating_sub(1));
            self.output.add((moment, first), 1e9);
        }
        if let Some(Leg { start, end: Some(end), .. }) = request.journal.decode {
            let tokens = f64::from(request.output_tokens - 1);
            let seconds = end.saturating_sub(start).as_secs_f64();
            if seconds > 0.0 {
                self.output.add((start, end), tokens / seconds);
            }
        }
    }

    fn done(self) -> Load {
        let [arrived, completed, prompts] = self.rates;
        let [waiting, prefilling, transferring, decoding] = self.stays;
        Load {
            arrived_per_s: arrived.values(),
            completed_per_s: completed.values(),
            prompt_tokens_per_s: prompts.values(),
            output_tokens_per_s: self.output.values(),
            waiting: waiting.values(),
            prefilling: prefilling.values(),
            transferring: transferring.values(),
            decoding: decoding.values(),
        }
    }
}
