//! `prefix_aware`: where the longest beginning of the prompt was computed before, unless that is overloaded.
//!
//! The scheduler asks no instance: it remembers what it sent where ([`PrefixIndex`]). Of the instances that are not
//! [overloaded](super::balance) the one with the longest match is taken, of equals the one with the fewest
//! requests. If no match is more than `cache_threshold` of the prompt, or the request names no blocks, the
//! instance with the fewest requests is taken.
//!
//! The rule and defaults of SGLang's router (vLLM's router is a fork of it; AIBrix' `prefix-cache` and Ray Serve's
//! prefix router differ in thresholds). It knows text by characters and picks the smallest tree where nothing
//! matches; here blocks of tokens count, and load. A decision costs the blocks of the prompt and the instances
//! that hold the last one matched.
//!
//! `kv_prefix_aware` chooses for prefill so, and for decode the least share of KV memory promised.

use super::BANDWIDTH;
use super::balance::{ABSOLUTE, Balance, RELATIVE};
use super::mixed_pool::route;
use crate::ids::InstanceId;
use crate::registry::{Kind, Parameter, Registry, Settings};
use crate::request::Request;
use crate::scheduler::prefix_index::PrefixIndex;
use crate::scheduler::{
    Fleet, Metric, PolicyTraits, PoolName, Route, RoutingContext, RoutingPolicy, SchedulerContext,
};

const CACHE_THRESHOLD: Parameter = Parameter::number(
    "cache_threshold",
    0.3,
    "share of the prompt that must have been sent to an instance before, to choose it for that",
)
.at_most(1.0)
.from("SGLang router, vLLM router");

pub(super) fn register(registry: &mut Registry) {
    let kind = Kind {
        name: "prefix_aware",
        aliases: &["cache_aware", "prefix_cache"],
        about: "the longest beginning of the prompt sent there before, unless it is overloaded",
        parameters: &[CACHE_THRESHOLD, ABSOLUTE, RELATIVE],
    };
    registry.add_scheduler(kind, |context, settings| {
        Box::new(PrefixAware { affinity: Affinity::new(context, settings) })
    });
    let kind = Kind {
        name: "kv_prefix_aware",
        aliases: &[],
        about: "prefill and decode apart, by prefix and by the least share of KV memory promised",
        parameters: &[BANDWIDTH, CACHE_THRESHOLD, ABSOLUTE, RELATIVE],
    };
    registry.add_scheduler(kind, |context, settings| {
        let bandwidth_gib_per_s = settings.number(BANDWIDTH.name);
        Box::new(KvPrefixAware { affinity: Affinity::new(context, settings), bandwidth_gib_per_s })
    });
}

/// Chooses where a prompt is computed.
#[derive(Debug)]
struct Affinity {
    index: PrefixIndex,
    balance: Balance,
    cache_threshold: f64,
    block_tokens: u64,
}

impl Affinity {
    fn new(context: &SchedulerContext, settings: &Settings) -> Self {
        Affinity {
            index: PrefixIndex::default(),
            balance: Balance::new(settings),
            cache_threshold: settings.number(CACHE_THRESHOLD.name),
            block_tokens: context.prefix_block_tokens,
        }
    }

    /// Chooses, and remembers the choice.
    fn choose(&mut self, request: &Request, fleet: &Fleet, pool: PoolName) -> Option<InstanceId> {
        let blocks = self.blocks(request);
        let matching = self.longest_match(request, blocks, fleet, pool);
        let chosen = matching.or_else(|| fleet.least(pool, Metric::Residents))?;
        if !blocks.is_empty() {
            let bytes = fleet.get(chosen)?.kv_capacity_bytes() as u64;
            let room = bytes / fleet.model().kv_bytes(request.batch_size, self.block_tokens).max(1);
            self.index.send(chosen, room as usize, blocks);
        }
        Some(chosen)
    }

    /// The full blocks of the prompt; names may go on into the output.
    fn blocks<'a>(&self, request: &'a Request) -> &'a [u64] {
        let named = &request.attributes().prefix;
        let full = u64::from(request.prompt_tokens) / self.block_tokens;
        &named[..named.len().min(full as usize)]
    }

    fn longest_match(
        &self,
        request: &Request,
        blocks: &[u64],
        fleet: &Fleet,
        pool: PoolName,
    ) -> Option<InstanceId> {
        let most = self.balance.most(fleet, pool);
        let least_tokens = self.cache_threshold * f64::from(request.prompt_tokens);
        let residents = |instance: InstanceId| fleet.load(instance).residents;
        let long_enough = |matched: u64| (matched * self.block_tokens) as f64 > least_tokens;
        let mut matches = (1..=blocks.len()).rev().take_while(|&matched| long_enough(matched as u64));
        matches.find_map(|matched| {
            let holders = self.index.holders(blocks[matched - 1]).iter().copied();
            let open = holders.filter(|&instance| {
                fleet.pool(pool).contains(instance) && residents(instance) as f64 <= most
            });
            open.min_by_key(|&instance| residents(instance))
        })
    }
}

#[derive(Debug)]
struct PrefixAware {
    affinity: Affinity,
}

impl RoutingPolicy for PrefixAware {
    fn traits(&self) -> PolicyTraits {
        PolicyTraits::single(&[Metric::Residents])
    }

    fn route(&mut self, request: &Request, fleet: &mut Fleet, _: &mut RoutingContext) -> Option<Route> {
        self.affinity.choose(request, fleet, PoolName::All).map(Route::Together)
    }

    fn left(&mut self, instance: InstanceId) {
        self.affinity.index.forget(instance);
    }
}

#[derive(Debug)]
struct KvPrefixAware {
    affinity: Affinity,
    bandwidth_gib_per_s: f64,
}

