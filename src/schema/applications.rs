//! `applications`: model, scheduler and ScalingManager of each.

use serde_json::json;

use super::forms::{Form, Object, any, bare_words, count, flag, list, suggested, text, words};
use super::keys::KeyTable;
use super::{parameters, scaling};
use crate::models::{Model, builtin_models};
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
        .key("model", model())
        .key("model_architecture", bare_words(architectures))
        .key("model_size", bare_words(all_sizes))
        .key("scheduler", parameters::named("scheduler", &registry.schedulers().collect::<Vec<_>>()))
        .key("scaling_manager", scaling::form(table))
        .key("debug", flag().about("log iterations"))
        .key("allocator", text())
        .key("overheads", Form::of(json!({"type": "object"})))
        .form();
    list(application, 1).about("each a model behind a scheduler, with instances of its own")
}

/// A built-in model, a path, or either with how it is served.
fn model() -> Form {
    let models = builtin_models();
    let about = |model: &Model| format!("{:.1} billion parameters", model.parameters() / 1e9);
    let names = || suggested(words(models.iter().map(|model| (model.name.as_str(), about(model)))));
    let config = any([text(), Form::of(json!({"type": "object"}))]);
    let settings = Object::default()
        .key("name", names().about("a built-in model, or what to call the one of `config`"))
        .key("config", config.about("the path of a Hugging Face config.json, or its contents"))
        .key("precision", precision())
        .key("kv_dtype", kv_dtype())
        .form();
    any([names(), settings])
}

/// A number format of weights.
pub fn precision() -> Form {
    bare_words(["released", "bf16", "fp8", "fp4", "mxfp4"])
        .about("precision of the weights")
        .otherwise("released")
}

/// A number format of KV caches.
pub fn kv_dtype() -> Form {
    let about =
        "precision of the KV cache; auto: what the engine takes by itself on every GPU of the cluster";
    bare_words(["auto", "bf16", "fp8"]).about(about).otherwise("auto")
}
