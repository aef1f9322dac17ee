//! What goes on while one waits, on stderr: a line for a run, a spinner for what has no measure.
//!
//! Nothing is drawn unless stderr is a terminal. The line of a run says how far simulated time, requests and the
//! fleet have come. How long it will take is told by the last arrival where that is known (of a trace), else by the
//! number of requests or by `end_time`; the default end of a day is a limit nobody means to reach.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ebbflow_actors::{Progress, SimTime};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::scenario::Scenario;
use crate::simulation::RunOptions;
use crate::vitals::{FleetSize, Signs, Vitals};
use crate::workload::Workload;

const REDRAW: Duration = Duration::from_millis(100);

/// The default end of a run, in seconds.
const FAR_S: f64 = 86_400.0;

/// Length of the bar: what is done is counted in millionths.
const WHOLE: u64 = 1_000_000;

/// What tells how much of a run is done.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Horizon {
    Time(SimTime),
    Requests(u64),
    Unknown,
}

impl Horizon {
    fn of(end: SimTime, arrivals_end: Option<SimTime>, expected: Option<u64>) -> Self {
        let end = Some(end).filter(|end| end.as_secs_f64() != FAR_S);
        match (end, arrivals_end, expected) {
            (Some(end), Some(last), _) => Horizon::Time(end.min(last)),
            (None, Some(last), _) => Horizon::Time(last),
            (_, None, Some(expected)) => Horizon::Requests(expected),
            (Some(end), None, None) => Horizon::Time(end),
            (None, None, None) => Horizon::Unknown,
        }
    }

    /// In millionths.
    fn done(self, now: SimTime, ended: u64) -> u64 {
        let (part, whole) = match self {
            Horizon::Time(end) => (now.as_nanos(), end.as_nanos()),
            Horizon::Requests(expected) => (ended, expected),
            Horizon::Unknown => return 0,
        };
        let millionths = u128::from(part) * u128::from(WHOLE) / u128::from(whole.max(1));
        millionths.min(u128::from(WHOLE)) as u64
    }
}

/// A run that is going to be watched.
pub struct Watch {
    progress: Arc<Progress>,
    vitals: Vitals,
    horizon: Horizon,
}

impl Watch {
    /// Over this run; none where there is nobody to watch.
    pub fn over(scenario: &Scenario, workload: &Workload) -> Option<Self> {
        std::io::stderr().is_terminal().then(|| Watch {
            progress: Arc::default(),
            vitals: Vitals::watched(),
            horizon: Horizon::of(scenario.end_time, workload.arrivals_end, workload.expected),
        })
    }

    /// The same options, with which a run tells how far it is.
    pub fn tell(&self, options: RunOptions) -> RunOptions {
        RunOptions { progress: Some(Arc::clone(&self.progress)), vitals: self.vitals.clone(), ..options }
    }

    fn message(&self, elapsed: Duration) -> String {
        let per_second = self.progress.events() as f64 / elapsed.as_secs_f64().max(1e-3);
        message(self.progress.now(), self.vitals.signs(), per_second)
    }
}

/// Draws until dropped, then wipes its line.
pub struct ProgressLine {
    stop: Arc<AtomicBool>,
    drawer: Option<JoinHandle<()>>,
}

impl ProgressLine {
    /// Starts to draw.
    pub fn start(watch: Watch) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let drawer = thread::spawn(move || draw(&watch, &stopped));
        ProgressLine { stop, drawer: Some(drawer) }
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(drawer) = self.drawer.take() {
            drawer.thread().unpark();
            let _ = drawer.join();
        }
    }
}

fn draw(watch: &Watch, stopped: &AtomicBool) {
    let started = Instant::now();
    let bar = match watch.horizon {
        Horizon::Unknown => styled(ProgressBar::new_spinner(), "{spinner} {wide_msg}"),
        _ => styled(ProgressBar::new(WHOLE), "{bar:20} {percent:>3} %  ETA {eta:<4} {wide_msg}"),
    };
    while !stopped.load(Ordering::Relaxed) {
        thread::park_timeout(REDRAW);
        let done = watch.horizon.done(watch.progress.now(), watch.vitals.signs().ended);
        bar.update(|state| state.set_pos(done));
        bar.set_message(watch.message(started.elapsed()));
    }
    bar.finish_and_clear();
}

fn message(now: SimTime, signs: Signs, events_per_s: f64) -> String {
    let Signs { arrived, ended, fleet: FleetSize { active, starting, draining } } = signs;
    let mut fleet = format!("{active} active");
    for (count, status) in [(starting, "starting"), (draining, "draining")] {
        if count > 0 {
            fleet += &format!(" {count} {status}");
        }
    }
    let (now, millions) = (now.as_secs_f64(), events_per_s / 1e6);
    format!("{now:.1} s · {ended}/{arrived} requests · {fleet} · {millions:.2} M events/s")
}

/// Turns while something is read or written; wiped when dropped.
pub struct Spinner(ProgressBar);

impl Spinner {
    /// Says what is going on, unless that should stay quiet.
    pub fn start(quiet: bool, what: &'static str) -> Self {
        let spinner = styled(bar(ProgressBar::new_spinner(), quiet), "{spinner} {wide_msg}");
        spinner.set_message(what);
        spinner.enable_steady_tick(REDRAW);
        Spinner(spinner)
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// A bar over so many things of this name, unless it should stay quiet.
pub fn counted(quiet: bool, count: usize, what: &'static str) -> ProgressBar {
    let counted = styled(bar(ProgressBar::new(count as u64), quiet), "{bar:30} {pos}/{len} {msg}  ETA {eta}");
    counted.set_message(what);
    counted
}

fn bar(bar: ProgressBar, quiet: bool) -> ProgressBar {
    if quiet {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    bar
}

fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SimTime {
        SimTime::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn what_is_known_of_the_end_tells_how_much_is_done() {
        assert_eq!(Horizon::of(at(86_400), Some(at(100)), Some(5)).done(at(25), 0), WHOLE / 4);
        assert_eq!(Horizon::of(at(50), Some(at(100)), Some(5)).done(at(25), 0), WHOLE / 2);
        assert_eq!(Horizon::of(at(50), None, Some(5)).done(at(25), 1), WHOLE / 5);
        assert_eq!(Horizon::of(at(50), None, None).done(at(80), 0), WHOLE);
        assert_eq!(Horizon::of(at(86_400), None, None), Horizon::Unknown);
    }

    #[test]
    fn the_line_names_only_statuses_that_occur() {
        let fleet = FleetSize { active: 8, starting: 0, draining: 2 };
        let signs = Signs { arrived: 641, ended: 310, fleet };
        assert_eq!(
            message(at(51), signs, 1.25e6),
            "51.0 s · 310/641 requests · 8 active 2 draining · 1.25 M events/s"
        );
    }
}
