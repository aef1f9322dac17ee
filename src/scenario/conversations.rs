//! Reads who asks: `workload.sessions`, `workload.clients` and `workload.prefix_groups`.

use ebbflow_actors::SimDuration;

use super::distributions;
use super::reader::{At, Keys};
use super::spec::{Clients, PrefixGroups, Sessions, ThinkTime};

/// What a lognormal pause is cut to unless the scenario says: a day.
const DEFAULT_MAX_S: f64 = 86_400.0;
/// Longest context, as the longest prompt.
const MAX_CONTEXT_TOKENS: u32 = 10_000_000;
/// Keys that say when requests arrive whatever is answered.
const PROCESS_KEYS: [&str; 2] = ["arrivals", "rate"];

/// Conversations of several turns.
pub(super) fn sessions(at: &At<'_>) -> Option<Sessions> {
    let keys = at.keys()?;
    let turns = keys.need("turns").and_then(|at| distributions::lengths(&at));
    let think_time = keys.need("think_time").and_then(|at| think_time(&at));
    let limit = keys.get("max_context_tokens");
    let max_context_tokens = limit.as_ref().and_then(|at| at.count_to(2, MAX_CONTEXT_TOKENS));
    keys.finish();
    Some(Sessions { turns: turns?, think_time: think_time?, max_context_tokens })
}

/// A fixed number of clients: the number alone, or with the time they think.
pub(super) fn clients(at: &At<'_>) -> Option<Clients> {
    if !at.is_map() {
        let think_time = ThinkTime::Constant(SimDuration::ZERO);
        return Some(Clients { count: at.count(1)?, think_time });
    }
    let keys = at.keys()?;
    let count = keys.need("count").and_then(|at| at.count(1));
    let given = keys.get("think_time").map(|at| think_time(&at));
    keys.finish();
    let think_time = given.unwrap_or(Some(ThinkTime::Constant(SimDuration::ZERO)));
    Some(Clients { count: count?, think_time: think_time? })
}

/// Most system prompts there may be.
const MAX_GROUPS: u32 = 1_000_000;
/// Longest system prompt.
const MAX_SYSTEM_PROMPT_TOKENS: u32 = 5_000_000;

/// System prompts; what is left of the context of these sessions must hold a question and an answer.
pub(super) fn prefix_groups(at: &At<'_>, sessions: Option<&Option<Sessions>>) -> Option<PrefixGroups> {
    let keys = at.keys()?;
    let count = keys.need("count").and_then(|at| at.count_to(1, MAX_GROUPS));
    let tokens_at = keys.need("tokens");
    let tokens = tokens_at.as_ref().and_then(|at| at.count_to(1, MAX_SYSTEM_PROMPT_TOKENS));
    let zipf = keys.get("zipf").map_or(Some(0.0), |at| at.not_negative());
    keys.finish();
    let limit = sessions.and_then(|sessions| sessions.as_ref()?.max_context_tokens);
    if let (Some(at), Some(tokens), Some(limit)) = (&tokens_at, tokens, limit)
        && tokens + 2 > limit
    {
        let help = format!(
            "`sessions.max_context_tokens` is {limit}, which has to hold a question and an answer as well"
        );
        at.refuse("the system prompt fills the context", Some(help));
        return None;
    }
    Some(PrefixGroups { count: count?, tokens: tokens?, zipf: zipf? })
}

/// Clients ask when they have an answer, not at a rate.
pub(super) fn refuse_process(keys: &Keys<'_>) {
    for (key, at) in PROCESS_KEYS.iter().filter_map(|key| keys.get(key).map(|at| (key, at))) {
        let help = "leave out one of the two: a client asks again when its last request has ended";
        at.refuse(format!("`{key}` stands beside `clients`, who ask at no rate"), Some(help.to_owned()));
    }
}

/// What cuts or moves requests that are known beforehand, and what to write where they are not.
pub(super) fn refuse_transform(keys: &Keys<'_>) {
    let instead = [
        ("start", "leave it out: generated requests begin at time 0"),
        ("duration", "`until` says when requests cease to arrive"),
        ("rate_scale", "`rate` says how many sessions begin, `clients.count` how many ask at a time"),
        ("limit", "`requests` says how many arrive"),
        ("token_clip", "`max` of a lognormal cuts what is drawn, `sessions.max_context_tokens` the context"),
    ];
    for (key, help) in instead {
        if let Some(at) = keys.get(key) {
            let message = format!("`{key}` changes requests known beforehand; these depend on answers");
            at.refuse(message, Some(help.to_owned()));
        }
    }
}

/// A time, or `exponential`, `uniform` or `lognormal` with its figures.
fn think_time(at: &At<'_>) -> Option<ThinkTime> {
    if !at.is_map() {
        return at.duration().map(ThinkTime::Constant);
    }
    let named = at.named()?;
    let known = ["exponential", "uniform", "lognormal"];
    if !known.contains(&named.name) {
        return named.at.unknown("kind of time", named.name, &known);
    }
    let Some(body) = &named.body else { return at.expected("settings behind the name") };
    let keys = body.keys()?;
    let seconds =
        |key: &'static str| keys.need(key).and_then(|at| at.duration()).map(SimDuration::as_secs_f64);
    let time = match named.name {
        "exponential" => seconds("mean").map(|mean_s| ThinkTime::Exponential { mean_s }),
        "uniform" => {
            let (min, max) = (seconds("min"), seconds("max"));
            min.zip(max).map(|(min_s, max_s)| ThinkTime::Uniform { min_s, max_s })
        }
        _ => {
            let (median, sigma) = (seconds("median"), keys.need("sigma").and_then(|at| at.not_negative()));
            let max =
                keys.get("max").map_or(Some(DEFAULT_MAX_S), |at| at.duration().map(SimDuration::as_secs_f64));
            let figures = median.zip(sigma).zip(max);
            figures.map(|((median_s, sigma), max_s)| ThinkTime::Lognormal { median_s, sigma, max_s })
        }
    };
    keys.finish();
    match time {
        Some(ThinkTime::Uniform { min_s, max_s }) if max_s < min_s => at.expected("max to be at least min"),
        time => time,
    }
}
