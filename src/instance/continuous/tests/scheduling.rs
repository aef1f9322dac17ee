//! What the engine does with small, plain work.

use ebbflow_actors::SimTime;

use super::super::*;
use super::fleet::{Fleet, Job, Kind, Outcome};
use crate::request::Attributes;

const ROOMY: u64 = 10_000;

fn settings() -> Settings {
    Settings { max_num_batched_tokens: 256, max_num_seqs: 8, ..Settings::default() }
}

fn with(job: Job, attributes: Attributes) -> Job {
    Job { attributes, ..job }
}

fn order_of_ends(outcome: &Outcome) -> Vec<u64> {
    outcome.ended.iter().map(|&(id, ..)| id).collect()
}

fn preemptions(outcome: &Outcome) -> Vec<(u64, u32)> {
    let mut preempted: Vec<_> = outcome
        .ended
        .iter()
        .filter(|(.., passage)| passage.preemptions > 0)
        .map(|(id, .., passage)| (*id, passage.preemptions))
        .collect();
    preempted.sort_unstable();
    preempted
}

#[test]
fn events_grow_with_batch_changes_and_not_with_tokens() {
    let jobs: Vec<Job> = (0..8).map(|nth| Job::whole(nth * 50_000, 100, 10_000 + nth as u32)).collect();
    let (outcome, _) = Fleet::new(settings(), ROOMY, None, jobs).run();
    let Statistics { iterations, stretches, gaps, .. } = outcome.statistics;
    assert!(iterations > 10_000, "{iterations}");
    assert_eq!(gaps.count(), 8 * 9_999 + 28);
    // Each comes, cuts, is computed and leaves.
    assert!(stretches <= 8 * 4, "{stretches}");
}

#[test]
fn iterations_take_what_the_model_says_rounded_one_by_one() {
    let (outcome, _) = Fleet::new(settings(), ROOMY, None, vec![Job::whole(10, 40, 300)]).run();
    let prefill_ns = 997 + 311 + 17 * 40;
    let decode_ns = |context: u64| (1_003_000_017 + 23_456_789 + 142_857 * context + 500_000) / 1_000_000;
    let decodes_ns: u64 = (41..340).map(decode_ns).sum();
    assert_eq!(outcome.first_tokens[0].0, SimTime::from_nanos(10 + prefill_ns));
    assert_eq!(outcome.ended[0].2, SimTime::from_nanos(10 + prefill_ns + decodes_ns));
    assert_eq!(outcome.busy.as_nanos(), prefill_ns + decodes_ns);
    assert_eq!((outcome.statistics.iterations, outcome.statistics.stretches, outcome.tasks), (300, 2, 2));
}

#[test]
fn who_is_left_stands_somewhere() {
    let mut fleet = Fleet::new(Settings { max_num_seqs: 2, ..settings() }, ROOMY, None, Vec::new());
    for (id, prompt) in [(0, 10), (1, 1000), (2, 10)] {
        let job = Job::whole(id, prompt, 50);
        fleet.engine.arrive(SimTime::ZERO, job.request(id), job.work(), 0);
    }
    let first = fleet.engine.run_end().expect("it runs");
    fleet.engine.finish_run(first, |_, _| ());
    let stages: Vec<_> = fleet.engine.unfinished().into_iter().map(|(stage, _)| stage.name()).collect();
    assert_eq!(stages, ["decode", "prefill", "waiting_for_prefill"]);
    assert_eq!(fleet.engine.waiting_prompt_tokens(), 10);
}

#[test]
fn a_long_prompt_is_computed_in_chunks_beside_decodes() {
    let jobs = vec![Job::whole(0, 10, 50), Job::whole(1, 1000, 2)];
    let (outcome, _) = Fleet::new(settings(), ROOMY, None, jobs).run();
    // One iteration for the short prompt, then 255 + 255 + 255 + 235 tokens beside its decodes, then decodes.
    assert_eq!(outcome.statistics.iterations, 1 + 49);
    assert_eq!(outcome.first_tokens[1].1, 1000);
    let passage = outcome.ended[1].4;
    assert_eq!(passage.longest_gap, outcome.statistics.gaps.max(), "chunks make the others wait");
}

#[test]
fn the_chunk_limit_lets_a_short_prompt_pass_a_long_one() {
    let jobs = vec![Job::whole(0, 2000, 2), Job::whole(1, 50, 2)];
    let first = |threshold| {
        let settings = Settings { long_prefill_token_threshold: threshold, ..settings() };
        order_of_ends(&Fleet::new(settings, ROOMY, None, jobs.clone()).run().0)[0]
    };
    assert_eq!(first(None), 0, "the long one takes the whole budget");
    assert_eq!(first(Some(128)), 1);
}

#[test]
fn without_chunks_a_prompt_waits_until_it_fits_the_budget() {
    let settings = Settings { chunked_prefill: false, ..settings() };
    let jobs = vec![Job::whole(0, 100, 20), Job::whole(1, 230, 1), Job::whole(2, 256, 1)];
    let (outcome, engine) = Fleet::new(settings, ROOMY, None, jobs).run();
    assert_eq!(order_of_ends(&outcome), [1, 0, 2], "256 tokens fit only when nobody decodes");
    let too_long = Job::whole(0, 257, 2);
    let settings = Settings { chunked_prefill: false, ..engine.settings };
    let (outcome, _) = Fleet::new(settings, ROOMY, None, vec![too_long]).run();
    assert_eq!(outcome.turned_away, [0]);
}

