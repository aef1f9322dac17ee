//! A run as metrics: OpenMetrics 1.0 text, as if every instance had been scraped at an interval.
//!
//! What a vLLM server exposes has its name there, with `model_name` and `engine` (the instance) as labels, and
//! `pool` beside them; see `serving.rs` for which and from which version. What no single instance knows (fleet,
//! scaling, money, requests that wait elsewhere) is named `ebbflow_…`.
//!
//! Timestamps are simulated seconds from the start of the run. A scrape sees what happened up to its time, itself
//! included. An instance is scraped from when it is ACTIVE, and once more in the moment it goes, or the run ends: a
//! real scraper would miss what happens between its last scrape and that. A run without rows of requests exposes
//! fleet and scaling only.

mod fleet;
mod requests;
mod scrapes;
mod series;
mod serving;
mod text;

use std::io::{self, Write};

use ebbflow_actors::{SimDuration, SimTime};

use super::FinishedRun;
use crate::results::{ApplicationResults, RunResults};
use crate::scenario::{ApplicationSpec, Scenario};
use scrapes::Scrapes;
use text::Text;

/// Between two scrapes, unless somebody says otherwise: what Prometheus' own example configuration has.
pub const INTERVAL: SimDuration = SimDuration::from_secs(15);

/// What all families look at.
struct View<'a> {
    results: &'a RunResults,
    scenario: &'a Scenario,
    interval: SimDuration,
}

/// Writes the metrics of a run, scraped at this interval (at least a nanosecond).
///
/// # Errors
/// Whatever `out` says.
pub fn write(run: &FinishedRun, interval: SimDuration, out: &mut impl Write) -> io::Result<()> {
    let FinishedRun { results, scenario, .. } = run;
    let interval = interval.max(SimDuration::from_nanos(1));
    let view = View { results, scenario, interval };
    let mut text = Text::new(out);
    if run.has_requests {
        serving::write(&view, &mut text)?;
        requests::write(&view, &mut text)?;
    }
    fleet::write(&view, &mut text)?;
    text.finish()
}

impl View<'_> {
    /// The scrapes of what is there as long as the run.
    fn scrapes(&self) -> Scrapes {
        Scrapes::new(SimTime::ZERO, self.results.end, self.interval)
    }

    /// Applications with what the scenario says of them.
    fn applications(&self) -> impl Iterator<Item = (&ApplicationResults, &ApplicationSpec)> {
        let specs = &self.scenario.applications;
        self.results
            .applications
            .iter()
            .filter_map(|found| Some((found, specs.iter().find(|spec| spec.id == found.id)?)))
    }
}
