//! The scheduler actor: routes arrivals, keeps the books, lets requests wait.

use std::collections::VecDeque;

use ebbflow_actors::{EntityId, SimTime};

use super::fleet::Fleet;
use super::gateway::Gateway;
use super::routing::{Completion, PolicyTraits, Route, RoutingContext, RoutingPolicy};
use crate::hot_log;
use crate::ids::{ApplicationId, InstanceId};
use crate::instance::{Introduction, Reports};
use crate::message::{DecodeTarget, Dues, Message, Return};
use crate::participant::Outbox;
use crate::request::{Fate, Request};
use crate::results::EndedRequest;
use crate::scaling::metrics::{GatewaySample, Sample};
use crate::scenario::ModelSpec;
use crate::workload::Answer;

/// The scheduler of one application.
#[derive(Debug)]
pub struct Scheduler {
    application: ApplicationId,
    policy: Box<dyn RoutingPolicy>,
    fleet: Fleet,
    /// Requests nobody could take yet, by arrival.
    waiting: VecDeque<Box<Request>>,
    manager: Option<EntityId>,
    recorder: EntityId,
    /// The workload, if it waits for answers.
    listener: Option<EntityId>,
    gateway: Gateway,
    routed_not_returned: u64,
    workload_ended: bool,
}

impl Scheduler {
    /// A scheduler over the instances that are ACTIVE from the start. `scraped`: its manager will ask for
    /// latencies.
    pub fn new(
        application: ApplicationId,
        policy: Box<dyn RoutingPolicy>,
        model: ModelSpec,
        manager: Option<EntityId>,
        (recorder, scraped): (EntityId, bool),
        start_state: &[Introduction],
    ) -> Self {
        let PolicyTraits { pooling, metrics, .. } = policy.traits();
        let mut fleet = Fleet::new(model, pooling, metrics);
        for introduction in start_state {
            fleet.add(introduction);
        }
        Scheduler {
            application,
            policy,
            fleet,
            waiting: VecDeque::new(),
            manager,
            recorder,
            listener: None,
            gateway: Gateway::new(scraped),
            routed_not_returned: 0,
            workload_ended: false,
        }
    }

    /// The same scheduler, telling this entity of every request that ends.
    #[must_use]
    pub fn answering(mut self, listener: Option<EntityId>) -> Self {
        self.listener = listener;
        self
    }

    /// What instances must report to a scheduler with this policy.
    pub fn reports(policy: &dyn RoutingPolicy) -> Reports {
        Reports { queue: policy.traits().watches_queues }
    }

    /// The name in messages and logs.
    pub fn label(&self) -> String {
        format!("scheduler of application {}", self.application)
    }

    /// The instances it may send work to.
    pub fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    /// Requests that wait here, by arrival.
    pub fn waiting(&self) -> impl Iterator<Item = &Request> {
        self.waiting.iter().map(|request| &**request)
    }

