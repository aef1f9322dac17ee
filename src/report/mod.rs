//! What is made of a finished run for people to look at: pages, timelines, explanations.
//!
//! Everything here starts from a [`FinishedRun`], a run directory read back. So what is shown of a run
//! when it ends is what anybody can make of its directory later, and nothing here can touch the model.

mod cause;
pub mod data;
mod finished;
#[cfg(test)]
mod samples;
pub mod series;

pub use cause::{Cause, Causes};
pub use finished::{FinishedRun, OpenError};
