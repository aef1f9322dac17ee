//! The instance actor: takes work, runs it, hands caches over, activates and drains.

use ebbflow_actors::{EntityId, SimDuration, SimTime, TickId};

use super::batcher::Finished;
use super::birth::Birth;
use super::inbound::{IDLE_RETRIES_BEFORE_RECOMPUTE, Inbound, Offer, RETRY_INTERVAL};
use super::lifecycle::{InstanceStatus, Lifecycle};
use super::machinery::Machinery;
use super::residents::Work;
use crate::hot_log;
use crate::ids::RequestId;
use crate::message::{CacheOffer, CacheOrigin, DecodeTarget, Dues, Message, Return};
use crate::participant::Outbox;
use crate::request::{Rejection, Request, Stage};
use crate::results::InstanceRecord;
use crate::scaling::metrics::{InstanceSample, Sample};
use crate::transfer::Transfer;

/// A serving instance.
#[derive(Debug)]
pub struct Instance {
    pub(super) birth: Birth,
    pub(super) lifecycle: Lifecycle,
    pub(super) machinery: Machinery,
    pub(super) inbound: Inbound,
    /// Caches that have left the batcher but still occupy memory here.
    pub(super) outgoing: u32,
    /// Requests that came, to be compared with those assigned when a drain wants to end.
    pub(super) arrived: u64,
    pub(super) active_since: Option<SimTime>,
    run_end: Option<(SimTime, TickId)>,
    queue_reported_empty: bool,
}

impl Instance {
    /// An instance as its birth certificate says; its life begins with its first event.
    pub fn new(birth: Birth) -> Self {
        Instance {
            lifecycle: Lifecycle::ScalingUp { activation: None },
            machinery: Machinery::new(&birth),
            inbound: Inbound::default(),
            outgoing: 0,
            arrived: 0,
            active_since: None,
            run_end: None,
            queue_reported_empty: true,
            birth,
        }
    }

    /// The name in messages and logs.
    pub fn label(&self) -> String {
        format!("instance_{} of application {}", self.birth.instance, self.birth.application)
    }

    /// What it was born with.
    pub fn birth(&self) -> &Birth {
        &self.birth
    }

    /// Where it stands in its life.
    pub fn status(&self) -> InstanceStatus {
        match self.lifecycle {
            Lifecycle::ScalingUp { .. } => InstanceStatus::ScalingUp,
            Lifecycle::Active => InstanceStatus::Active,
            Lifecycle::Draining(_) => InstanceStatus::Draining,
        }
    }

    /// Memory in use, weights included, and available, in bytes.
    pub fn memory_bytes(&self, now: SimTime) -> (u64, u64) {
        self.machinery.memory_bytes(now)
    }

    pub(crate) fn start(&mut self, now: SimTime, outbox: &mut Outbox<'_>) {
        match self.birth.ready_at {
            None => self.become_active(now),
            Some(ready_at) => {
                let activation = Some(outbox.tick_at(ready_at.max(now), Message::Activate));
                self.lifecycle = Lifecycle::ScalingUp { activation };
            }
        }
    }

    pub(crate) fn handle(&mut self, now: SimTime, from: EntityId, message: Message, outbox: &mut Outbox<'_>) {
        match message {
            Message::Activate => self.activate(now, outbox),
            Message::Serve { request, decode } => {
                self.serve(now, request, decode.map(|target| *target), outbox)
            }
            Message::RunEnds => self.finish_run(now, outbox),
            Message::OfferCache { request, offer } => {
                self.arrived += 1;
                self.consider_offer(now, request, *offer, outbox);
            }
            Message::RetryTransfer(request) => self.retry_transfer(now, request, outbox),
            Message::TransferEnds(request) => self.end_transfer(now, request, outbox),
            Message::CacheMoved { held_bytes } => {
                self.outgoing -= 1;
                self.machinery.free(now, held_bytes);
            }
            Message::Withdrawn => self.arrived += 1,
            Message::Drain { since, expected } => self.begin_drain(now, since, expected, outbox),
            Message::CancelStart { since, .. } => self.cancel_start(now, since, outbox),
            Message::DrainCheck => self.check_drain(now, outbox),
            Message::DrainExpires => self.expire_drain(now, outbox),
            Message::Scrape => {
                let sample = Box::new(Sample::Instance(self.show(now)));
                outbox.send(from, Message::Scraped(sample));
            }
            other => unreachable!("{from} sent an instance what is not for instances: {other:?}"),
        }
        self.settle(now, outbox);
    }

    fn activate(&mut self, now: SimTime, outbox: &mut Outbox<'_>) {
        self.become_active(now);
        let introduction = Box::new(self.birth.introduction(now));
        if let Some(manager) = self.birth.manager {
            outbox.send(manager, Message::Activated(introduction.clone()));
        }
        outbox.send(self.birth.scheduler, Message::Activated(introduction));
    }

