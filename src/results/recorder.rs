//! The recorder actor: keeps what the others tell it, in the order it is told.
//!
//! Requests are many: their figures are noted here, and [`Keep`] says what becomes of them then. Everything
//! else stays in memory until the run ends.

use ebbflow_actors::{EntityId, SimTime};

use super::{EndedRequest, Feed, InstanceRecord, IterationRow, ScalingEvent, ScalingLine, Tally};
use crate::ids::ApplicationId;
use crate::message::Message;
use crate::participant::Outbox;
use crate::scaling::DecisionRow;
use crate::vitals::Vitals;

/// What becomes of ended requests once their figures are noted.
#[derive(Clone, Debug)]
pub enum Keep {
    /// They are kept in memory, for [`ApplicationResults::requests`](super::ApplicationResults::requests).
    Requests,
    /// They are dropped.
    Figures,
    /// They are handed to a [`RequestWriter`](super::RequestWriter), then dropped.
    Rows(Feed),
}

impl Keep {
    /// Requests that were on their way when the run ended come next, and in no order.
    pub(crate) fn expect_letters(&mut self) {
        if let Keep::Rows(feed) = self {
            feed.flush_and_gather();
        }
    }

    /// Passes on what waits for more.
    pub(crate) fn flush(&mut self) {
        if let Keep::Rows(feed) = self {
            feed.flush();
        }
    }
}

/// Records of one application.
#[derive(Debug, Default)]
pub struct Ledger {
    /// What became of the requests.
    pub tally: Tally,
    /// Requests in the order they ended, if they are kept.
    pub requests: Vec<EndedRequest>,
    /// The scaling log.
    pub scaling_log: Vec<ScalingLine>,
    /// Further facts about scaling.
    pub scaling_events: Vec<ScalingEvent>,
    /// What policies decided, by time.
    pub decisions: Vec<DecisionRow>,
    /// Instances that left.
    pub departed: Vec<InstanceRecord>,
    /// Runs of iterations.
    pub iterations: Vec<IterationRow>,
}

impl Ledger {
    /// Files a request.
    pub fn file(&mut self, ended: EndedRequest, keep: &mut Keep) {
        self.tally.note(&ended.request, &ended.fate);
        match keep {
            Keep::Requests => self.requests.push(ended),
            Keep::Figures => {}
            Keep::Rows(feed) => feed.push(ended),
        }
    }
}

/// Keeps records until the run ends.
#[derive(Debug)]
pub struct Recorder {
    ledgers: Vec<(ApplicationId, Ledger)>,
    keep: Keep,
    vitals: Vitals,
}

impl Recorder {
    /// A recorder for these applications.
    pub fn new(applications: impl IntoIterator<Item = ApplicationId>, keep: Keep) -> Self {
        let ledgers = applications.into_iter().map(|id| (id, Ledger::default())).collect();
        Recorder { ledgers, keep, vitals: Vitals::default() }
    }

    /// The same recorder, leaving signs of life here.
    #[must_use]
    pub fn watched_in(mut self, vitals: Vitals) -> Self {
        self.vitals = vitals;
        self
    }

    /// The name in messages and logs.
    pub fn label(&self) -> String {
        "recorder".to_owned()
    }

    /// All records, by application in scenario order. Rows on their way are handed in before.
    pub fn into_ledgers(mut self) -> Vec<(ApplicationId, Ledger)> {
        self.keep.flush();
        self.ledgers
    }

    fn place(&self, application: ApplicationId) -> usize {
        let place = self.ledgers.iter().position(|(id, _)| *id == application);
        place.expect("the simulation made a ledger for every application")
    }

    fn ledger(&mut self, application: ApplicationId) -> &mut Ledger {
        let place = self.place(application);
        &mut self.ledgers[place].1
    }

    pub(crate) fn start(&mut self, _: SimTime, _: &mut Outbox<'_>) {}

    pub(crate) fn handle(&mut self, _: SimTime, from: EntityId, message: Message, _: &mut Outbox<'_>) {
        match message {
            Message::Ended(ended) => {
                self.vitals.ended();
                let place = self.place(ended.request.application);
                self.ledgers[place].1.file(ended, &mut self.keep);
            }
            Message::Logged(application, line) => self.ledger(application).scaling_log.push(*line),
            Message::Noted(application, fact) => self.ledger(application).scaling_events.push(*fact),
            Message::Decided(application, row) => self.ledger(application).decisions.push(*row),
            Message::Departed(application, record) => self.ledger(application).departed.push(*record),
            Message::Iterated(application, row) => self.ledger(application).iterations.push(*row),
            other => unreachable!("{from} sent the recorder what is not a record: {other:?}"),
        }
    }
}
