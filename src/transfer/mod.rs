//! KV-cache moves between instances: how long a cache takes over its link.
//!
//! Each request has a private link, as in the ancestor: transfers never slow each other down. What
//! happens at the two ends is the instances' affair.

pub mod fair;

use ebbflow_actors::SimDuration;

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
