//! What the parts of the load say to each other.

use ebbflow_actors::Message;

/// The ballast of a message. The digest reads every byte of it once, as a receiver would.
pub type Payload = Box<[u8]>;

/// A message, or a tick to oneself.
#[derive(Hash, Debug)]
pub enum Note {
    /// The dispatcher's tick: the next job is here.
    Arrival,
    /// The worker's tick.
    Tick,
    /// The controller's tick: time to look.
    Look,
    /// Dispatcher to worker: work for this many ticks.
    Job {
        /// How many ticks of the worker it takes.
        ticks: u32,
        /// The ballast.
        payload: Payload,
    },
    /// Worker to dispatcher: a job is done; the ballast returns.
    Done {
        /// The ballast.
        payload: Payload,
    },
    /// Controller to dispatcher: how much is in hand?
    Sample,
    /// Dispatcher to controller: jobs that workers hold.
    InHand(u64),
}

impl Message for Note {}
