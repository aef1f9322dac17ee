//! Fast-forward changes nothing: random work with and without it.

use proptest::prelude::*;

use super::super::*;
use super::fleet::{Fleet, Job, Kind, Outcome};
use crate::request::Attributes;

/// Names of the blocks of a prompt that shares its first `shared` blocks with its group.
fn prefix(id: u64, group: u64, shared: u64, tokens: u64) -> Vec<u64> {
    let name = |block: u64| if block < shared { group << 32 | block } else { (id + 100) << 32 | block };
    (0..tokens / BLOCK_TOKENS).map(name).collect()
}

fn jobs() -> impl Strategy<Value = Vec<Job>> {
    let kind = prop_oneof![
        6 => Just(Kind::Whole),
        1 => (1u64..900_000).prop_map(Kind::HandOver),
        1 => (1u64..900_000).prop_map(Kind::FromElsewhere),
    ];
    let job = (0u64..4_000_000, 1u32..400, 1u32..300, kind, (0u64..4, 0u64..12), (-1i32..2, 0u32..5));
    prop::collection::vec(job, 1..40).prop_map(|jobs| {
        let job = |(id, (at_ns, prompt, output, kind, (group, shared), (priority, adapter)))| {
            let output = if matches!(kind, Kind::FromElsewhere(_)) { output + 1 } else { output };
            let prefix = prefix(id, group, shared, u64::from(prompt + output));
            let adapter = (adapter > 0).then_some(adapter);
            let attributes = Attributes { priority, adapter, prefix, ..Attributes::default() };
            Job { at_ns, prompt, output, kind, attributes }
        };
        (0u64..).zip(jobs).map(job).collect()
    })
}

fn settings() -> impl Strategy<Value = Settings> {
    let speculation = prop_oneof![
        3 => Just(None),
        1 => (1u32..5, 0.0f64..=1.0)
            .prop_map(|(draft_tokens, acceptance)| Some(Speculation { draft_tokens, acceptance })),
    ];
    let limits = (80u64..600, 1u32..16, any::<bool>(), prop::option::of(16u64..200), any::<bool>());
    let cache = (0u64..6, any::<bool>(), prop_oneof![Just(16u64), Just(48u64)]);
    (limits, cache, speculation, prop::option::of(1u32..4)).prop_map(
        |(limits, cache, speculation, max_loras)| {
            let (max_num_batched_tokens, max_num_seqs, chunked_prefill, long_prefill_token_threshold, fcfs) =
                limits;
            let (watermark_blocks, prefix_caching, prefix_block_tokens) = cache;
            Settings {
                max_num_batched_tokens,
                max_num_seqs,
                chunked_prefill,
                long_prefill_token_threshold,
                order: if fcfs { QueueOrder::Fcfs } else { QueueOrder::Priority },
                watermark_blocks,
                prefix_caching,
                prefix_block_tokens,
                speculation,
                max_loras,
                fast_forward: true,
                ..Settings::default()
            }
        },
    )
}

/// Blocks, window, moments to look and to evict at, jobs.
type World = (u64, Option<u32>, Vec<u64>, Option<u64>, Vec<Job>);

/// What came of it, and how many stretches that took.
fn run(settings: &Settings, fast_forward: bool, world: &World) -> (Outcome, u64) {
    let (blocks, window, probes, evict, jobs) = world;
    let settings = Settings { fast_forward, ..*settings };
    let mut fleet = Fleet::new(settings, *blocks, *window, jobs.clone());
    probes.iter().for_each(|&ns| fleet.probe_at(ns));
    evict.iter().for_each(|&ns| fleet.evict_at(ns));
    let (mut outcome, engine) = fleet.run();
    assert_eq!(outcome.ended.len() + outcome.turned_away.len(), jobs.len(), "somebody was lost");
    assert!(engine.is_empty());
    assert_eq!(engine.blocks_at(ebbflow_actors::SimTime::MAX).0, 0, "blocks are still in use");
    let stretches = std::mem::take(&mut outcome.statistics.stretches);
    (outcome, stretches)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn fast_forward_changes_nothing(
        settings in settings(),
        blocks in 30u64..150,
        window in prop::option::of(1u32..500),
        probes in prop::collection::vec(0u64..9_000_000, 0..12),
        evict in prop::option::weighted(0.3, 0u64..6_000_000),
        jobs in jobs(),
    ) {
        let world = (blocks, window, probes, evict, jobs);
        let (fast, fewer) = run(&settings, true, &world);
        let (slow, more) = run(&settings, false, &world);
        prop_assert_eq!(&fast, &slow);
        prop_assert!(fewer <= more);
        // One by one an iteration is a stretch; of two an eviction may have ended the last.
        prop_assert!(more - slow.statistics.iterations <= u64::from(world.3.is_some()));
    }
}
