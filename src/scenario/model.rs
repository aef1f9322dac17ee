//! Reads which model an application serves: `model`, or the ancestor's `model_architecture` and `model_size`.
//!
//! `model` is a built-in name, the path of a Hugging Face `config.json`, or a mapping of `name` or `config` (a path, or
//! the contents themselves) with the `precision` of the weights and the `kv_dtype` of the cache.

use std::path::Path;

use serde_json::Value;

use super::context::Context;
use super::models;
use super::reader::{At, Keys};
use super::spec::{KnownModel, ModelSpec};
use crate::models::{Model, Precision, builtin_models, find, parse_config};

/// The keys of the ancestor's.
const ANCESTORS: [&str; 2] = ["model_architecture", "model_size"];
/// Number formats of weights and of caches.
pub(super) const PRECISIONS: [&str; 4] = ["bf16", "fp8", "fp4", "mxfp4"];
pub(super) const CACHES: [&str; 3] = ["auto", "bf16", "fp8"];

/// A model and what is said of how it is served.
pub(super) struct Given<'t> {
    /// Where it is named.
    pub at: At<'t>,
    pub model: ModelSpec,
    pub precision: Option<Precision>,
    pub cache: Option<Precision>,
}

impl<'t> Given<'t> {
    fn plain(at: At<'t>, model: ModelSpec) -> Self {
        Given { at, model, precision: None, cache: None }
    }
}

/// The model of the application with these keys.
pub(super) fn read<'t>(keys: &Keys<'t>, context: &Context<'_>) -> Option<Given<'t>> {
    let given = keys.get("model");
    let Some(at) = given else {
        return read_ancestors(keys);
    };
    if let Some(other) = ANCESTORS.iter().find_map(|key| keys.get(key)) {
        other.refuse("there is also `model`", Some("keep one of them".to_owned()));
    }
    if at.is_map() {
        return read_settings(at, context);
    }
    let text = at.text()?;
    let (model, config) =
        if is_config(text) { read_file(&at, text, context)? } else { (built_in(&at, text)?, None) };
    Some(Given::plain(at, KnownModel::as_released(model, config).into()))
}

fn is_config(text: &str) -> bool {
    Path::new(text).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
}

fn read_settings<'t>(at: At<'t>, context: &Context<'_>) -> Option<Given<'t>> {
    let keys = at.keys()?;
    let (name, config) = (keys.get("name"), keys.get("config"));
    let precision = keys.get("precision").map(|at| precision(&at));
    let cache = keys.get("kv_dtype").map(|at| cache(&at));
    keys.finish();
    let (model, config) = match (&name, config) {
        (None, None) => {
            let help = "a built-in `name`, or `config`: the path of a config.json".to_owned();
            at.refuse("`name` is missing", Some(help));
            return None;
        }
        (Some(name), None) => (built_in(name, name.text()?)?, None),
        (name, Some(config)) => {
            let (mut model, contents) = match config.is_map() {
                true => described(&config, config.json())?,
                false => read_file(&config, config.text()?, context)?,
            };
            if let Some(name) = name {
                model.name = name.text()?.to_owned();
            }
            (model, contents)
        }
    };
    let model = KnownModel::as_released(model, config).into();
    Some(Given {
        at,
        model,
        precision: precision.unwrap_or(Some(None))?,
        cache: cache.unwrap_or(Some(None))?,
    })
}

fn built_in(at: &At<'_>, name: &str) -> Option<Model> {
    let names: Vec<String> = builtin_models().into_iter().map(|model| model.name).collect();
    let known: Vec<&str> = names.iter().map(String::as_str).collect();
    find(name).ok().or_else(|| at.unknown("model", name, &known))
}

fn read_file(at: &At<'_>, text: &str, context: &Context<'_>) -> Option<(Model, Option<Value>)> {
    let path = context.file(at, text)?;
    let read =
        std::fs::read_to_string(&path).map_err(|error| format!("{} cannot be read: {error}", path.display()));
    let model = read.and_then(|text| {
        let model = parse_config(&path, &text).map_err(|error| error.to_string())?;
        Ok((model, serde_json::from_str(&text).ok()))
    });
    model.map_err(|problem| at.refuse(problem, None)).ok()
}

/// A model described in the scenario itself.
fn described(at: &At<'_>, contents: Value) -> Option<(Model, Option<Value>)> {
    match parse_config(Path::new("config"), &contents.to_string()) {
        Ok(model) => Some((model, Some(contents))),
        Err(error) => {
            at.refuse(error.to_string(), Some("the keys are those of a Hugging Face config.json".to_owned()));
            None
        }
    }
}

/// A precision of weights; nothing said for `released`.
pub(super) fn precision(at: &At<'_>) -> Option<Option<Precision>> {
    match at.text()? {
        "released" => Some(None),
        word => word
            .parse()
            .ok()
            .map(Some)
            .or_else(|| at.unknown("precision", word, &[&["released"], &PRECISIONS[..]].concat())),
    }
}

/// A precision of KV caches; nothing said for `auto`.
pub(super) fn cache(at: &At<'_>) -> Option<Option<Precision>> {
    let word = at.text()?;
    match word.parse::<Precision>() {
        _ if word == "auto" => Some(None),
        Ok(precision) if !precision.is_four_bit() => Some(Some(precision)),
        _ => at.unknown("kv_dtype", word, &CACHES),
    }
}

fn read_ancestors<'t>(keys: &Keys<'t>) -> Option<Given<'t>> {
    if !ANCESTORS.iter().any(|key| keys.has(key)) {
        keys.know(&ANCESTORS);
        let help = "e.g. `model: Llama-3.1-8B`; all are listed by `ebbflow list models`".to_owned();
        keys.at.refuse("`model` is missing", Some(help));
        return None;
    }
    let (architecture, size) = (keys.need("model_architecture"), keys.need("model_size"));
    let (architecture, size) = (architecture?, size?);
    let (name, size_name) = (architecture.text()?, size.text()?);
    let sizes = models::sizes(name);
    if sizes.is_empty() {
        return architecture.unknown("model architecture", name, &models::architectures());
    }
    let model = models::find(name, size_name);
    let model = model.or_else(|| size.unknown(&format!("size of {name}"), size_name, &sizes))?;
    Some(Given::plain(size, model))
}
