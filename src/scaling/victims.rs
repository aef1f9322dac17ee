//! Whom a scale-down takes.

use std::cmp::{Ordering, Reverse};

use ebbflow_actors::SimTime;

use super::state::{InstanceView, ServerView};
use crate::ids::InstanceId;

/// In which order instances are taken when a policy wants fewer. Ties go to the youngest.
///
/// Starting instances, where they count, are cancelled before any serving one is drained, the youngest first.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum VictimOrder {
    /// Fewest requests first, by what was scraped last.
    #[default]
    LeastLoaded,
    /// The one that became ACTIVE last.
    Youngest,
    /// The one that became ACTIVE first.
    Oldest,
    /// On the server with the most GPUs idle: frees whole servers soonest.
    MostIdleGpus,
    /// As a ReplicaSet chooses pods, as far as instances have what it looks at: more instances on the same
    /// server first, then the one ready last, then the newest.
    Kubernetes,
}

/// What an order looks at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    pub id: InstanceId,
    pub load: f64,
    pub active: Option<SimTime>,
    /// GPUs of its server that no instance has.
    pub idle_gpus: usize,
    /// Instances on its server.
    pub neighbours: usize,
}

impl VictimOrder {
    /// All orders by the word a scenario uses.
    pub const NAMES: [(&str, VictimOrder); 5] = [
        ("least_loaded", VictimOrder::LeastLoaded),
        ("youngest", VictimOrder::Youngest),
        ("oldest", VictimOrder::Oldest),
        ("most_idle_gpus", VictimOrder::MostIdleGpus),
        ("kubernetes", VictimOrder::Kubernetes),
    ];

    /// The word a scenario uses.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, order)| *order == self).map_or("", |(name, _)| name)
    }

    /// Which of two is taken first.
    pub(super) fn compare(self, a: &Candidate, b: &Candidate) -> Ordering {
        let order = match self {
            VictimOrder::LeastLoaded => a.load.total_cmp(&b.load),
            VictimOrder::Youngest => b.active.cmp(&a.active),
            VictimOrder::Oldest => a.active.cmp(&b.active),
            VictimOrder::MostIdleGpus => b.idle_gpus.cmp(&a.idle_gpus),
            VictimOrder::Kubernetes => b.neighbours.cmp(&a.neighbours).then(b.active.cmp(&a.active)),
        };
        order.then(Reverse(a.id).cmp(&Reverse(b.id)))
    }
}

impl Candidate {
    pub fn new(id: InstanceId, view: &InstanceView, server: Option<&ServerView>, load: f64) -> Self {
        Candidate {
            id,
            load,
            active: view.life.active,
            idle_gpus: server.map_or(0, ServerView::idle_gpus),
            neighbours: server.map_or(0, ServerView::instances),
        }
    }
}

#[cfg(test)]
mod tests {
    use ebbflow_actors::SimDuration;

    use super::*;

    /// By id: load, seconds of becoming ACTIVE, idle GPUs, instances on the server.
    fn taken(order: VictimOrder, fleet: &[(f64, u64, usize, usize)]) -> Vec<u32> {
        let mut candidates: Vec<Candidate> = (0..)
            .zip(fleet)
            .map(|(id, &(load, active_s, idle_gpus, neighbours))| Candidate {
                id: InstanceId(id),
                load,
                active: Some(SimTime::ZERO + SimDuration::from_secs(active_s)),
                idle_gpus,
                neighbours,
            })
            .collect();
        candidates.sort_by(|a, b| order.compare(a, b));
        candidates.iter().map(|candidate| candidate.id.0).collect()
    }

    #[test]
    fn every_order_takes_first_what_its_name_says_and_of_equals_the_youngest() {
        let fleet = [(5.0, 0, 0, 2), (1.0, 7, 0, 2), (1.0, 3, 4, 1), (9.0, 9, 4, 1)];
        assert_eq!(taken(VictimOrder::LeastLoaded, &fleet), [2, 1, 0, 3]);
        assert_eq!(taken(VictimOrder::Youngest, &fleet), [3, 1, 2, 0]);
        assert_eq!(taken(VictimOrder::Oldest, &fleet), [0, 2, 1, 3]);
        assert_eq!(taken(VictimOrder::MostIdleGpus, &fleet), [3, 2, 1, 0]);
        assert_eq!(taken(VictimOrder::Kubernetes, &fleet), [1, 0, 3, 2]);
    }
}
