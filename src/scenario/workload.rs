//! Reads `workload` and the ancestor's `trace`: where requests come from and how they are changed.
//!
//! A scenario without a workload gets [`DEFAULT_PRESET`]; a note says so. A trace given as an override (the
//! command line's `--trace`) replaces whatever source the file names.

use ebbflow_actors::SimTime;

use super::classes;
use super::client_pool;
use super::context::Context;
use super::conversations;
use super::distributions::{self, Rate};
use super::reader::{At, Keys};
use super::spec::{Arrivals, Lengths, SyntheticSpec, Transform, WorkloadSource, WorkloadSpec};
use crate::ids::ApplicationId;
use crate::workload::{Preset, preset, preset_names};

/// What arrives when nobody says: lengths and arrival shape of this preset …
const DEFAULT_PRESET: &str = "azure-conv";
/// … and this many requests, also of any generated workload without an end.
const DEFAULT_REQUESTS: u64 = 600;
/// Keys that only generated workloads have.
const GENERATED_KEYS: [&str; 10] = [
    "client_pool",
    "preset",
    "synthetic",
    "sessions",
    "clients",
    "prefix_groups",
    "requests",
    "until",
    "application",
    "applications",
];
/// Keys that say when requests arrive, generated or those of a trace.
const ARRIVAL_KEYS: [&str; 2] = ["arrivals", "rate"];

/// The workload of a scenario whose top level is `top`.
pub(super) fn read(top: &Keys<'_>, first: ApplicationId, context: &Context<'_>) -> Option<WorkloadSpec> {
    let trace = top.get("trace");
    let Some(at) = top.get("workload") else {
        let source = match trace {
            Some(at) => {
                let path = read_trace(&at, context)?;
                WorkloadSource::Trace { path, skip_bad_rows: false, arrivals: None }
            }
            None => WorkloadSource::Synthetic(read_generated(None, first, context)?),
        };
        return Some(WorkloadSpec { source, transform: Transform::default(), classes: Vec::new() });
    };
    let keys = at.keys()?;
    let transform = read_transform(&keys);
    let skip_bad_rows = keys.get("skip_bad_rows").and_then(|at| at.flag()).unwrap_or(false);
    let replayed = choose_trace(&keys, trace, context);
    let classes = keys.get("classes").map_or(Some(Vec::new()), |at| classes::read(&at, replayed.is_some()));
    let source = match replayed {
        Some(at) => {
            let arrivals = read_arrivals_of_trace(&keys, &at, context);
            keys.ignore(&GENERATED_KEYS);
            keys.ignore(&ARRIVAL_KEYS);
            let path = read_trace(&at, context);
            path.zip(arrivals).map(|(path, arrivals)| WorkloadSource::Trace { path, skip_bad_rows, arrivals })
        }
        None => match keys.get("client_pool") {
            Some(at) => client_pool::read(&at, &keys, first, context).map(WorkloadSource::ClientPool),
            None => read_generated(Some(&keys), first, context).map(WorkloadSource::Synthetic),
        },
    };
    keys.finish();
    Some(WorkloadSpec { source: source?, transform, classes: classes? })
}

/// The trace that is replayed, if any; two sources are a problem, unless one of them is an override.
fn choose_trace<'t>(keys: &Keys<'t>, outer: Option<At<'t>>, context: &Context<'_>) -> Option<At<'t>> {
    let inner = keys.get("trace");
    let generated = GENERATED_KEYS.iter().find_map(|key| keys.get(key).map(|at| (*key, at)));
    let trace = match (outer, inner) {
        (Some(outer), Some(inner)) if !outer.is_override_inside() && !inner.is_override() => {
            inner.refuse("the file also has a top-level `trace`", Some("keep one of them".to_owned()));
            outer
        }
        (Some(outer), Some(inner)) => {
            if outer.is_override_inside() {
                outer
            } else {
                inner
            }
        }
        (outer, inner) => outer.or(inner)?,
    };
    if let Some((key, at)) = generated {
        if replaces(&trace, &at) {
            context.log.note(format!(
                "the trace given as an override replaces the generated workload of {}",
                keys.at.path
            ));
        } else {
            let help = "a trace has its own requests; change them with rate, rate_scale, start, duration, limit, token_clip";
            at.refuse(
                format!("`{key}` belongs to generated workloads, but there is a trace"),
                Some(help.to_owned()),
            );
        }
    }
    Some(trace)
}

/// Whether a trace given as an override stands for what the file says at another key.
fn replaces(trace: &At<'_>, other: &At<'_>) -> bool {
    trace.is_override_inside() && !other.is_override_inside()
}

