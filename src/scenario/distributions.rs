//! Reads how generated requests arrive and how long they are.

use ebbflow_actors::SimTime;

use super::reader::At;
use super::spec::{Arrivals, Lengths};

/// Requests per second, piecewise constant: (from, rate).
pub(super) type Rate = Vec<(SimTime, f64)>;

/// The shape of an arrival process; its rate is set by [`with_rate`].
pub(super) fn arrivals(at: &At<'_>) -> Option<Arrivals> {
    let named = at.named()?;
    let keys = match &named.body {
        Some(body) => Some(body.keys()?),
        None => None,
    };
    match (named.name, keys) {
        ("poisson", None) => Some(Arrivals::Poisson(Vec::new())),
        ("uniform", None) => Some(Arrivals::Uniform { rate: 0.0 }),
        ("gamma", Some(keys)) => {
            let shape = keys.need("shape").and_then(|at| at.positive());
            keys.finish();
            Some(Arrivals::Gamma { shape: shape?, rate: Vec::new() })
        }
        ("on_off", Some(keys)) => {
            let mean_on = keys.need("mean_on").and_then(|at| at.positive_duration());
            let mean_off = keys.need("mean_off").and_then(|at| at.positive_duration());
            keys.finish();
            Some(Arrivals::OnOff { rate: 0.0, mean_on: mean_on?, mean_off: mean_off? })
        }
        ("poisson" | "uniform", Some(_)) => {
            named.at.refuse(
                format!("`{}` has no settings here", named.name),
                Some("set `rate` beside it".to_owned()),
            );
            None
        }
        ("gamma", None) => at.expected("`gamma: {shape: …}`"),
        ("on_off", None) => at.expected("`on_off: {mean_on: …, mean_off: …}`"),
        (other, _) => named.at.unknown("arrival process", other, &["poisson", "gamma", "on_off", "uniform"]),
    }
}

/// The process at this rate; `at` is where the rate stands.
pub(super) fn with_rate(shape: Arrivals, rate: Rate, at: Option<&At<'_>>) -> Option<Arrivals> {
    let constant = match rate.as_slice() {
        [(_, rate)] => Some(*rate),
        _ => None,
    };
    match (shape, constant) {
        (Arrivals::Poisson(_), _) => Some(Arrivals::Poisson(rate)),
        (Arrivals::Gamma { shape, .. }, _) => Some(Arrivals::Gamma { shape, rate }),
        (Arrivals::Uniform { .. }, Some(rate)) => Some(Arrivals::Uniform { rate }),
        (Arrivals::OnOff { mean_on, mean_off, .. }, Some(rate)) => {
            Some(Arrivals::OnOff { rate, mean_on, mean_off })
        }
        (clients @ Arrivals::Clients(_), _) => Some(clients),
        (_, None) => at?.expected("one rate: only poisson and gamma arrivals change theirs over time"),
    }
}

/// A rate: a number, or a list of `{at, rate}` that starts at 0.
pub(super) fn rate(at: &At<'_>) -> Option<Rate> {
    if !at.is_list() {
        return Some(vec![(SimTime::ZERO, at.positive()?)]);
    }
    let pieces: Vec<_> = at.filled_list()?.iter().map(read_piece).collect();
    let rate = pieces.into_iter().collect::<Option<Rate>>()?;
    let sorted = rate.windows(2).all(|pair| pair[0].0 < pair[1].0);
    if rate[0].0 != SimTime::ZERO || !sorted {
        at.refuse("the times of a rate must start at 0 and increase", None);
        return None;
    }
    if rate.iter().all(|(_, rate)| *rate == 0.0) {
        at.refuse("nothing ever arrives: every rate is 0", None);
        return None;
    }
    Some(rate)
}

fn read_piece(at: &At<'_>) -> Option<(SimTime, f64)> {
    let keys = at.keys()?;
    let (from, rate) =
        (keys.need("at").and_then(|at| at.time()), keys.need("rate").and_then(|at| at.not_negative()));
    keys.finish();
    Some((from?, rate?))
}

/// Lengths in tokens: a number, `{lognormal: …}` or `{quantiles: …}`.
pub(super) fn lengths(at: &At<'_>) -> Option<Lengths> {
    if !at.is_map() {
        return at.count(1).map(Lengths::Constant);
    }
    let named = at.named()?;
    let known = ["constant", "lognormal", "quantiles"];
    match (named.name, &named.body) {
        ("constant", Some(body)) => body.count(1).map(Lengths::Constant),
        ("lognormal", Some(body)) => {
            let keys = body.keys()?;
            let mu = keys.need("mu").and_then(|at| at.number());
            let sigma = keys.need("sigma").and_then(|at| at.not_negative());
            let max = keys.need("max").and_then(|at| at.count(1));
            keys.finish();
            Some(Lengths::Lognormal { mu: mu?, sigma: sigma?, max: max? })
        }
        ("quantiles", Some(body)) => quantiles(body),
        (name, None) if known.contains(&name) => at.expected("settings behind the name"),
        (other, _) => named.at.unknown("length distribution", other, &known),
    }
}

/// Knots `[percentile, length]` from 0 to 100.
fn quantiles(at: &At<'_>) -> Option<Lengths> {
    let knots: Vec<_> = at.filled_list()?.iter().map(read_knot).collect();
    let knots = knots.into_iter().collect::<Option<Vec<_>>>()?;
    let increasing = knots.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1);
    let (first, last) = (knots.first()?.0, knots.last()?.0);
    if !increasing || first != 0.0 || last != 100.0 {
        let help = "e.g. [[0, 10], [50, 200], [100, 4000]]: percentiles from 0 to 100 that increase, lengths that do not decrease";
        at.refuse("these knots are not a distribution", Some(help.to_owned()));
        return None;
    }
    Some(Lengths::Quantiles(knots))
}

fn read_knot(at: &At<'_>) -> Option<(f64, f64)> {
    match at.list()?.as_slice() {
        [percentile, length] => Some((percentile.not_negative()?, length.positive()?)),
        _ => at.expected("[percentile, length]"),
    }
}
