//! What an engine has done: how long it had a batch, how many tasks ran to their end, what its iterations took.

use ebbflow_actors::{SimDuration, SimTime};

use super::energy::{Iterations, PhaseMeter, Phases};
use crate::ids::{GpuName, InstanceId};
use crate::request::Leg;

/// The books of an engine of either kind.
#[derive(Debug)]
pub struct Timesheet {
    instance: InstanceId,
    gpu: GpuName,
    busy: SimDuration,
    busy_since: Option<SimTime>,
    tasks_completed: u64,
    meter: PhaseMeter,
}

impl Timesheet {
    /// Of an engine that has done nothing yet.
    pub fn new((instance, gpu): (InstanceId, GpuName)) -> Self {
        let (busy, meter) = (SimDuration::ZERO, PhaseMeter::default());
        Timesheet { instance, gpu, busy, busy_since: None, tasks_completed: 0, meter }
    }

    /// The same with this meter on its iterations.
    pub(super) fn metered(self, meter: PhaseMeter) -> Self {
        Timesheet { meter, ..self }
    }

    /// There is a batch from now on, or was before.
    pub(super) fn begin_busy(&mut self, now: SimTime) {
        self.busy_since.get_or_insert(now);
    }

    /// There is no batch any more.
    pub(super) fn end_busy(&mut self, now: SimTime) {
        if let Some(since) = self.busy_since.take() {
            self.busy += now - since;
        }
    }

    /// These iterations are over.
    pub(super) fn measure(&mut self, iterations: Iterations) {
        self.meter.add(iterations);
    }

    /// A task ran to its end.
    pub(super) fn complete_task(&mut self) {
        self.tasks_completed += 1;
    }

    /// Time with a batch, up to the last moment the batch became empty.
    pub fn busy(&self) -> SimDuration {
        self.busy
    }

    /// The same, up to now: the batch that runs is counted.
    pub fn busy_at(&self, now: SimTime) -> SimDuration {
        self.busy + self.busy_since.map_or(SimDuration::ZERO, |since| now - since)
    }

    /// Tasks that ran to their end: prompts and outputs.
    pub fn tasks_completed(&self) -> u64 {
        self.tasks_completed
    }

    /// What its iterations took so far.
    pub fn phases(&self) -> Phases {
        self.meter.phases()
    }

    /// A stretch of work that begins here.
    pub fn begin_leg(&self, now: SimTime) -> Leg {
        Leg { instance: self.instance, gpu: self.gpu, start: now, end: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_with_a_batch_is_counted_once_however_often_it_begins() {
        let mut sheet = Timesheet::new((InstanceId(0), GpuName::of("a100-80gb")));
        let at = SimTime::from_nanos;
        sheet.begin_busy(at(10));
        sheet.begin_busy(at(15));
        assert_eq!((sheet.busy().as_nanos(), sheet.busy_at(at(17)).as_nanos()), (0, 7));
        sheet.end_busy(at(20));
        sheet.end_busy(at(30));
        assert_eq!((sheet.busy().as_nanos(), sheet.busy_at(at(40)).as_nanos()), (10, 10));
    }
}
