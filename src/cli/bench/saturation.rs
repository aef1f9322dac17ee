//! How many messages a second can be had at most: the offered load doubles until that no longer helps.
//!
//! A denser load gives the runtime more messages for each window and each mailbox delivery, and the workers'
//! own ticks weigh less; so messages per second of wall-clock time grow at first, then level out.

use serde::Serialize;

use super::case::Case;
use super::plan::Plan;
use super::rounds::{Rounds, RoundsError};
use super::row::Row;

/// A step that adds less than this does not help.
const WORTHWHILE: f64 = 1.05;

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
        let climbing: Vec<&mut Climb> = climbs.iter_mut().filter(|climb| climb.growing).collect();
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
    growing: bool,
    steps: Vec<Row>,
}

impl Climb {
    fn new(first: Case) -> Self {
        Climb { next: first, growing: true, steps: Vec::new() }
    }

    fn take(&mut self, row: Row) {
        let best = self.steps.iter().map(throughput).fold(0.0, f64::max);
        self.growing = throughput(&row) > best * WORTHWHILE;
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
