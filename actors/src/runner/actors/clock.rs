//! The clock: one replica per arbiter, all of them walking through the same windows.

use std::rc::Rc;

use actix::{Actor, Addr, AsyncContext, Context, Handler, Message, System};

use super::entity_actor::{EntityActor, Finish, Step};
use super::exchange::{Exchange, Vote};
use super::grouping::Grouping;
use super::local::Local;
use super::wheel::Wheel;
use crate::directory::{Announcement, Directory};
use crate::entity::Entity;
use crate::event::{Body, Event};
use crate::harvest::Harvest;
use crate::host::Host;
use crate::run::Member;
use crate::time::SimTime;
use crate::watch::Reporter;

/// Owns simulated time on one arbiter: opens a window, delivers what is due, waits until all is quiet, meets
/// the other replicas, and opens the next. The leader, replica 0, also reports progress.
pub(crate) struct ClockActor<E: Entity> {
    arbiter: usize,
    local: Rc<Local<E>>,
    /// By id; `None` for entities elsewhere, unborn or gone.
    entities: Vec<Option<Addr<EntityActor<E>>>>,
    directory: Directory,
    exchange: Exchange<E>,
    wheel: Wheel<E>,
    grouping: Grouping,
    /// The events of the open window; empty between windows, kept for its memory.
    due: Vec<Event<E>>,
    news: Vec<Announcement>,
    window: u64,
    finishing: bool,
    harvest: Harvest<E>,
    reporter: Reporter<E>,
}

/// Everything sent in this window has been handled.
pub(crate) struct Quiet;

impl Message for Quiet {
    type Result = ();
}

/// What all replicas decide in a meeting.
enum Decision {
    Open(u64),
    Finish,
}

impl<E: Entity> ClockActor<E> {
    pub(super) fn new(
        arbiter: usize,
        local: Rc<Local<E>>,
        directory: Directory,
        exchange: Exchange<E>,
        reporter: Reporter<E>,
    ) -> Self {
        let wheel = Wheel::new(local.rules.lookahead);
        ClockActor {
            arbiter,
            local,
            entities: Vec::new(),
            directory,
            exchange,
            wheel,
            grouping: Grouping::default(),
            due: Vec::new(),
            news: Vec::new(),
            window: 0,
            finishing: false,
            harvest: Harvest::default(),
            reporter,
        }
    }

    /// Starts the actors of this arbiter's share of the population, all due for their start at time zero.
    pub(super) fn settle(&mut self, members: Vec<Member<E>>) {
        for Member { id, entity, .. } in members {
            self.start(Host::initial(id, entity));
            self.wheel.push(Event::wake(id, SimTime::ZERO));
        }
    }

    fn start(&mut self, host: Host<E>) {
        let place = host.id().index();
        if place >= self.entities.len() {
            self.entities.resize_with(place + 1, || None);
        }
        self.entities[place] = Some(EntityActor::new(host, Rc::clone(&self.local)).start());
    }

    /// Goes on until there is something to wait for.
    fn advance(&mut self) {
        loop {
            for id in self.local.left.borrow_mut().drain(..) {
                self.entities[id.index()] = None;
            }
            if self.finishing {
                self.report();
                return;
            }
            self.post();
            let waiting = match self.meet() {
                Decision::Open(window) => self.open(window),
                Decision::Finish => self.finish(),
            };
            if waiting {
                return;
            }
        }
    }

    /// Puts everything sent in the last window where it belongs: the wheel, or the batch for another arbiter.
    fn post(&mut self) {
        let mut sink = self.local.sink.borrow_mut();
        for mut event in sink.drain(..) {
            if matches!(event.body, Body::Wake) {
                self.wheel.push(event);
                continue;
            }
            match self.directory.route(&mut event, self.window) {
                Ok(home) => {
                    self.news.extend(Announcement::of(&event, self.window));
                    if home == self.arbiter {
                        self.wheel.push(event);
                    } else {
                        self.exchange.peer(self.arbiter, home).events.push(event);
                    }
                }
                Err(fault) => self.local.fail(*fault),
            }
        }
    }

    /// Agrees with all other replicas on what is next.
    fn meet(&mut self) -> Decision {
        let mut vote = self.vote();
        self.exchange.send(&self.news, vote);
        self.news.clear();
        for nth in 0..self.exchange.peers.len() {
            let Ok(batch) = self.exchange.receive(nth) else {
                return Decision::Finish;
            };
            vote = vote.join(batch.vote);
            for news in batch.news {
                if let Err(fault) = self.directory.announce(news) {
                    // Every replica has the same news, so every replica finds this fault.
                    self.local.fail(*fault);
                    vote.failed = true;
                }
            }
            let mut events = batch.events;
            for event in events.drain(..) {
                self.wheel.push(event);
            }
            self.exchange.peers[nth].events = events;
        }
        self.decide(vote)
    }

