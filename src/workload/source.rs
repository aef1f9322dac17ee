//! The workload actor: lets requests arrive when they are due.

use ebbflow_actors::{EntityId, SimTime};

use super::Workload;
use crate::ids::ApplicationId;
use crate::message::Message;
use crate::participant::Outbox;
use crate::request::Request;
use crate::vitals::Vitals;

/// Sends each request to the scheduler of its application at its time of arrival.
///
/// It holds one request ahead, so a long workload costs no memory here.
pub struct Source {
    requests: Box<dyn Iterator<Item = Request> + Send>,
    next: Option<Request>,
    schedulers: Vec<(ApplicationId, EntityId)>,
    arrived: u64,
    vitals: Vitals,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source").field("next", &self.next).field("arrived", &self.arrived).finish()
    }
}

impl Source {
    /// A source of this workload. Every application a request names has a scheduler here.
    pub fn new(workload: Workload, schedulers: Vec<(ApplicationId, EntityId)>) -> Self {
        Source { requests: workload.requests, next: None, schedulers, arrived: 0, vitals: Vitals::default() }
    }

    /// The same source, leaving signs of life here.
    #[must_use]
    pub fn watched_in(mut self, vitals: Vitals) -> Self {
        self.vitals = vitals;
        self
    }

    /// The name in messages and logs.
    pub fn label(&self) -> String {
        "workload".to_owned()
    }

    /// Requests that arrived so far.
    pub fn arrived(&self) -> u64 {
        self.arrived
    }

    pub(crate) fn start(&mut self, now: SimTime, outbox: &mut Outbox<'_>) {
        self.prepare(now, outbox);
    }

    pub(crate) fn handle(&mut self, now: SimTime, _: EntityId, message: Message, outbox: &mut Outbox<'_>) {
        debug_assert!(matches!(message, Message::NextArrival));
        if let Some(request) = self.next.take() {
            let scheduler = self.schedulers.iter().find(|(id, _)| *id == request.application);
            if let Some(&(_, scheduler)) = scheduler {
                self.arrived += 1;
                self.vitals.arrived();
                outbox.send(scheduler, Message::Arrival(Box::new(request)));
            }
        }
        self.prepare(now, outbox);
    }

    fn prepare(&mut self, now: SimTime, outbox: &mut Outbox<'_>) {
        self.next = self.requests.next();
        match &self.next {
            Some(request) => {
                outbox.tick_at(request.arrival.max(now), Message::NextArrival);
            }
            None => {
                for &(_, scheduler) in &self.schedulers {
                    outbox.send(scheduler, Message::WorkloadEnded);
                }
            }
        }
    }
}
