//! The progress line on stderr: simulated time, events, events per second.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ebbflow_actors::{Progress, SimTime};
use indicatif::{ProgressBar, ProgressStyle};

const REDRAW: Duration = Duration::from_millis(100);

/// An end so far away (the default, a day) is a limit nobody means to reach: no bar towards it.
const FAR_S: f64 = 86_400.0;

/// Draws until dropped, then wipes its line.
pub struct ProgressLine {
    stop: Arc<AtomicBool>,
    drawer: Option<JoinHandle<()>>,
}

impl ProgressLine {
    /// Starts drawing, if stderr is a terminal.
    pub fn start(progress: &Arc<Progress>, end: SimTime) -> Option<Self> {
        if !std::io::stderr().is_terminal() {
            return None;
        }
        let stop = Arc::new(AtomicBool::new(false));
        let (progress, stopped) = (Arc::clone(progress), Arc::clone(&stop));
        let drawer = thread::spawn(move || draw(&progress, end, &stopped));
        Some(ProgressLine { stop, drawer: Some(drawer) })
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

fn draw(progress: &Progress, end: SimTime, stopped: &AtomicBool) {
    let started = Instant::now();
    let bar = bar(end);
    while !stopped.load(Ordering::Relaxed) {
        thread::park_timeout(REDRAW);
        bar.update(|state| state.set_pos(progress.now().as_nanos() / 1_000_000));
        bar.set_message(message(progress, started.elapsed()));
    }
    bar.finish_and_clear();
}

fn bar(end: SimTime) -> ProgressBar {
    let (bar, template) = if end.as_secs_f64() < FAR_S {
        (ProgressBar::new(end.as_nanos() / 1_000_000), "{bar:30} {percent:>3} %  {msg}")
    } else {
        (ProgressBar::new_spinner(), "{spinner} {msg}")
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn message(progress: &Progress, elapsed: Duration) -> String {
    let events = progress.events() as f64;
    let rate = events / elapsed.as_secs_f64().max(1e-3);
    let now = progress.now().as_secs_f64();
    format!("{now:.1} s simulated, {:.2} M events, {:.2} M events/s", events / 1e6, rate / 1e6)
}
