//! Reads the knots of `pwl`.

use crate::performance::{KnotError, Knots, Pwl};
use crate::scenario::reader::{At, Keys};
use crate::scenario::spec::PerformanceSpec;

const HELP: &str = "e.g. `pwl: {prompt: [[1, 0.01], [8192, 0.6]], token: [[1, 0.008], [256, 0.03]]}`";

/// The spec: knots that make curves.
pub(super) fn read(keys: &Keys<'_>) -> Option<PerformanceSpec> {
    let [prompt, token] = ["prompt", "token"].map(|key| (key, keys.need(key)));
    let context = keys.get("per_context_token_s");
    let knots = |at: &Option<At<'_>>| at.as_ref()?.list()?.iter().map(knot).collect::<Option<Vec<_>>>();
    let (prompt_knots, token_knots) = (knots(&prompt.1), knots(&token.1));
    let per_context_token_s = context.as_ref().map_or(Some(0.0), At::not_negative);
    let knots =
        Knots { prompt: prompt_knots?, token: token_knots?, per_context_token_s: per_context_token_s? };
    let Err(KnotError { key, knot, problem }) = Pwl::new(&knots) else {
        return Some(PerformanceSpec::Pwl(knots));
    };
    let at = [prompt, token].into_iter().find(|(name, _)| *name == key).map_or(context, |(_, at)| at)?;
    let place = knot.and_then(|knot| at.list()?.into_iter().nth(knot));
    place.unwrap_or(at).refuse(problem, None);
    None
}

/// Records that there is no time without knots.
pub(super) fn refuse_without_knots(at: &At<'_>) -> Option<PerformanceSpec> {
    at.refuse("`pwl` needs its knots", Some(HELP.to_owned()));
    None
}

/// `[tokens, seconds]`.
fn knot(at: &At<'_>) -> Option<(f64, f64)> {
    match at.list()?.as_slice() {
        [x, seconds] => Some((x.number()?, seconds.number()?)),
        _ => at.expected("a knot: a list of a count and its seconds, e.g. `[512, 0.04]`"),
    }
}
