//! Pieces of a schema: what may stand as a value, as the readers of scenarios take it.
//!
//! Draft 7, and nothing that editors treat differently: no conditionals, one `type` with the bounds of each of its
//! kinds where a form has several, `anyOf` for the rest.

use serde_json::{Map, Value, json};

use super::keys::{KeyTable, Row};

/// Longest time a scenario may name, in seconds.
const MAX_SECONDS: f64 = 1e9;
/// A time as text: a number with a unit.
const TIME: &str = r"^\+?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?\s*(ns|us|µs|ms|s|min|h)?$";

/// What may stand somewhere, with what an editor says about it.
#[derive(Clone, Default)]
pub struct Form {
    about: String,
    unit: &'static str,
    rest: Map<String, Value>,
}

impl Form {
    /// A form with these keywords.
    pub fn of(keywords: Value) -> Self {
        let rest = if let Value::Object(map) = keywords { map } else { Map::new() };
        Form { rest, ..Form::default() }
    }

    /// What it means.
    pub fn about(mut self, text: impl Into<String>) -> Self {
        self.about = text.into();
        self
    }

    /// In what it is counted.
    pub fn unit(mut self, unit: &'static str) -> Self {
        self.unit = unit;
        self
    }

    /// What holds when it is not there.
    pub fn otherwise(self, value: impl Into<Value>) -> Self {
        self.with("default", value.into())
    }

    /// One keyword more.
    pub fn with(mut self, keyword: &str, value: impl Into<Value>) -> Self {
        self.rest.insert(keyword.to_owned(), value.into());
        self
    }

    /// As JSON, the description first.
    pub fn value(self) -> Value {
        let mut map = Map::new();
        let unit = if self.unit.is_empty() { String::new() } else { format!(" [{}]", self.unit) };
        let description = format!("{}{unit}", self.about);
        if !description.is_empty() {
            map.insert("description".to_owned(), description.trim().into());
        }
        map.extend(self.rest);
        Value::Object(map)
    }
}

/// A number as JSON writes it by hand: whole ones without a point.
pub fn plain(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 1e15 { json!(number as i64) } else { json!(number) }
}

/// A span of time.
pub fn time() -> Form {
    time_within(0.0, MAX_SECONDS)
}

/// A span of time above zero.
pub fn positive_time() -> Form {
    span(json!({"exclusiveMinimum": 0}), MAX_SECONDS)
}

/// A span of time from `minimum` to `maximum` seconds.
pub fn time_within(minimum: f64, maximum: f64) -> Form {
    span(json!({"minimum": plain(minimum)}), maximum.min(MAX_SECONDS))
}

fn span(bounds: Value, maximum: f64) -> Form {
    Form::of(bounds)
        .with("maximum", plain(maximum))
        .with("type", vec!["number", "string"])
        .with("pattern", TIME)
        .with("patternErrorMessage", "Write a time in seconds, or with ns, us, ms, s, min or h, e.g. 2min.")
        .unit("seconds, or with a unit: `1ms`, `2min`")
}

/// A number from `minimum` to `maximum`.
pub fn number(minimum: f64, maximum: f64) -> Form {
    let form = Form::of(json!({"type": "number"}));
    let form = if minimum.is_finite() { form.with("minimum", plain(minimum)) } else { form };
    if maximum.is_finite() { form.with("maximum", plain(maximum)) } else { form }
}

/// A number above zero.
pub fn positive() -> Form {
    Form::of(json!({"type": "number", "exclusiveMinimum": 0}))
}

/// A whole number of at least `minimum`.
pub fn count(minimum: u64) -> Form {
    Form::of(json!({"type": "integer", "minimum": minimum}))
}

/// True or false.
pub fn flag() -> Form {
    Form::of(json!({"type": "boolean"}))
}

/// Any text; a number is text as well.
pub fn text() -> Form {
    Form::of(json!({"type": ["string", "number"]}))
}

/// One of these words, each with what it means (or nothing).
pub fn words<'a>(known: impl IntoIterator<Item = (&'a str, String)>) -> Form {
    let (names, abouts): (Vec<&str>, Vec<String>) = known.into_iter().unzip();
    let form = Form::of(json!({"enum": names}));
    if abouts.iter().all(String::is_empty) { form } else { form.with("enumDescriptions", abouts) }
}

