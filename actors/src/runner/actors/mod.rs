//! The product: entities behind actix mailboxes, windows of one lookahead, a clock on every arbiter.
//!
//! ```text
//!   meet ──► open window k ──► lay out what is due, do_send(Step) to every entity concerned
//!    ▲                                   │ handlers run; what they send goes to
//!    │                                   ▼ the wheel, or into the batch for another arbiter
//!    └─────── the clock moves on ◄── last acknowledgement
//! ```
//!
//! The clock moves within the handler of whoever acknowledges last; only now and then, and at the beginning, it
//! does so as an actor, by a message to itself. Where a window holds one step, that halves the messages.
//!
//! Whatever is sent in window `k` arrives in a later one, because a message takes at least one window. So all
//! that is due in a window is known when it opens, on every arbiter, and no order within it can matter beyond
//! the order inside each entity, which the hosts keep.

mod clock;
mod clock_actor;
mod entity_actor;
mod exchange;
mod local;
mod tray;
mod wheel;

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use actix::{Actor, System};

use crate::config::Rules;
use crate::directory::Directory;
use crate::entity::Entity;
use crate::run::Member;
use crate::watch::Watch;
use clock::Clock;
use clock_actor::ClockActor;
use exchange::Exchange;
use local::Local;

/// Starts one thread per arbiter, each with its own actix system, and moves the population there.
pub(crate) fn spawn<E: Entity>(
    population: Vec<Member<E>>,
    directory: &Directory,
    rules: &Rules,
    abort: &Arc<AtomicBool>,
    watch: &mut Watch<E>,
) {
    let arbiters = directory.arbiters();
    let mut shares: Vec<_> = (0..arbiters).map(|_| Vec::new()).collect();
    for member in population {
        shares[directory.arbiter(member.group)].push(member);
    }
    let exchanges = Exchange::connect(arbiters, abort);
    for (arbiter, (share, exchange)) in shares.into_iter().zip(exchanges).enumerate() {
        let (directory, rules) = (directory.clone(), rules.clone());
        watch.spawn(move |pulse, reporter| {
            let clock = Clock::new(arbiter, &rules, directory, exchange);
            let local = Rc::new(Local::new(rules, pulse, clock));
            let system = System::new();
            system.block_on(async {
                local.clock.borrow_mut().settle(share, &local);
                ClockActor::new(Rc::clone(&local)).start();
            });
            // Until the clock stops it. An error would be an exit code, and nobody sets one.
            let _ = system.run();
            // The actors are gone, and with them their parts of what they shared.
            if let Some(harvest) = Rc::into_inner(local).and_then(Local::into_harvest) {
                reporter.report(harvest);
            }
        });
    }
}