/// When the requests of a trace arrive, if not as recorded. What the file says of that belongs to the generated
/// workload that a trace given as an override replaces.
fn read_arrivals_of_trace(
    keys: &Keys<'_>,
    trace: &At<'_>,
    context: &Context<'_>,
) -> Option<Option<Arrivals>> {
    let generated = GENERATED_KEYS.iter().any(|key| keys.get(key).is_some());
    let given = |key| keys.get(key).filter(|at| !replaces(trace, at));
    let (shape, rate_at) = (given("arrivals"), given("rate"));
    if !generated && ARRIVAL_KEYS.iter().any(|key| keys.get(key).is_some_and(|at| replaces(trace, &at))) {
        context.log.note(format!(
            "the trace given as an override replaces the generated workload of {}",
            keys.at.path
        ));
    }
    let Some(rate_at) = rate_at else {
        if let Some(shape) = shape {
            shape
                .refuse("`rate` is missing", Some("requests per second, or a list of {at, rate}".to_owned()));
            return None;
        }
        return Some(None);
    };
    let shape = shape.map_or(Some(Arrivals::Poisson(Vec::new())), |at| distributions::arrivals(&at));
    let rate = distributions::rate(&rate_at);
    distributions::with_rate(shape?, rate?, Some(&rate_at)).map(Some)
}

/// The file of a trace: its path, or the ancestor's `{dir, filename, path}`, of which `path` counts.
fn read_trace(at: &At<'_>, context: &Context<'_>) -> Option<std::path::PathBuf> {
    if !at.is_map() {
        return context.file(at, at.text()?);
    }
    let keys = at.keys()?;
    let (path, dir, filename) = (keys.get("path"), keys.get("dir"), keys.get("filename"));
    keys.finish();
    if let Some(path) = path {
        return context.file(&path, path.text()?);
    }
    let Some(filename) = filename else {
        at.refuse("`path` is missing", None);
        return None;
    };
    let dir = match dir {
        Some(dir) => format!("{}/", dir.text()?),
        None => String::new(),
    };
    context.file(&filename, &format!("{dir}{}.csv", filename.text()?))
}

fn read_transform(keys: &Keys<'_>) -> Transform {
    Transform {
        start: keys.get("start").and_then(|at| at.duration()),
        duration: keys.get("duration").and_then(|at| at.positive_duration()),
        rate_scale: keys.get("rate_scale").and_then(|at| at.positive()),
        limit: keys.get("limit").and_then(|at| at.whole(1)),
        token_clip: keys.get("token_clip").and_then(|at| at.count(1)),
    }
}

/// Lengths, arrival shape and rate of a generated workload before its own keys change them.
struct Base {
    prompt: Lengths,
    output: Lengths,
    arrivals: Arrivals,
    preset: Option<&'static Preset>,
}

impl Base {
    fn of_preset(preset: &'static Preset) -> Base {
        let quantiles = |knots: &[(f64, f64)]| Lengths::Quantiles(knots.to_vec());
        Base {
            prompt: quantiles(preset.kinds[0].prompt),
            output: quantiles(preset.kinds[0].output),
            arrivals: Arrivals::Gamma { shape: preset.gamma_shape, rate: Vec::new() },
            preset: Some(preset),
        }
    }

    /// The rate that is given, or that of the preset. A number is the mean: a preset keeps its hours where arrivals
    /// of this shape can change their rate.
    fn rate(&self, given: Option<Rate>, is_mean: bool, shape: &Arrivals) -> Option<Rate> {
        let Some(preset) = self.preset.filter(|_| is_mean) else { return given };
        let mean = given.map_or(preset.mean_rate, |given| given[0].1);
        match shape {
            Arrivals::Poisson(_) | Arrivals::Gamma { .. } => Some(preset.rate(mean)),
            _ => Some(vec![(SimTime::ZERO, mean)]),
        }
    }
}

