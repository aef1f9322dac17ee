//! Writes `workload`: where requests come from, and what they say of themselves.

use ebbflow_actors::SimTime;
use serde_json::{Value, json};

use super::super::spec::*;
use super::{absolute, seconds, time};

pub(super) fn workload(workload: &WorkloadSpec) -> Value {
    let transform = &workload.transform;
    let mut keys = match &workload.source {
        WorkloadSource::Trace { path, skip_bad_rows, arrivals: given } => {
            let mut keys = json!({ "trace": absolute(path), "skip_bad_rows": skip_bad_rows });
            if let Some(given) = given {
                let (process, rate) = arrivals(given);
                keys["arrivals"] = process;
                keys["rate"] = rate;
            }
            keys
        }
        WorkloadSource::ClientPool(pool) => client_pool(pool),
        WorkloadSource::Synthetic(spec) => synthetic(spec),
    };
    keys["start"] = json!(transform.start.map(seconds));
    keys["duration"] = json!(transform.duration.map(seconds));
    keys["rate_scale"] = json!(transform.rate_scale);
    keys["limit"] = json!(transform.limit);
    keys["token_clip"] = json!(transform.token_clip);
    keys["classes"] = workload.classes.iter().map(class).collect();
    if workload.classes.is_empty() {
        keys["classes"] = Value::Null;
    }
    keys
}

fn class(class: &RequestClass) -> Value {
    json!({
        "name": class.name,
        "share": class.share,
        "priority": class.priority,
        "tenant": class.tenant,
        "adapter": class.adapter,
        "slo": class.slo.as_ref().map(ToString::to_string),
        "prompt": class.prompt.as_ref().map(lengths),
        "output": class.output.as_ref().map(lengths),
    })
}

fn client_pool(pool: &ClientPoolSpec) -> Value {
    let (clients, top) = match &pool.clients {
        PoolClients::All => (None, None),
        PoolClients::These(numbers) => (Some(numbers), None),
        PoolClients::Top(most) => (None, Some(most)),
    };
    json!({
        "client_pool": {
            "path": absolute(&pool.folder),
            "clients": clients,
            "top": top,
            "prompt": pool.lengths.as_ref().map(|(prompt, _)| lengths(prompt)),
            "output": pool.lengths.as_ref().map(|(_, output)| lengths(output)),
        },
        "rate": pool.rate,
        "application": pool.application,
    })
}

fn synthetic(spec: &SyntheticSpec) -> Value {
    let (arrivals, rate) = arrivals(&spec.arrivals);
    let shares = spec.shares.iter().map(|(id, share)| json!({ "application": id, "share": share }));
    let mut keys = json!({
        "application": spec.shares.is_empty().then_some(spec.application),
        "applications": (!spec.shares.is_empty()).then(|| shares.collect::<Vec<_>>()),
        "arrivals": arrivals,
        "rate": rate,
        "clients": clients(&spec.arrivals),
        "sessions": spec.sessions.as_ref().map(|sessions| json!({
            "turns": lengths(&sessions.turns),
            "think_time": think_time(&sessions.think_time),
            "max_context_tokens": sessions.max_context_tokens,
        })),
        "prefix_groups": spec.prefix_groups.map(|groups| json!({
            "count": groups.count, "tokens": groups.tokens, "zipf": groups.zipf,
        })),
        "requests": spec.requests,
        "until": spec.until.map(time),
    });
    match spec.preset {
        Some(preset) => keys["preset"] = json!(preset.name),
        None => {
            keys["synthetic"] = json!({ "prompt": lengths(&spec.prompt), "output": lengths(&spec.output) });
        }
    }
    keys
}

/// The process and its rate.
fn arrivals(arrivals: &Arrivals) -> (Value, Value) {
    let pieces = |rate: &[(SimTime, f64)]| {
        rate.iter().map(|(from, rate)| json!({ "at": time(*from), "rate": rate })).collect::<Value>()
    };
    match arrivals {
        Arrivals::Poisson(rate) => (json!("poisson"), pieces(rate)),
        Arrivals::Gamma { shape, rate } => (json!({ "gamma": { "shape": shape } }), pieces(rate)),
        Arrivals::Uniform { rate } => (json!("uniform"), json!(rate)),
        Arrivals::OnOff { rate, mean_on, mean_off } => (
            json!({ "on_off": { "mean_on": seconds(*mean_on), "mean_off": seconds(*mean_off) } }),
            json!(rate),
        ),
        Arrivals::Clients(_) => (Value::Null, Value::Null),
    }
}

fn clients(arrivals: &Arrivals) -> Value {
    let Arrivals::Clients(clients) = arrivals else { return Value::Null };
    json!({ "count": clients.count, "think_time": think_time(&clients.think_time) })
}

fn think_time(time: &ThinkTime) -> Value {
    match *time {
        ThinkTime::Constant(span) => json!(seconds(span)),
        ThinkTime::Exponential { mean_s } => json!({ "exponential": { "mean": mean_s } }),
        ThinkTime::Uniform { min_s, max_s } => json!({ "uniform": { "min": min_s, "max": max_s } }),
        ThinkTime::Lognormal { median_s, sigma, max_s } => {
            json!({ "lognormal": { "median": median_s, "sigma": sigma, "max": max_s } })
        }
    }
}

fn lengths(lengths: &Lengths) -> Value {
    match lengths {
        Lengths::Constant(length) => json!(length),
        Lengths::Lognormal { mu, sigma, max } => {
            json!({ "lognormal": { "mu": mu, "sigma": sigma, "max": max } })
        }
        Lengths::Quantiles(knots) => json!({ "quantiles": knots }),
    }
}
