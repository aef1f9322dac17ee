//! Reads `actions`: scaling operations at fixed times.
//!
//! Each entry has a time `at`, exactly one operation, and may name its application. Ids of instances and
//! servers are not checked here: they may come into being during the run, and the ScalingManager refuses
//! what does not exist.

use std::sync::Arc;

use super::applications::Application;
use super::cluster;
use super::reader::{At, Keys};
use super::spec::{Action, Operation, Sku};
use crate::ids::{ApplicationId, InstanceId, ServerId, Tag};
use crate::scaling::AUTO;

const OPERATIONS: [&str; 6] = [
    "scale_up_full",
    "scale_down_full",
    "scale_up_server",
    "scale_up_instance",
    "scale_down_instance",
    "scale_down_server",
];

/// Servers or instances that one action may add.
const MAX_COUNT: u32 = 1_000_000;

/// What actions may name; nothing where that is not clear because of another problem.
pub(super) struct Known<'k, 't> {
    pub catalogue: Option<&'k [Arc<Sku>]>,
    pub applications: Option<&'k [Application<'t>]>,
}

/// All actions with the place of their operation, sorted by time.
pub(super) fn read<'t>(at: Option<At<'t>>, known: &Known<'_, '_>) -> Vec<(At<'t>, Action)> {
    let entries = at.and_then(|at| at.list()).unwrap_or_default();
    let mut actions: Vec<_> = entries.iter().filter_map(|at| read_action(at, known)).collect();
    actions.sort_by_key(|(_, action)| action.at);
    actions
}

fn read_action<'t>(at: &At<'t>, known: &Known<'_, '_>) -> Option<(At<'t>, Action)> {
    let keys = at.keys()?;
    let time = keys.need("at").and_then(|at| at.time());
    let application = read_application(&keys, known);
    let given: Vec<_> = OPERATIONS.iter().filter(|name| keys.has(name)).collect();
    let operation = match given.as_slice() {
        [name] => keys.need(name).and_then(|at| Some((at.clone(), read_operation(name, &at, known)?))),
        several => {
            keys.know(&OPERATIONS);
            let what = if several.is_empty() { "no operation" } else { "more than one operation" };
            let help = format!("exactly one of {}", OPERATIONS.join(", "));
            at.refuse(format!("this action has {what}"), Some(help));
            None
        }
    };
    keys.know(&OPERATIONS);
    keys.finish();
    let (operation_at, operation) = operation?;
    Some((operation_at, Action { at: time?, application: application?, operation }))
}

/// The application of an action: named, or the first; it needs a ScalingManager.
fn read_application(keys: &Keys<'_>, known: &Known<'_, '_>) -> Option<ApplicationId> {
    let named = keys.get("application");
    let id = match &named {
        Some(at) => Some(ApplicationId(at.count(0)?)),
        None => None,
    };
    let applications = known.applications?;
    let found = match id {
        Some(id) => applications.iter().find(|application| application.spec.id == id),
        None => applications.first(),
    };
    let Some(application) = found else {
        return unknown_application(&named?, id?, applications);
    };
    if application.spec.scaling.is_none() {
        let message = format!("application {} has no scaling_manager to do this", application.spec.id);
        named
            .as_ref()
            .unwrap_or(&keys.at)
            .refuse(message, Some("add `scaling_manager: {}` to it".to_owned()));
    }
    Some(application.spec.id)
}

/// Records that there is no such application.
pub(super) fn unknown_application<T>(at: &At<'_>, id: ApplicationId, all: &[Application<'_>]) -> Option<T> {
    let ids: Vec<String> = all.iter().map(|application| application.spec.id.to_string()).collect();
    at.refuse(format!("there is no application {id}"), Some(format!("applications: {}", ids.join(", "))));
    None
}

fn read_operation(name: &str, at: &At<'_>, known: &Known<'_, '_>) -> Option<Operation> {
    let keys = at.keys()?;
    let operation = match name {
        "scale_up_full" => {
            let (count, tag, server_sku) = (read_count(&keys), read_tag(&keys), read_sku(&keys, known));
            (|| Some(Operation::ScaleUpFull { count: count?, tag: tag?, server_sku: server_sku? }))()
        }
        "scale_up_server" => {
            let (count, server_sku) = (read_count(&keys), read_sku(&keys, known));
            (|| Some(Operation::ScaleUpServer { server_sku: server_sku?, count: count? }))()
        }
        "scale_up_instance" => {
            let (server, tag, processors) = (read_server(&keys), read_tag(&keys), read_processors(&keys));
            (|| Some(Operation::ScaleUpInstance { server: server?, tag: tag?, processors: processors? }))()
        }
        "scale_down_full" => read_instances(&keys).map(|instances| Operation::ScaleDownFull { instances }),
        "scale_down_instance" => {
            read_instances(&keys).map(|instances| Operation::ScaleDownInstance { instances })
        }
        _ => read_server(&keys).map(|server| Operation::ScaleDownServer { server }),
    };
    keys.finish();
    operation
}

fn read_count(keys: &Keys<'_>) -> Option<u32> {
    match keys.get("count") {
        Some(at) => at.count_to(1, MAX_COUNT),
        None => Some(1),
    }
}

pub(super) fn read_tag(keys: &Keys<'_>) -> Option<Option<Tag>> {
    let Some(at) = keys.get("tag") else {
        return Some(None);
    };
    let word = at.text()?;
    let known = Tag::ALL.map(Tag::name);
    Tag::parse(word).map(Some).or_else(|| at.unknown("tag", word, &known))
}

fn read_sku(keys: &Keys<'_>, known: &Known<'_, '_>) -> Option<Option<String>> {
    let Some(at) = keys.get("server_sku") else {
        return Some(None);
    };
    match known.catalogue {
        _ if at.is_word(AUTO) => Some(Some(AUTO.to_owned())),
        Some(catalogue) => cluster::sku(&at, catalogue).map(|sku| Some(sku.name.clone())),
        None => at.text().map(|_| None),
    }
}

fn read_server(keys: &Keys<'_>) -> Option<ServerId> {
    keys.need("server").and_then(|at| at.count(0)).map(ServerId)
}

fn read_processors(keys: &Keys<'_>) -> Option<Option<Vec<u32>>> {
    let Some(at) = keys.get("processors") else {
        return Some(None);
    };
    Some(Some(distinct(&at, "GPU")?))
}

/// `instance: 3` or `instances: [3, 5]`.
fn read_instances(keys: &Keys<'_>) -> Option<Vec<InstanceId>> {
    match (keys.get("instance"), keys.get("instances")) {
        (Some(at), None) => Some(vec![InstanceId(at.count(0)?)]),
        (None, Some(at)) => Some(distinct(&at, "instance")?.into_iter().map(InstanceId).collect()),
        (None, None) => {
            keys.at.refuse(
                "`instance` is missing",
                Some("one `instance: 3` or several `instances: [3, 5]`".to_owned()),
            );
            None
        }
        (Some(_), Some(at)) => {
            at.refuse("there is also `instance`", Some("keep one of them".to_owned()));
            None
        }
    }
}

/// A list of different numbers.
fn distinct(at: &At<'_>, what: &str) -> Option<Vec<u32>> {
    let numbers: Vec<_> = at.filled_list()?.iter().map(|at| at.count(0)).collect();
    let numbers = numbers.into_iter().collect::<Option<Vec<_>>>()?;
    for (index, number) in numbers.iter().enumerate() {
        if numbers[..index].contains(number) {
            at.refuse(format!("{what} {number} is listed twice"), None);
            return None;
        }
    }
    Some(numbers)
}