#[test]
fn the_last_admitted_makes_room_and_keeps_its_output() {
    // 3 sequences of 4 blocks to begin with, 8 at the end; 20 blocks.
    let jobs: Vec<Job> = (0..3).map(|nth| Job::whole(nth, 64, 64)).collect();
    let (outcome, _) = Fleet::new(settings(), 20, None, jobs).run();
    assert_eq!(preemptions(&outcome), [(2, 1)]);
    assert_eq!(order_of_ends(&outcome), [0, 1, 2]);
    let (_, _, _, journal, passage) = &outcome.ended[2];
    assert_eq!((journal.recomputed, passage.output_tokens), (1, 64));
    assert_eq!(passage.longest_gap, outcome.statistics.gaps.max(), "the wait is a gap");
}

#[test]
fn with_priorities_the_lowest_makes_room_and_the_highest_goes_first() {
    let job = |nth, priority| with(Job::whole(nth, 64, 64), Attributes { priority, ..Attributes::default() });
    let settings = Settings { order: QueueOrder::Priority, ..settings() };
    let jobs = vec![job(0, 5), job(1, 0), job(2, 0)];
    let (outcome, _) = Fleet::new(settings, 20, None, jobs).run();
    assert_eq!(preemptions(&outcome), [(0, 1)]);
    let settings = Settings { max_num_seqs: 1, ..settings };
    let (outcome, _) = Fleet::new(settings, ROOMY, None, vec![job(0, 5), job(1, 5), job(2, 0)]).run();
    assert_eq!(order_of_ends(&outcome), [0, 2, 1], "who runs is not turned out");
}

#[test]
fn the_watermark_keeps_room_for_those_who_run() {
    let jobs: Vec<Job> = (0..3).map(|nth| Job::whole(nth, 64, 64)).collect();
    let settings = Settings { watermark_blocks: 12, ..settings() };
    let (outcome, _) = Fleet::new(settings, 20, None, jobs).run();
    assert_eq!(preemptions(&outcome), []);
}

#[test]
fn an_adapter_waits_for_a_slot_while_others_pass() {
    let job = |at, output, adapter| {
        with(Job::whole(at, 16, output), Attributes { adapter, ..Attributes::default() })
    };
    let jobs = vec![job(0, 50, Some(1)), job(1, 5, Some(2)), job(2, 5, Some(1)), job(3, 10, None)];
    let settings = Settings { max_loras: Some(1), ..settings() };
    let (outcome, _) = Fleet::new(settings, ROOMY, None, jobs).run();
    assert_eq!(order_of_ends(&outcome), [2, 3, 0, 1]);
}

#[test]
fn a_repeated_prompt_is_found_but_for_its_last_block() {
    let prefix: Vec<u64> = (0..4).collect();
    let attributes = Attributes { prefix, ..Attributes::default() };
    let jobs = vec![
        with(Job::whole(0, 64, 2), attributes.clone()),
        with(Job::whole(1_000_000, 64, 2), attributes.clone()),
        with(Job::whole(2_000_000, 65, 2), attributes),
    ];
    let (outcome, _) = Fleet::new(settings(), ROOMY, None, jobs.clone()).run();
    let hits: Vec<u64> = outcome.ended.iter().map(|(.., passage)| passage.prefix_hit_tokens).collect();
    assert_eq!(hits, [0, 48, 64], "the last token is always computed");
    let settings = Settings { prefix_caching: false, ..settings() };
    let (outcome, _) = Fleet::new(settings, ROOMY, None, jobs).run();
    assert_eq!((outcome.statistics.prefix_queried_tokens, outcome.statistics.prefix_hit_tokens), (0, 0));
}

#[test]
fn a_cache_that_moves_away_holds_its_blocks_until_it_has() {
    let jobs = vec![Job { kind: Kind::HandOver(50_000), ..Job::whole(0, 64, 9) }, Job::whole(1, 64, 1)];
    let mut fleet = Fleet::new(settings(), 5, None, jobs);
    fleet.probe_at(20_000);
    let (outcome, engine) = fleet.run();
    let (_, blocks, running, waiting, ..) = outcome.probes[0];
    assert_eq!((blocks, running, waiting), (4, 0, 1), "the other one waits for them");
    assert_eq!(order_of_ends(&outcome), [0, 1]);
    assert!(outcome.ended[1].2 > outcome.ended[0].2 + ebbflow_actors::SimDuration::from_nanos(50_000));
    assert_eq!(engine.blocks_at(SimTime::MAX), (0, 5));
}

#[test]
fn a_cache_from_elsewhere_has_its_blocks_before_it_comes() {
    let jobs = vec![Job { kind: Kind::FromElsewhere(50_000), ..Job::whole(0, 64, 3) }];
    let mut fleet = Fleet::new(settings(), 5, None, jobs);
    fleet.probe_at(20_000);
    let (outcome, _) = fleet.run();
    assert_eq!(outcome.probes[0].1, 5);
    let (_, how, _, _, passage) = &outcome.ended[0];
    assert_eq!((*how, outcome.statistics.iterations), ("completed", 2));
    assert!(
        passage.longest_gap.as_nanos() > 50_000,
        "the transfer is part of the gap before the second token"
    );
}

#[test]
fn speculation_ends_sooner_with_the_same_tokens() {
    let run = |speculation| {
        let settings = Settings { speculation, ..settings() };
        Fleet::new(settings, ROOMY, None, vec![Job::whole(0, 64, 101)]).run().0
    };
    let plain = run(None);
    let speculative = run(Some(Speculation { draft_tokens: 1, acceptance: 1.0 }));
    assert_eq!(plain.statistics.iterations, 101);
    assert_eq!(speculative.statistics.iterations, 51);
    assert_eq!(plain.statistics.gaps.count(), speculative.statistics.gaps.count());
    assert_eq!(speculative.statistics.gaps.quantile(0.5).map(|gap| gap.as_nanos()), Some(0));
}
