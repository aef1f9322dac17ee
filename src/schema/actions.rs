//! `actions`: scaling operations at fixed times.

use serde_json::json;

use super::cluster;
use super::forms::{Form, Object, any, bare_words, count, list, text, time};
use super::keys::KeyTable;
use crate::ids::Tag;
use crate::scaling::AUTO;

/// The section.
pub fn form(table: &KeyTable) -> Form {
    let operations = [
        (
            "scale_up_full",
            Object::default().key("count", how_many()).key("tag", tag()).key("server_sku", sku()).form(),
        ),
        ("scale_down_full", instances()),
        ("scale_up_server", Object::default().key("server_sku", sku()).key("count", how_many()).form()),
        ("scale_down_server", Object::default().must("server", server()).form()),
        (
            "scale_up_instance",
            Object::default().must("server", server()).key("tag", tag()).key("processors", gpus()).form(),
        ),
        ("scale_down_instance", instances()),
    ];
    let one_of: Vec<_> = operations.iter().map(|(name, _)| json!({"required": [name]})).collect();
    let action = Object::documented(table, "actions")
        .must("at", time().about("when"))
        .key("application", count(0).about("whose manager; unless given, that of the first application"));
    let action = operations.into_iter().fold(action, |action, (name, form)| action.key(name, form));
    list(action.form().with("oneOf", one_of), 0)
}

fn how_many() -> Form {
    count(1).with("maximum", 1_000_000).about("how many").otherwise(1)
}

fn tag() -> Form {
    bare_words(Tag::ALL.map(Tag::name)).about("the pool; unless given, none")
}

fn sku() -> Form {
    any([cluster::known(), bare_words([AUTO]), text()]).about(
        "kind of server; unless given, that of the manager; `auto`: the one with most throughput per dollar",
    )
}

fn server() -> Form {
    count(0).about("number of a server, counted from 0 in the order they come into being")
}

fn gpus() -> Form {
    list(count(0), 1).about("numbers of its GPUs; unless given, all")
}

/// One instance, or several.
fn instances() -> Form {
    let numbers =
        list(count(0), 1).about("numbers of instances, counted from 0 in the order they come into being");
    Object::default()
        .key(
            "instance",
            count(0).about("number of an instance, counted from 0 in the order they come into being"),
        )
        .key("instances", numbers)
        .form()
        .with("oneOf", json!([{"required": ["instance"]}, {"required": ["instances"]}]))
}
