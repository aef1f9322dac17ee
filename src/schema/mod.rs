//! The JSON Schema of a scenario (draft 7), by which editors complete, explain and check what is typed.
//!
//! Nothing is described twice: meanings and defaults are read from `src/scenario/keys.md`, schedulers, policies and
//! their parameters from the [`Registry`], SKUs, models and presets from their tables. What remains here is the shape,
//! one file a section. The reader of scenarios is the authority: the schema leaves out what takes more than one
//! place to judge (does the model fit, do times increase), takes listed names in the case listed, and knows nothing of
//! the ancestor's own configurations, which are read as well.

mod actions;
mod applications;
mod classes;
mod cluster;
mod conversations;
mod forms;
mod keys;
mod network;
mod parameters;
mod performance;
mod scaling;
mod start_state;
mod workload;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::registry::Registry;
use forms::{Form, Object, any, count, flag, positive_time};
pub use keys::{KeyTable, Row};

/// Where scenarios expect the schema: beside them.
pub const FILE_NAME: &str = "scenario.schema.json";

/// The schema of scenarios that may name what this registry knows.
pub fn scenario(registry: &Registry) -> Value {
    let table = KeyTable::read();
    let mut definitions = Map::new();
    parameters::define(&mut definitions, "scheduler", registry.schedulers());
    parameters::define(&mut definitions, "policy", registry.policies().map(|known| &known.kind));
    scaling::define(&mut definitions, registry);
    let mut schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Ebbflow scenario",
    });
    if let (Value::Object(schema), Value::Object(top)) = (&mut schema, top(&table, registry).value()) {
        schema.extend(top);
        schema.insert("definitions".to_owned(), definitions.into());
    }
    schema
}

/// [`scenario`] as the text of a file.
pub fn scenario_text(registry: &Registry) -> String {
    let mut text = Vec::new();
    let pretty = serde_json::ser::PrettyFormatter::with_indent(b" ");
    let mut writer = serde_json::Serializer::with_formatter(&mut text, pretty);
    // Writing a JSON value into memory cannot fail.
    let _ = scenario(registry).serialize(&mut writer);
    format!("{}\n", String::from_utf8_lossy(&text))
}

fn top(table: &KeyTable, registry: &Registry) -> Form {
    Object::documented(table, "")
        .key("seed", count(0))
        .key("end_time", positive_time())
        .key("debug", flag())
        .key("slo", objectives())
        .key("dispatch_latency", positive_time())
        .key("cluster", cluster::form(table))
        .key("applications", applications::form(table, registry))
        .key("start_state", start_state::form(table))
        .key("performance_model", performance::form(table))
        .key("workload", workload::form(table))
        .key("trace", any([workload::trace_file(), workload::ancestor_trace()]).about("a trace to replay, as `workload.trace`"))
        .key("actions", actions::form(table))
        .form()
        .about("What `ebbflow run` simulates: a cluster, applications on it, what arrives, and how the fleet is scaled.")
}

/// Objectives as text.
fn objectives() -> Form {
    let latency = crate::slo::LatencyKind::names().collect::<Vec<_>>().join("|");
    let one =
        format!(r"\s*({latency})\.(mean|max|p[0-9.]+)\s*<\s*=?\s*[0-9.]+(e-?[0-9]+)?\s*(us|ms|s|min)\s*");
    Form::of(json!({"type": "string", "pattern": format!("^{one}(,{one})*$")}))
}