    pub(crate) fn start(&mut self, _: SimTime, _: &mut Outbox<'_>) {}

    pub(crate) fn handle(&mut self, now: SimTime, from: EntityId, message: Message, outbox: &mut Outbox<'_>) {
        match message {
            Message::Arrival(request) => self.arrival(now, request, outbox),
            Message::WorkloadEnded => self.workload_ended = true,
            Message::Prefilled { instance, prompt_tokens, ttft, moves } => {
                self.gateway.first_token(now, ttft);
                self.fleet.prefilled(instance, prompt_tokens, moves);
                self.serve_waiting(now, outbox);
            }
            Message::CacheTransferred { source, target, held_bytes } => {
                self.fleet.cache_moved(source, target, held_bytes);
                self.serve_waiting(now, outbox);
            }
            Message::Returned { request, reason, dues } => self.returned(now, request, reason, dues, outbox),
            Message::QueueChanged { instance, empty } => self.fleet.set_queue_empty(instance, empty),
            Message::Idle(instance) => self.policy.idle(instance, &mut self.fleet),
            Message::Activated(introduction) => self.on_instance_available(now, &introduction, outbox),
            Message::StopRouting { instance, entity, since } => {
                let expected = self.fleet.remove(instance).map_or(0, |known| known.assigned);
                self.policy.left(instance);
                outbox.send(entity, Message::Drain { since, expected });
            }
            Message::ScaleUpRefused(tag) => self.policy.scale_up_refused(tag),
            Message::Scrape => {
                let sample = Box::new(self.show(now));
                outbox.send(from, Message::Scraped(sample));
            }
            other => unreachable!("{from} sent a scheduler what is not for schedulers: {other:?}"),
        }
    }

    fn arrival(&mut self, now: SimTime, request: Box<Request>, outbox: &mut Outbox<'_>) {
        self.gateway.arrived(&request);
        self.waiting.push_back(request);
        if self.waiting.len() == 1 {
            self.serve_waiting(now, outbox);
        } else if let Some(request) = self.waiting.back_mut() {
            request.journal.first_refusal.get_or_insert(now);
        }
    }

    fn on_instance_available(&mut self, now: SimTime, newcomer: &Introduction, outbox: &mut Outbox<'_>) {
        self.fleet.add(newcomer);
        self.policy.joined(newcomer.instance, &mut self.fleet);
        self.serve_waiting(now, outbox);
    }

    /// Routes waiting requests in order of arrival until one must go on waiting.
    fn serve_waiting(&mut self, now: SimTime, outbox: &mut Outbox<'_>) {
        while let Some(request) = self.waiting.front_mut() {
            let mut context = RoutingContext::at(now);
            let route = self.policy.route(request, &mut self.fleet, &mut context);
            if let Some(manager) = self.manager {
                for operation in context.operations {
                    outbox.send(manager, Message::Scale(Box::new(operation)));
                }
            }
            let Some(route) = route else {
                request.journal.first_refusal.get_or_insert(now);
                return;
            };
            if let Some(request) = self.waiting.pop_front() {
                self.dispatch(now, request, route, outbox);
            }
        }
    }

    fn dispatch(&mut self, now: SimTime, mut request: Box<Request>, route: Route, outbox: &mut Outbox<'_>) {
        request.journal.scheduled = Some(now);
        self.routed_not_returned += 1;
        let (prefill, decode) = match route {
            Route::Split { prefill, decode, bandwidth_gib_per_s }
                if prefill != decode && request.output_tokens > 1 =>
            {
                self.fleet.charge_split(prefill, decode, &request);
                (prefill, self.decode_target(decode, &request, bandwidth_gib_per_s))
            }
            Route::Split { prefill: instance, .. } | Route::Together(instance) => {
                self.fleet.charge_together(instance, &request);
                (instance, None)
            }
        };
        hot_log::routed(now, &request, prefill, decode.as_ref().map(|target| target.instance));
        let prefill = self.fleet.get(prefill).expect("policies choose from the fleet's pools");
        outbox.send(prefill.entity, Message::Serve { request, decode });
    }

    fn decode_target(
        &self,
        instance: InstanceId,
        request: &Request,
        bandwidth_gib_per_s: f64,
    ) -> Option<Box<DecodeTarget>> {
        let entity = self.fleet.get(instance)?.entity;
        let bytes = self.fleet.model().kv_bytes(request.batch_size, u64::from(request.prompt_tokens));
        let transfer = crate::transfer::transfer_time(bytes, bandwidth_gib_per_s);
        Some(Box::new(DecodeTarget { instance, entity, transfer }))
    }

    fn returned(
        &mut self,
        now: SimTime,
        request: Box<Request>,
        reason: Return,
        dues: Dues,
        outbox: &mut Outbox<'_>,
    ) {
        self.routed_not_returned -= 1;
        self.fleet.close(dues, &request);
        match reason {
            Return::Completed => {
                if dues.prefill_open
                    && let Some(leg) = request.journal.prefill
                {
                    self.gateway.first_token(now, leg.end.unwrap_or(now) - request.arrival);
                }
                self.gateway.completed(now, &request);
                if let (Some(ttft_s), Some(tbt_s)) = (request.ttft_s(), request.tbt_s()) {
                    let prompt_tokens = request.prompt_tokens;
                    self.policy.completed(&Completion { prompt_tokens, ttft_s, tbt_s });
                }
                self.file(request, Fate::Completed, outbox);
            }
            Return::Rejected(rejection) => self.file(request, Fate::Rejected(rejection), outbox),
            Return::Requeued => {
                let later = self.waiting.partition_point(|waiting| waiting.arrival <= request.arrival);
                self.waiting.insert(later, request);
            }
        }
        self.serve_waiting(now, outbox);
    }

    fn file(&self, request: Box<Request>, fate: Fate, outbox: &mut Outbox<'_>) {
        hot_log::ended(outbox.now(), &request, &fate);
        if let Some(listener) = self.listener {
            let at = request.completion().unwrap_or(outbox.now());
            let completed = fate == Fate::Completed;
            outbox.send(listener, Message::Answered(Box::new(Answer { request: request.id, at, completed })));
        }
        outbox.send(self.recorder, Message::Ended(EndedRequest { request, fate }));
    }

    /// The answer to a scrape.
    fn show(&mut self, now: SimTime) -> Sample {
        let waiting_prompt_tokens = self.waiting.iter().map(|request| u64::from(request.prompt_tokens)).sum();
        Sample::Gateway(GatewaySample {
            waiting: self.waiting.len() as u64,
            waiting_prompt_tokens,
            in_service: self.routed_not_returned,
            workload_ended: self.workload_ended,
            ..self.gateway.scrape(now)
        })
    }
}