fn read_generated(
    keys: Option<&Keys<'_>>,
    first: ApplicationId,
    context: &Context<'_>,
) -> Option<SyntheticSpec> {
    let get = |key| keys.and_then(|keys| keys.get(key));
    let base = read_base(get("preset"), get("synthetic"), context);
    let application = get("application").and_then(|at| at.count(0)).map_or(first, ApplicationId);
    let shares = get("applications").map_or(Some(Vec::new()), |at| read_shares(&at));
    if let (Some(_), Some(at)) = (get("application"), get("applications")) {
        at.refuse("there is also an `application`", Some("keep one of them".to_owned()));
    }
    let until_at = get("until");
    let until = until_at.as_ref().and_then(|at| at.positive_duration()).map(|span| SimTime::ZERO + span);
    let given = get("requests");
    let mut requests = given.as_ref().and_then(|at| at.whole(1));
    if until_at.is_none() && given.is_none() {
        context.log.note(format!(
            "the workload has no end (`requests` or `until`): {DEFAULT_REQUESTS} requests arrive"
        ));
        requests = Some(DEFAULT_REQUESTS);
    }
    let sessions = get("sessions").map(|at| conversations::sessions(&at));
    let clients = get("clients").map(|at| conversations::clients(&at));
    if let Some(keys) = keys.filter(|_| sessions.is_some() || clients.is_some()) {
        conversations::refuse_transform(keys);
    }
    let arrivals = match clients {
        Some(clients) => {
            keys.inspect(|keys| conversations::refuse_process(keys));
            clients.map(Arrivals::Clients)
        }
        None => read_arrivals(keys, base.as_ref()),
    };
    let prefix_groups = get("prefix_groups").map(|at| conversations::prefix_groups(&at, sessions.as_ref()));
    let (base, sessions) = (base?, sessions.map_or(Some(None), |sessions| sessions.map(Some))?);
    let prefix_groups = prefix_groups.map_or(Some(None), |groups| groups.map(Some))?;
    let arrivals = arrivals?;
    let talks_back =
        sessions.is_some() || prefix_groups.is_some() || matches!(arrivals, Arrivals::Clients(_));
    let structured = base.preset.filter(|preset| preset.is_structured());
    if let Some(preset) = structured.filter(|_| talks_back) {
        context.log.note(format!(
            "the sessions and beginnings of the preset {} give way to those the workload names; lengths are those of \
             its first kind of request",
            preset.name
        ));
    }
    let preset = structured.filter(|_| !talks_back);
    let (prompt, output) = (base.prompt, base.output);
    let shares = shares?;
    Some(SyntheticSpec {
        application,
        shares,
        arrivals,
        prompt,
        output,
        preset,
        sessions,
        prefix_groups,
        requests,
        until,
    })
}

/// Who is asked, and for which part of the whole.
fn read_shares(at: &At<'_>) -> Option<Vec<(ApplicationId, f64)>> {
    let share = |at: &At<'_>| {
        let keys = at.keys()?;
        let application = keys.need("application").and_then(|at| at.count(0)).map(ApplicationId);
        let share = match keys.get("share") {
            Some(at) => at.positive(),
            None => Some(1.0),
        };
        keys.finish();
        application.zip(share)
    };
    let shares: Vec<_> = at.filled_list()?.iter().map(share).collect();
    shares.into_iter().collect()
}

/// A process with its rate.
fn read_arrivals(keys: Option<&Keys<'_>>, base: Option<&Base>) -> Option<Arrivals> {
    let get = |key| keys.and_then(|keys| keys.get(key));
    let shape = get("arrivals").map(|at| distributions::arrivals(&at));
    let rate_at = get("rate");
    let rate = rate_at.as_ref().map(distributions::rate);
    let base = base?;
    let shape = shape.unwrap_or_else(|| Some(base.arrivals.clone()));
    if let (None, None, Some(keys)) = (&rate_at, base.preset, keys) {
        keys.at.refuse("`rate` is missing", Some("requests per second, or a list of {at, rate}".to_owned()));
        return None;
    }
    let is_mean = rate_at.as_ref().is_none_or(|at| !at.is_list());
    let (shape, given) = (shape?, rate.map_or(Some(None), |rate| rate.map(Some))?);
    let rate = base.rate(given, is_mean, &shape)?;
    distributions::with_rate(shape, rate, rate_at.as_ref())
}

fn read_base(named: Option<At<'_>>, synthetic: Option<At<'_>>, context: &Context<'_>) -> Option<Base> {
    if let (Some(_), Some(at)) = (&named, &synthetic) {
        at.refuse("there is also a `preset`", Some("keep one of them".to_owned()));
    }
    if let Some(at) = synthetic {
        let keys = at.keys()?;
        let prompt = keys.need("prompt").and_then(|at| distributions::lengths(&at));
        let output = keys.need("output").and_then(|at| distributions::lengths(&at));
        keys.finish();
        let arrivals = Arrivals::Poisson(Vec::new());
        return Some(Base { prompt: prompt?, output: output?, arrivals, preset: None });
    }
    let Some(at) = named else {
        context.log.note(format!("no workload is named: requests are generated like {DEFAULT_PRESET}"));
        return preset(DEFAULT_PRESET).map(Base::of_preset);
    };
    let name = at.text()?;
    let known: Vec<_> = preset_names().collect();
    preset(name).map(Base::of_preset).or_else(|| at.unknown("preset", name, &known))
}
