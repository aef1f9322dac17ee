//! Batching engines: who runs in the next iteration.
//!
//! An engine only chooses; starting, cutting and finishing runs is the [batcher](super::batcher)'s
//! business and the same for all. A new engine is one file here and one line in [`engine`].

mod fifo;
mod orca;
mod splitwise;

use super::continuous::Settings;
use super::residents::{Phase, Residents};
use crate::scenario::EngineSpec;

/// Chooses the batch of the next iteration.
pub trait Engine: Send + std::fmt::Debug {
    /// Puts an arriving or preempted task into the waiting queue.
    fn enqueue(&self, residents: &mut Residents, task: super::residents::WaitingTask);

    /// Whether a task that arrives while a batch runs may join before the run's end: then the run is
    /// cut at the next iteration boundary.
    fn interrupts(&self, residents: &Residents, tokens: u64, phase: Phase) -> bool;

    /// Chooses with [`Residents::keep`] who runs on, and with [`Residents::choose`] who joins, in that order.
    /// Only decodes run when it is asked: a prompt takes one iteration.
    fn select(&self, residents: &mut Residents);

    /// Whether freed memory lets a running batch take in more (asked when an outgoing transfer ends).
    fn has_room(&self, residents: &Residents) -> bool;
}

/// The two ways to form iterations.
#[derive(Debug)]
pub enum Kind {
    /// A batch of tasks is selected by this engine.
    Selecting(Box<dyn Engine>),
    /// Tokens are given out anew in every iteration: `vllm`.
    Continuous(Settings),
}

/// The engine a configuration names.
pub fn engine(spec: EngineSpec) -> Kind {
    Kind::Selecting(match spec {
        EngineSpec::Default => Box::new(fifo::Fifo),
        EngineSpec::Orca { max_batch_size } => {
            Box::new(orca::Orca { max_batch_size: max_batch_size as usize })
        }
        EngineSpec::Splitwise { max_batch_size, max_batch_tokens, max_preemptions } => {
            Box::new(splitwise::Splitwise {
                max_batch_size: max_batch_size as usize,
                max_batch_tokens,
                max_preemptions,
            })
        }
        EngineSpec::Vllm(settings) => return Kind::Continuous(settings),
    })
}
