//! `performance_model`: how long an iteration takes.

use super::forms::{Form, Object, any, bare_words, positive, text};
use super::keys::KeyTable;

/// The section.
pub fn form(table: &KeyTable) -> Form {
    let settings =
        Object::documented(table, "performance_model").key("db", db()).key("constant", constant(table)).one();
    any([bare_words(["db", "constant"]), settings])
}

fn db() -> Form {
    Object::default()
        .key("path", text().about("a CSV file of measurements; unless given, the built-in table"))
        .key(
            "decode_key",
            bare_words(["batch_size", "batch_tokens"])
                .about("by what decode times are looked up")
                .otherwise("batch_size"),
        )
        .form()
}

fn constant(table: &KeyTable) -> Form {
    Object::documented(table, "performance_model.constant")
        .key("prompt_time", positive().unit("s").about("an iteration with a prompt in it"))
        .key("token_time", positive().unit("s").about("an iteration without one"))
        .form()
}
