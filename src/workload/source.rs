//! The workload actor: lets requests arrive when they are due.

use ebbflow_actors::{EntityId, SimTime, TickId};

use super::{Answer, Conversations, Workload};
use crate::ids::ApplicationId;
use crate::message::Message;
use crate::participant::Outbox;
use crate::request::Request;
use crate::vitals::Vitals;

/// Sends each request to the scheduler of its application at its time of arrival.
///
/// It holds one request ahead, or the conversations that go on, so a long workload costs no memory here.
pub struct Source {
    supply: Supply,
    schedulers: Vec<(ApplicationId, EntityId)>,
    arrived: u64,
    vitals: Vitals,
}

/// Where requests come from.
enum Supply {
    /// Known beforehand.
    Stream { requests: Box<dyn Iterator<Item = Request> + Send>, next: Option<Request> },
    /// As answers come; `tick` is when the next one is due, as far as is known.
    Conversations { conversations: Box<Conversations>, tick: Option<(SimTime, TickId)>, over: bool },
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = f.debug_struct("Source");
        match &self.supply {
            Supply::Stream { next, .. } => text.field("next", next),
            Supply::Conversations { conversations, .. } => text.field("conversations", conversations),
        };
        text.field("arrived", &self.arrived).finish()
    }
}

impl Source {
    /// A source of this workload. Every application a request names has a scheduler here.
    pub fn new(workload: Workload, schedulers: Vec<(ApplicationId, EntityId)>) -> Self {
        let supply = match workload.conversations {
            None => Supply::Stream { requests: workload.requests, next: None },
            Some(conversations) => {
                Supply::Conversations { conversations: Box::new(conversations), tick: None, over: false }
            }
        };
        Source { supply, schedulers, arrived: 0, vitals: Vitals::default() }
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

    pub(crate) fn handle(&mut self, now: SimTime, from: EntityId, message: Message, outbox: &mut Outbox<'_>) {
        match message {
            Message::NextArrival => {
                while let Some(request) = self.supply.take(now) {
                    self.send(request, outbox);
                }
            }
            Message::Answered(answer) => self.supply.hear(now, *answer),
            other => unreachable!("{from} sent the workload what is not for workloads: {other:?}"),
        }
        self.prepare(now, outbox);
    }

    fn send(&mut self, request: Request, outbox: &mut Outbox<'_>) {
        let scheduler = self.schedulers.iter().find(|(id, _)| *id == request.application);
        if let Some(&(_, scheduler)) = scheduler {
            self.arrived += 1;
            self.vitals.arrived();
            outbox.send(scheduler, Message::Arrival(Box::new(request)));
        }
    }

    /// Sets the tick of the next arrival, or says that there is none.
    fn prepare(&mut self, now: SimTime, outbox: &mut Outbox<'_>) {
        if self.supply.prepare(now, outbox) {
            for &(_, scheduler) in &self.schedulers {
                outbox.send(scheduler, Message::WorkloadEnded);
            }
        }
    }
}

impl Supply {
    /// A request that arrives now.
    fn take(&mut self, now: SimTime) -> Option<Request> {
        match self {
            Supply::Stream { next, .. } => next.take(),
            Supply::Conversations { conversations, tick, .. } => {
                *tick = None;
                conversations.next(now)
            }
        }
    }

    fn hear(&mut self, now: SimTime, answer: Answer) {
        if let Supply::Conversations { conversations, .. } = self {
            conversations.ended(now, answer);
        }
    }

    /// True, once, when no request is left to come.
    fn prepare(&mut self, now: SimTime, outbox: &mut Outbox<'_>) -> bool {
        match self {
            Supply::Stream { requests, next } => {
                *next = requests.next();
                if let Some(request) = next {
                    outbox.tick_at(request.arrival.max(now), Message::NextArrival);
                }
                next.is_none()
            }
            Supply::Conversations { conversations, tick, over } => {
                let due = conversations.due();
                if tick.map(|(at, _)| at) != due {
                    if let Some((_, earlier)) = tick.take() {
                        outbox.cancel(earlier);
                    }
                    *tick = due.map(|at| (at, outbox.tick_at(at, Message::NextArrival)));
                }
                let was_over = std::mem::replace(over, conversations.is_over());
                *over && !was_over
            }
        }
    }
}
