//! KV-cache moves between instances: how long a cache takes.
//!
//! Without `cluster.network` each request has a private link, as in the ancestor: transfers never slow each other
//! down. With it caches go over the links of the cluster ([`wiring`], [`links`]), which those that meet share fairly
//! ([`fair`]); the [`Network`] keeps the flows. What happens at the two ends is the instances' affair.

mod entity;
pub mod fair;
pub mod links;
pub mod wiring;

use std::hash::{Hash, Hasher};

use ebbflow_actors::SimDuration;

pub use entity::{Network, TransferOrder};
pub use links::Port;

/// How a KV cache moves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transfer {
    /// Over a link of its own, in this time.
    Private(SimDuration),
    /// Over the links of the cluster, beginning here.
    Linked(Port),
}

impl Hash for Transfer {
    /// A private link is digested as the time it takes and nothing else: digests of scenarios without a network
    /// are what they always were.
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Transfer::Private(time) => time.hash(state),
            Transfer::Linked(port) => port.hash(state),
        }
    }
}

/// How long `bytes` take over a link of this bandwidth.
///
/// The ancestor's "GB/s" are GiB/s (2³⁰ bytes), and so are these.
pub fn transfer_time(bytes: u64, bandwidth_gib_per_s: f64) -> SimDuration {
    let seconds = bytes as f64 / (bandwidth_gib_per_s * 1024.0 * 1024.0 * 1024.0);
    SimDuration::from_secs_f64(seconds).unwrap_or(SimDuration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gibibyte_takes_five_milliseconds_at_two_hundred() {
        assert_eq!(transfer_time(1 << 30, 200.0), SimDuration::from_millis(5));
    }
}
