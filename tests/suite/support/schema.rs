//! The JSON Schema of scenarios: validating by it, and finding one's way in it.

use std::collections::BTreeSet;

use boon::{Compiler, Draft, SchemaIndex, Schemas};
use ebbflow::registry::Registry;
use serde_json::Value;

/// The schema, ready to validate.
pub struct Schema {
    pub text: Value,
    compiled: Schemas,
    index: SchemaIndex,
}

impl Schema {
    /// The one that `ebbflow schema` prints.
    pub fn of_scenarios() -> Self {
        let text = ebbflow::schema::scenario(&Registry::builtin());
        let (mut compiler, mut compiled) = (Compiler::new(), Schemas::new());
        compiler.set_default_draft(Draft::V7);
        compiler.add_resource("scenario.json", text.clone()).unwrap();
        let index =
            compiler.compile("scenario.json", &mut compiled).unwrap_or_else(|error| panic!("{error:#}"));
        Schema { text, compiled, index }
    }

    /// Whether the schema takes this scenario, or why not.
    pub fn check(&self, yaml: &str) -> Result<(), String> {
        let value = parse(yaml);
        self.compiled.validate(&value, self.index).map_err(|error| format!("{error:#}"))
    }

    /// The node behind `$ref`.
    fn target<'s>(&'s self, node: &'s Value) -> &'s Value {
        match node["$ref"].as_str().and_then(|path| path.strip_prefix("#/definitions/")) {
            Some(name) => &self.text["definitions"][name],
            None => node,
        }
    }

    /// Everything that may stand here, one form each.
    pub fn forms<'s>(&'s self, node: &'s Value) -> Vec<&'s Value> {
        let node = self.target(node);
        match node["anyOf"].as_array() {
            Some(forms) => forms.iter().flat_map(|form| self.forms(form)).collect(),
            None => vec![node],
        }
    }

    /// Everything that may stand at this path of a scenario; numbers are places in lists.
    pub fn at(&self, path: &[String]) -> Vec<&Value> {
        let mut forms = self.forms(&self.text);
        for key in path {
            let children: Vec<&Value> = forms.into_iter().filter_map(|form| child(form, key)).collect();
            forms = children.into_iter().flat_map(|node| self.forms(node)).collect();
        }
        forms
    }

    /// Keys that may stand in the mapping at this path.
    pub fn keys(&self, path: &[String]) -> BTreeSet<String> {
        let properties = self.at(path).into_iter().filter_map(|form| form["properties"].as_object());
        properties.flat_map(|properties| properties.keys().cloned()).collect()
    }
}

/// What may stand behind this key of a mapping, or at this place of a list.
fn child<'s>(form: &'s Value, key: &str) -> Option<&'s Value> {
    let child = if key.parse::<usize>().is_ok() { &form["items"] } else { &form["properties"][key] };
    (!child.is_null()).then_some(child)
}

/// A scenario as JSON.
pub fn parse(yaml: &str) -> Value {
    serde_yaml::from_str(yaml).unwrap_or_else(|error| panic!("{error}\nin\n{yaml}"))
}
