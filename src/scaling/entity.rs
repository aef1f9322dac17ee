//! The ScalingManager actor: scripted actions, requests of schedulers and policies in; servers,
//! instances, drains and log lines out. It decides nothing itself: policies do, in the autoscaler.

use std::collections::{BTreeMap, VecDeque};

use ebbflow_actors::{EntityId, Group, SimTime};

use super::autoscaler::Autoscaler;
use super::blueprint::Blueprint;
use super::decision::{Decision, DecisionRow, Target};
use super::effect::{Effect, PlannedInstance};
use super::error::ScalingError;
use super::governor::describe;
use super::ids::IdBlock;
use super::log;
use super::metrics::{Input, Sample};
use super::state::ScalingState;
use crate::cluster::Server;
use crate::ids::{ApplicationId, InstanceId, ServerId, Tag};
use crate::instance::Birth;
use crate::message::Message;
use crate::participant::{Outbox, Participant};
use crate::results::ScalingCounts;
use crate::scenario::{Action, Operation};
use crate::vitals::{FleetSize, Vitals};

/// The ScalingManager of one application.
pub struct ScalingManager {
    state: ScalingState,
    addresses: Addresses,
    blueprint: Blueprint,
    book: AddressBook,
    actions: VecDeque<Action>,
    autoscaler: Option<Autoscaler>,
    vitals: Vitals,
    /// What it last said of its fleet there.
    said: FleetSize,
}

/// Where servers and instances are reached.
#[derive(Clone, Debug)]
pub struct AddressBook {
    /// Its servers.
    pub servers: BTreeMap<ServerId, EntityId>,
    /// Its instances.
    pub instances: BTreeMap<InstanceId, EntityId>,
    /// Addresses for those that it starts.
    pub free: IdBlock,
}

/// Whom a manager talks to.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// Itself.
    pub manager: EntityId,
    /// The scheduler of its application.
    pub scheduler: EntityId,
    /// The recorder.
    pub recorder: EntityId,
}

impl std::fmt::Debug for ScalingManager {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ScalingManager").field("state", &self.state).finish_non_exhaustive()
    }
}

impl ScalingManager {
    /// A manager around a state that has adopted the start state, whose entities are in the book.
    pub fn new(state: ScalingState, addresses: Addresses, blueprint: Blueprint, book: AddressBook) -> Self {
        ScalingManager {
            state,
            addresses,
            blueprint,
            book,
            actions: VecDeque::new(),
            autoscaler: None,
            vitals: Vitals::default(),
            said: FleetSize::default(),
        }
    }

    /// The same manager, which performs these actions on time.
    #[must_use]
    pub fn with_actions(self, actions: impl IntoIterator<Item = Action>) -> Self {
        ScalingManager { actions: actions.into_iter().collect(), ..self }
    }

    /// The same manager, which follows these policies, if there are any.
    #[must_use]
    pub fn with_autoscaler(self, autoscaler: Option<Autoscaler>) -> Self {
        ScalingManager { autoscaler, ..self }
    }

    /// The same manager, leaving signs of its fleet's life here.
    #[must_use]
    pub fn watched_in(mut self, vitals: Vitals) -> Self {
        self.vitals = vitals;
        self.show_size();
        self
    }

    /// The name in messages and logs.
    pub fn label(&self) -> String {
        format!("scaling manager of application {}", self.blueprint.application)
    }

    /// Whose manager it is.
    pub fn application(&self) -> ApplicationId {
        self.blueprint.application
    }

    /// The state machine inside.
    pub fn state(&self) -> &ScalingState {
        &self.state
    }

    /// Operations so far.
    pub fn counts(&self) -> ScalingCounts {
        self.state.counts()
    }

    pub(crate) fn start(&mut self, now: SimTime, outbox: &mut Outbox<'_>) {
        self.await_next_action(now, outbox);
        if let Some(autoscaler) = &mut self.autoscaler {
            autoscaler.set_ticks(outbox);
        }
        self.state.refill_warm_pool(now);
        self.carry_out(outbox);
    }

    pub(crate) fn handle(&mut self, now: SimTime, from: EntityId, message: Message, outbox: &mut Outbox<'_>) {
        match message {
            Message::ActionDue => {
                self.perform_due_actions(now);
                self.await_next_action(now, outbox);
            }
            Message::Scale(operation) => self.perform(now, *operation),
            Message::Activated(news) => {
                self.book.instances.insert(news.instance, news.entity);
                self.state.instance_activated(news.at, news.instance);
            }
            Message::CancelledTooLate(instance) => self.state.cancelled_too_late(instance),
            Message::Drained { instance, at } => {
                self.state.instance_drained(at, instance);
                self.book.instances.remove(&instance);
                if let Some(autoscaler) = &mut self.autoscaler {
                    autoscaler.monitor.forget(instance);
                }
            }
            Message::GpusChanged(news) => self.state.gpus_changed(&news),
            Message::ServerUp(server) => self.state.server_is_up(server),
            Message::PlacementRefused { instance, reason } => {
                self.state.placement_refused(now, instance, &reason);
                self.book.instances.remove(&instance);
            }
            Message::ScrapeDue => self.scrape(outbox),
            Message::Scraped(sample) if from != outbox.me() && self.metrics_take_time() => {
                self.pass_on_later(sample, outbox);
            }
            Message::Scraped(sample) => self.record(*sample, outbox),
            Message::Decide(nth) => self.decide(nth, now, outbox),
            other => unreachable!("{from} sent a scaling manager what is not for it: {other:?}"),
        }
        self.carry_out(outbox);
    }