    fn become_active(&mut self, now: SimTime) {
        self.lifecycle = Lifecycle::Active;
        self.active_since = Some(now);
    }

    fn serve(
        &mut self,
        now: SimTime,
        request: Box<Request>,
        decode: Option<DecodeTarget>,
        outbox: &mut Outbox<'_>,
    ) {
        debug_assert!(!matches!(self.lifecycle, Lifecycle::ScalingUp { .. }), "work before ACTIVE");
        self.arrived += 1;
        let work = match decode {
            Some(target) => Work::PrefillFor(target),
            None if request.output_tokens == 1 => Work::PrefillOnly,
            None => Work::Whole,
        };
        if self.drain_expired() {
            self.turn_away(now, request, work, false, outbox);
        } else if !self.machinery.could_ever_hold(&request, work) {
            self.give_up(request, work, false, Return::Rejected(Rejection::TooLarge), outbox);
        } else {
            self.machinery.arrive(now, request, work, 0);
        }
    }

    /// Sends a request back to the scheduler; a decode instance that expected it is told.
    pub(super) fn give_up(
        &mut self,
        request: Box<Request>,
        work: Work,
        prefill_reported: bool,
        reason: Return,
        outbox: &mut Outbox<'_>,
    ) {
        let instance = self.birth.instance;
        let decode_at = match work {
            Work::PrefillFor(target) => {
                outbox.send(target.entity, Message::Withdrawn);
                target.instance
            }
            Work::Whole | Work::PrefillOnly | Work::DecodeOnly => instance,
        };
        let dues = Dues { instance, prefill_open: !prefill_reported, decode_at };
        outbox.send(self.birth.scheduler, Message::Returned { request, reason, dues });
    }

    fn finish_run(&mut self, now: SimTime, outbox: &mut Outbox<'_>) {
        self.run_end = None;
        if let Some(run) = self.machinery.run() {
            hot_log::batch(now, &self.birth, run);
        }
        if self.birth.debug {
            let row = self.iteration_row(now);
            outbox.send(self.birth.recorder, Message::Iterated(self.birth.application, row));
        }
        let Instance { birth, machinery, outgoing, .. } = self;
        machinery.finish_run(now, |task| report_finished(birth, outgoing, task, outbox));
        if self.birth.reports.queue && self.machinery.is_empty() {
            outbox.send(self.birth.scheduler, Message::Idle(self.birth.instance));
        }
    }

    fn consider_offer(
        &mut self,
        now: SimTime,
        request: Box<Request>,
        offer: CacheOffer,
        outbox: &mut Outbox<'_>,
    ) {
        if self.drain_expired() || !self.machinery.could_ever_hold(&request, Work::DecodeOnly) {
            self.release_source(offer.origin, outbox);
            if self.drain_expired() {
                self.turn_away(now, request, Work::DecodeOnly, true, outbox);
            } else {
                let reason = Return::Rejected(Rejection::TooLarge);
                self.give_up(request, Work::DecodeOnly, true, reason, outbox);
            }
            return;
        }
        let tick = outbox.tick(RETRY_INTERVAL, Message::RetryTransfer(request.id));
        self.try_transfer(now, Offer::new(request, offer, tick), outbox);
    }

    /// Starts the transfer if there is room; else the pending retry stays.
    fn try_transfer(&mut self, now: SimTime, mut offer: Offer, outbox: &mut Outbox<'_>) {
        offer.reserved_bytes = self.machinery.reserve_inbound(now, &offer.request);
        if offer.reserved_bytes.is_some() {
            let leg = self.machinery.timesheet().begin_leg(now);
            offer.request.journal.transfer.get_or_insert(leg);
            self.inbound.set_out(&mut offer, &self.birth, outbox);
        }
        self.inbound.insert(offer);
    }

    fn retry_transfer(&mut self, now: SimTime, request: RequestId, outbox: &mut Outbox<'_>) {
        let Some(mut offer) = self.inbound.remove(request) else { return };
        let idle = self.machinery.run().is_none() && !self.inbound.is_moving();
        offer.idle_retries = if idle { offer.idle_retries + 1 } else { 0 };
        if idle && offer.idle_retries > IDLE_RETRIES_BEFORE_RECOMPUTE {
            self.release_source(offer.origin, outbox);
            offer.request.journal.recomputed += 1;
            self.machinery.arrive(now, offer.request, Work::Whole, 0);
            return;
        }
        offer.tick = outbox.tick(RETRY_INTERVAL, Message::RetryTransfer(request));
        offer.head_start = SimDuration::ZERO;
        self.try_transfer(now, offer, outbox);
    }

    fn end_transfer(&mut self, now: SimTime, request: RequestId, outbox: &mut Outbox<'_>) {
        let Some(mut offer) = self.inbound.arrived(request) else { return };
        if let Some(leg) = &mut offer.request.journal.transfer {
            leg.end.get_or_insert(now);
        }
        self.release_source(offer.origin, outbox);
        let held_bytes = offer.reserved_bytes.unwrap_or(0);
        self.machinery.arrive(now, offer.request, Work::DecodeOnly, held_bytes);
    }

