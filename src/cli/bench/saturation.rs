//! How many messages a second can be had at most: the offered load doubles until that no longer helps.
//!
//! A denser load gives the runtime more messages for each window and each mailbox delivery, and the workers'
//! own ticks weigh less; so messages per second of wall-clock time grow at first, then level out.

use serde::Serialize;

use super::case::Case;
use super::plan::Plan;
use super::rounds::{Rounds, RoundsError};
use super::row::Row;

/// A step that brings less than this above the best before does not help.
const WORTHWHILE: f64 = 1.05;

/// So many steps in a row that do not help are the end; one alone may be bad luck.
const PATIENCE: usize = 2;

/// Doublings at most: a thousand times the initial load is denser than anything that lives.
const MOST_DOUBLINGS: usize = 10;

/// What came of raising the load for one runner.
#[derive(Debug, Serialize)]
pub struct Saturation {
    /// By offered load.
    pub steps: Vec<Row>,
    /// The best of them.
    pub best: Row,
    /// The entity that handled most events of the best step.
    pub bottleneck: Option<Bottleneck>,
}

/// The entity that handled most.
#[derive(Debug, Serialize)]
pub struct Bottleneck {
    /// Its name.
    pub entity: String,
    /// Its part of all events; the run cannot become faster than this entity alone.
    pub share_of_events: f64,
}

/// Raises the load of every case of the plan until it no longer helps, all cases side by side.
pub fn find(plan: &Plan, rounds: &mut Rounds) -> Result<Vec<Saturation>, RoundsError> {
    let mut climbs: Vec<Climb> = plan.cases().into_iter().map(Climb::new).collect();
    for _ in 0..=MOST_DOUBLINGS {
        let climbing: Vec<&mut Climb> = climbs.iter_mut().filter(|climb| climb.in_vain < PATIENCE).collect();
        let cases: Vec<Case> = climbing.iter().map(|climb| plan.with_length(climb.next)).collect();
        if cases.is_empty() {
            break;
        }
        for (climb, row) in climbing.into_iter().zip(rounds.measure(&cases)?) {
            climb.take(row);
        }
    }
    Ok(climbs.into_iter().filter_map(Climb::into_saturation).collect())
}

struct Climb {
    next: Case,
    /// Steps since the last that helped.
    in_vain: usize,
    steps: Vec<Row>,
}

impl Climb {
    fn new(first: Case) -> Self {
        Climb { next: first, in_vain: 0, steps: Vec::new() }
    }

    fn take(&mut self, row: Row) {
        let best = self.steps.iter().map(throughput).fold(0.0, f64::max);
        self.in_vain = if throughput(&row) > best * WORTHWHILE { 0 } else { self.in_vain + 1 };
        self.next.jobs_per_worker_s *= 2.0;
        self.steps.push(row);
    }

    fn into_saturation(self) -> Option<Saturation> {
        let best =
            self.steps.iter().max_by(|one, other| throughput(one).total_cmp(&throughput(other)))?.clone();
        let bottleneck = best.busiest.as_ref().map(|busy| Bottleneck {
            entity: busy.name.clone(),
            share_of_events: busy.events as f64 / best.events as f64,
        });
        Some(Saturation { steps: self.steps, best, bottleneck })
    }
}

/// A run too short to tell counts as no throughput.
fn throughput(row: &Row) -> f64 {
    row.messages_per_s.unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::super::case::Mover;
    use super::super::sample::{Busy, Cost, Sample};
    use super::*;

    fn climb() -> Climb {
        Climb::new(Case {
            entities: 10,
            runner: Mover::Lazy,
            arbiters: 1,
            payload_bytes: 0,
            jobs_per_worker_s: 2.0,
            simulated_ms: 1_000,
        })
    }

    fn row(climb: &Climb, messages: u64) -> Row {
        let cost = |messages, wall_s| Cost { events: 4 * messages, messages, envelopes: messages, wall_s };
        let sample = Sample {
            whole: cost(messages, 1.5),
            start: cost(0, 0.5),
            digest: String::new(),
            peak_memory_bytes: None,
            busiest: Some(Busy { name: "dispatcher".to_owned(), events: messages }),
        };
        Row::new(&climb.next, &[sample]).unwrap()
    }

    #[test]
    fn a_climb_ends_after_two_steps_in_vain_and_remembers_the_best() {
        let mut climb = climb();
        let expected = [(100, 0), (200, 0), (190, 1), (300, 0), (310, 1), (305, 2)];
        for (messages, in_vain) in expected {
            let row = row(&climb, messages);
            climb.take(row);
            assert_eq!(climb.in_vain, in_vain, "after {messages}");
        }
        let found = climb.into_saturation().unwrap();
        assert_eq!(found.steps.len(), 6);
        assert_eq!(found.best.messages_per_s, Some(310.0));
        assert_eq!(found.best.offered_messages_per_simulated_s, 40.0 * 16.0);
        assert_eq!(found.bottleneck.unwrap().share_of_events, 0.25);
    }
}
