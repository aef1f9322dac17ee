//! Reads `performance_model`: `roofline`, `pwl`, `constant`, `lookup` (the ancestor's `db`), or the ancestor's `_target_`
//! form.

mod pwl;
mod roofline;

use std::path::PathBuf;

use super::context::Context;
use super::defaults::Defaults;
use super::reader::{At, Keys};
use super::spec::PerformanceSpec;
use crate::performance::DecodeKey;

/// Iteration times of the constant model when not given: the ancestor's (1 s with a prompt, 10 s without).
const PROMPT_S: f64 = 1.0;
const TOKEN_S: f64 = 10.0;
const DECODE_KEYS: [&str; 2] = ["batch_size", "batch_tokens"];

/// The performance model; `at` is nothing when the scenario names none.
pub(super) fn read(
    at: Option<&At<'_>>,
    defaults: Defaults,
    context: &Context<'_>,
) -> Option<PerformanceSpec> {
    let Some(at) = at else {
        if defaults == Defaults::Modern {
            return roofline::read(None, context);
        }
        return Some(PerformanceSpec::Lookup { path: None, decode_key: default_key(context) });
    };
    if at.is_map() {
        let keys = at.keys()?;
        keys.ignore(&["_target_"]);
        if let Some(target) = keys.get("_target_") {
            let class = target.text()?;
            let model = match class.rsplit('.').next().unwrap_or_default() {
                "DatabasePerformanceModel" => Some(read_table(&keys, context)),
                "ConstantPerformanceModel" => Some(read_constant(&keys)),
                _ => {
                    let known = [
                        "performance_model.DatabasePerformanceModel",
                        "performance_model.ConstantPerformanceModel",
                    ];
                    target.unknown("performance model", class, &known)
                }
            }?;
            keys.finish();
            return model;
        }
    }
    let named = at.named()?;
    let keys = match &named.body {
        Some(body) => Some(body.keys()?),
        None => None,
    };
    match (named.name, keys) {
        ("constant", Some(keys)) => {
            let model = read_constant(&keys);
            keys.finish();
            model
        }
        ("db" | "lookup", Some(keys)) => {
            let model = match keys.get("kernels") {
                Some(at) => roofline::of_kernels(&at, context),
                None => read_table(&keys, context),
            };
            keys.finish();
            model
        }
        ("pwl", Some(keys)) => {
            let model = pwl::read(&keys);
            keys.finish();
            model
        }
        ("pwl", None) => pwl::refuse_without_knots(&named.at),
        ("roofline", Some(keys)) => {
            let model = roofline::read(Some(&keys), context);
            keys.finish();
            model
        }
        ("roofline", None) => roofline::read(None, context),
        ("constant", None) => Some(PerformanceSpec::Constant { prompt_s: PROMPT_S, token_s: TOKEN_S }),
        ("db" | "lookup", None) => {
            Some(PerformanceSpec::Lookup { path: None, decode_key: default_key(context) })
        }
        (other, _) => {
            named.at.unknown("performance model", other, &["roofline", "pwl", "lookup", "db", "constant"])
        }
    }
}

fn read_constant(keys: &Keys<'_>) -> Option<PerformanceSpec> {
    let time = |key, default| match keys.get(key) {
        Some(at) => at.positive(),
        None => Some(default),
    };
    let (prompt_s, token_s) = (time("prompt_time", PROMPT_S), time("token_time", TOKEN_S));
    Some(PerformanceSpec::Constant { prompt_s: prompt_s?, token_s: token_s? })
}

fn read_table(keys: &Keys<'_>, context: &Context<'_>) -> Option<PerformanceSpec> {
    let decode_key = match keys.get("decode_key") {
        Some(at) => match at.text()? {
            "batch_size" => Some(DecodeKey::BatchSize),
            "batch_tokens" => Some(DecodeKey::BatchTokens),
            other => at.unknown("decode_key", other, &DECODE_KEYS),
        },
        None => Some(default_key(context)),
    };
    let path = match (keys.get("path"), keys.get("db_path")) {
        (Some(at), _) => Some(context.file(&at, at.text()?)?),
        (None, Some(at)) => ancestor_table(&at, context)?,
        (None, None) => None,
    };
    Some(PerformanceSpec::Lookup { path, decode_key: decode_key? })
}

/// The ancestor's table. Its configurations name it relative to the ancestor's own folder; where it is not
/// there, the built-in table derived from it does as well.
fn ancestor_table(at: &At<'_>, context: &Context<'_>) -> Option<Option<PathBuf>> {
    let name = at.text()?;
    if !context.ancestor {
        return context.file(at, name).map(Some);
    }
    let found = context.find_file(at, name).ok();
    if found.is_none() {
        context.log.note(format!(
            "{}: there is no file `{name}`; the built-in table splitwise-2023 is used, which was derived from it",
            at.path
        ));
    }
    Some(found)
}

/// By batch size, which is right; by batch tokens for configurations of the ancestor, which does so.
fn default_key(context: &Context<'_>) -> DecodeKey {
    if context.ancestor { DecodeKey::BatchTokens } else { DecodeKey::BatchSize }
}
