//! From a file to a scenario: text → tree with positions → overrides → sections → checks between them.

use std::path::Path;

use ebbflow_actors::{SimDuration, SimTime};

use super::check::Sections;
use super::context::{self, Context};
use super::defaults::Defaults;
use super::problem::{Place, Problem, ScenarioErrors};
use super::reader::{At, Keys, Log};
use super::scaling::{AncestorPolicy, Shared};
use super::spec::{Action, Scenario};
use super::{
    actions, applications, cluster, overrides, performance, resolved, serving, start_state, tree, workload,
};
use crate::diagnosis::nearest_file;
use crate::ids::ApplicationId;
use crate::registry::Registry;
use crate::slo::{BadSlo, Slo};

const BUILTIN: &str = include_str!("../../configs/default.yaml");

const DEFAULT_END_TIME: SimTime = SimTime::from_nanos(86_400_000_000_000);
const DEFAULT_DISPATCH_LATENCY: SimDuration = SimDuration::from_millis(1);
/// The ancestor's messages take no time; this is the least the engine accepts.
const ANCESTOR_DISPATCH_LATENCY: SimDuration = SimDuration::from_nanos(1);

/// Top-level keys of the ancestor's that a scenario may have; most change nothing here.
const ANCESTOR_KEYS: [&str; 13] = [
    "autoscaling",
    "autoscaling_policy",
    "router",
    "arbiter",
    "hardware_repo",
    "model_repo",
    "orchestrator_repo",
    "power_model",
    "rl_enable",
    "output_dir",
    "trace_list",
    "trace_epochs",
    "trace_list_repeats",
];

/// The scenario in the file `path`, changed by `overrides` (`KEY=VALUE`).
///
/// # Errors
/// All problems of the file and the overrides at once.
pub fn load(path: &Path, overrides: &[String], registry: &Registry) -> Result<Scenario, ScenarioErrors> {
    let (name, text) = read_text(path)?;
    from_yaml(&name, &text, folder_of(path), overrides, registry)
}

/// The scenario of a finished run, in the file `path`: to be looked at, not to be run. The trace and the table it
/// names need not be there any more.
///
/// # Errors
/// All problems of the file at once.
pub fn load_finished(path: &Path, registry: &Registry) -> Result<Scenario, ScenarioErrors> {
    let (name, text) = read_text(path)?;
    from_text((&name, &text), folder_of(path), &[], registry, true)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

/// The name of a file for messages, and what it holds.
fn read_text(path: &Path) -> Result<(String, String), ScenarioErrors> {
    let name = path.display().to_string();
    if path.is_dir() {
        let help = "name a scenario file in it, e.g. configs/example.yaml".to_owned();
        return Err(ScenarioErrors::whole(
            &name,
            format!("`{name}` is a directory; expected a file"),
            Some(help),
        ));
    }
    let bytes = std::fs::read(path).map_err(|error| {
        let help = nearest_file(path).map(|file| format!("did you mean `{}`?", file.display()));
        ScenarioErrors::whole(&name, format!("{name} cannot be read: {error}"), help)
    })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let (text, valid) = (String::from_utf8_lossy(error.as_bytes()), error.utf8_error().valid_up_to());
        ScenarioErrors::new(&name, &text, vec![not_text(&text, valid)], Vec::new())
    })?;
    Ok((name, text))
}

/// The scenario that runs when none is named: the user's example configuration under a ramp of load.
///
/// # Errors
/// Only overrides can be wrong.
pub fn builtin(overrides: &[String], registry: &Registry) -> Result<Scenario, ScenarioErrors> {
    from_yaml("built-in scenario", BUILTIN, Path::new(""), overrides, registry)
}

/// The scenario in `text`; `name` is for messages, relative paths start in `base_dir`.
///
/// # Errors
/// All problems of the text and the overrides at once.
pub fn from_yaml(
    name: &str,
    text: &str,
    base_dir: &Path,
    overrides: &[String],
    registry: &Registry,
) -> Result<Scenario, ScenarioErrors> {
    from_text((name, text), base_dir, overrides, registry, false)
}

fn from_text(
    (name, text): (&str, &str),
    folder: &Path,
    overrides: &[String],
    registry: &Registry,
    files_may_be_gone: bool,
) -> Result<Scenario, ScenarioErrors> {
    let mut problems = Vec::new();
    let root = tree::parse(text, None, &mut problems);
    let Some(mut root) = root else {
        return Err(ScenarioErrors::new(name, text, problems, Vec::new()));
    };
    if root.is_null() {
        let help = "a scenario has at least `cluster` and `applications`".to_owned();
        return Err(ScenarioErrors::whole(name, format!("{name} is empty"), Some(help)));
    }
    for given in overrides {
        overrides::apply(&mut root, given, &mut problems);
    }
    let log = Log::with_problems(problems);
    let ancestor = context::is_ancestor(&root);
    let context = Context { registry, folder, files_may_be_gone, ancestor, log: &log };
    let scenario = read(&At::root(&root, &log), &context);
    let (problems, elsewhere, notes) = log.into_parts();
    match scenario {
        Some(scenario) if problems.is_empty() => Ok(finished(scenario, name, notes)),
        _ => Err(ScenarioErrors::new(name, text, problems, elsewhere)),
    }
}

