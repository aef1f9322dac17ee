//! `ORCA`: iteration-level batching in order of arrival (after Orca, as splitwise-sim has it).
//!
//! Whoever runs keeps running; newcomers join while there is a place and memory. Prompts and decodes
//! mix freely; there is no token limit and no preemption.

use std::ops::ControlFlow;

use super::Engine;
use crate::instance::residents::{Phase, Residents, TaskState, WaitingTask};

#[derive(Debug)]
pub(super) struct Orca {
    pub max_batch_size: usize,
}

impl Engine for Orca {
    fn enqueue(&self, residents: &mut Residents, task: WaitingTask) {
        residents.enqueue_last(task);
    }

    fn interrupts(&self, residents: &Residents, _: u64, _: Phase) -> bool {
        residents.batch.len() < self.max_batch_size
    }

    fn select(&self, residents: &mut Residents) {
        residents.begin_selection();
        for position in 0..residents.batch.len() {
            residents.choose(residents.batch[position]);
        }
        let mut promised = 0;
        residents.visit_by_arrival(|residents, key| {
            if residents.chosen.len() >= self.max_batch_size {
                return ControlFlow::Break(());
            }
            let resident = residents.get(key);
            match resident.state {
                TaskState::Running | TaskState::Deferred => {}
                TaskState::Blocked => residents.choose(key),
                TaskState::Waiting => {
                    let bytes = residents.task_bytes(key, resident.phase);
                    if !residents.memory.fits_beside(promised, bytes) {
                        return ControlFlow::Break(());
                    }
                    promised += bytes;
                    residents.choose(key);
                }
            }
            ControlFlow::Continue(())
        });
    }

    fn has_room(&self, residents: &Residents) -> bool {
        residents.batch.len() < self.max_batch_size
    }
}
