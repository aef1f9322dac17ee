//! `run.json`: the summary of a run for programs.
//!
//! Everything but `wall_s` follows from the scenario, its seed and the runner: latencies as mean, p50,
//! p90, p99 and maximum over the completed requests; time of instances and of their GPUs per status and
//! per tag. Latencies are null when no request completed.

use serde::Serialize;
use serde_json::Value;

use super::{
    ApplicationResults, Attainment, ClassReport, Figures, Incomplete, InputFile, RunResults, TenantReport,
    Totals, classes, engine,
};
use crate::ids::ApplicationId;
use crate::scenario::Scenario;

/// The summary of a run.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Report {
    /// Version of Ebbflow.
    pub version: &'static str,
    /// Name of the scenario.
    pub name: String,
    /// Seed of all randomness.
    pub seed: u64,
    /// Fingerprint of every handled event and every result record.
    pub digest: String,
    /// Why the run ended before its time; null if it did not.
    pub incomplete: Option<String>,
    /// Whether something was left to do at `end_time`.
    pub reached_end_time: bool,
    /// Simulated seconds until the last event.
    pub simulated_s: f64,
    /// Wall-clock seconds the run took.
    pub wall_s: f64,
    /// Events handled.
    pub events: u64,
    /// Messages delivered between entities.
    pub messages: u64,
    /// Envelopes that carried them.
    pub envelopes: u64,
    /// Windows of simulated time.
    pub windows: u64,
    /// Arbiter threads that ran them.
    pub arbiters: usize,
    /// Over all applications.
    #[serde(flatten)]
    pub totals: Totals,
    /// How it did by the scenario's objectives; null without any.
    pub slo: Option<Attainment>,
    /// The figures of each class of requests, judged by its own objectives.
    pub classes: Vec<ClassReport>,
    /// The figures of each tenant.
    pub tenants: Vec<TenantReport>,
    /// The same per application.
    pub applications: Vec<ApplicationReport>,
    /// What the reader should know about the scenario, e.g. defaults that were filled in.
    pub notes: Vec<String>,
    /// The files it read, as they were then; whoever ran it fills them in.
    pub inputs: Vec<InputFile>,
    /// The scenario with every default filled in.
    pub scenario: Value,
}

/// The summary of one application.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ApplicationReport {
    /// Its number in the scenario.
    pub application_id: ApplicationId,
    /// Its figures.
    #[serde(flatten)]
    pub totals: Totals,
    /// The statistics behind them, all of which `summary.csv` has.
    #[serde(skip)]
    pub figures: Figures,
}

impl Report {
    /// Sums up a run of `scenario`.
    pub fn new(results: &RunResults, scenario: &Scenario) -> Self {
        let applications: Vec<ApplicationReport> = results
            .applications
            .iter()
            .map(|application| ApplicationReport::new(application, results))
            .collect();
        let mut totals = totals(results, &applications);
        totals.figures.requests.arrived = results.arrived;
        Report {
            version: env!("CARGO_PKG_VERSION"),
            name: scenario.name.clone(),
            seed: scenario.seed,
            digest: results.digest.to_string(),
            incomplete: results.incomplete.as_ref().map(ToString::to_string),
            reached_end_time: results.reached_end_time,
            simulated_s: results.end.as_secs_f64(),
            wall_s: results.wall_s,
            events: results.stats.events,
            messages: results.stats.messages,
            envelopes: results.stats.envelopes,
            windows: results.stats.windows,
            arbiters: results.stats.arbiters,
            slo: scenario.slo.as_ref().map(|slo| {
                let tallies: Vec<_> =
                    results.applications.iter().map(|application| &application.tally).collect();
                let counted = engine::counted(&results.applications, |_| true);
                Attainment::of(slo, &tallies, results.arrived, counted.as_ref().map(|counted| &counted.gaps))
            }),
            classes: classes::class_reports(results, scenario),
            tenants: classes::tenant_reports(results),
            totals,
            applications,
            notes: scenario.notes.clone(),
            inputs: Vec::new(),
            scenario: as_json(&scenario.resolved),
        }
    }

    /// Whether every objective is met, of the scenario and of each class.
    pub fn keeps_objectives(&self) -> bool {
        self.judgements().all(|slo| slo.met)
    }

    /// Whether anything was promised.
    pub fn has_objectives(&self) -> bool {
        self.judgements().next().is_some()
    }

    fn judgements(&self) -> impl Iterator<Item = &Attainment> {
        self.slo.iter().chain(self.classes.iter().filter_map(|class| class.slo.as_ref()))
    }

    /// The same, of a run that read these files.
    #[must_use]
    pub fn with_inputs(self, inputs: Vec<InputFile>) -> Self {
        Report { inputs, ..self }
    }

    /// As JSON text, indented, ending with a newline.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a report holds only strings and numbers");
        text.push('\n');
        text
    }
}

impl ApplicationReport {
    fn new(application: &ApplicationResults, results: &RunResults) -> Self {
        let figures = Figures::of([&application.tally].into_iter());
        let totals = Totals::of(&[application], &figures, results);
        ApplicationReport { application_id: application.id, totals, figures }
    }
}

/// Over all applications; those of the only one are not computed twice.
fn totals(results: &RunResults, applications: &[ApplicationReport]) -> Totals {
    if let [only] = applications {
        return only.totals.clone();
    }
    let all: Vec<&ApplicationResults> = results.applications.iter().collect();
    Totals::of(&all, &Figures::of(all.iter().map(|application| &application.tally)), results)
}

impl std::fmt::Display for Incomplete {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Incomplete::Interrupted => f.write_str("interrupted"),
            Incomplete::Fault(fault) => f.write_str(fault),
        }
    }
}

/// The resolved scenario as JSON; should it have a form that JSON lacks, as the text it is.
fn as_json(yaml: &str) -> Value {
    serde_yaml::from_str(yaml).unwrap_or_else(|_| Value::String(yaml.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn the_report_has_the_keys_that_are_promised() {
        let json: Value = serde_json::from_str(&samples::report().to_json()).unwrap();
        for key in ["digest", "events", "messages", "simulated_s", "wall_s", "version", "seed", "scenario"] {
            assert!(!json[key].is_null(), "{key}");
        }
        for latency in ["ttft_s", "tbt_s", "e2e_s", "queue_s", "tpot_s"] {
            for key in ["mean", "p50", "p90", "p99", "max"] {
                assert!(json[latency][key].is_number(), "{latency}.{key}");
            }
        }
        for key in ["arrived", "completed", "rejected", "unfinished"] {
            assert!(json["requests"][key].is_u64(), "requests.{key}");
        }
        for key in ["scale_ups", "scale_downs", "refused"] {
            assert!(json["scaling"][key].is_u64(), "scaling.{key}");
        }
        assert!(json["incomplete"].is_null());
        assert_eq!(json["scenario"]["cluster"]["servers"][0]["count"], 4);
    }

    #[test]
    fn without_completed_requests_latencies_are_null() {
        let mut results = samples::results();
        samples::forget_requests(&mut results);
        results.incomplete = Some(Incomplete::Interrupted);
        let report = Report::new(&results, &samples::scenario());
        let json: Value = serde_json::from_str(&report.to_json()).unwrap();
        assert!(json["ttft_s"]["p99"].is_null());
        assert_eq!(json["incomplete"], "interrupted");
    }
}
