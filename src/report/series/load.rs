//! What requests did over time.

use ebbflow_actors::SimTime;
use serde::Serialize;

use super::Values;
use super::bins::{Bins, Level, Rate};
use crate::report::FinishedRun;
use crate::request::{Fate, Leg, Request};

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

/// When a request was where: from, to.
pub(super) struct Stays {
    pub waiting: Span,
    pub prefilling: Span,
    pub transferring: Span,
    pub decoding: Span,
}

type Span = (SimTime, SimTime);

impl Stays {
    /// Those of a request in a run that ended at `end`.
    pub fn of(request: &Request, fate: &Fate, end: SimTime) -> Self {
        // One that was turned away left at a time no journal holds: what is not known is no time.
        let open = if matches!(fate, Fate::Rejected(_)) { SimTime::ZERO } else { end };
        let journal = &request.journal;
        let span = |leg: Option<Leg>| leg.map(|leg| (leg.start, leg.end.unwrap_or(open)));
        let none = (open, open);
        let decoding = span(journal.decode).unwrap_or(none);
        let Some(prefilling) = span(journal.prefill) else {
            return Stays {
                waiting: (request.arrival, open),
                prefilling: none,
                transferring: none,
                decoding,
            };
        };
        let decode_follows = request.output_tokens > 1;
        let transferring = if decode_follows { (prefilling.1, decoding.0) } else { none };
        Stays { waiting: (request.arrival, prefilling.0), prefilling, transferring, decoding }
    }
}

/// Everything that is gathered, while it is.
struct Gathering {
    rates: [Rate; 3],
    output: Level,
    stays: [Level; 4],
    bins: Bins,
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
            bins,
        };
        let applications = &run.results.applications;
        for ended in applications.iter().flat_map(|application| &application.requests) {
            gathering.add(&ended.request, &ended.fate, run.results.end);
        }
        gathering.done()
    }
}

impl Gathering {
    fn add(&mut self, request: &Request, fate: &Fate, end: SimTime) {
        let [arrived, completed, prompts] = &mut self.rates;
        arrived.add(request.arrival, 1.0);
        prompts.add(request.arrival, f64::from(request.prompt_tokens));
        if let (Fate::Completed, Some(time)) = (fate, request.completion()) {
            completed.add(time, 1.0);
        }
        let Stays { waiting, prefilling, transferring, decoding } = Stays::of(request, fate, end);
        for (level, stay) in self.stays.iter_mut().zip([waiting, prefilling, transferring, decoding]) {
            level.add(stay, 1.0);
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
        debug_assert_eq!(self.output.means().len(), self.bins.count());
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