    /// The cache is, or will be, here: its memory at the origin is free.
    pub(super) fn release_source(&self, origin: CacheOrigin, outbox: &mut Outbox<'_>) {
        let CacheOrigin { instance: source, entity, held_bytes } = origin;
        outbox.send(entity, Message::CacheMoved { held_bytes });
        let target = self.birth.instance;
        let news = Message::CacheTransferred { source, target, held_bytes };
        outbox.send(self.birth.scheduler, news);
    }

    /// After every event: resolve a standstill, set the tick of the run's end, report the queue.
    fn settle(&mut self, now: SimTime, outbox: &mut Outbox<'_>) {
        if self.outgoing == 0 && !self.inbound.is_moving() {
            self.machinery.break_standstill(now);
        }
        let end = self.machinery.run_end();
        if end != self.run_end.map(|(end, _)| end) {
            if let Some((_, tick)) = self.run_end.take() {
                outbox.cancel(tick);
            }
            self.run_end = end.map(|end| (end, outbox.tick_at(end, Message::RunEnds)));
        }
        let empty = self.machinery.is_queue_empty();
        if self.birth.reports.queue && empty != self.queue_reported_empty {
            self.queue_reported_empty = empty;
            let instance = self.birth.instance;
            outbox.send(self.birth.scheduler, Message::QueueChanged { instance, empty });
        }
    }

    /// The answer to a scrape.
    fn show(&self, now: SimTime) -> InstanceSample {
        let standing = self.machinery.standing();
        let (memory_bytes, capacity_bytes) = self.machinery.memory_bytes(now);
        InstanceSample {
            at: now,
            instance: self.birth.instance,
            tag: self.birth.tag,
            running: standing.running,
            waiting: standing.waiting + self.inbound.requests().count() as u32,
            waiting_prompt_tokens: standing.waiting_prompt_tokens,
            memory_bytes,
            capacity_bytes,
            weights_bytes: self.birth.weights_bytes,
            kv_bytes_per_token: self.birth.kv_bytes_per_token,
            busy: self.machinery.timesheet().busy_at(now),
        }
    }

    /// Its life so far, as a record.
    pub fn record(&self, removed: Option<SimTime>) -> InstanceRecord {
        InstanceRecord {
            id: self.birth.instance,
            server: self.birth.server,
            sku: self.birth.sku.to_string(),
            gpu: self.birth.gpu.to_string(),
            processors: self.birth.processors.clone(),
            tag: self.birth.tag,
            created: self.birth.created,
            active: self.active_since,
            draining: match self.lifecycle {
                Lifecycle::Draining(drain) => Some(drain.since),
                _ => None,
            },
            removed,
            busy: self.machinery.timesheet().busy(),
            tasks_completed: self.machinery.timesheet().tasks_completed(),
            engine: self.machinery.statistics().cloned().map(Box::new),
            phases: self.machinery.timesheet().phases(),
        }
    }

    /// The requests it holds when the run ends, with where they stand, by arrival.
    pub fn unfinished(&self) -> Vec<(Stage, Request)> {
        let here = self.machinery.unfinished().into_iter();
        let here = here.map(|(stage, request)| (stage, request.clone()));
        let coming = self.inbound.requests().map(|request| (Stage::Transfer, request.clone()));
        here.chain(coming).collect()
    }
}

/// Tells the scheduler what came of a task, and sends a KV cache on its way.
fn report_finished(birth: &Birth, outgoing: &mut u32, task: Finished, outbox: &mut Outbox<'_>) {
    let instance = birth.instance;
    match task {
        Finished::Prefilled { prompt_tokens, arrival } => {
            let ttft = outbox.now() - arrival;
            let news = Message::Prefilled { instance, prompt_tokens, ttft, moves: false };
            outbox.send(birth.scheduler, news);
        }
        Finished::HandOver { request, target, held_bytes } => {
            *outgoing += 1;
            let prompt_tokens = request.prompt_tokens;
            let ttft = outbox.now() - request.arrival;
            let news = Message::Prefilled { instance, prompt_tokens, ttft, moves: true };
            outbox.send(birth.scheduler, news);
            let origin = CacheOrigin { instance, entity: outbox.me(), held_bytes };
            let transfer = birth.port.map_or(Transfer::Private(target.transfer), Transfer::Linked);
            let offer = Box::new(CacheOffer { transfer, origin });
            outbox.send(target.entity, Message::OfferCache { request, offer });
        }
        Finished::Completed { request, prefill_reported } => {
            let dues = Dues { instance, prefill_open: !prefill_reported, decode_at: instance };
            let reason = Return::Completed;
            outbox.send(birth.scheduler, Message::Returned { request, reason, dues });
        }
    }
}
