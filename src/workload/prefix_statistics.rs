//! How much of the prompts of a stream of requests a prefix cache would have had.
//!
//! All requests go through one cache, one after the other: each first asks for the longest beginning of its blocks that
//! is there, then all of its blocks are used, the last last. A bounded cache gives up the block that was used longest
//! ago. So caches are compared in the literature (Mooncake, FAST'25); an engine has less, because it must keep what it
//! works on, and never takes a prompt's last token from the cache. Sizes are in blocks of the workload's
//! `prefix_block_tokens`.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use crate::request::Request;

/// Counts hits of a cache.
#[derive(Debug)]
pub struct PrefixStatistics {
    block_tokens: u64,
    cache: LruCache,
    counts: PrefixCounts,
}

/// What came of it.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct PrefixCounts {
    /// Requests.
    pub requests: u64,
    /// Tokens of their prompts.
    pub tokens: u64,
    /// Of these, found.
    pub hit_tokens: u64,
    /// Blocks of their prompts that have a name.
    pub blocks: u64,
    /// Of these, found.
    pub hit_blocks: u64,
    /// Requests of which nothing was found.
    pub without_hit: u64,
    /// Requests of which more than half was found.
    pub more_than_half: u64,
    /// Requests of which more than nine tenths were found.
    pub more_than_nine_tenths: u64,
    /// Σ share of a request's prompt that was found.
    pub sum_of_shares: f64,
}

impl PrefixStatistics {
    /// A cache of so many blocks, or one that keeps all, for names of so many tokens each.
    pub fn new(block_tokens: u64, capacity_blocks: Option<usize>) -> Self {
        let cache = LruCache { capacity: capacity_blocks.unwrap_or(usize::MAX), ..LruCache::default() };
        PrefixStatistics { block_tokens, cache, counts: PrefixCounts::default() }
    }

    /// The next request.
    pub fn add(&mut self, request: &Request) {
        let prefix = &request.attributes().prefix;
        let tokens = u64::from(request.prompt_tokens);
        // Names may go on into the output.
        let asked = prefix.len().min(tokens.div_ceil(self.block_tokens) as usize);
        let hit = prefix[..asked].iter().take_while(|name| self.cache.has(**name)).count();
        prefix.iter().for_each(|name| self.cache.put(*name));
        let counts = &mut self.counts;
        counts.requests += 1;
        counts.tokens += tokens;
        let hit_tokens = (hit as u64 * self.block_tokens).min(tokens);
        counts.hit_tokens += hit_tokens;
        counts.blocks += asked as u64;
        counts.hit_blocks += hit as u64;
        let share = hit_tokens as f64 / tokens as f64;
        counts.sum_of_shares += share;
        counts.without_hit += u64::from(hit == 0);
        counts.more_than_half += u64::from(share > 0.5);
        counts.more_than_nine_tenths += u64::from(share > 0.9);
    }

    /// What came of it so far.
    pub fn counts(&self) -> &PrefixCounts {
        &self.counts
    }
}

impl PrefixCounts {
    /// Share of the prompts' tokens that was found.
    pub fn token_hit_rate(&self) -> f64 {
        self.hit_tokens as f64 / self.tokens.max(1) as f64
    }

    /// Share of the prompts' blocks that was found.
    pub fn block_hit_rate(&self) -> f64 {
        self.hit_blocks as f64 / self.blocks.max(1) as f64
    }

    /// Share of a prompt that was found, on average over requests.
    pub fn mean_share(&self) -> f64 {
        self.sum_of_shares / self.requests.max(1) as f64
    }
}

/// Names, of which the longest unused goes first.
#[derive(Debug, Default)]
struct LruCache {
    capacity: usize,
    /// When each was used last; only ever looked up.
    used: HashMap<u64, u64>,
    /// The other way round.
    names: BTreeMap<u64, u64>,
    now: u64,
}

impl LruCache {
    fn has(&self, name: u64) -> bool {
        self.used.contains_key(&name)
    }

