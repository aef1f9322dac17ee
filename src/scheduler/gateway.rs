//! What a scheduler counts for those who scrape it.

use ebbflow_actors::{SimDuration, SimTime};

use crate::request::Request;
use crate::scaling::metrics::{FirstToken, GatewaySample, Served, Traffic};

/// Counters and latencies since the last scrape. Counts only what somebody will read: without a manager
/// that scrapes, the lists stay empty.
#[derive(Debug, Default)]
pub(super) struct Gateway {
    listed: bool,
    traffic: Traffic,
    first_tokens: Vec<FirstToken>,
    served: Vec<Served>,
}

impl Gateway {
    /// One that lists latencies, or only counts.
    pub fn new(listed: bool) -> Self {
        Gateway { listed, ..Gateway::default() }
    }

    pub fn arrived(&mut self, request: &Request) {
        self.traffic.arrived(request);
    }

    pub fn first_token(&mut self, at: SimTime, ttft: SimDuration) {
        if self.listed {
            self.first_tokens.push(FirstToken { at, ttft });
        }
    }

    pub fn completed(&mut self, at: SimTime, request: &Request) {
        self.traffic.completed(request);
        if self.listed {
            self.served.extend(Served::of(request, at));
        }
    }

    /// The answer to a scrape, as far as the counters know it.
    pub fn scrape(&mut self, at: SimTime) -> GatewaySample {
        GatewaySample {
            at,
            traffic: self.traffic,
            first_tokens: std::mem::take(&mut self.first_tokens),
            served: std::mem::take(&mut self.served),
            ..GatewaySample::default()
        }
    }
}
