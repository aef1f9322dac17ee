//! The clock: one replica per arbiter, all of them walking through the same windows.

use std::rc::Rc;

use actix::{Actor, Addr, System};

use super::entity_actor::{EntityActor, Step};
use super::exchange::{Exchange, Vote};
use super::local::Local;
use super::tray::Tray;
use super::wheel::Wheel;
use crate::config::Rules;
use crate::directory::{Announcement, Directory};
use crate::entity::{Entity, EntityId};
use crate::event::Event;
use crate::harvest::Harvest;
use crate::host::Host;
use crate::run::Member;
use crate::time::SimTime;

/// Owns simulated time on one arbiter: opens a window, delivers what is due, waits until all is quiet, meets
/// the other replicas, and opens the next. The leader, replica 0, also reports progress.
///
/// It lies in what the arbiter's actors [share](Local), for whoever is done last has it move.
pub(super) struct Clock<E: Entity> {
    arbiter: usize,
    /// By id; `None` for entities elsewhere, unborn or gone.
    entities: Vec<Option<Addr<EntityActor<E>>>>,
    directory: Directory,
    exchange: Exchange<E>,
    wheel: Wheel<E>,
    news: Vec<Announcement>,
    window: u64,
    harvest: Harvest<E>,
}

/// What all replicas decide in a meeting.
enum Decision {
    Open(u64),
    Finish,
}

impl<E: Entity> Clock<E> {
    pub(super) fn new(arbiter: usize, rules: &Rules, directory: Directory, exchange: Exchange<E>) -> Self {
        Clock {
            arbiter,
            entities: Vec::new(),
            directory,
            exchange,
            wheel: Wheel::new(rules.lookahead),
            news: Vec::new(),
            window: 0,
            harvest: Harvest::default(),
        }
    }

    /// Starts the actors of this arbiter's share of the population, all due for their start at time zero.
    pub(super) fn settle(&mut self, members: Vec<Member<E>>, local: &Rc<Local<E>>) {
        for Member { id, entity, .. } in members {
            self.start(Host::initial(id, entity), local);
            self.wake(id, SimTime::ZERO);
        }
    }

    fn start(&mut self, host: Host<E>, local: &Rc<Local<E>>) {
        let place = host.id().index();
        if place >= self.entities.len() {
            self.entities.resize_with(place + 1, || None);
        }
        self.entities[place] = Some(EntityActor::new(host, Rc::clone(local)).start());
    }

    /// Takes what a step has sent to where it belongs: the wheel, or the batch for another arbiter.
    #[inline]
    pub(super) fn post(&mut self, sent: &mut Vec<Event<E>>, local: &Local<E>) {
        for mut event in sent.drain(..) {
            match self.directory.route(&mut event, self.window) {
                Ok(home) => {
                    self.news.extend(Announcement::of(&event, self.window));
                    if home == self.arbiter {
                        self.wheel.push(event);
                    } else {
                        self.exchange.peer(self.arbiter, home).events.push(event);
                    }
                }
                Err(fault) => local.fail(*fault),
            }
        }
    }

    /// Will wake an entity of this arbiter at `time`.
    #[inline]
    pub(super) fn wake(&mut self, entity: EntityId, time: SimTime) {
        self.wheel.push_wake(entity, time);
    }

    /// All that was due has been handled: goes on until there is something to wait for.
    pub(super) fn advance(&mut self, local: &Rc<Local<E>>) {
        loop {
            for id in local.left.borrow_mut().drain(..) {
                self.entities[id.index()] = None;
            }
            let Decision::Open(window) = self.meet(local) else {
                local.over.set(true);
                System::current().stop();
                return;
            };
            if self.open(window, local) {
                return;
            }
        }
    }

    /// Agrees with all other replicas on what is next.
    fn meet(&mut self, local: &Local<E>) -> Decision {
        let mut vote = self.vote(local);
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
                    local.fail(*fault);
                    vote.failed = true;
                }
            }
            let mut events = batch.events;
            for event in events.drain(..) {
                self.wheel.push(event);
            }
            self.exchange.peers[nth].events = events;
        }
        self.decide(vote, local)
    }

    fn vote(&self, local: &Local<E>) -> Vote {
        let crossing = self.exchange.peers.iter().flat_map(|peer| &peer.events);
        let next = crossing.map(|event| self.wheel.window(event.time())).min();
        Vote {
            next: next.unwrap_or(u64::MAX).min(self.wheel.next_window().unwrap_or(u64::MAX)),
            failed: !local.faults.borrow().is_empty(),
            interrupted: local.rules.interrupted(),
        }
    }

    fn decide(&mut self, vote: Vote, local: &Local<E>) -> Decision {
        let rules = &local.rules;
        let start = vote.next.saturating_mul(rules.lookahead.as_nanos());
        if vote.failed || self.exchange.aborted() {
            Decision::Finish
        } else if vote.interrupted {
            self.harvest.interrupted = true;
            Decision::Finish
        } else if vote.next == u64::MAX || start >= rules.until.as_nanos() {
            // The entities that sleep through their ticks still have them to handle.
            local.horizon.set(rules.until);
            Decision::Finish
        } else {
            Decision::Open(vote.next)
        }
    }

    /// Delivers what is due in `window`; true if anything was.
    fn open(&mut self, window: u64, local: &Rc<Local<E>>) -> bool {
        self.window = window;
        let horizon = local.rules.horizon(window);
        local.horizon.set(horizon);
        self.report_progress((self.arbiter == 0).then_some(horizon), local);
        let mut tray = local.tray.borrow_mut();
        tray.clear();
        self.wheel.open(window, &mut tray.due);
        if horizon == local.rules.until {
            let late = tray.due.events.extract_if(.., |event| event.time() >= horizon);
            self.harvest.leftovers.extend(late);
        }
        tray.lay_out();
        let delivered = (0..tray.len()).filter(|&nth| self.deliver(nth, &mut tray, local)).count();
        self.harvest.windows += 1;
        self.harvest.envelopes += delivered as u64;
        local.expect(delivered);
        delivered > 0
    }

    /// Sends one entity its step; false if nobody was there to take it.
    fn deliver(&mut self, nth: usize, tray: &mut Tray<E>, local: &Rc<Local<E>>) -> bool {
        let (id, share) = tray.share(nth);
        if self.address(id).is_none() {
            match tray.newborn(share) {
                Ok(Some(newborn)) => self.start(newborn, local),
                Ok(None) => return false,
                Err(fault) => {
                    local.fail(*fault);
                    return false;
                }
            }
        }
        if let Some(entity) = self.address(id) {
            entity.do_send(Step(share));
        }
        true
    }

    fn address(&self, id: EntityId) -> Option<&Addr<EntityActor<E>>> {
        self.entities.get(id.index()).and_then(Option::as_ref)
    }

    fn report_progress(&self, now: Option<SimTime>, local: &Local<E>) {
        local.rules.report(now, local.handled.take());
    }

    /// What this arbiter brings home but for its entities.
    pub(super) fn into_harvest(mut self) -> Harvest<E> {
        self.harvest.leftovers.extend(self.wheel.drain());
        self.harvest
    }
}
