//! Draining: no new work, finish what is there and what was promised, look at every check, leave.
//!
//! What was promised counts: prompts for it that are still computed elsewhere, and KV caches in flight to
//! or from it. `drain_timeout` sends back, or gives up, what is here and what still comes; it does not
//! hurry what is in others' hands, so an instance may outlive its time-out by a prompt or a transfer.

use ebbflow_actors::SimTime;

use super::entity::Instance;
use super::lifecycle::{Drain, Lifecycle};
use super::machinery::Evicted;
use super::residents::Work;
use crate::message::{Message, Return};
use crate::participant::Outbox;
use crate::request::{Rejection, Request};
use crate::results::ScalingEvent;
use crate::scaling::log;
use crate::scenario::DrainTimeoutAction;

impl Instance {
    pub(super) fn begin_drain(
        &mut self,
        now: SimTime,
        since: SimTime,
        expected: u64,
        outbox: &mut Outbox<'_>,
    ) {
        self.lifecycle = Lifecycle::Draining(Drain { since, expected, expired: false });
        if let Some(timeout) = self.birth.drain.timeout {
            outbox.tick_at((since + timeout).max(now), Message::DrainExpires);
        }
        self.check_drain(now, outbox);
    }

    /// Ends a start that is not complete. An ACTIVE instance may have been given work, so it says that
    /// it must be drained. It does not leave before it has been told: nobody may write to it afterwards.
    pub(super) fn cancel_start(&mut self, now: SimTime, since: SimTime, outbox: &mut Outbox<'_>) {
        if let Lifecycle::ScalingUp { activation } = self.lifecycle {
            if let Some(tick) = activation {
                outbox.cancel(tick);
            }
            self.lifecycle = Lifecycle::Draining(Drain { since, expected: 0, expired: false });
            self.leave(now, outbox);
        } else if let Some(manager) = self.birth.manager {
            outbox.send(manager, Message::CancelledTooLate(self.birth.instance));
        }
    }

    /// Nothing here, nothing coming, nothing leaving, and everything ever assigned has been seen.
    fn is_drained(&self, drain: &Drain) -> bool {
        self.arrived == drain.expected
            && self.outgoing == 0
            && self.inbound.is_empty()
            && self.machinery.is_empty()
    }

    pub(super) fn check_drain(&mut self, now: SimTime, outbox: &mut Outbox<'_>) {
        let Lifecycle::Draining(drain) = self.lifecycle else { return };
        if self.is_drained(&drain) {
            self.leave(now, outbox);
        } else {
            outbox.tick_at(drain.next_check(now, self.birth.drain.check_interval), Message::DrainCheck);
        }
    }

    fn leave(&mut self, now: SimTime, outbox: &mut Outbox<'_>) {
        let instance = self.birth.instance;
        // Its scheduler forgot it when it began to drain.
        for witness in [self.birth.manager, Some(self.birth.server_entity)].into_iter().flatten() {
            outbox.send(witness, Message::Drained { instance, at: now });
        }
        let record = Box::new(self.record(Some(now)));
        outbox.send(self.birth.recorder, Message::Departed(self.birth.application, record));
        outbox.stop();
    }

    pub(super) fn drain_expired(&self) -> bool {
        matches!(self.lifecycle, Lifecycle::Draining(Drain { expired: true, .. }))
    }

    /// The drain took too long: whatever is here, or still comes, goes back or is given up.
    pub(super) fn expire_drain(&mut self, now: SimTime, outbox: &mut Outbox<'_>) {
        let Lifecycle::Draining(drain) = &mut self.lifecycle else { return };
        drain.expired = true;
        let evicted = self.machinery.evict_all(now);
        let offers = self.inbound.take_all();
        let detail = format!(
            "the drain took longer than drain_timeout; {} requests are {}",
            evicted.len() + offers.len(),
            match self.birth.drain.timeout_action {
                DrainTimeoutAction::Requeue => "sent back to the scheduler",
                DrainTimeoutAction::Abort => "given up",
            }
        );
        self.note(now, "drain_timeout", detail, outbox);
        for Evicted { request, work, prefill_reported } in evicted {
            self.turn_away(now, request, work, prefill_reported, outbox);
        }
        for offer in offers {
            self.inbound.call_off(&offer, &self.birth, outbox);
            if let Some(bytes) = offer.reserved_bytes {
                self.machinery.cancel_inbound(now, bytes);
            }
            self.release_source(offer.origin, outbox);
            self.turn_away(now, offer.request, Work::DecodeOnly, true, outbox);
        }
    }

    /// What an expired drain does with a request.
    pub(super) fn turn_away(
        &mut self,
        now: SimTime,
        mut request: Box<Request>,
        work: Work,
        prefill_reported: bool,
        outbox: &mut Outbox<'_>,
    ) {
        let (event, reason) = match self.birth.drain.timeout_action {
            DrainTimeoutAction::Requeue => {
                request.journal.requeued += 1;
                ("request_requeued", Return::Requeued)
            }
            DrainTimeoutAction::Abort => ("request_aborted", Return::Rejected(Rejection::DrainTimeout)),
        };
        self.note(now, event, format!("request {}", request.id), outbox);
        self.give_up(request, work, prefill_reported, reason, outbox);
    }

    fn note(&self, time: SimTime, event: &'static str, detail: String, outbox: &mut Outbox<'_>) {
        let target = format!("instance_{}", self.birth.instance);
        let fact = ScalingEvent { time, event, target, detail };
        log::fact(self.birth.application, &fact);
        outbox.send(self.birth.recorder, Message::Noted(self.birth.application, Box::new(fact)));
    }
}
