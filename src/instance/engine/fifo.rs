//! `DEFAULT`: one task at a time, first come first served.

use super::Engine;
use crate::instance::residents::{Phase, Residents, WaitingTask};

#[derive(Debug)]
pub(super) struct Fifo;

impl Engine for Fifo {
    fn enqueue(&self, residents: &mut Residents, task: WaitingTask) {
        residents.enqueue_last(task);
    }

    fn interrupts(&self, _: &Residents, _: u64, _: Phase) -> bool {
        false
    }

    fn select(&self, residents: &mut Residents) {
        residents.begin_selection();
        if !residents.batch.is_empty() {
            residents.keep(1);
        } else if let Some(&WaitingTask { key, phase }) = residents.queue.front()
            && residents.memory.fits(residents.task_bytes(key, phase))
        {
            residents.choose(key);
        }
    }

    fn has_room(&self, residents: &Residents) -> bool {
        residents.batch.is_empty()
    }
}
