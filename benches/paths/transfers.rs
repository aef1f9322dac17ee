//! KV caches over shared links: one sets out as soon as fewer than so many are on their way.

use ebbflow::transfer::fair::Flows;
use ebbflow_actors::SimTime;

use super::{Path, Work};

/// Servers that send, servers that receive, instances on each.
const SENDERS: u64 = 16;
const RECEIVERS: u64 = 125;
const INSTANCES: u64 = 8;
/// What a NIC carries, bytes per second.
const NIC: u64 = 12_500_000_000;
/// How large caches are, bytes.
const LEAST: u64 = 100_000_000;
const MOST: u64 = 400_000_000;

pub fn paths() -> Vec<Path> {
    let loads = [(10, 2_000), (100, 1_000), (1_000, 3_000)];
    let path = |(together, transfers)| {
        let name = format!("transfer/{together} caches at once");
        Path::new(name, (transfers, "transfer"), move |transfers| meeting(together, transfers))
    };
    loads.map(path).into()
}

/// Over the NICs of the instance and of the server at either end.
fn meeting(together: usize, transfers: u64) -> Work {
    Box::new(move || {
        let mut flows = Flows::default();
        let (mut now, mut on_their_way, mut draw) = (SimTime::ZERO, 0, 1);
        for name in 0..transfers {
            let (from, to) = (drawn(&mut draw, SENDERS), drawn(&mut draw, RECEIVERS));
            let own = [from, to].map(|server| server * INSTANCES + drawn(&mut draw, INSTANCES));
            let path = [
                (("own out", own[0]), NIC),
                (("out", from), NIC),
                (("in", to), NIC),
                (("own in", own[1]), NIC),
            ];
            flows.start(now, name, &path, LEAST + drawn(&mut draw, MOST - LEAST));
            on_their_way += 1;
            while on_their_way >= together {
                now = flows.next_end().unwrap_or(now);
                on_their_way -= flows.take_ended(now).len();
            }
        }
        Box::new(flows)
    })
}

/// The next of a row of numbers below `most` that look random (the constants are Knuth's, MMIX).
fn drawn(state: &mut u64, most: u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) % most
}
