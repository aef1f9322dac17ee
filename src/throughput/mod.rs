//! A synthetic load for measuring the actor runtime itself: who moves how many messages, and at what cost.
//!
//! Workers tick by themselves every 30 ms ± 10 % and hold a small queue of jobs; a dispatcher sends each job,
//! drawn from a Poisson process, to the less loaded of two workers drawn at random and hears when it is done;
//! a controller asks the dispatcher ten times a second how much is in hand. A message takes 1 ms. A job takes 8
//! to 24 ticks, so most ticks concern nobody but the worker itself, like most iterations of an LLM instance.
//!
//! Every worker starts with the jobs it would hold after a while, so that short runs are typical too. Handlers
//! cost some tens of nanoseconds on purpose: what is left is the runtime. Leaves out everything about LLMs, and
//! reads no clock: `ebbflow bench` and `benches/peers` measure. Times are simulated seconds, payloads bytes.

mod controller;
mod dispatcher;
mod load;
mod note;
mod part;
#[cfg(test)]
mod tests;
mod worker;

pub use load::{LATENCY, Load};
pub use note::{Note, Payload};
pub use part::{Busiest, Part, busiest};