    fn put(&mut self, name: u64) {
        self.now += 1;
        if let Some(before) = self.used.insert(name, self.now)
            && self.capacity < usize::MAX
        {
            self.names.remove(&before);
        }
        // A cache that keeps all need not know what is oldest.
        if self.capacity < usize::MAX {
            self.names.insert(self.now, name);
            if self.names.len() > self.capacity
                && let Some((_, oldest)) = self.names.pop_first()
            {
                self.used.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::sync::Arc;

    use ebbflow_actors::SimTime;

    use super::*;
    use crate::ids::{ApplicationId, RequestId};
    use crate::request::{Attributes, Journal};
    use crate::scenario::{Transform, WorkloadSource, WorkloadSpec};

    fn request(prompt_tokens: u32, prefix: &[u64]) -> Request {
        Request {
            id: RequestId(0),
            request_type: 2,
            application: ApplicationId(0),
            arrival: SimTime::ZERO,
            batch_size: 1,
            prompt_tokens,
            output_tokens: 1,
            attributes: Some(Arc::new(Attributes { prefix: prefix.to_vec(), ..Attributes::NONE })),
            journal: Journal::default(),
        }
    }

    fn counts(capacity: Option<usize>, requests: &[Request]) -> PrefixCounts {
        let mut statistics = PrefixStatistics::new(16, capacity);
        requests.iter().for_each(|request| statistics.add(request));
        statistics.counts().clone()
    }

    #[test]
    fn the_longest_common_beginning_is_found_and_nothing_behind_a_gap() {
        let found = counts(None, &[request(64, &[1, 2, 3, 4]), request(60, &[1, 2, 9, 4]), request(10, &[])]);
        assert_eq!((found.hit_blocks, found.blocks), (2, 8));
        assert_eq!((found.hit_tokens, found.tokens), (32, 134));
        assert_eq!((found.without_hit, found.more_than_half), (2, 1));
    }

    #[test]
    fn names_of_an_output_are_kept_but_not_asked_for() {
        let found = counts(None, &[request(20, &[1, 2, 3]), request(48, &[1, 2, 3])]);
        assert_eq!((found.hit_blocks, found.blocks), (3, 5));
        assert_eq!(found.more_than_nine_tenths, 1);
    }

    #[test]
    fn a_bounded_cache_gives_up_what_was_used_longest_ago() {
        let requests = [request(16, &[1]), request(16, &[2]), request(16, &[1]), request(16, &[3])];
        let again = |name| counts(Some(2), &[&requests[..], &[request(16, &[name])]].concat()).hit_blocks;
        assert_eq!((again(1), again(2)), (2, 1));
    }

    /// Mooncake's traces, if they are beside the repository.
    fn trace(name: &str) -> Option<PathBuf> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/mooncake").join(name);
        let there = path.is_file();
        if !there {
            println!("skipped: {} is absent", path.display());
        }
        there.then_some(path)
    }

    #[test]
    fn caches_of_mooncakes_traces_hit_as_computed_from_them_by_others() {
        // Capacity, share of blocks found.
        let conversation =
            [(500, 0.0422), (2000, 0.0537), (5000, 0.1104), (10_000, 0.2112), (50_000, 0.3546)];
        let synthetic = [(500, 0.0410), (2000, 0.1439), (5000, 0.2791), (10_000, 0.4235), (50_000, 0.6396)];
        for (file, tokens, mean_share, half, bounded) in [
            ("conversation_trace.jsonl", 0.3736, 0.4094, 0.4244, conversation),
            ("synthetic_trace.jsonl", 0.6512, 0.4315, 0.4433, synthetic),
        ] {
            let Some(path) = trace(file) else { return };
            let source = WorkloadSource::Trace { path, skip_bad_rows: false, arrivals: None };
            let spec = WorkloadSpec { source, transform: Transform::default(), classes: Vec::new() };
            let workload = crate::workload::open(&spec, &[ApplicationId(0)], 0).unwrap();
            let of = |capacity| PrefixStatistics::new(workload.prefix_block_tokens, capacity);
            let mut infinite = of(None);
            let mut caches = bounded.map(|(capacity, _)| of(Some(capacity)));
            for request in workload.requests {
                infinite.add(&request);
                caches.iter_mut().for_each(|cache| cache.add(&request));
            }
            let found = infinite.counts();
            let near = |found: f64, expected: f64| (found - expected).abs() < 0.0005;
            assert!(near(found.token_hit_rate(), tokens), "{file}: {}", found.token_hit_rate());
            assert!(near(found.mean_share(), mean_share), "{file}: {}", found.mean_share());
            assert!(near(found.more_than_half as f64 / found.requests as f64, half), "{file}");
            for (cache, (capacity, expected)) in caches.iter().zip(bounded) {
                let rate = cache.counts().block_hit_rate();
                assert!(near(rate, expected), "{file}, {capacity} blocks: {rate}");
            }
        }
    }
}
