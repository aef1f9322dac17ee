//! Reads `workload.client_pool`: whose requests of a pool arrive, how many and how long.

use super::context::Context;
use super::distributions;
use super::reader::{At, Keys};
use super::spec::{ClientPoolSpec, Lengths, PoolClients};
use crate::ids::ApplicationId;

/// Keys of a workload that belong to other sources.
const OTHERS: [&str; 10] = [
    "preset",
    "synthetic",
    "arrivals",
    "sessions",
    "clients",
    "prefix_groups",
    "requests",
    "until",
    "applications",
    "skip_bad_rows",
];

/// The pool at `at`, in the workload whose keys these are.
pub(super) fn read(
    at: &At<'_>,
    workload: &Keys<'_>,
    first: ApplicationId,
    context: &Context<'_>,
) -> Option<ClientPoolSpec> {
    for (key, other) in OTHERS.iter().filter_map(|key| Some((key, workload.get(key)?))) {
        let help = "a pool has its own requests; change them with rate, start, duration, rate_scale, limit, token_clip, \
                    and with `clients` or `top` inside `client_pool`";
        other.refuse(format!("`{key}` has no place beside a client pool"), Some(help.to_owned()));
    }
    let rate = workload.get("rate").map_or(Some(None), |at| rate(&at).map(Some));
    let application = workload.get("application").map_or(Some(first), |at| at.count(0).map(ApplicationId));
    let (folder, clients, lengths) = if at.is_map() {
        let keys = at.keys()?;
        let folder = keys.need("path").and_then(|at| context.folder(&at, at.text()?));
        let (clients, lengths) = (clients(&keys), lengths(&keys));
        keys.finish();
        (folder, clients, lengths)
    } else {
        (context.folder(at, at.text()?), Some(PoolClients::All), Some(None))
    };
    Some(ClientPoolSpec {
        folder: folder?,
        clients: clients?,
        lengths: lengths?,
        rate: rate?,
        application: application?,
    })
}

/// One number, which stands for the mean.
fn rate(at: &At<'_>) -> Option<f64> {
    if at.is_list() {
        return at.expected("one rate, which is the mean: a pool says itself how it changes");
    }
    at.positive()
}

fn clients(keys: &Keys<'_>) -> Option<PoolClients> {
    match (keys.get("clients"), keys.get("top")) {
        (Some(_), Some(top)) => {
            top.refuse("there are also `clients`", Some("keep one of them".to_owned()));
            None
        }
        (Some(at), None) => {
            let numbers: Vec<_> = at.filled_list()?.iter().map(|at| at.count(0)).collect();
            numbers.into_iter().collect::<Option<Vec<_>>>().map(PoolClients::These)
        }
        (None, Some(at)) => at.count(1).map(PoolClients::Top),
        (None, None) => Some(PoolClients::All),
    }
}

/// Both lengths or none.
fn lengths(keys: &Keys<'_>) -> Option<Option<(Lengths, Lengths)>> {
    match (keys.get("prompt"), keys.get("output")) {
        (Some(prompt), Some(output)) => {
            let (prompt, output) = (distributions::lengths(&prompt), distributions::lengths(&output));
            prompt.zip(output).map(Some)
        }
        (None, None) => Some(None),
        (Some(alone), None) | (None, Some(alone)) => {
            let help =
                "name `prompt` and `output`, or neither: then lengths are those of the pool".to_owned();
            alone.refuse("the other length is missing", Some(help));
            None
        }
    }
}
