//! From the arguments to what is measured.

use std::thread;

use crate::throughput::LATENCY;

use super::BenchArgs;
use super::case::{Case, Mover};

const ENTITIES: [u32; 4] = [100, 1_000, 10_000, 100_000];
const ENTITIES_TO_SATURATE: [u32; 1] = [1_000];

/// Events of a run, unless asked otherwise; with many entities each should have some.
const EVENTS: u64 = 400_000;
const EVENTS_PER_ENTITY: u64 = 8;

/// The shortest run, in windows: a dense load must not end in the middle of the first one.
const MIN_WINDOWS: u64 = 20;

/// Everything to be measured, as lists to be combined.
#[derive(Debug)]
pub struct Plan {
    pub entities: Vec<u32>,
    pub payloads: Vec<u32>,
    /// Runners with their arbiters.
    pub movers: Vec<(Mover, usize)>,
    pub jobs_per_worker_s: f64,
    length: Length,
}

#[derive(Clone, Copy, Debug)]
enum Length {
    SimulatedSeconds(f64),
    Events(Option<u64>),
}

impl BenchArgs {
    pub(super) fn plan(&self) -> Plan {
        let otherwise = if self.saturate { ENTITIES_TO_SATURATE.to_vec() } else { ENTITIES.to_vec() };
        Plan {
            entities: without_doubles(self.entities.clone().unwrap_or(otherwise)),
            payloads: without_doubles(self.payload.clone()),
            movers: self.movers(),
            jobs_per_worker_s: self.rate,
            length: self.seconds.map_or(Length::Events(self.events), Length::SimulatedSeconds),
        }
    }

    fn movers(&self) -> Vec<(Mover, usize)> {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        let otherwise = || vec![1, processors];
        let asked = self.arbiters.as_ref().map(|list| list.iter().map(|&count| usize::from(count)).collect());
        let arbiters = without_doubles(asked.unwrap_or_else(otherwise));
        let combine = |runner: Mover| {
            let counts = if runner.is_concurrent() { arbiters.clone() } else { vec![1] };
            counts.into_iter().map(move |count| (runner, count))
        };
        without_doubles(self.runners.clone()).into_iter().flat_map(combine).collect()
    }
}

impl Plan {
    /// All combinations, runners of the same load side by side.
    pub fn cases(&self) -> Vec<Case> {
        let loads = self
            .entities
            .iter()
            .flat_map(|&entities| self.payloads.iter().map(move |&payload| (entities, payload)));
        loads.flat_map(|(entities, payload)| self.cases_of(entities, payload)).collect()
    }

    fn cases_of(&self, entities: u32, payload: u32) -> impl Iterator<Item = Case> {
        self.movers.iter().map(move |&(runner, arbiters)| {
            let case = Case {
                entities,
                runner,
                arbiters,
                payload_bytes: payload as usize,
                jobs_per_worker_s: self.jobs_per_worker_s,
                simulated_ms: 0,
            };
            self.with_length(case)
        })
    }

    /// The case, as long as asked for: a denser load is a shorter one.
    pub fn with_length(&self, case: Case) -> Case {
        let simulated_s = match self.length {
            Length::SimulatedSeconds(seconds) => seconds,
            Length::Events(asked) => {
                let otherwise = || EVENTS.max(EVENTS_PER_ENTITY * u64::from(case.entities));
                asked.unwrap_or_else(otherwise) as f64 / case.load().events_per_s()
            }
        };
        let simulated_ms = (simulated_s * 1e3).ceil() as u64;
        let shortest_ms = match self.length {
            Length::SimulatedSeconds(_) => 1,
            Length::Events(_) => MIN_WINDOWS * LATENCY.as_nanos() / 1_000_000,
        };
        Case { simulated_ms: simulated_ms.max(shortest_ms), ..case }
    }
}

fn without_doubles<T: PartialEq>(list: Vec<T>) -> Vec<T> {
    let mut seen = Vec::with_capacity(list.len());
    for item in list {
        if !seen.contains(&item) {
            seen.push(item);
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Bench {
        #[command(flatten)]
        arguments: BenchArgs,
    }

    fn cases(words: &str) -> Vec<Case> {
        let words = ["bench"].into_iter().chain(words.split_whitespace());
        Bench::try_parse_from(words).unwrap().arguments.plan().cases()
    }

    #[test]
    fn only_runners_with_arbiters_are_measured_with_several() {
        let cases = cases("--entities 10 --arbiters 1,2,4,2 --runners naive,lazy,sequential,lazy");
        let found: Vec<_> = cases.iter().map(|case| (case.runner, case.arbiters)).collect();
        let lazy = Mover::Lazy;
        assert_eq!(found, [(Mover::Naive, 1), (lazy, 1), (lazy, 2), (lazy, 4), (Mover::Sequential, 1)]);
    }

    #[test]
    fn all_runners_of_a_load_are_comparable_and_no_others() {
        let cases = cases("--entities 10,20 --payload 0,8 --runners lazy,eager --arbiters 1");
        assert_eq!(cases.len(), 8);
        for (place, case) in cases.iter().enumerate() {
            let comparable = cases.iter().filter(|other| case.is_comparable_to(other)).count();
            assert_eq!(comparable, 2, "{place}");
        }
    }

    #[test]
    fn a_run_is_as_long_as_asked_in_seconds_or_in_events() {
        assert_eq!(cases("--entities 100 --seconds 1.5 --runners lazy --arbiters 1")[0].simulated_ms, 1_500);
        for entities in [100, 10_000] {
            let words = format!("--entities {entities} --events 200000 --runners lazy --arbiters 1");
            let case = cases(&words)[0];
            let expected = case.load().events_per_s() * case.simulated_ms as f64 / 1e3;
            assert!((200_000.0..205_000.0).contains(&expected), "{entities}: {expected}");
        }
    }

    #[test]
    fn by_default_every_entity_has_something_to_do() {
        let cases = cases("--runners sequential");
        assert_eq!(cases.iter().map(|case| case.entities).collect::<Vec<_>>(), ENTITIES);
        for case in cases {
            let events = case.load().events_per_s() * case.simulated_ms as f64 / 1e3;
            assert!(events >= 8.0 * f64::from(case.entities));
        }
    }

    #[test]
    fn a_case_survives_the_way_to_the_child_process() {
        for case in cases("--entities 7 --payload 3 --rate 0.1 --seconds 0.25") {
            let read = Case::from_json(&case.to_json()).unwrap();
            assert_eq!(read, case);
        }
    }

    #[test]
    fn senseless_numbers_are_refused() {
        let wrong = [
            "--entities 0",
            "--arbiters 0",
            "--rate 0",
            "--rate -1",
            "--rate nan",
            "--seconds 0",
            "--seconds inf",
            "--events 0",
            "--repeat 0",
            "--payload -1",
            "--seconds 1 --events 1",
            "--runners fast",
        ];
        for words in wrong {
            let words = ["bench"].into_iter().chain(words.split_whitespace());
            assert!(Bench::try_parse_from(words.clone()).is_err(), "{:?}", words.collect::<Vec<_>>());
        }
    }
}
