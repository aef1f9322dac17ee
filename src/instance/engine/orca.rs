//! `ORCA`: iteration-level batching in order of arrival (after Orca, as splitwise-sim has it).
//!
//! Whoever runs keeps running; newcomers join while there is a place and memory. Prompts and decodes
//! mix freely; there is no token limit and no preemption.

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
        residents.keep(residents.batch.len());
        let mut promised = 0;
        let mut position = 0;
        while residents.selected() < self.max_batch_size
            && let Some(key) = residents.standby.get(position)
        {
            let resident = residents.get(key);
            if resident.state == TaskState::Waiting {
                let bytes = residents.task_bytes(key, resident.phase);
                if !residents.memory.fits_beside(promised, bytes) {
                    return;
                }
                promised += bytes;
            }
            residents.choose(key);
            position += 1;
        }
    }

    fn has_room(&self, residents: &Residents) -> bool {
        residents.batch.len() < self.max_batch_size
    }
}
