//! `applications`: model, scheduler and ScalingManager of each.

use super::forms::{Form, Object, bare_words, count, flag, list, text};
use super::keys::KeyTable;
use super::{parameters, scaling};
use crate::registry::Registry;
use crate::scenario::{architectures, sizes};

/// The section.
pub fn form(table: &KeyTable, registry: &Registry) -> Form {
    let architectures = architectures();
    let mut all_sizes: Vec<&str> = Vec::new();
    for size in architectures.iter().flat_map(|architecture| sizes(architecture)) {
        if !all_sizes.contains(&size) {
            all_sizes.push(size);
        }
    }
    let application = Object::documented(table, "applications")
        .key("application_id", count(0))
        .key("model_architecture", bare_words(architectures))
        .key("model_size", bare_words(all_sizes))
        .key("scheduler", parameters::named("scheduler", &registry.schedulers().collect::<Vec<_>>()))
        .key("scaling_manager", scaling::form(table))
        .key("debug", flag().about("log iterations"))
        .key("allocator", text())
        .key("overheads", Form::of(serde_json::json!({"type": "object"})))
        .form();
    list(application, 1).about("each a model behind a scheduler, with instances of its own")
}
