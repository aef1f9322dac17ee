//! The baseline: one awaited actix message per event, on one arbiter, driven by one heap.
//!
//! This is what anyone would write first. It is here to be measured against, and to show that the actors runner
//! computes the same.

use std::marker::PhantomData;
use std::sync::Arc;

use actix::{Actor, Addr, Context, Handler, Message, MessageResult, System};

use crate::agenda::Agenda;
use crate::config::Rules;
use crate::entity::Entity;
use crate::event::Event;
use crate::fault::Fault;
use crate::harvest::Harvest;
use crate::host::{Departed, Host, Stage};
use crate::inbox::{nobody_home, take_birth};
use crate::pulse::Pulse;
use crate::run::Member;
use crate::time::SimTime;
use crate::watch::Reporter;

pub(crate) fn run<E: Entity>(
    population: Vec<Member<E>>,
    rules: &Rules,
    pulse: &Arc<Pulse>,
    reporter: &Reporter<E>,
) {
    let harvest = System::new().block_on(drive(population, rules, pulse));
    // A reply that never came is a lost arbiter: no report.
    if let Ok(harvest) = harvest {
        reporter.report(harvest);
    }
}

async fn drive<E: Entity>(
    population: Vec<Member<E>>,
    rules: &Rules,
    pulse: &Arc<Pulse>,
) -> Result<Harvest<E>, actix::MailboxError> {
    let mut agenda = Agenda::new(rules);
    let mut cast = Cast { actors: Vec::new(), rules: rules.clone(), pulse: Arc::clone(pulse) };
    for Member { id, group, entity } in population {
        agenda.settle(id, group);
        cast.take(Host::initial(id, entity));
    }
    let mut harvest = Harvest::default();
    let mut inbox = Vec::new();
    while let Some(due) = agenda.next(rules, &mut inbox) {
        if rules.interrupted() {
            harvest.interrupted = true;
            harvest.leftovers.append(&mut inbox);
            break;
        }
        rules.report(Some(due.time), 1);
        if let Some(newborn) = take_birth(&mut inbox) {
            cast.take(newborn);
        }
        let Some(actor) = &cast.actors[due.entity.index()] else {
            if let Err(fault) = nobody_home(inbox.drain(..)) {
                harvest.faults.push(*fault);
                break;
            }
            continue;
        };
        harvest.envelopes += 1;
        let attend = Attend { inbox: std::mem::take(&mut inbox), horizon: due.horizon() };
        let mut reply = actor.send(attend).await?;
        inbox = reply.inbox;
        if let Some(departed) = reply.departed {
            harvest.departed.push(departed);
            cast.actors[due.entity.index()] = None;
        }
        let filed = agenda.file(due.time, rules, &mut reply.sent);
        match reply.handled.and_then(|wake| filed.map(|()| wake)) {
            Ok(wake) => wake.into_iter().for_each(|time| agenda.wake(due.entity, time)),
            Err(fault) => {
                harvest.faults.push(*fault);
                break;
            }
        }
    }
    for actor in cast.actors.into_iter().flatten() {
        harvest.hosts.extend(actor.send(ComeHome(PhantomData)).await?);
    }
    harvest.windows = agenda.windows();
    harvest.leftovers.extend(agenda.into_leftovers());
    Ok(harvest)
}

/// The actors by id; empty where nobody is born yet or somebody has left.
struct Cast<E: Entity> {
    actors: Vec<Option<Addr<NaiveActor<E>>>>,
    rules: Rules,
    pulse: Arc<Pulse>,
}

impl<E: Entity> Cast<E> {
    fn take(&mut self, host: Host<E>) {
        let place = host.id().index();
        if place >= self.actors.len() {
            self.actors.resize_with(place + 1, || None);
        }
        let (rules, pulse) = (self.rules.clone(), Arc::clone(&self.pulse));
        self.actors[place] = Some(NaiveActor { host: Some(host), rules, pulse }.start());
    }
}

struct NaiveActor<E: Entity> {
    host: Option<Host<E>>,
    rules: Rules,
    pulse: Arc<Pulse>,
}

/// Handle what is due at one moment.
struct Attend<E: Entity> {
    inbox: Vec<Event<E>>,
    horizon: SimTime,
}

struct Reply<E: Entity> {
    /// When the entity must be looked at again.
    handled: Result<Option<SimTime>, Box<Fault>>,
    sent: Vec<Event<E>>,
    departed: Option<Departed>,
    /// The emptied buffer of the inbox.
    inbox: Vec<Event<E>>,
}

/// Hand the entity back.
struct ComeHome<E>(PhantomData<E>);

impl<E: Entity> Message for Attend<E> {
    type Result = Reply<E>;
}

impl<E: Entity> Message for ComeHome<E> {
    type Result = Option<Host<E>>;
}

/// Actix asks for it, and nothing inside is ever pinned.
impl<E: Entity> Unpin for NaiveActor<E> {}

impl<E: Entity> Actor for NaiveActor<E> {
    type Context = Context<Self>;
}

impl<E: Entity> Handler<Attend<E>> for NaiveActor<E> {
    type Result = MessageResult<Attend<E>>;

    fn handle(&mut self, mut attend: Attend<E>, _: &mut Context<Self>) -> Self::Result {
        let mut sent = Vec::new();
        let mut departed = None;
        let mut handled = Ok(None);
        if let Some(host) = &mut self.host {
            let mut stage = Stage { rules: &self.rules, pulse: &self.pulse, sink: &mut sent };
            handled = host.step(attend.inbox.drain(..), attend.horizon, &mut stage);
        }
        if let Some(host) = self.host.take_if(|host| host.stopped() && handled.is_ok()) {
            match host.depart() {
                Ok(gone) => departed = Some(gone),
                Err(fault) => handled = Err(fault),
            }
        }
        MessageResult(Reply { handled, sent, departed, inbox: attend.inbox })
    }
}

impl<E: Entity> Handler<ComeHome<E>> for NaiveActor<E> {
    type Result = MessageResult<ComeHome<E>>;

    fn handle(&mut self, _: ComeHome<E>, _: &mut Context<Self>) -> Self::Result {
        MessageResult(self.host.take())
    }
}
