//! The same scenario and seed give the same result with every runner, any number of arbiters, lazy or eager.

use std::sync::Arc;

use ebbflow_actors::{
    Arbiters, Ending, Entity, EntityId, Message, Outbox, Progress, RunConfig, Runner, SimDuration, SimTime,
    TickMode, run,
};

use crate::queueing;
use crate::support::{agree, at_ms, member, ms};

#[derive(Hash, Debug)]
struct Ball(u32);
impl Message for Ball {}

#[derive(Debug)]
struct Player {
    other: EntityId,
    hits: u32,
}

impl Entity for Player {
    type Message = Ball;

    fn label(&self) -> String {
        String::from("player")
    }

    fn start(&mut self, _: SimTime, outbox: &mut Outbox<'_, Self>) {
        if outbox.me() == EntityId(0) {
            outbox.send(self.other, Ball(1));
        }
    }

    fn handle(&mut self, _: SimTime, from: EntityId, Ball(number): Ball, outbox: &mut Outbox<'_, Self>) {
        self.hits += 1;
        if number < 100 {
            outbox.send(from, Ball(number + 1));
        }
    }
}

#[test]
fn ping_pong_is_the_same_in_every_way_to_run_it() {
    let players = || (0..2).map(|id| member(id, Player { other: EntityId(1 - id), hits: 0 })).collect();
    let agreed = agree(players, &RunConfig::default());
    assert_eq!((agreed.events, agreed.messages), (102, 100));
    assert_eq!((agreed.ended_at, agreed.ending), (at_ms(100), Ending::Quiescent));
}

#[test]
fn a_queueing_model_with_spawns_and_drains_is_the_same_in_every_way_to_run_it() {
    for seed in 0..3 {
        let config = RunConfig::default().seed(seed).until(at_ms(1_000));
        let agreed = agree(|| queueing::population(6), &config);
        assert!(agreed.events > 3_000, "{agreed:?}");
        assert_eq!(agreed.ending, Ending::TimeLimit);
        let manager = &agreed.entities[1].1;
        assert!(manager.contains("left: 4"), "some forty workers have left: {manager}");
    }
}

#[test]
fn a_lookahead_of_one_nanosecond_is_slow_but_right() {
    let config = RunConfig::default().lookahead(SimDuration::from_nanos(1)).until(at_ms(100));
    let tiny = agree(|| queueing::population(4), &config);
    assert!(tiny.events > 300);
}

#[test]
fn another_seed_gives_another_digest_and_the_same_seed_the_same() {
    let digest = |seed| {
        let config = RunConfig::default().seed(seed).until(at_ms(200));
        run(queueing::population(3), &config).unwrap().digest
    };
    assert_eq!(digest(1), digest(1));
    assert_ne!(digest(1), digest(2));
}

#[test]
fn lazy_ticks_need_fewer_envelopes_than_eager_ones() {
    let envelopes = |ticks| {
        let config = RunConfig::default().until(at_ms(500)).ticks(ticks);
        run(queueing::population(6), &config).unwrap().stats.envelopes
    };
    let (lazy, eager) = (envelopes(TickMode::Lazy), envelopes(TickMode::Eager));
    assert!(lazy < eager, "{lazy} lazy, {eager} eager");
}

#[test]
fn the_automatic_number_of_arbiters_is_one_unless_more_would_pay() {
    let arbiters = |expected_envelopes_per_window| {
        let mut config = RunConfig::default().until(at_ms(50));
        config.arbiters = Arbiters::Auto { expected_envelopes_per_window };
        run(queueing::population(6), &config).unwrap().stats.arbiters
    };
    assert_eq!(arbiters(0.0), 1);
    assert_eq!(arbiters(150.0), 1);
    let processors = std::thread::available_parallelism().unwrap().get();
    assert_eq!(arbiters(1e9), processors.min(8), "no more than processors, no more than groups");
}

#[test]
fn concurrent_runs_in_one_process_do_not_disturb_each_other() {
    let config = RunConfig::default().until(at_ms(200)).arbiters(2);
    let alone = run(queueing::population(4), &config).unwrap().digest;
    std::thread::scope(|scope| {
        let runs: Vec<_> =
            (0..4).map(|_| scope.spawn(|| run(queueing::population(4), &config).unwrap().digest)).collect();
        assert!(runs.into_iter().all(|other| other.join().unwrap() == alone));
    });
}

#[test]
fn progress_ends_at_the_number_of_handled_events() {
    for runner in [Runner::Actors, Runner::Sequential] {
        let progress = Arc::new(Progress::default());
        let config = RunConfig::default().until(at_ms(200)).runner(runner).progress(Arc::clone(&progress));
        let outcome = run(queueing::population(4), &config).unwrap();
        assert!(progress.now() <= at_ms(200) && progress.now() >= at_ms(100), "{}", progress.now());
        // The actors' catch-up at the end and the sequential runner's last round are not reported.
        assert!(progress.events() <= outcome.stats.events);
        assert!(progress.events() * 2 > outcome.stats.events, "{runner:?}: {progress:?}");
    }
}

#[test]
fn an_empty_population_is_quiescent_at_once() {
    let agreed = agree(Vec::<ebbflow_actors::Member<Player>>::new, &RunConfig::default());
    assert_eq!((agreed.events, agreed.ending), (0, Ending::Quiescent));
    assert_eq!(ms(0), SimDuration::ZERO);
}
