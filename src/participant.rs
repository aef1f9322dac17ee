//! Who takes part in a simulation: one enum over all kinds of entities.

use ebbflow_actors::{Entity, EntityId, SimTime};

use crate::cluster::Server;
use crate::hot_log;
use crate::instance::Instance;
use crate::message::Message;
use crate::results::Recorder;
use crate::scaling::ScalingManager;
use crate::scheduler::Scheduler;
use crate::transfer::Network;
use crate::workload::Source;

/// What a handler sends through.
pub type Outbox<'a> = ebbflow_actors::Outbox<'a, Participant>;

/// An entity of a fleet.
#[derive(Debug)]
pub enum Participant {
    /// Lets requests arrive.
    Source(Box<Source>),
    /// Routes an application's requests.
    Scheduler(Box<Scheduler>),
    /// Scales an application's fleet.
    Manager(Box<ScalingManager>),
    /// Holds GPUs and starts instances on them.
    Server(Box<Server>),
    /// Serves requests.
    Instance(Box<Instance>),
    /// Keeps what the others report.
    Recorder(Box<Recorder>),
    /// Holds the caches that are on their way over the links of the cluster.
    Network(Box<Network>),
}

macro_rules! delegate {
    ($self:ident, $entity:ident => $call:expr) => {
        match $self {
            Participant::Source($entity) => $call,
            Participant::Scheduler($entity) => $call,
            Participant::Manager($entity) => $call,
            Participant::Server($entity) => $call,
            Participant::Instance($entity) => $call,
            Participant::Recorder($entity) => $call,
            Participant::Network($entity) => $call,
        }
    };
}

impl Entity for Participant {
    type Message = Message;

    fn label(&self) -> String {
        delegate!(self, entity => entity.label())
    }

    fn start(&mut self, now: SimTime, outbox: &mut Outbox<'_>) {
        delegate!(self, entity => entity.start(now, outbox))
    }

    fn handle(&mut self, now: SimTime, from: EntityId, message: Message, outbox: &mut Outbox<'_>) {
        hot_log::message(now, from, self, &message);
        delegate!(self, entity => entity.handle(now, from, message, outbox))
    }
}
