//! `least_kv`: the instance whose KV memory is promised least, as a share of what it has.
//!
//! Promised is what the requests on it will need, prompt and output, by the scheduler's own books; routers that
//! scrape engines see what is in use instead (`vllm:kv_cache_usage_perc`, AIBrix' `least-kv-cache`), later. A
//! share lets GPUs of different size take what they can hold.

use super::BANDWIDTH;
use super::least::{Least, LeastOfEach};
use crate::registry::{Kind, Registry};
use crate::scheduler::Metric;

pub(super) fn register(registry: &mut Registry) {
    let kind = Kind {
        name: "least_kv",
        aliases: &["least_kv_cache"],
        about: "the instance whose KV memory is promised least, as a share of what it has",
        parameters: &[],
    };
    registry.add_scheduler(kind, |_, _| Box::new(Least(&[Metric::KvShare])));
    let kind = Kind {
        name: "kv_least_kv",
        aliases: &[],
        about: "prefill and decode apart, the least share of KV memory promised in each pool",
        parameters: &[BANDWIDTH],
    };
    registry.add_scheduler(kind, |_, settings| Box::new(LeastOfEach::new(&[Metric::KvShare], settings)));
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Desk, GIB, policy};
    use crate::scheduler::Route;

    #[test]
    fn the_larger_instance_takes_more_before_it_is_as_full() {
        let mut desk = Desk::new(policy("least_kv"), &[(0, None, 10 * GIB), (1, None, 40 * GIB)]);
        let taken: Vec<u32> = (0..5).map(|_| desk.serve(desk.request(1_000))).collect();
        assert_eq!(taken, [0, 1, 1, 1, 1], "a share of 1/10 equals one of 4/40, and the first wins");
        assert_eq!(desk.serve(desk.request(1_000)), 0);
    }

    #[test]
    fn what_is_given_back_counts_no_more() {
        let mut desk = Desk::new(policy("least_kv"), &[(0, None, 10 * GIB), (1, None, 10 * GIB)]);
        let long = desk.request(9_000);
        assert_eq!(desk.serve(long.clone()), 0);
        assert_eq!((desk.serve(desk.request(10)), desk.serve(desk.request(10))), (1, 1));
        desk.complete(0, &long);
        assert_eq!(desk.serve(desk.request(10)), 0);
    }

    #[test]
    fn each_pool_has_its_own_least() {
        use crate::ids::Tag::{Prompt, Token};
        let fleet =
            [(0, Some(Prompt), GIB), (1, Some(Token), GIB), (2, Some(Prompt), GIB), (3, Some(Token), GIB)];
        let mut desk = Desk::new(policy("kv_least_kv"), &fleet);
        let halves: Vec<_> = (0..3)
            .map(|_| match desk.route(desk.request(100)) {
                Some(Route::Split { prefill, decode, .. }) => (prefill.0, decode.0),
                other => panic!("{other:?} is not split"),
            })
            .collect();
        assert_eq!(halves, [(0, 1), (2, 3), (0, 1)]);
    }
}
