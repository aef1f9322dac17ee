//! Serving instances: batching, memory, KV transfers, lifecycle.
//!
//! [`Instance`] is the actor; it is the one owner of its lifecycle. Its machinery is pure and knows no
//! messages: [`Batcher`](batcher::Batcher) runs batches over [`Residents`](residents::Residents), an
//! [`Engine`](engine::Engine) chooses them.

pub mod batch;
pub mod batcher;
mod birth;
pub mod continuous;
mod deadlock;
mod drain;
mod energy;
pub mod engine;
mod entity;
mod inbound;
mod iteration_row;
mod lifecycle;
mod machinery;
mod memory;
mod resident;
pub mod residents;
pub mod standby;
mod timesheet;

pub use birth::{Birth, DrainRules, Introduction, Reports};
pub use energy::{Phase, PhaseMeter, Phases};
pub use entity::Instance;
pub use lifecycle::InstanceStatus;
pub(crate) use machinery::RunInProgress;
pub use memory::Memory;
pub use timesheet::Timesheet;
