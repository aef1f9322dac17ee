//! Waits for the threads of a run, and gives up on one whose handler does not return.
//!
//! A thread cannot be killed. One that is wedged is left behind: should its handler return after all, the thread
//! finds the run aborted and ends by itself. Its entities stay with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};

use crate::entity::{Entity, EntityId};
use crate::fault::{Fault, Who};
use crate::harvest::Harvest;
use crate::pulse::{Beat, Pulse};

/// The longest time between two looks at the threads.
const GLANCE: Duration = Duration::from_millis(200);

/// With which a thread hands in its harvest.
pub(crate) struct Reporter<E: Entity> {
    thread: usize,
    sender: Sender<(usize, Harvest<E>)>,
}

impl<E: Entity> Reporter<E> {
    /// Nobody listens any more if the run has given this thread up: then the harvest is lost with it.
    pub(crate) fn report(&self, harvest: Harvest<E>) {
        let _ = self.sender.send((self.thread, harvest));
    }
}

pub(crate) struct Watch<E: Entity> {
    threads: Vec<Watched>,
    reports: Receiver<(usize, Harvest<E>)>,
    sender: Sender<(usize, Harvest<E>)>,
    patience: Option<Duration>,
    abort: Arc<AtomicBool>,
    harvest: Harvest<E>,
}

struct Watched {
    thread: JoinHandle<()>,
    pulse: Arc<Pulse>,
    beat: Beat,
    since: Instant,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    Reported,
    GivenUp,
}

impl<E: Entity> Watch<E> {
    pub(crate) fn new(patience: Option<Duration>, abort: Arc<AtomicBool>) -> Self {
        let (sender, reports) = unbounded();
        Watch { threads: Vec::new(), reports, sender, patience, abort, harvest: Harvest::default() }
    }

    /// Starts a thread of the run.
    pub(crate) fn spawn(&mut self, work: impl FnOnce(Arc<Pulse>, Reporter<E>) + Send + 'static) {
        let number = self.threads.len();
        let pulse = Arc::new(Pulse::default());
        let reporter = Reporter { thread: number, sender: self.sender.clone() };
        let thread = std::thread::Builder::new().name(format!("arbiter-{number}")).spawn({
            let pulse = Arc::clone(&pulse);
            move || work(pulse, reporter)
        });
        match thread {
            Ok(thread) => {
                let beat = pulse.beat();
                let state = State::Running;
                self.threads.push(Watched { thread, pulse, beat, since: Instant::now(), state });
            }
            Err(error) => self.fail(Fault::InvalidConfig {
                problem: format!("the system refuses to start thread {number}: {error}; use fewer arbiters"),
            }),
        }
    }

    /// Waits until every thread has reported or been given up.
    pub(crate) fn gather(mut self) -> Harvest<E> {
        let glance = self.patience.map_or(GLANCE, |patience| (patience / 8).min(GLANCE));
        let glance = glance.max(Duration::from_millis(1));
        while self.threads.iter().any(|watched| watched.state == State::Running) {
            match self.reports.recv_timeout(glance) {
                Ok((thread, harvest)) => self.take(thread, harvest),
                Err(RecvTimeoutError::Timeout) => self.look(),
                // Not while this end holds a sender of its own.
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        for watched in self.threads {
            if watched.state == State::Reported {
                // The harvest is in: how the thread ends does not matter any more.
                let _ = watched.thread.join();
            }
        }
        self.harvest
    }

    fn take(&mut self, thread: usize, harvest: Harvest<E>) {
        self.threads[thread].state = State::Reported;
        self.harvest.merge(harvest);
    }

    /// Looks for threads that have died and for handlers that do not return.
    fn look(&mut self) {
        for thread in 0..self.threads.len() {
            let watched = &mut self.threads[thread];
            if watched.state != State::Running {
                continue;
            }
            if watched.thread.is_finished() {
                self.bury(thread);
            } else if let Some(entity) = watched.wedged(self.patience) {
                watched.state = State::GivenUp;
                let fault = Fault::Wedged {
                    entity: Who::new(entity),
                    at: watched.pulse.time(),
                    patience: self.patience.unwrap_or_default(),
                };
                self.fail(fault);
            }
        }
    }

    /// A thread has ended: with a report that came in this very moment, or without.
    fn bury(&mut self, thread: usize) {
        while let Ok((reported, harvest)) = self.reports.try_recv() {
            self.take(reported, harvest);
        }
        if self.threads[thread].state == State::Running {
            self.threads[thread].state = State::GivenUp;
            self.fail(Fault::ArbiterLost { arbiter: thread });
        }
    }

    fn fail(&mut self, fault: Fault) {
        self.abort.store(true, Ordering::Relaxed);
        self.harvest.faults.push(fault);
    }
}

impl Watched {
    /// The entity whose handler has been running for all of the watchdog's patience.
    fn wedged(&mut self, patience: Option<Duration>) -> Option<EntityId> {
        let beat = self.pulse.beat();
        if beat != self.beat {
            self.beat = beat;
            self.since = Instant::now();
        }
        let wedged = patience.is_some_and(|patience| self.since.elapsed() >= patience);
        beat.entity.filter(|_| wedged)
    }
}
