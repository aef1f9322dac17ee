//! The built-in routing policies, one file each.

mod adaptive_mixed_pool;
#[cfg(test)]
mod affinity_tests;
mod autoscaling;
mod balance;
mod jsq;
mod kv_jsq;
mod kv_round_robin;
mod kv_token_jsq;
mod least;
mod least_kv;
mod mixed_pool;
mod power_of_two;
mod prefix_aware;
mod random;
mod round_robin;
mod session_sticky;
#[cfg(test)]
mod testing;
mod token_jsq;

use crate::registry::{Parameter, Registry};

/// The link over which KV caches move, for all policies that split requests.
const BANDWIDTH: Parameter =
    Parameter::number("transfer_bandwidth", 200.0, "bandwidth of a request's private link in GiB/s")
        .at_least(1e-6)
        .unit("GiB/s");

/// Registers them all.
pub fn register(registry: &mut Registry) {
    random::register(registry);
    round_robin::register(registry);
    jsq::register(registry);
    token_jsq::register(registry);
    kv_round_robin::register(registry);
    kv_jsq::register(registry);
    kv_token_jsq::register(registry);
    mixed_pool::register(registry);
    adaptive_mixed_pool::register(registry);
    autoscaling::register(registry);
    least_kv::register(registry);
    power_of_two::register(registry);
    session_sticky::register(registry);
    prefix_aware::register(registry);
}