    fn perform_due_actions(&mut self, now: SimTime) {
        while self.actions.front().is_some_and(|action| action.at <= now) {
            if let Some(action) = self.actions.pop_front() {
                self.perform(now, action.operation);
            }
        }
    }

    fn await_next_action(&self, now: SimTime, outbox: &mut Outbox<'_>) {
        if let Some(action) = self.actions.front() {
            outbox.tick_at(action.at.max(now), Message::ActionDue);
        }
    }

    fn perform(&mut self, now: SimTime, operation: Operation) {
        match operation {
            Operation::ScaleUpFull { count, tag, server_sku } => {
                for _ in 0..count {
                    let result = self.state.scale_up_full(now, None, tag, server_sku.as_deref());
                    self.report_scale_up(now, "scale_up_full", tag, result.err());
                }
            }
            Operation::ScaleUpServer { server_sku, count } => {
                for _ in 0..count {
                    if let Err(error) = self.state.scale_up_server(now, server_sku.as_deref()) {
                        self.state.refuse(now, "scale_up_server", &error);
                    }
                }
            }
            Operation::ScaleUpInstance { server, tag, processors } => {
                let result = self.state.scale_up_instance(now, server, None, tag, processors.as_deref());
                self.report_scale_up(now, "scale_up_instance", tag, result.err());
            }
            Operation::ScaleDownFull { instances } => {
                for instance in instances {
                    let result = self.state.scale_down_full(now, instance);
                    let target = format!("instance_{instance}");
                    self.report_scale_down(now, "scale_down_invalid", target, result);
                }
            }
            Operation::ScaleDownInstance { instances } => {
                for instance in instances {
                    let result = self.state.scale_down_instance(now, instance);
                    let target = format!("instance_{instance}");
                    self.report_scale_down(now, "scale_down_invalid", target, result);
                }
            }
            Operation::ScaleDownServer { server } => {
                let result = self.state.scale_down_server(now, server);
                let target = format!("server_{server}");
                self.report_scale_down(now, "scale_down_server_invalid", target, result);
            }
        }
    }

    /// The user's log has no line for a refused scale-up; the reason goes where reasons go.
    fn report_scale_up(&mut self, now: SimTime, what: &str, tag: Option<Tag>, error: Option<ScalingError>) {
        if let Some(error) = error {
            self.state.refuse(now, what, &error);
            self.state.effects.push(Effect::StartFailed(tag));
        }
    }

    fn report_scale_down(
        &mut self,
        now: SimTime,
        line: &'static str,
        target: String,
        result: Result<(), ScalingError>,
    ) {
        if let Err(error) = result {
            self.state.log(now, line, target.clone(), error.logged_status());
            self.state.refuse(now, target, &error);
        }
    }

    /// Asks the scheduler and every ACTIVE instance. Only those: a draining one may be gone when the
    /// question comes, and its metrics are no capacity.
    fn scrape(&mut self, outbox: &mut Outbox<'_>) {
        outbox.send(self.addresses.scheduler, Message::Scrape);
        for (&instance, &entity) in &self.book.instances {
            if self.state.can_schedule_to_instance(instance) {
                outbox.send(entity, Message::Scrape);
            }
        }
        if let Some(autoscaler) = &mut self.autoscaler {
            autoscaler.await_next_scrape(outbox);
        }
    }

    fn metrics_take_time(&self) -> bool {
        self.autoscaler.as_ref().is_some_and(|autoscaler| !autoscaler.delay.is_zero())
    }

    /// The way of an answer through the metrics pipeline: a message to oneself.
    fn pass_on_later(&self, sample: Box<Sample>, outbox: &mut Outbox<'_>) {
        if let Some(autoscaler) = &self.autoscaler {
            outbox.tick(autoscaler.delay, Message::Scraped(sample));
        }
    }

    /// Takes the answer to a scrape. When all work is done, nothing is asked any more.
    fn record(&mut self, sample: Sample, outbox: &mut Outbox<'_>) {
        if let Some(autoscaler) = &mut self.autoscaler
            && autoscaler.record(sample)
        {
            autoscaler.cancel_ticks(outbox);
        }
    }

