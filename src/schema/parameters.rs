//! Schedulers and autoscaling policies, from the registry: a name, or a name with parameters.

use serde_json::{Map, Value};

use super::forms::{Form, Object, any, bare_words, defined, flag, list, number, text, time_within, words};
use crate::registry::{Accepts, Kind, Parameter};

/// Any of these kinds; the bodies are defined under `prefix` by [`define`].
pub fn named(prefix: &str, kinds: &[&Kind]) -> Form {
    let names = words(kinds.iter().map(|kind| (kind.name, kind.about.to_owned())));
    let mut settings = Object::default();
    let mut aliases = Vec::new();
    for kind in kinds {
        let body = || defined(&format!("{prefix}.{}", kind.name));
        settings = settings.key(kind.name, body().about(kind.about));
        if !kind.aliases.is_empty() {
            settings = settings.also(pattern(kind.aliases), body());
            aliases.extend_from_slice(kind.aliases);
        }
    }
    let aliases = Form::of(serde_json::json!({"type": "string", "pattern": pattern(&aliases)}));
    any([names, aliases, settings.one()])
}

/// Defines the parameters of every kind.
pub fn define<'r>(definitions: &mut Map<String, Value>, prefix: &str, kinds: impl Iterator<Item = &'r Kind>) {
    for kind in kinds {
        let body = settings(kind.parameters).with("type", vec!["object", "null"]).about(kind.about);
        definitions.insert(format!("{prefix}.{}", kind.name), body.value());
    }
}

/// Exactly these names; none of them has a character that means something in a pattern.
fn pattern(names: &[&str]) -> String {
    format!("^({})$", names.join("|"))
}

fn settings(table: &[Parameter]) -> Form {
    table.iter().fold(Object::default(), |object, one| object.key(one.name, parameter(one))).form()
}

fn parameter(parameter: &Parameter) -> Form {
    let source = if parameter.source.is_empty() { String::new() } else { format!(" ({})", parameter.source) };
    let about = format!("{}{source}", parameter.about);
    let form = match parameter.accepts {
        Accepts::Number { default, minimum, maximum } => {
            let form = match parameter.unit {
                "s" => time_within(minimum, maximum),
                unit => number(minimum, maximum).unit(unit),
            };
            default.map_or(form.clone(), |value| form.otherwise(super::forms::plain(value)))
        }
        Accepts::Flag(default) => flag().otherwise(default),
        Accepts::Word { default, of } => bare_words(of.iter().copied()).otherwise(default),
        Accepts::Text(default) => text().otherwise(default),
        Accepts::Group { of, .. } => settings(of),
        Accepts::Rows(of) => {
            let in_order = Form::of(serde_json::json!({"type": "array"})).about("the values in order");
            list(any([settings(of), in_order]), 0)
        }
    };
    form.about(about)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Registry;

    const TABLE: &[Parameter] = &[
        Parameter::seconds("window", 60.0, "looked back").from("a guide"),
        Parameter::optional("limit", "at most").at_least(-1.0).at_most(8.5).unit("requests"),
    ];

    #[test]
    fn a_parameter_is_described_by_its_table() {
        let schema = settings(TABLE).value();
        let (window, limit) = (&schema["properties"]["window"], &schema["properties"]["limit"]);
        assert!(
            window["description"]
                .as_str()
                .is_some_and(|text| text.starts_with("looked back (a guide) [seconds"))
        );
        assert_eq!((&window["default"], &window["minimum"]), (&60.into(), &0.into()));
        assert_eq!(limit["description"], "at most [requests]");
        assert_eq!((&limit["minimum"], &limit["maximum"]), (&(-1).into(), &8.5.into()));
        assert_eq!(limit.get("default"), None);
        assert_eq!(schema["additionalProperties"], false);
    }

    #[test]
    fn no_name_has_a_character_that_means_something_in_a_pattern() {
        let registry = Registry::builtin();
        let kinds = registry.schedulers().chain(registry.policies().map(|known| &known.kind));
        for name in kinds.flat_map(|kind| kind.aliases) {
            assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-'), "{name}");
        }
    }
}
