//! How to run a population.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::time::{SimDuration, SimTime};

/// How to run a population. Only `seed`, `lookahead` and `until` can change a result.
#[derive(Clone, Debug)]
pub struct RunConfig {
    /// Keys all random streams. Default 0.
    pub seed: u64,
    /// The shortest time a message takes between two entities, above zero. Default 1 ms.
    ///
    /// It is also the length of a window: the longer, the fewer the meetings of the arbiters.
    pub lookahead: SimDuration,
    /// Events at this time and later are not handled. Default: run until nothing is left to do.
    pub until: Option<SimTime>,
    /// Who moves the events. Default: actors.
    pub runner: Runner,
    /// How many threads the actors runner uses; the other runners use one. Default 1.
    pub arbiters: Arbiters,
    /// Whether the actors runner delivers every tick. Default: lazy.
    pub ticks: TickMode,
    /// How long a handler may take in wall-clock time; `None` to wait forever. Default 60 s.
    pub watchdog: Option<Duration>,
    /// Ends the run at the next window once true.
    pub interrupt: Option<Arc<AtomicBool>>,
    /// Where the run reports how far it is.
    pub progress: Option<Arc<Progress>>,
    /// Asks every entity for its promise after every event, and holds it to it; also keeps the text of every
    /// message for panic reports. Slow, for tests, and most telling with the sequential runner. Default false.
    pub check_promises: bool,
}

/// Who moves the events; results are the same with all of them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Runner {
    /// Actix actors with a clock on every arbiter: the product.
    #[default]
    Actors,
    /// One loop over one heap, no actors: the oracle of every comparison, and the yardstick of speed.
    Sequential,
    /// One awaited actix message per event: the baseline any better use of actors must beat.
    Naive,
}

/// How many arbiters, and so threads, the actors runner uses.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Arbiters {
    /// As many as pay for their meetings: one per hundred expected envelopes in a window, at least one,
    /// at most one per processor and per group.
    Auto {
        /// How many entities have something to do in one window.
        expected_envelopes_per_window: f64,
    },
    /// This many, whether it pays or not.
    Count(NonZeroUsize),
}

impl Default for Arbiters {
    fn default() -> Self {
        Arbiters::Count(NonZeroUsize::MIN)
    }
}

/// When the actors runner wakes an entity for its own ticks. Results are the same.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum TickMode {
    /// When it may have something to say to others: at its promise.
    #[default]
    Lazy,
    /// At every tick: every tick is a delivered message. The honest figure for message throughput.
    Eager,
}

/// How far a run is; shared with whoever draws the progress bar.
#[derive(Debug, Default)]
pub struct Progress {
    now: AtomicU64,
    events: AtomicU64,
}

impl Progress {
    /// Simulated time reached.
    pub fn now(&self) -> SimTime {
        SimTime::from_nanos(self.now.load(Ordering::Relaxed))
    }

    /// Events handled so far, as far as reported: lazy entities report when they wake.
    pub fn events(&self) -> u64 {
        self.events.load(Ordering::Relaxed)
    }
}

impl Default for RunConfig {
    fn default() -> Self {
        RunConfig {
            seed: 0,
            lookahead: SimDuration::from_millis(1),
            until: None,
            runner: Runner::default(),
            arbiters: Arbiters::default(),
            ticks: TickMode::default(),
            watchdog: Some(Duration::from_secs(60)),
            interrupt: None,
            progress: None,
            check_promises: false,
        }
    }
}

impl RunConfig {
    /// With this seed.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// With this lookahead.
    #[must_use]
    pub fn lookahead(mut self, lookahead: SimDuration) -> Self {
        self.lookahead = lookahead;
        self
    }

    /// Ending before `until`.
    #[must_use]
    pub fn until(mut self, until: SimTime) -> Self {
        self.until = Some(until);
        self
    }

    /// With this runner.
    #[must_use]
    pub fn runner(mut self, runner: Runner) -> Self {
        self.runner = runner;
        self
    }

    /// With this many arbiters; zero means one.
    #[must_use]
    pub fn arbiters(mut self, count: usize) -> Self {
        self.arbiters = Arbiters::Count(NonZeroUsize::new(count).unwrap_or(NonZeroUsize::MIN));
        self
    }

    /// With this tick mode.
    #[must_use]
    pub fn ticks(mut self, ticks: TickMode) -> Self {
        self.ticks = ticks;
        self
    }

    /// With this patience for a handler that does not return.
    #[must_use]
    pub fn watchdog(mut self, patience: impl Into<Option<Duration>>) -> Self {
        self.watchdog = patience.into();
        self
    }

    /// Ending soon after `flag` turns true.
    #[must_use]
    pub fn interrupt(mut self, flag: Arc<AtomicBool>) -> Self {
        self.interrupt = Some(flag);
        self
    }

    /// Reporting to `progress`.
    #[must_use]
    pub fn progress(mut self, progress: Arc<Progress>) -> Self {
        self.progress = Some(progress);
        self
    }

    /// Holding every entity to its promise after every event.
    #[must_use]
    pub fn check_promises(mut self, check: bool) -> Self {
        self.check_promises = check;
        self
    }
}

/// What the hosts and runners need of the configuration.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) seed: u64,
    pub(crate) lookahead: SimDuration,
    /// [`SimTime::MAX`] without a limit: the end of time is never handled.
    pub(crate) until: SimTime,
    pub(crate) ticks: TickMode,
    pub(crate) check_promises: bool,
    pub(crate) interrupt: Option<Arc<AtomicBool>>,
    pub(crate) progress: Option<Arc<Progress>>,
}

impl Rules {
    pub(crate) fn new(config: &RunConfig) -> Self {
        Rules {
            seed: config.seed,
            lookahead: config.lookahead,
            until: config.until.unwrap_or(SimTime::MAX),
            // One event at a time leaves nothing to be lazy about.
            ticks: if config.runner == Runner::Actors { config.ticks } else { TickMode::Eager },
            check_promises: config.check_promises,
            interrupt: config.interrupt.clone(),
            progress: config.progress.clone(),
        }
    }

    /// Tells whoever watches that the run has reached `now`, if this thread is the one to say, and handled
    /// `more` events.
    pub(crate) fn report(&self, now: Option<SimTime>, more: u64) {
        if let Some(progress) = &self.progress {
            if let Some(now) = now {
                progress.now.store(now.as_nanos(), Ordering::Relaxed);
            }
            progress.events.fetch_add(more, Ordering::Relaxed);
        }
    }

    pub(crate) fn interrupted(&self) -> bool {
        self.interrupt.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed))
    }

    /// The number of the window that holds `time`.
    #[inline]
    pub(crate) fn window(&self, time: SimTime) -> u64 {
        time.as_nanos() / self.lookahead.as_nanos()
    }

    /// The first moment after the window, or the end of the run if that is earlier.
    pub(crate) fn horizon(&self, window: u64) -> SimTime {
        let end = window.saturating_add(1).saturating_mul(self.lookahead.as_nanos());
        SimTime::from_nanos(end).min(self.until)
    }
}