/// One of these words.
pub fn bare_words<'a>(known: impl IntoIterator<Item = &'a str>) -> Form {
    words(known.into_iter().map(|word| (word, String::new())))
}

/// Any of these forms.
pub fn any(forms: impl IntoIterator<Item = Form>) -> Form {
    Form::of(json!({"anyOf": forms.into_iter().map(Form::value).collect::<Vec<_>>()}))
}

/// Any text, with words that are offered.
pub fn suggested(known: Form) -> Form {
    any([known, text()])
}

/// A list of at least `least` entries.
pub fn list(of: Form, least: u64) -> Form {
    let form = Form::of(json!({"type": "array", "items": of.value()}));
    if least > 0 { form.with("minItems", least) } else { form }
}

/// What the schema defines under this name.
pub fn defined(name: &str) -> Form {
    Form::of(json!({"$ref": format!("#/definitions/{name}")}))
}

/// A mapping that is being described; it has no other keys.
#[derive(Default)]
pub struct Object<'t> {
    table: Option<(&'t KeyTable, &'t str)>,
    properties: Map<String, Value>,
    patterns: Map<String, Value>,
    required: Vec<Value>,
}

impl<'t> Object<'t> {
    /// A mapping whose keys the table describes, as keys of `path`.
    pub fn documented(table: &'t KeyTable, path: &'t str) -> Self {
        Object { table: Some((table, path)), ..Object::default() }
    }

    /// A key. What the table says is added: meaning and default, unless the form has its own, and whether it
    /// must be there.
    pub fn key(mut self, name: &str, mut form: Form) -> Self {
        if let Some((table, path)) = self.table {
            let row = table.row(format!("{path}.{name}").trim_start_matches('.'));
            let default = row.map_or_else(|| table.default_in_prose(path, name), Row::value);
            form = default.map_or(form.clone(), |value| form.otherwise(value));
            if form.about.is_empty() {
                form.about = row.map(Row::about).unwrap_or_default();
            }
            if row.is_some_and(Row::is_required) {
                self.required.push(name.into());
            }
        }
        self.properties.insert(name.to_owned(), form.value());
        self
    }

    /// A key that must be there.
    pub fn must(mut self, name: &str, form: Form) -> Self {
        self.required.push(name.into());
        self.key(name, form)
    }

    /// Other names of keys, as a pattern.
    pub fn also(mut self, pattern: String, form: Form) -> Self {
        self.patterns.insert(pattern, form.value());
        self
    }

    /// The mapping.
    pub fn form(self) -> Form {
        let mut form = Form::of(json!({"type": "object", "properties": self.properties}));
        if !self.patterns.is_empty() {
            form = form.with("patternProperties", self.patterns);
        }
        if !self.required.is_empty() {
            form = form.with("required", self.required);
        }
        form.with("additionalProperties", false)
    }

    /// The mapping with exactly one of its keys: a name with its settings. With `maxProperties` the YAML language
    /// server would offer no names, since what is being typed counts as one.
    pub fn one(self) -> Form {
        self.form().with("minProperties", 1).with("not", json!({"minProperties": 2}))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_says_what_it_means_first_and_in_what_it_is_counted() {
        let form = count(1).unit("tokens").about("how many").otherwise(3);
        let expected =
            json!({"description": "how many [tokens]", "type": "integer", "minimum": 1, "default": 3});
        assert_eq!(form.value().to_string(), expected.to_string());
    }

    #[test]
    fn a_documented_key_takes_meaning_default_and_need_from_the_table() {
        let table = KeyTable::read();
        let object =
            Object::documented(&table, "").key("seed", count(0)).key("cluster", flag()).form().value();
        assert_eq!(object["properties"]["seed"]["default"], 0);
        assert_eq!(object["properties"]["seed"]["description"], "of all randomness");
        assert_eq!(object.get("required"), None, "the table says that both may be left out");
        let cluster = Object::documented(&table, "cluster").key("servers", text()).form().value();
        assert_eq!(cluster["required"], json!(["servers"]));
    }
}
