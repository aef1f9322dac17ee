//! The models a scenario may name.
//!
//! Layers and hidden sizes are those of the ancestor's model repository (splitwise-sim), as are the weights of
//! `bloom-176b-fp16` and `llama2-70b-fp16`. It has no sizes for the other architectures: theirs are derived
//! from the parameter count in the name at 2 bytes per parameter (fp16). `LLaMA` `70B` and `BLOOM` `176B` are
//! the short forms of the user's guide.

use super::spec::ModelSpec;
use crate::models::Model;

/// An architecture with its one size.
struct Entry {
    architecture: &'static str,
    size: &'static str,
    /// Other spellings of (architecture, size).
    short: Option<(&'static str, &'static str)>,
    layers: u32,
    hidden_size: u32,
    weights_bytes: u64,
}

const FP16_BYTES: u64 = 2;

const fn entry(
    names: (&'static str, &'static str),
    short: Option<(&'static str, &'static str)>,
    (layers, hidden_size): (u32, u32),
    weights_gb: u64,
) -> Entry {
    let (architecture, size) = names;
    Entry { architecture, size, short, layers, hidden_size, weights_bytes: weights_gb * 1_000_000_000 }
}

const MODELS: [Entry; 7] = [
    entry(("bloom-176b", "bloom-176b-fp16"), Some(("BLOOM", "176B")), (70, 14336), 329),
    entry(("llama2-70b", "llama2-70b-fp16"), Some(("LLaMA", "70B")), (80, 8192), 135),
    entry(("gpt3-175b", "gpt3-175b-fp16"), None, (96, 12288), 350),
    entry(("llama-13b", "llama-13b-fp16"), Some(("LLaMA", "13B")), (40, 5120), 26),
    entry(("llama-33b", "llama-33b-fp16"), Some(("LLaMA", "33B")), (60, 6656), 66),
    entry(("opt-30b", "opt-30b-fp16"), Some(("OPT", "30B")), (48, 7168), 60),
    entry(("opt-66b", "opt-66b-fp16"), Some(("OPT", "66B")), (64, 9216), 132),
];

/// Names of all architectures, short forms last.
pub(crate) fn architectures() -> Vec<&'static str> {
    let mut names: Vec<_> = MODELS.iter().map(|model| model.architecture).collect();
    for (short, _) in MODELS.iter().filter_map(|model| model.short) {
        if !names.contains(&short) {
            names.push(short);
        }
    }
    names
}

/// Names of the sizes of an architecture; empty when the architecture is unknown.
pub(crate) fn sizes(architecture: &str) -> Vec<&'static str> {
    of(architecture)
        .flat_map(|model| [Some(model.size), model.short.map(|short| short.1)])
        .flatten()
        .collect()
}

/// The model of this architecture and size.
pub(super) fn find(architecture: &str, size: &str) -> Option<ModelSpec> {
    let is_size = |name: &str| name.eq_ignore_ascii_case(size);
    of(architecture)
        .find(|model| is_size(model.size) || model.short.is_some_and(|short| is_size(short.1)))
        .map(|model| ModelSpec {
            name: model.architecture.to_owned(),
            layers: model.layers,
            hidden_size: model.hidden_size,
            weights_bytes: model.weights_bytes,
            // Keys and values, no grouped heads.
            kv_bytes_per_token: 2 * u64::from(model.hidden_size) * u64::from(model.layers) * FP16_BYTES,
            known: None,
            roofline: None,
        })
}

/// The built-in model that has the sizes of this one of the ancestor's.
pub(super) fn same_sizes(architecture: &str) -> Option<Model> {
    let name = match architecture {
        "llama2-70b" => "Llama-2-70b",
        "llama-13b" => "Llama-2-13b",
        _ => return None,
    };
    crate::models::find(name).ok()
}

/// Architecture, size and figures of every known model.
pub fn known_models() -> Vec<(&'static str, &'static str, ModelSpec)> {
    let found = |entry: &Entry| Some((entry.architecture, entry.size, find(entry.architecture, entry.size)?));
    MODELS.iter().filter_map(found).collect()
}

/// Architecture and size under which [`find`] finds this model again.
pub(super) fn names_of(model: &ModelSpec) -> (&str, &str) {
    let entry = MODELS.iter().find(|entry| entry.architecture == model.name);
    (&model.name, entry.map_or("", |entry| entry.size))
}

fn of(architecture: &str) -> impl Iterator<Item = &'static Entry> {
    let is = move |name: &str| name.eq_ignore_ascii_case(architecture);
    MODELS.iter().filter(move |model| is(model.architecture) || model.short.is_some_and(|short| is(short.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guides_names_mean_the_ancestors_models() {
        assert_eq!(find("LLaMA", "70B"), find("llama2-70b", "llama2-70b-fp16"));
        assert_eq!(find("BLOOM", "176B").map(|model| model.name), Some("bloom-176b".to_owned()));
        assert_eq!(find("LLaMA", "70B").map(|model| model.kv_bytes(1, 1)), Some(2_621_440));
        assert_eq!(sizes("LLaMA").len(), 6);
        assert_eq!(same_sizes("llama2-70b").map(|model| model.layers), Some(80));
    }

    #[test]
    fn a_size_of_another_architecture_is_not_accepted() {
        assert_eq!(find("llama2-70b", "bloom-176b-fp16"), None);
        assert!(sizes("llama3").is_empty());
    }
}
