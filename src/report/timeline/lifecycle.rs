//! The lives of servers and instances as slices on their tracks.

use std::io::{self, Write};

use serde_json::json;

use super::event::{Event, Sink};
use super::{View, micros};
use crate::report::Cause;
use crate::results::statuses::{Status, stretches};

/// Writes all of them.
pub fn write<W: Write>(view: &View<'_>, sink: &mut Sink<'_, W>) -> io::Result<()> {
    let end = view.results.end;
    for application in &view.results.applications {
        for server in &application.servers {
            let track = view.tracks.of_server(server.id);
            let span = (micros(server.created), micros(server.removed.unwrap_or(end).max(server.created)));
            let args =
                json!({ "sku": server.sku.name, "gpus": server.sku.gpus, "application": application.id });
            sink.event(&Event::slice("server", &format!("server {}", server.id), track, span, args))?;
        }
        for instance in &application.instances {
            let mut args = json!({
                "instance": instance.id,
                "application": application.id,
                "pool": instance.tag,
                "gpu": instance.gpu,
                "gpus": instance.gpus(),
                "tasks_completed": instance.tasks_completed,
            });
            for stretch in stretches(instance) {
                let cause = match stretch.status {
                    Status::Draining => view.causes.of_drain(application.id, instance.id),
                    Status::Starting | Status::Active => view.causes.of_start(application.id, instance.id),
                };
                args["cause"] = json!(cause.map(told));
                let track = view.tracks.of_record(application.id, instance);
                let span = (micros(stretch.from), micros(stretch.to.unwrap_or(end).max(stretch.from)));
                sink.event(&Event::slice("lifecycle", stretch.status.name(), track, span, args.clone()))?;
            }
        }
    }
    Ok(())
}

fn told(cause: Cause) -> String {
    match cause {
        Cause::StartState => "start state".to_owned(),
        Cause::Decision { row } => format!("decision {row}"),
        Cause::Action { nth } => format!("action {nth} of the scenario"),
        Cause::Scheduler => "scheduler".to_owned(),
    }
}
