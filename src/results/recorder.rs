//! The recorder actor: keeps what the others tell it, in the order it is told.

use ebbflow_actors::{EntityId, SimTime};

use super::{EndedRequest, InstanceRecord, IterationRow, ScalingEvent, ScalingLine, Tally};
use crate::ids::ApplicationId;
use crate::message::Message;
use crate::participant::Outbox;
use crate::scaling::DecisionRow;

/// Records of one application.
#[derive(Debug, Default)]
pub struct Ledger {
    /// What became of the requests.
    pub tally: Tally,
    /// Requests in the order they ended.
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
    pub fn file(&mut self, ended: EndedRequest) {
        self.tally.note(&ended.request, &ended.fate);
        self.requests.push(ended);
    }
}

/// Keeps records in memory until the run ends.
#[derive(Debug)]
pub struct Recorder {
    ledgers: Vec<(ApplicationId, Ledger)>,
}

impl Recorder {
    /// A recorder for these applications.
    pub fn new(applications: impl IntoIterator<Item = ApplicationId>) -> Self {
        let ledgers = applications.into_iter().map(|id| (id, Ledger::default())).collect();
        Recorder { ledgers }
    }

    /// The name in messages and logs.
    pub fn label(&self) -> String {
        "recorder".to_owned()
    }

    /// All records, by application in scenario order.
    pub fn into_ledgers(self) -> Vec<(ApplicationId, Ledger)> {
        self.ledgers
    }

    fn ledger(&mut self, application: ApplicationId) -> &mut Ledger {
        let position = self.ledgers.iter().position(|(id, _)| *id == application);
        let position = position.expect("the simulation made a ledger for every application");
        &mut self.ledgers[position].1
    }

    pub(crate) fn start(&mut self, _: SimTime, _: &mut Outbox<'_>) {}

    pub(crate) fn handle(&mut self, _: SimTime, from: EntityId, message: Message, _: &mut Outbox<'_>) {
        match message {
            Message::Ended(ended) => self.ledger(ended.request.application).file(ended),
            Message::Logged(application, line) => self.ledger(application).scaling_log.push(*line),
            Message::Noted(application, fact) => self.ledger(application).scaling_events.push(*fact),
            Message::Decided(application, row) => self.ledger(application).decisions.push(*row),
            Message::Departed(application, record) => self.ledger(application).departed.push(*record),
            Message::Iterated(application, row) => self.ledger(application).iterations.push(*row),
            other => unreachable!("{from} sent the recorder what is not a record: {other:?}"),
        }
    }
}
