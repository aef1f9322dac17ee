//! Reads `applications`: model, scheduler and ScalingManager of each.

use super::context::Context;
use super::model;
use super::reader::{At, Keys, Named};
use super::scaling::{self, Shared};
use super::spec::{ApplicationSpec, SchedulerSpec};
use crate::ids::ApplicationId;
use crate::models::Precision;
use crate::registry::Settings;

/// The scheduler of an application that names none: the ancestor's default.
const DEFAULT_SCHEDULER: &str = "round_robin";

/// An application and where it stands.
pub(super) struct Application<'t> {
    pub at: At<'t>,
    /// Where its model is named.
    pub model_at: At<'t>,
    /// Precision of its weights, if it says so.
    pub precision: Option<Precision>,
    /// Precision of its KV cache, if it says so.
    pub cache: Option<Precision>,
    pub spec: ApplicationSpec,
    pub debug: bool,
}

/// All applications, or nothing when one of them is not clear.
pub(super) fn read<'t>(
    at: &At<'t>,
    shared: &Shared<'_, 't>,
    context: &Context<'_>,
) -> Option<Vec<Application<'t>>> {
    let entries = at.filled_list()?;
    let read: Vec<_> = entries
        .iter()
        .zip(0..)
        .map(|(at, index)| read_application(at, ApplicationId(index), shared, context))
        .collect();
    let applications = read.into_iter().collect::<Option<Vec<Application<'_>>>>()?;
    for (index, application) in applications.iter().enumerate() {
        let id = application.spec.id;
        if applications[..index].iter().any(|earlier| earlier.spec.id == id) {
            let message = format!("application_id {id} is given twice");
            application.at.refuse(message, Some("give every application its own number".to_owned()));
        }
    }
    Some(applications)
}

fn read_application<'t>(
    at: &At<'t>,
    default_id: ApplicationId,
    shared: &Shared<'_, 't>,
    context: &Context<'_>,
) -> Option<Application<'t>> {
    let keys = at.keys()?;
    let id = keys.get("application_id").and_then(|at| at.count(0)).map_or(default_id, ApplicationId);
    let model = model::read(&keys, context);
    let debug = keys.get("debug").and_then(|at| at.flag()).unwrap_or(false);
    let scheduler = read_scheduler(&keys, context);
    let scaling = keys.get("scaling_manager").and_then(|at| scaling::read(&at, shared, debug, context));
    read_without_effect(&keys, context);
    keys.finish();
    // A problem with anything but the model has been recorded; the model can be checked all the same.
    let scheduler =
        scheduler.unwrap_or_else(|| SchedulerSpec { name: String::new(), settings: Settings::default() });
    let model::Given { at: model_at, model, precision, cache } = model?;
    let spec = ApplicationSpec { id, model, scheduler, scaling };
    Some(Application { at: at.clone(), model_at, precision, cache, spec, debug })
}

fn read_scheduler(keys: &Keys<'_>, context: &Context<'_>) -> Option<SchedulerSpec> {
    let Some(at) = keys.get("scheduler") else {
        let named = Named { name: DEFAULT_SCHEDULER, at: keys.at.clone(), body: None };
        return context.scheduler(&named);
    };
    context.scheduler(&at.named()?)
}

/// Keys of the ancestor that change nothing here, now and there.
fn read_without_effect(keys: &Keys<'_>, context: &Context<'_>) {
    keys.ignore(&["_target_"]);
    if let Some(name) = keys.get("allocator").and_then(|at| at.text())
        && !["noop", "NoOpAllocator", "StaticAllocator"].contains(&name)
    {
        context.log.note(format!(
            "{}: the allocator `{name}` is accepted; instances are always created as the start state and the ScalingManager say",
            keys.at.path
        ));
    }
    if let Some(overheads) = keys.get("overheads").and_then(|at| at.keys())
        && overheads.rest().next().is_some()
    {
        context
            .log
            .note(format!("{}.overheads: overheads of an application are not simulated", keys.at.path));
    }
}
