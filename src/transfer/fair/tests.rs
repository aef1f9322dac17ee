use std::collections::BTreeMap;

use proptest::prelude::*;

use super::oracle::Simple;
use super::*;

const GB: u64 = 1_000_000_000;

fn seconds(seconds: f64) -> SimTime {
    SimTime::from_secs_f64(seconds).unwrap()
}

/// Lets everything arrive, and says when.
fn arrivals<F: Ord + Copy, L: Ord + Copy>(flows: &mut Flows<F, L>) -> BTreeMap<F, SimTime> {
    let mut arrived = BTreeMap::new();
    while let Some(end) = flows.next_end() {
        let ended = flows.take_ended(end);
        assert!(!ended.is_empty(), "what is said to end ends");
        arrived.extend(ended.into_iter().map(|name| (name, end)));
    }
    arrived
}

fn rates<F: Ord + Copy, L: Ord + Copy>(flows: &Flows<F, L>) -> Vec<u64> {
    flows.keys.values().map(|&key| flows.flows[key].bytes_per_s).collect()
}

#[test]
fn a_flow_alone_takes_its_bytes_over_the_narrowest_link_of_its_path() {
    let mut flows = Flows::default();
    flows.start(seconds(1.0), "flow", &[("out", 40 * GB), ("in", 10 * GB)], 5 * GB);
    assert_eq!(arrivals(&mut flows)["flow"], seconds(1.5));
}

#[test]
fn two_flows_on_a_link_take_twice_as_long_and_when_one_ends_the_other_speeds_up() {
    let mut flows = Flows::default();
    flows.start(seconds(0.0), "long", &[("nic", 10 * GB)], 30 * GB);
    flows.start(seconds(1.0), "short", &[("nic", 10 * GB)], 10 * GB);
    let arrived = arrivals(&mut flows);
    // Ten are there when the other comes; until it is done another ten; then ten at full speed.
    assert_eq!((arrived["short"], arrived["long"]), (seconds(3.0), seconds(4.0)));
}

#[test]
fn what_a_flow_held_up_elsewhere_cannot_use_is_left_to_the_others() {
    let mut flows = Flows::default();
    flows.start(SimTime::ZERO, 0, &[("nic", 30), ("slow", 4)], 100);
    flows.start(SimTime::ZERO, 1, &[("nic", 30)], 100);
    flows.start(SimTime::ZERO, 2, &[("nic", 30), ("fast", 90)], 100);
    assert_eq!(rates(&flows), [4, 13, 13]);
}

#[test]
fn a_flow_that_is_called_off_leaves_its_share_and_what_it_moved_is_in_the_books() {
    let mut flows = Flows::default();
    flows.start(SimTime::ZERO, 1, &[("nic", 10)], 100);
    flows.start(SimTime::ZERO, 2, &[("nic", 10)], 100);
    assert!(flows.cancel(seconds(4.0), 2) && !flows.cancel(seconds(4.0), 2));
    assert_eq!(arrivals(&mut flows), BTreeMap::from([(1, seconds(12.0))]));
    let usage = Usage { bytes_per_s: 10, bytes: 120, busy: SimDuration::from_secs(12), flows: 2 };
    assert_eq!(flows.usage().collect::<Vec<_>>(), [("nic", usage)]);
}

#[test]
fn a_head_start_is_what_moves_meanwhile_but_never_the_last_part() {
    let left = |span: f64, parts: u32| {
        let mut flows = Flows::default();
        flows.start(SimTime::ZERO, (), &[("nic", 10)], 100);
        flows.head_start((), SimDuration::from_secs_f64(span).unwrap(), parts);
        arrivals(&mut flows)[&()].as_secs_f64()
    };
    assert_eq!(left(0.0, 10), 10.0);
    assert_eq!(left(5.0, 10), 5.5, "nine tenths of half of it");
    assert_eq!(left(10.0, 10), 1.0, "all but the last part");
    assert_eq!(left(1000.0, 10), 1.0);
    assert_eq!(left(1000.0, 1), 10.0, "one part is the last one");
}

