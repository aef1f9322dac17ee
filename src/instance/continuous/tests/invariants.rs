//! What holds for any work. Blocks, references, budgets and outputs are looked at after every event by the
//! [fleet](super::fleet) itself.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::*;
use super::fleet::{Fleet, Job};
use crate::request::Attributes;

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn who_comes_first_is_served_first(
        mut jobs in prop::collection::vec((0u64..400_000, 1u32..300, 1u32..200), 1..40),
        max_num_seqs in 1u32..12,
        blocks in 40u64..120,
    ) {
        jobs.sort_unstable_by_key(|&(at, ..)| at);
        let jobs: Vec<Job> =
            jobs.into_iter().map(|(at, prompt, output)| Job::whole(at, prompt, output)).collect();
        let settings = Settings { max_num_batched_tokens: 128, max_num_seqs, ..Settings::default() };
        let (outcome, _) = Fleet::new(settings, blocks, None, jobs).run();
        let mut begun: Vec<_> = outcome
            .ended
            .iter()
            .map(|(id, _, _, journal, _)| (*id, journal.prefill.map(|leg| leg.start)))
            .collect();
        begun.sort_unstable();
        prop_assert!(begun.is_sorted_by_key(|&(_, start)| start));
    }

    #[test]
    fn an_infinite_cache_hits_what_a_trie_of_all_prompts_says(
        paths in prop::collection::vec((prop::collection::vec(0u64..3, 0..12), 1u32..20), 1..50),
    ) {
        let mut known: BTreeSet<Vec<u64>> = BTreeSet::new();
        let mut expected = 0;
        let mut jobs = Vec::new();
        for (nth, (path, tail)) in (0u64..).zip(&paths) {
            // A block is named by the way to it.
            let names: Vec<u64> = (1..=path.len()).map(|to| path[..to].iter().fold(1, |name, way| name * 3 + way)).collect();
            let prompt = path.len() as u32 * 16 + tail;
            let most = (prompt as usize - 1) / 16;
            let found = (0..=path.len().min(most)).rev().find(|&to| to == 0 || known.contains(&path[..to]));
            expected += found.unwrap_or(0) as u64 * 16;
            known.extend((1..=path.len()).map(|to| path[..to].to_vec()));
            let attributes = Attributes { prefix: names, ..Attributes::default() };
            // One after the other: what is being computed cannot be shared yet.
            jobs.push(Job { attributes, ..Job::whole(nth * 10_000_000, prompt, 5) });
        }
        let queried: u64 = jobs.iter().map(|job| u64::from(job.prompt)).sum();
        let (outcome, _) = Fleet::new(Settings::default(), 1 << 20, None, jobs).run();
        prop_assert_eq!(outcome.statistics.prefix_hit_tokens, expected);
        prop_assert_eq!(outcome.statistics.prefix_queried_tokens, queried);
    }

    #[test]
    fn gaps_add_up_to_the_time_between_first_and_last_tokens(
        jobs in prop::collection::vec((0u64..400_000, 1u32..300, 1u32..200), 1..30),
        draft_tokens in 0u32..3,
    ) {
        let jobs: Vec<Job> =
            jobs.into_iter().map(|(at, prompt, output)| Job::whole(at, prompt, output)).collect();
        let outputs: u64 = jobs.iter().map(|job| u64::from(job.output) - 1).sum();
        let speculation = (draft_tokens > 0).then_some(Speculation { draft_tokens, acceptance: 0.6 });
        let settings = Settings { max_num_batched_tokens: 128, max_num_seqs: 20, speculation, ..Settings::default() };
        let (outcome, _) = Fleet::new(settings, 60, None, jobs).run();
        let gaps = &outcome.statistics.gaps;
        let (mut sum, mut longest) = (0, 0);
        for (_, _, completed, journal, passage) in &outcome.ended {
            let first = journal.prefill.and_then(|leg| leg.end).expect("computed");
            sum += u128::from((*completed - first).as_nanos());
            longest = longest.max(passage.longest_gap.as_nanos());
        }
        prop_assert_eq!((gaps.count(), gaps.sum_ns(), gaps.max().as_nanos()), (outputs, sum, longest));
    }
}
