//! `performance_model`: how long an iteration takes.

use super::applications::{kv_dtype, precision};
use super::forms::{Form, Object, any, bare_words, list, number, positive, suggested, text};
use super::keys::KeyTable;
use crate::performance::roofline::Backend;

/// The section.
pub fn form(table: &KeyTable) -> Form {
    let settings = Object::documented(table, "performance_model")
        .key("roofline", roofline())
        .key("pwl", pwl())
        .key("lookup", db())
        .key("db", db())
        .key("constant", constant(table))
        .one();
    any([bare_words(["roofline", "lookup", "db", "constant"]), settings])
}

fn kernels() -> Form {
    any([text(), list(text(), 1)]).about("tables of kernels: a file, a folder with them, or a list of those")
}

fn roofline() -> Form {
    let backends = Backend::ALL.map(Backend::name);
    Object::default()
        .key(
            "backend",
            suggested(bare_words(backends))
                .about("the serving engine; unless given, that of `calibration`")
                .otherwise(backends[0]),
        )
        .key("precision", precision())
        .key("kv_dtype", kv_dtype())
        .key(
            "calibration",
            text().about("a file that `ebbflow calibrate` wrote: constants fitted to your own measurements"),
        )
        .key("kernels", kernels())
        .key("constants", constants().about("constants of your own; those left out stay the engine's"))
        .form()
}

fn constants() -> Form {
    let time = || number(0.0, f64::INFINITY);
    Object::default()
        .key("host_ms", time().unit("ms").about("host work an iteration"))
        .key("per_expert_layer_us", time().unit("µs").about("host work a layer with experts, an iteration"))
        .key("per_sequence_us", time().unit("µs").about("host work a sequence, an iteration"))
        .key("decode_factor", positive().about("time of moving data over that of the kernels one by one"))
        .key("prefill_factor", positive().about("the same of the arithmetic beyond"))
        .form()
}

fn pwl() -> Form {
    let knots = || list(list(positive(), 2).with("maxItems", 2), 1);
    Object::default()
        .must(
            "prompt",
            knots().about("seconds of an iteration over the tokens in it: `[[tokens, seconds], …]`"),
        )
        .must("token", knots().about("seconds of decodes over their number: `[[sequences, seconds], …]`"))
        .key(
            "per_context_token_s",
            number(0.0, 1e-4).unit("s").about("what each token of context adds").otherwise(0),
        )
        .form()
}

fn db() -> Form {
    Object::default()
        .key("path", text().about("a table of measurements in CSV, or in Parquet in a build with that feature; unless given, the built-in one"))
        .key(
            "decode_key",
            bare_words(["batch_size", "batch_tokens"])
                .about("by what decode times are looked up")
                .otherwise("batch_size"),
        )
        .key("kernels", kernels())
        .form()
}

fn constant(table: &KeyTable) -> Form {
    Object::documented(table, "performance_model.constant")
        .key("prompt_time", positive().unit("s").about("an iteration with a prompt in it"))
        .key("token_time", positive().unit("s").about("an iteration without one"))
        .form()
}