#[test]
fn more_flows_than_bytes_per_second_arrive_all_the_same() {
    let mut flows = Flows::default();
    (0..5).for_each(|name| flows.start(SimTime::ZERO, name, &[((), 3)], 2));
    assert_eq!(arrivals(&mut flows).len(), 5);
}

/// Three bytes a second are the share on both links, rounded; which is filled first decides who has the byte left.
#[test]
fn links_with_equal_shares_are_filled_in_the_same_order_whichever_was_used_first() {
    let paths: [&[(&str, u64)]; 3] = [&[("a", 7)], &[("a", 7), ("b", 6)], &[("b", 6)]];
    let rates_from = |order: [usize; 3]| {
        let mut flows = Flows::default();
        order.into_iter().for_each(|name| flows.start(SimTime::ZERO, name, paths[name], 100));
        rates(&flows)
    };
    assert_eq!(rates_from([0, 1, 2]), rates_from([2, 1, 0]));
}

/// A flow as drawn: when it starts in ms, its links, its bytes.
type Drawn = (u64, Vec<usize>, u64);

const LINKS: usize = 6;

fn capacities() -> impl Strategy<Value = Vec<u64>> {
    proptest::collection::vec(1000u64..1_000_000, LINKS)
}

fn drawn() -> impl Strategy<Value = Vec<Drawn>> {
    let path = proptest::sample::subsequence((0..LINKS).collect::<Vec<_>>(), 1..=4);
    proptest::collection::vec((0u64..3000, path, 1u64..1_000_000), 1..25)
}

fn start(flows: &mut Flows<usize, usize>, name: usize, drawn: &Drawn, capacities: &[u64]) {
    let path: Vec<_> = drawn.1.iter().map(|&link| (link, capacities[link])).collect();
    flows.start(SimTime::from_nanos(drawn.0 * 1_000_000), name, &path, drawn.2);
}

proptest! {
    #[test]
    fn no_link_is_overfull_and_every_flow_is_among_the_fastest_on_a_full_one(
        capacities in capacities(), drawn in drawn(),
    ) {
        let mut flows = Flows::default();
        for (name, (_, path, bytes)) in drawn.iter().enumerate() {
            start(&mut flows, name, &(0, path.clone(), *bytes), &capacities);
        }
        let rates = rates(&flows);
        let on = |link: usize| drawn.iter().zip(&rates).filter(move |((_, path, _), _)| path.contains(&link));
        let full = |link: usize| {
            let sum: u64 = on(link).map(|(_, rate)| rate).sum();
            assert!(sum <= capacities[link], "link {link} is overfull");
            sum + on(link).count() as u64 > capacities[link]
        };
        for ((_, path, _), rate) in drawn.iter().zip(&rates) {
            let holds_up = |&&link: &&usize| full(link) && on(link).all(|(_, other)| other <= rate);
            prop_assert!(path.iter().find(holds_up).is_some(), "work is left undone: {rates:?}");
        }
    }

    #[test]
    fn every_byte_arrives_once_and_not_before_it_can(capacities in capacities(), mut drawn in drawn()) {
        drawn.sort_by_key(|flow| flow.0);
        let (mut flows, mut arrived) = (Flows::default(), BTreeMap::new());
        for (name, flow) in drawn.iter().enumerate() {
            let now = SimTime::from_nanos(flow.0 * 1_000_000);
            while let Some(end) = flows.next_end().filter(|end| *end <= now) {
                arrived.extend(flows.take_ended(end).into_iter().map(|name: usize| (name, end)));
            }
            start(&mut flows, name, flow, &capacities);
        }
        arrived.extend(arrivals(&mut flows));
        for (name, (at, path, bytes)) in drawn.iter().enumerate() {
            let narrowest = path.iter().map(|&link| capacities[link]).min().unwrap();
            let took = (arrived[&name] - SimTime::from_nanos(at * 1_000_000)).as_nanos();
            prop_assert!(u128::from(took) * u128::from(narrowest) >= u128::from(*bytes) * PER_BYTE);
        }
        for (link, usage) in flows.usage() {
            let over = drawn.iter().filter(|(_, path, _)| path.contains(&link));
            prop_assert_eq!(usage.bytes, over.clone().map(|(_, _, bytes)| bytes).sum::<u64>());
            prop_assert_eq!(usage.flows, over.count() as u64);
            let carried = u128::from(usage.bytes_per_s) * u128::from(usage.busy.as_nanos());
            prop_assert!(carried >= u128::from(usage.bytes) * PER_BYTE);
        }
    }

    #[test]
    fn flows_that_start_together_arrive_alike_in_whatever_order_they_are_told(
        capacities in capacities(), drawn in drawn(), rotation in 0usize..25,
    ) {
        let run = |order: Vec<usize>| {
            let mut flows = Flows::default();
            for name in order {
                let (_, path, bytes) = &drawn[name];
                start(&mut flows, name, &(7, path.clone(), *bytes), &capacities);
            }
            arrivals(&mut flows)
        };
        let mut turned: Vec<usize> = (0..drawn.len()).rev().collect();
        turned.rotate_left(rotation % drawn.len());
        prop_assert_eq!(run((0..drawn.len()).collect()), run(turned));
    }
}

