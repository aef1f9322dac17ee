//! The loop that scales by itself: scrape, observe, decide. What a decision sets off is in `acting`.

use ebbflow_actors::{SimDuration, SimTime, TickId};

use super::decision::Decision;
use super::governor::Governor;
use super::metrics::{Input, Monitor, Observation, Sample};
use super::state::ScalingState;
use crate::message::Message;
use crate::participant::Outbox;
use crate::slo::Slo;

/// The policies of an application with the metrics they see.
#[derive(Debug)]
pub struct Autoscaler {
    pub(super) governors: Vec<Governor>,
    pub(super) monitor: Monitor,
    /// Between two scrapes, > 0.
    scrape_interval: SimDuration,
    /// From an answer to the moment it can be seen.
    pub(super) delay: SimDuration,
    next_scrape: Option<TickId>,
    slo: Option<Slo>,
}

impl Autoscaler {
    /// These policies, over metrics scraped every `scrape_interval`, which is above zero, and seen `delay` later.
    pub fn new(
        governors: Vec<Governor>,
        (scrape_interval, delay): (SimDuration, SimDuration),
        slo: Option<Slo>,
    ) -> Self {
        let look_back = governors.iter().map(Governor::look_back).max().unwrap_or_default();
        let monitor = Monitor::new(look_back.max(scrape_interval));
        Autoscaler { governors, monitor, scrape_interval, delay, next_scrape: None, slo }
    }

    /// Takes a sample; true when all work is done, and there is nothing left to decide.
    pub(super) fn record(&mut self, sample: Sample) -> bool {
        self.monitor.record(sample);
        self.monitor.latest().is_some_and(|newest| newest.is_over())
    }

    /// Sets the first tick of everything that comes again and again.
    pub(super) fn set_ticks(&mut self, outbox: &mut Outbox<'_>) {
        self.await_next_scrape(outbox);
        for nth in 0..self.governors.len() {
            self.await_next_decision(nth, outbox);
        }
    }

    pub(super) fn await_next_scrape(&mut self, outbox: &mut Outbox<'_>) {
        self.next_scrape = Some(outbox.tick(self.scrape_interval, Message::ScrapeDue));
    }

    pub(super) fn await_next_decision(&mut self, nth: usize, outbox: &mut Outbox<'_>) {
        let governor = &mut self.governors[nth];
        governor.next = Some(outbox.tick(governor.interval(), Message::Decide(nth)));
    }

    pub(super) fn cancel_ticks(&mut self, outbox: &mut Outbox<'_>) {
        let decisions = self.governors.iter_mut().filter_map(|governor| governor.next.take());
        for tick in decisions.chain(self.next_scrape.take()) {
            outbox.cancel(tick);
        }
    }

    /// What the `nth` policy wants, and what it saw.
    pub(super) fn decide(
        &mut self,
        nth: usize,
        now: SimTime,
        state: &ScalingState,
    ) -> (Decision, Vec<Input>) {
        let members = state.members();
        let seen = Observation::new(now, &members, &self.monitor).with_slo(self.slo.as_ref());
        self.governors[nth].decide(seen, state.startup_delay())
    }
}
