//! Reads the classes of requests: `workload.classes`.

use super::distributions;
use super::load::read_slo;
use super::reader::At;
use super::spec::RequestClass;

/// A list of classes. Requests of a trace have their lengths already.
pub(super) fn read(at: &At<'_>, is_trace: bool) -> Option<Vec<RequestClass>> {
    let items = at.filled_list()?;
    let mut names: Vec<String> = Vec::new();
    let classes: Vec<_> = items
        .iter()
        .map(|item| {
            let read = class(item, is_trace)?;
            if names.contains(&read.name) {
                let at = item.descend(&["name"]);
                at.refuse(format!("there are two classes `{}`", read.name), None);
                return None;
            }
            names.push(read.name.clone());
            Some(read)
        })
        .collect();
    classes.into_iter().collect()
}

fn class(at: &At<'_>, is_trace: bool) -> Option<RequestClass> {
    let keys = at.keys()?;
    let name = keys.need("name").and_then(|at| filled(&at));
    let share = keys.get("share").map_or(Some(1.0), |at| at.positive());
    let priority = keys.get("priority").map_or(Some(0), |at| integer(&at));
    let tenant = keys.get("tenant").map_or(Some(None), |at| filled(&at).map(Some));
    let adapter = keys.get("adapter").map_or(Some(None), |at| at.count(0).map(Some));
    let slo = keys.get("slo").map_or(Some(None), |at| read_slo(&at).map(Some));
    let lengths = |key: &'static str| {
        let at = keys.get(key)?;
        if is_trace {
            let help = "leave it out; `token_clip` cuts the lengths of a trace".to_owned();
            at.refuse(format!("`{key}` belongs to generated workloads, but there is a trace"), Some(help));
        }
        Some(distributions::lengths(&at))
    };
    let (prompt, output) = (lengths("prompt"), lengths("output"));
    keys.finish();
    Some(RequestClass {
        name: name?,
        share: share?,
        priority: priority?,
        tenant: tenant?,
        adapter: adapter?,
        slo: slo?,
        prompt: prompt.map_or(Some(None), |lengths| lengths.map(Some))?,
        output: output.map_or(Some(None), |lengths| lengths.map(Some))?,
    })
}

fn filled(at: &At<'_>) -> Option<String> {
    let text = at.text()?;
    if text.trim().is_empty() { at.expected("a name") } else { Some(text.to_owned()) }
}

fn integer(at: &At<'_>) -> Option<i32> {
    let number = at.number()?;
    let whole = number as i32;
    if f64::from(whole) == number { Some(whole) } else { at.expected("a whole number, lower goes first") }
}