    /// Asks a policy and does what it wants.
    fn decide(&mut self, nth: usize, now: SimTime, outbox: &mut Outbox<'_>) {
        let Some(autoscaler) = &mut self.autoscaler else { return };
        autoscaler.await_next_decision(nth, outbox);
        let (decision, inputs) = autoscaler.decide(nth, now, &self.state);
        for &target in &decision.targets {
            self.act(nth, now, target, (&decision, &inputs), outbox);
        }
        if let Some(autoscaler) = &mut self.autoscaler
            && autoscaler.governors[nth].is_hold_news(&decision)
        {
            let row = DecisionRow::held(now, autoscaler.governors[nth].name(), &decision, &inputs);
            self.tell(row, outbox);
        }
    }

    fn act(
        &mut self,
        nth: usize,
        now: SimTime,
        target: Target,
        (decision, inputs): (&Decision, &[Input]),
        outbox: &mut Outbox<'_>,
    ) {
        let Some(autoscaler) = &mut self.autoscaler else { return };
        let pool = self.state.pool(target.tag);
        let target = self.state.bounded(target);
        let monitor = &autoscaler.monitor;
        let outcome = self.state.follow(now, target, |instance| monitor.load(instance));
        let governor = &mut autoscaler.governors[nth];
        if governor.is_news(&target) || !outcome.is_nothing() {
            let row = DecisionRow {
                time: now,
                policy: governor.name(),
                pool: Some(pool),
                inputs: describe(inputs),
                raw: target.raw,
                limited_by: target.limited_by,
                wanted: Some(target.wanted),
                reason: decision.reason.clone(),
                outcome: outcome.to_string(),
            };
            self.tell(row, outbox);
        }
    }

    fn tell(&self, row: DecisionRow, outbox: &mut Outbox<'_>) {
        log::decision(self.blueprint.application, &row);
        outbox.send(self.addresses.recorder, Message::Decided(self.blueprint.application, Box::new(row)));
    }

    fn carry_out(&mut self, outbox: &mut Outbox<'_>) {
        let effects = self.state.take_effects();
        // Whatever changes the fleet is written down, which is an effect.
        if !effects.is_empty() {
            self.show_size();
        }
        for effect in effects {
            self.carry_out_one(effect, outbox);
        }
    }

    fn show_size(&mut self) {
        let ScalingManager { vitals, said, state, .. } = self;
        vitals.fleet(said, || state.pools().into_iter().collect());
    }

    fn carry_out_one(&mut self, effect: Effect, outbox: &mut Outbox<'_>) {
        let application = self.blueprint.application;
        let Addresses { manager, scheduler, recorder } = self.addresses;
        match effect {
            Effect::StartServer { server, sku, up_at, first } => {
                let entity = EntityId(self.book.free.issue());
                self.book.servers.insert(server, entity);
                let first = first.map(|planned| Box::new(self.birth(planned, entity)));
                let participant = Server::booting(server, sku.gpus, manager, up_at, first);
                outbox.spawn(entity, Group(server.0 + 1), Participant::Server(Box::new(participant)));
            }
            Effect::Place(planned) => {
                if let Some(&server) = self.book.servers.get(&planned.server) {
                    let birth = Box::new(self.birth(planned, server));
                    outbox.send(server, Message::Place(birth));
                }
            }
            Effect::Drain { instance, since } => {
                if let Some(&entity) = self.book.instances.get(&instance) {
                    let lag = outbox.lookahead() + self.state.routing_stop_lag();
                    outbox.send_after(scheduler, lag, Message::StopRouting { instance, entity, since });
                }
            }
            Effect::CancelStart { instance, server, since } => {
                let addresses = self.book.servers.get(&server).zip(self.book.instances.get(&instance));
                if let Some((&server, &entity)) = addresses {
                    outbox.send(server, Message::CancelStart { instance, entity, since });
                }
            }
            Effect::StartFailed(tag) => outbox.send(scheduler, Message::ScaleUpRefused(tag)),
            Effect::RemoveServer(server) => {
                if let Some(entity) = self.book.servers.remove(&server) {
                    outbox.send(entity, Message::RemoveServer);
                }
            }
            Effect::Log(line) => {
                log::operation(application, &line);
                outbox.send(recorder, Message::Logged(application, Box::new(line)));
            }
            Effect::Note(fact) => {
                log::fact(application, &fact);
                outbox.send(recorder, Message::Noted(application, Box::new(fact)));
            }
        }
    }

    fn birth(&mut self, planned: PlannedInstance, server: EntityId) -> Birth {
        let entity = EntityId(self.book.free.issue());
        self.book.instances.insert(planned.instance, entity);
        let Addresses { manager, scheduler, recorder } = self.addresses;
        self.blueprint.birth(planned, entity, server, (scheduler, Some(manager), recorder))
    }
}
