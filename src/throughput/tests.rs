//! The load does what it says, and the same under every runner.

use ebbflow_actors::{Outcome, RunConfig, Runner, SimDuration, SimTime, TickMode, run};

use super::{LATENCY, Load, Part, busiest};

fn outcome(load: Load, seconds: f64, config: RunConfig) -> Outcome<Part> {
    let until = SimTime::ZERO + SimDuration::from_secs_f64(seconds).unwrap();
    run(load.population(), &config.lookahead(LATENCY).until(until)).unwrap()
}

fn sequential() -> RunConfig {
    RunConfig::default().runner(Runner::Sequential)
}

#[test]
fn every_runner_arrives_at_the_same_digest_and_counts() {
    let load = Load { payload_bytes: 100, jobs_per_worker_s: 5.0, ..Load::new(30) };
    let oracle = outcome(load, 2.0, sequential());
    let configs = [
        RunConfig::default().runner(Runner::Naive),
        RunConfig::default().ticks(TickMode::Eager),
        RunConfig::default().ticks(TickMode::Lazy),
        RunConfig::default().ticks(TickMode::Eager).arbiters(3),
        RunConfig::default().ticks(TickMode::Lazy).arbiters(2),
    ];
    for config in configs {
        let outcome = outcome(load, 2.0, config);
        assert_eq!(outcome.digest, oracle.digest);
        assert_eq!(outcome.stats.events, oracle.stats.events);
        assert_eq!(outcome.stats.messages, oracle.stats.messages);
        assert_eq!(busiest(&outcome.entities), busiest(&oracle.entities));
    }
}

#[test]
fn workers_keep_their_promises() {
    let load = Load { jobs_per_worker_s: 8.0, ..Load::new(20) };
    outcome(load, 2.0, sequential().check_promises(true));
}

#[test]
fn seed_and_payload_show_in_the_digest() {
    let digest = |load, seed| outcome(load, 0.5, sequential().seed(seed)).digest;
    let small = Load::new(10);
    let large = Load { payload_bytes: 9, ..small };
    assert_eq!(digest(small, 1), digest(small, 1));
    assert_ne!(digest(small, 1), digest(small, 2));
    assert_ne!(digest(small, 1), digest(large, 1));
}

#[test]
fn events_and_messages_come_at_the_expected_rates_from_the_first_second_on() {
    for jobs_per_worker_s in [2.0, 20.0] {
        let load = Load { jobs_per_worker_s, ..Load::new(500) };
        for seconds in [1.0, 5.0] {
            let stats = outcome(load, seconds, sequential()).stats;
            let events = (stats.events - 502) as f64 / (load.events_per_s() * seconds);
            let messages = stats.messages as f64 / (load.messages_per_s() * seconds);
            assert!((0.95..1.05).contains(&events), "{jobs_per_worker_s}: {events} of the events");
            assert!((0.9..1.1).contains(&messages), "{jobs_per_worker_s}: {messages} of the messages");
        }
    }
}

#[test]
fn the_dispatcher_is_the_busiest_and_half_of_all_it_handles_is_jobs_done() {
    let outcome = outcome(Load::new(100), 5.0, sequential());
    let busiest = busiest(&outcome.entities).unwrap();
    assert_eq!((busiest.label.as_str(), busiest.id.0), ("dispatcher", 0));
    assert!((1_800..2_200).contains(&busiest.handled), "{busiest:?}");
}

#[test]
fn a_lazy_worker_needs_fewer_envelopes_than_an_eager_one() {
    let load = Load::new(50);
    let envelopes = |ticks| outcome(load, 2.0, RunConfig::default().ticks(ticks)).stats.envelopes;
    assert!(envelopes(TickMode::Lazy) * 3 < envelopes(TickMode::Eager));
}
