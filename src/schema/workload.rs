//! `workload`: what arrives.

use serde_json::json;

use super::classes::classes;
use super::conversations::{clients, prefix_groups, sessions};
use super::forms::{
    Form, Object, any, bare_words, count, flag, list, number, positive, positive_time, text, time, words,
};
use super::keys::KeyTable;
use crate::workload::{preset, preset_names};

/// The section.
pub fn form(table: &KeyTable) -> Form {
    Object::documented(table, "workload")
        .key("trace", any([trace_file(), ancestor_trace()]))
        .key("preset", presets())
        .key("synthetic", synthetic())
        .key("client_pool", client_pool())
        .key("arrivals", arrivals())
        .key("rate", rate())
        .key("sessions", sessions())
        .key("clients", clients())
        .key("prefix_groups", prefix_groups())
        .key("requests", count(1).unit("requests"))
        .key("until", positive_time())
        .key("application", count(0))
        .key("applications", list(share(), 1))
        .key("start", time().about("leave out what arrives before this, and move the rest to time 0"))
        .key(
            "duration",
            positive_time().about("keep what arrives within this time after `start`, before scaling"),
        )
        .key("rate_scale", positive().about("multiply the rate of arrivals by this"))
        .key("limit", count(1).unit("requests").about("keep so many from the beginning"))
        .key("token_clip", count(1).unit("tokens").about("cut prompts and outputs to this length"))
        .key("skip_bad_rows", flag())
        .key("classes", classes())
        .form()
}

/// Clients as ServeGen publishes them.
fn client_pool() -> Form {
    let folder = || text().about("a folder with files like chunk-0-trace.csv and chunk-0-dataset.json");
    let spelt = Object::default()
        .must("path", folder())
        .key("clients", list(count(0).about("as its files are numbered"), 1).about("whose requests arrive"))
        .key("top", count(1).unit("clients").about("only those of so many, who send most in the time used"))
        .key("prompt", lengths().unit("tokens").about("of all prompts, instead of the pool's; with `output`"))
        .key("output", lengths().unit("tokens").about("of all outputs, instead of the pool's; with `prompt`"))
        .form();
    any([folder(), spelt])
}

/// An application that is asked.
fn share() -> Form {
    Object::default()
        .must("application", count(0).about("its number"))
        .key("share", positive().about("of the requests, weighed against the other shares").otherwise(1))
        .form()
}

/// A file to replay.
pub fn trace_file() -> Form {
    text().about("a file")
}

/// A file to replay, as the ancestor names it.
pub fn ancestor_trace() -> Form {
    Object::default()
        .key("path", text().about("a file"))
        .key("dir", text().about("folder of `filename`"))
        .key("filename", text().about("a file of `dir`, without `.csv`"))
        .form()
}

fn presets() -> Form {
    words(preset_names().filter_map(preset).map(|preset| (preset.name, preset.source.to_owned())))
}

fn synthetic() -> Form {
    Object::default()
        .must("prompt", lengths().unit("tokens").about("of prompts"))
        .must("output", lengths().unit("tokens").about("of outputs"))
        .form()
}

/// A distribution of lengths.
pub fn lengths() -> Form {
    let lognormal = Object::default()
        .must(
            "mu",
            number(f64::NEG_INFINITY, f64::INFINITY)
                .about("mean of the logarithm: half are longer than e^mu"),
        )
        .must("sigma", number(0.0, f64::INFINITY).about("standard deviation of the logarithm"))
        .must("max", count(1).unit("tokens").about("what is longer is cut to this"))
        .form();
    let knot = Form::of(
        json!({"type": "array", "items": {"type": "number", "minimum": 0}, "minItems": 2, "maxItems": 2}),
    );
    let drawn = Object::default()
        .key("constant", count(1).about("always this"))
        .key("lognormal", lognormal.about("most near the median, some much longer"))
        .key("quantiles", list(knot, 1).about("`[percentile, length]` from 0 to 100, increasing"))
        .one();
    any([count(1), drawn])
}

fn arrivals() -> Form {
    let gamma = Object::default()
        .must(
            "shape",
            positive()
                .about("of the times between arrivals: below 1 burstier than poisson, above 1 more regular"),
        )
        .form();
    let on_off = Object::default()
        .must("mean_on", positive_time().about("how long arrivals last, on average"))
        .must("mean_off", positive_time().about("how long none come, on average"))
        .form();
    let shaped = Object::default()
        .key("gamma", gamma.about("burstier or more regular than poisson"))
        .key("on_off", on_off.about("bursts with nothing between them"))
        .one();
    any([bare_words(["poisson", "uniform"]), shaped])
}

fn rate() -> Form {
    let piece = Object::default()
        .must("at", time().about("from when on; the first from 0"))
        .must("rate", number(0.0, f64::INFINITY).unit("requests/s").about("arrivals from then on"))
        .form();
    any([positive(), list(piece, 1)])
}