    fn vote(&self) -> Vote {
        let crossing = self.exchange.peers.iter().flat_map(|peer| &peer.events);
        let next = crossing.map(|event| self.wheel.window(event.time())).min();
        Vote {
            next: next.unwrap_or(u64::MAX).min(self.wheel.next_window().unwrap_or(u64::MAX)),
            failed: !self.local.faults.borrow().is_empty(),
            interrupted: self.local.rules.interrupted(),
        }
    }

    fn decide(&mut self, vote: Vote) -> Decision {
        let rules = &self.local.rules;
        let start = vote.next.saturating_mul(rules.lookahead.as_nanos());
        if vote.failed || self.exchange.aborted() {
            Decision::Finish
        } else if vote.interrupted {
            self.harvest.interrupted = true;
            Decision::Finish
        } else if vote.next == u64::MAX || start >= rules.until.as_nanos() {
            // The entities that sleep through their ticks still have them to handle.
            self.local.horizon.set(rules.until);
            Decision::Finish
        } else {
            Decision::Open(vote.next)
        }
    }

    /// Delivers what is due in `window`; true if anything was.
    fn open(&mut self, window: u64) -> bool {
        self.window = window;
        let horizon = self.local.rules.horizon(window);
        self.local.horizon.set(horizon);
        self.wheel.open(window, &mut self.due);
        if horizon == self.local.rules.until {
            let late = self.due.extract_if(.., |event| event.time() >= horizon);
            self.harvest.leftovers.extend(late);
        }
        self.report_progress((self.arbiter == 0).then_some(horizon));
        self.grouping.chain(&self.due);
        let delivered = (0..self.grouping.len()).filter(|&nth| self.deliver(nth)).count();
        self.due.clear();
        self.harvest.windows += 1;
        self.harvest.envelopes += delivered as u64;
        self.local.expect(delivered);
        delivered > 0
    }

    /// Sends one entity its step; false if nobody was there to take it.
    fn deliver(&mut self, nth: usize) -> bool {
        let id = self.grouping.target(nth);
        let local = &self.local;
        let mut due = self.grouping.collect(nth, &mut self.due, || local.spare());
        if let Some(newborn) = due.take_birth() {
            self.start(newborn);
        }
        let Some(entity) = self.entities.get(id.index()).and_then(Option::as_ref) else {
            if let Err(fault) = due.refuse() {
                self.local.fail(*fault);
            }
            return false;
        };
        entity.do_send(Step(due));
        true
    }

    /// Asks every entity to catch up with the horizon and come home; true if there are any.
    fn finish(&mut self) -> bool {
        self.finishing = true;
        let entities = self.entities.iter().flatten();
        let asked = entities.map(|entity| entity.do_send(Finish)).count();
        self.local.expect(asked);
        asked > 0
    }

    fn report_progress(&self, now: Option<SimTime>) {
        self.local.rules.report(now, self.local.handled.take());
    }

    fn report(&mut self) {
        self.report_progress(None);
        self.harvest.interrupted |= self.local.interrupted.get();
        let mut harvest = std::mem::take(&mut self.harvest);
        harvest.hosts = self.local.returned.take();
        harvest.departed = self.local.departed.take();
        harvest.faults = self.local.faults.take();
        harvest.leftovers.extend(self.wheel.drain());
        self.reporter.report(harvest);
        System::current().stop();
    }
}

/// Actix asks for it, and nothing inside is ever pinned.
impl<E: Entity> Unpin for ClockActor<E> {}

impl<E: Entity> Actor for ClockActor<E> {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Context<Self>) {
        // Set once per arbiter: there is one clock.
        let _ = self.local.clock.set(context.address());
        self.advance();
    }
}

impl<E: Entity> Drop for ClockActor<E> {
    /// A clock that dies without a report, by a panic in a destructor of the model, must not leave its thread
    /// waiting for ever: the missing report then becomes [`Fault::ArbiterLost`](crate::Fault::ArbiterLost).
    fn drop(&mut self) {
        if let Some(system) = System::try_current() {
            system.stop();
        }
    }
}

impl<E: Entity> Handler<Quiet> for ClockActor<E> {
    type Result = ();

    fn handle(&mut self, Quiet: Quiet, _: &mut Context<Self>) {
        self.advance();
    }
}
