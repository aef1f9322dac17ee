//! Policies with affinity against one without, on conversations that grow.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use ebbflow_actors::{CounterRng, EntityId};

use super::testing::{Desk, GIB, policy};
use crate::ids::SessionId;
use crate::request::{Attributes, Request};

const INSTANCES: u32 = 8;
const SESSIONS: u64 = 300;
const TURNS: u64 = 6;
/// Requests served at a time.
const IN_SERVICE: usize = 40;

/// Blocks of a conversation up to a turn: a system prompt that all share, five blocks to begin with, two a turn.
fn blocks(session: u64, turn: u64) -> Vec<u64> {
    let own = (0..5 + 2 * turn).map(|block| 1_000 * (session + 1) + block);
    std::iter::once(0).chain(own).collect()
}

/// The turns of all conversations, those of one in order and otherwise mixed.
fn turns() -> Vec<(u64, u64)> {
    let mut dice = CounterRng::new(3, EntityId(9), 0);
    let mut turns: Vec<(u64, u64, u64)> = Vec::new();
    for session in 0..SESSIONS {
        let mut at = dice.below(10_000);
        for turn in 0..TURNS {
            turns.push((at, session, turn));
            at += 1 + dice.below(1_000);
        }
    }
    turns.sort_unstable();
    turns.into_iter().map(|(_, session, turn)| (session, turn)).collect()
}

/// The share of follow-ups that went where the turn before went, and the most and least requests of an instance.
fn follow(name: &str) -> (f64, u32, u32) {
    let instances: Vec<_> = (0..INSTANCES).map(|number| (number, None, GIB)).collect();
    let mut desk = Desk::new(policy(name), &instances);
    let mut homes = BTreeMap::new();
    let mut in_service: VecDeque<(u32, Request)> = VecDeque::new();
    let mut taken = vec![0; INSTANCES as usize];
    let (mut followed, mut stayed) = (0, 0);
    for (session, turn) in turns() {
        let mut request = desk.with_prefix(&blocks(session, turn));
        let prefix = request.attributes().prefix.clone();
        let session = Some(SessionId(session));
        request.attributes = Some(Arc::new(Attributes { session, prefix, ..Attributes::NONE }));
        let instance = desk.serve(request.clone());
        if let Some(before) = homes.insert(session, instance) {
            followed += 1;
            stayed += u32::from(before == instance);
        }
        taken[instance as usize] += 1;
        in_service.push_back((instance, request));
        if in_service.len() > IN_SERVICE
            && let Some((instance, request)) = in_service.pop_front()
        {
            desk.complete(instance, &request);
        }
    }
    let (most, least) = (taken.iter().max(), taken.iter().min());
    (f64::from(stayed) / f64::from(followed), *most.expect("some"), *least.expect("some"))
}

#[test]
fn follow_ups_return_to_their_cache_with_affinity_and_seldom_without() {
    for name in ["session_sticky", "prefix_aware"] {
        let (stayed, most, least) = follow(name);
        assert_eq!(stayed, 1.0, "{name}: nobody is overloaded here");
        assert!(most < 2 * least, "{name}: between {least} and {most} requests");
    }
    for name in ["jsq", "least_kv", "power_of_two"] {
        let (stayed, ..) = follow(name);
        assert!(stayed < 0.25, "{name}: {stayed} stayed, and chance is {}", 1.0 / f64::from(INSTANCES));
    }
}