/// What happens to flows: one starts, some of it is gone already, one is called off, all that arrived are taken.
#[derive(Clone, Debug)]
enum Step {
    Start(Vec<usize>, u64, Option<u64>),
    Cancel(usize),
    Take,
}

fn steps(most_links: usize) -> impl Strategy<Value = Vec<(u64, Step)>> {
    let path = proptest::sample::subsequence((0..MANY_LINKS).collect::<Vec<_>>(), 1..=most_links);
    let start = (path, 0u64..3000, proptest::option::of(0u64..900_000_000));
    let step = prop_oneof![
        6 => start.prop_map(|(path, bytes, head_start)| Step::Start(path, bytes, head_start)),
        1 => (0usize..60).prop_map(Step::Cancel),
        3 => Just(Step::Take),
    ];
    proptest::collection::vec((0u64..1_500_000_000, step), 1..60)
}

const MANY_LINKS: usize = 12;

/// Both are led through these steps, and must agree after each.
fn agree(capacities: &[u64], steps: Vec<(u64, Step)>) -> Result<(), TestCaseError> {
    let (mut flows, mut simple) = (Flows::default(), Simple::default());
    let mut now = SimTime::ZERO;
    for (name, (after, step)) in steps.into_iter().enumerate() {
        now += SimDuration::from_nanos(after);
        if let Step::Take = step {
            // The next end exactly, where there is one.
            now = flows.next_end().unwrap_or(now).max(now);
        }
        prop_assert_eq!(flows.take_ended(now), simple.take_ended(now));
        match step {
            Step::Start(path, bytes, head_start) => {
                let path: Vec<_> = path.into_iter().map(|link| (link, capacities[link])).collect();
                flows.start(now, name, &path, bytes);
                simple.start(now, name, &path, bytes);
                if let Some(span) = head_start.map(SimDuration::from_nanos) {
                    flows.head_start(name, span, 7);
                    simple.head_start(name, span, 7);
                }
            }
            Step::Cancel(name) => prop_assert_eq!(flows.cancel(now, name), simple.cancel(now, name)),
            Step::Take => {}
        }
        prop_assert_eq!(rates(&flows), simple.rates());
        let by_name: BTreeMap<_, _> = flows.ends().collect();
        prop_assert_eq!(by_name, simple.ends().collect());
        prop_assert_eq!(flows.usage().collect::<Vec<_>>(), simple.usage().collect::<Vec<_>>());
    }
    Ok(())
}

proptest! {
    #[test]
    fn rates_that_are_settled_where_they_may_change_are_those_of_settling_all(
        capacities in proptest::collection::vec(50u64..5000, MANY_LINKS), steps in steps(4),
    ) {
        agree(&capacities, steps)?;
    }

    /// Shares of a few bytes, and equal ones: rounding and names decide.
    #[test]
    fn also_where_shares_are_rounded_to_a_few_bytes_or_none(
        capacities in proptest::collection::vec(1u64..12, MANY_LINKS), steps in steps(3),
    ) {
        agree(&capacities, steps)?;
    }

    /// Two links each, as chains over which a change spreads.
    #[test]
    fn also_along_chains_of_links(
        capacities in proptest::collection::vec(10u64..40, MANY_LINKS), steps in steps(2),
    ) {
        agree(&capacities, steps)?;
    }
}