/// The problem of a file that holds what is no character at this byte.
fn not_text(lossy: &str, offset: usize) -> Problem {
    let begin = lossy[..offset].rfind('\n').map_or(0, |at| at + 1);
    let place = Place::Text {
        offset,
        length: char::REPLACEMENT_CHARACTER.len_utf8(),
        line: lossy[..offset].matches('\n').count() + 1,
        column: lossy[begin..offset].chars().count() + 1,
    };
    let message = format!("this is not UTF-8 text: byte {offset} is no character");
    let help = Some("save the file as UTF-8".to_owned());
    Problem { place, path: String::new(), message, help }
}

fn finished(mut scenario: Scenario, name: &str, notes: Vec<String>) -> Scenario {
    scenario.resolved = resolved::to_yaml(&scenario);
    Scenario { name: name.to_owned(), notes, ..scenario }
}

/// Reads all sections before it gives up on any, so that all problems are recorded.
fn read(top: &At<'_>, context: &Context<'_>) -> Option<Scenario> {
    let keys = top.keys()?;
    let general = General::read(&keys, context);
    let cluster = keys.need("cluster").and_then(|at| cluster::read(&at, context));
    let policy = AncestorPolicy::read(&keys);
    let catalogue = cluster.as_ref().map(|cluster| cluster.catalogue.as_slice());
    let shared = Shared { policy, catalogue };
    let applications = keys.need("applications").and_then(|at| applications::read(&at, &shared, context));
    let first = applications.as_ref().map_or(ApplicationId(0), |all| all[0].spec.id);
    let defaults = Defaults::of(applications.as_deref().unwrap_or_default());
    let start = match keys.get("start_state") {
        Some(at) => start_state::read(&at, first, catalogue, defaults),
        None => Some(start_state::default_state(first, defaults)),
    };
    let performance = performance::read(keys.get("performance_model").as_ref(), defaults, context);
    let workload = workload::read(&keys, first, context);
    let known = actions::Known { catalogue, applications: applications.as_deref() };
    let actions = actions::read(keys.get("actions"), &known);
    keys.finish();
    let (cluster, mut applications, start) = (cluster?, applications?, start?);
    serving::settle(&mut applications, performance.as_ref(), &cluster, context.log);
    Sections {
        top,
        cluster: &cluster,
        applications: &applications,
        start: &start,
        performance: performance.as_ref(),
        workload: workload.as_ref(),
        actions: &actions,
        slo: general.slo.as_ref(),
    }
    .check();
    note_late_actions(&actions, general.end_time, context.log);
    Some(Scenario {
        name: String::new(),
        seed: general.seed,
        end_time: general.end_time,
        debug: general.debug || applications.iter().any(|application| application.debug),
        dispatch_latency: general.dispatch_latency,
        cluster,
        applications: applications.into_iter().map(|application| application.spec).collect(),
        start_state: start,
        performance: performance?,
        workload: workload?,
        slo: general.slo,
        actions: actions.into_iter().map(|(_, action)| action).collect(),
        notes: Vec::new(),
        resolved: String::new(),
    })
}

/// The keys that stand beside the sections.
struct General {
    seed: u64,
    end_time: SimTime,
    debug: bool,
    dispatch_latency: SimDuration,
    slo: Option<Slo>,
}

impl General {
    fn read(keys: &Keys<'_>, context: &Context<'_>) -> General {
        keys.ignore(&ANCESTOR_KEYS);
        if let Some(router) = keys.get("router") {
            note_routing_delay(&router, context.log);
        }
        let default_latency =
            if context.ancestor { ANCESTOR_DISPATCH_LATENCY } else { DEFAULT_DISPATCH_LATENCY };
        let latency = keys.get("dispatch_latency").and_then(|at| at.positive_duration());
        let end_time = keys.get("end_time").and_then(|at| at.positive_duration());
        General {
            seed: keys.get("seed").and_then(|at| at.whole(0)).unwrap_or(0),
            end_time: end_time.map_or(DEFAULT_END_TIME, |span| SimTime::ZERO + span),
            debug: keys.get("debug").and_then(|at| at.flag()).unwrap_or(false),
            dispatch_latency: latency.unwrap_or(default_latency),
            slo: keys.get("slo").and_then(|at| read_slo(&at)),
        }
    }
}

/// Objectives as text, `ttft.p99<2s, tbt.p99<0.1s`.
pub(super) fn read_slo(at: &At<'_>) -> Option<Slo> {
    match at.text()?.parse() {
        Ok(slo) => Some(slo),
        Err(error) => {
            let BadSlo { problems, .. } = error;
            problems.into_iter().for_each(|it| at.refuse_part(&it.range, it.message, Some(it.help)));
            None
        }
    }
}

fn note_routing_delay(router: &At<'_>, log: &Log) {
    let delay = router.descend(&["overheads", "routing_delay"]);
    if delay.path.ends_with("routing_delay") && delay.number().is_some_and(|delay| delay != 0.0) {
        log.note(format!("{}: not simulated; a request takes dispatch_latency to its scheduler", delay.path));
    }
}

fn note_late_actions(actions: &[(At<'_>, Action)], end_time: SimTime, log: &Log) {
    for (at, action) in actions.iter().filter(|(_, action)| action.at >= end_time) {
        log.note(format!(
            "{}: at {} the run is over (end_time {end_time}); it never happens",
            at.path, action.at
        ));
    }
}
