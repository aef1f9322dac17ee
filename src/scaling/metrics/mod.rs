//! What policies see: samples that were scraped, never the live fleet.
//!
//! ```text
//! scheduler ──┐ every scrape interval            every decision interval
//! instances ──┴─► Sample ──► Monitor (windows) ──► Observation ──► policy
//! ```
//!
//! A [`Sample`] is what an instance or the scheduler shows when it is asked; it reaches the manager a
//! message, and the delay of the metrics pipeline, later. The [`Monitor`] keeps what windows need. An
//! [`Observation`] answers a policy's questions from it, and remembers each question with its answer and
//! how old that was: the decision log is written from there, so no policy can forget to say what it saw.
//!
//! The manager's own knowledge, how many instances it asked for and which of them are ready, is not a
//! metric: it is as fresh as the messages that bring it.

mod monitor;
mod observation;
mod readings;
mod sample;

pub use monitor::Monitor;
pub use observation::{Input, Observation, View};
pub use readings::{Reading, Readings, Signal};
pub use sample::{FirstToken, GatewaySample, InstanceSample, Sample, Served, Traffic};