impl RoutingPolicy for KvPrefixAware {
    fn traits(&self) -> PolicyTraits {
        PolicyTraits::split(&[Metric::Residents, Metric::KvShare])
    }

    fn route(&mut self, request: &Request, fleet: &mut Fleet, _: &mut RoutingContext) -> Option<Route> {
        let decode = fleet.least(PoolName::Token, Metric::KvShare)?;
        let prefill = self.affinity.choose(request, fleet, PoolName::Prompt)?;
        Some(route(prefill, decode, self.bandwidth_gib_per_s))
    }

    fn left(&mut self, instance: InstanceId) {
        self.affinity.index.forget(instance);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{BLOCK_BYTES, BLOCK_TOKENS, Desk, GIB, policy, policy_with};
    use super::*;
    use crate::ids::Tag::{Prompt, Token};

    fn three(bytes: u64) -> Vec<(u32, Option<crate::ids::Tag>, u64)> {
        (0..3).map(|number| (number, None, bytes)).collect()
    }

    #[test]
    fn the_longest_match_wins_over_a_shorter_one_with_less_load() {
        let mut desk = Desk::new(policy("prefix_aware"), &three(GIB));
        assert_eq!(desk.serve(desk.with_prefix(&[1, 2])), 0);
        desk.charge(0, &desk.request(10));
        assert_eq!(desk.serve(desk.with_prefix(&[9, 10])), 1, "nothing matches: the least loaded");
        assert_eq!(desk.serve(desk.with_prefix(&[1, 2, 3, 4])), 0);
        desk.charge(0, &desk.request(10));
        assert_eq!(desk.serve(desk.with_prefix(&[9, 10, 11])), 1);
        assert_eq!(desk.serve(desk.request(10)), 2, "no prefix: the least loaded");
    }

    #[test]
    fn of_those_that_match_alike_the_least_loaded_is_taken() {
        let limits = [("balance_abs_threshold", 1.0.into())];
        let mut desk = Desk::new(policy_with("prefix_aware", &limits), &three(GIB));
        let taken: Vec<u32> = (0..7).map(|_| desk.serve(desk.with_prefix(&[1, 2]))).collect();
        // One over the least loaded is allowed and one more comes; so all hold it in the end.
        assert_eq!(taken, [0, 0, 1, 1, 2, 2, 0]);
    }

    #[test]
    fn a_match_shorter_than_the_threshold_counts_for_nothing() {
        let mut desk = Desk::new(policy("prefix_aware"), &three(GIB));
        assert_eq!(desk.serve(desk.with_prefix(&[1])), 0);
        let ten: Vec<u64> = (1..=10).collect();
        assert_eq!(desk.serve(desk.with_prefix(&ten[..4])), 1, "1 of 4 blocks");
        assert_eq!(desk.serve(desk.with_prefix(&ten[..3])), 1, "3 of 3 blocks");
        assert_eq!(desk.serve(desk.with_prefix(&ten)), 1, "4 of 10 blocks");
    }

    #[test]
    fn names_of_the_output_and_of_a_last_block_not_full_are_not_used() {
        let mut desk = Desk::new(policy("prefix_aware"), &three(GIB));
        let mut request = desk.with_prefix(&[1, 2, 3]);
        request.prompt_tokens = 2 * BLOCK_TOKENS as u32 - 1;
        assert_eq!(desk.serve(request), 0);
        desk.charge(0, &desk.request(10));
        assert_eq!(desk.serve(desk.with_prefix(&[5, 2, 3])), 1, "only block 1 is known");
    }

    #[test]
    fn an_instance_that_left_is_forgotten_and_one_that_joins_is_empty() {
        let mut desk = Desk::new(policy("prefix_aware"), &three(GIB));
        assert_eq!(desk.serve(desk.with_prefix(&[1, 2])), 0);
        desk.leave(0);
        assert_eq!(desk.serve(desk.with_prefix(&[1, 2])), 1);
        desk.join(4);
        assert_eq!(desk.serve(desk.with_prefix(&[1, 2])), 1);
    }

    #[test]
    fn an_instance_is_remembered_with_what_its_memory_holds() {
        // Room for four blocks and the rest of a fifth.
        let mut desk = Desk::new(policy("prefix_aware"), &three(4 * BLOCK_BYTES + 1)[..2]);
        assert_eq!(desk.serve(desk.with_prefix(&[1, 2])), 0);
        desk.charge(1, &desk.request(10));
        desk.charge(1, &desk.request(10));
        assert_eq!(desk.serve(desk.with_prefix(&[5, 6, 7])), 0);
        assert_eq!(desk.serve(desk.with_prefix(&[1, 2, 3])), 0, "block 1 is still known, a third of it");
        assert_eq!(desk.serve(desk.with_prefix(&[5, 6, 7])), 0, "so is block 5, a third of it");
        assert_eq!(desk.serve(desk.with_prefix(&[2, 3, 4])), 1, "evicted since");
    }

    #[test]
    fn prompts_go_by_prefix_and_decodes_by_memory() {
        let fleet =
            [(0, Some(Prompt), GIB), (1, Some(Prompt), GIB), (2, Some(Token), GIB), (3, Some(Token), GIB)];
        let mut desk = Desk::new(policy("kv_prefix_aware"), &fleet);
        let mut halves = |prefix: &[u64]| match desk.route(desk.with_prefix(prefix)) {
            Some(Route::Split { prefill, decode, .. }) => (prefill.0, decode.0),
            other => panic!("{other:?} is not split"),
        };
        assert_eq!(halves(&[1, 2]), (0, 2));
        assert_eq!(halves(&[1, 2, 3]), (0, 3), "the prefix again, the other decode instance");
        assert_eq!(halves(&[7]), (1, 2));
    }
}
