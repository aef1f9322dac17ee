//! Reads the settings of `roofline`: the engine, its number formats, constants of one's own.

use crate::performance::roofline::{Backend, OwnConstants};
use crate::scenario::model;
use crate::scenario::reader::{At, Keys};
use crate::scenario::spec::{PerformanceSpec, RooflineSpec};

/// The spec; `keys` is nothing when only the name is given.
pub(super) fn read(keys: Option<&Keys<'_>>) -> Option<PerformanceSpec> {
    let get = |key| keys.and_then(|keys| keys.get(key));
    let backend = get("backend").map_or(Some(Backend::Vllm), |at| read_backend(&at));
    let precision = get("precision").map_or(Some(None), |at| model::precision(&at));
    let cache = get("kv_dtype").map_or(Some(None), |at| model::cache(&at));
    let constants = get("constants").map_or(Some(OwnConstants::default()), |at| read_constants(&at));
    let spec =
        RooflineSpec { backend: backend?, constants: constants?, precision: precision?, cache: cache? };
    Some(PerformanceSpec::Roofline(spec))
}

fn read_backend(at: &At<'_>) -> Option<Backend> {
    let word = at.text()?;
    word.parse().ok().or_else(|| at.unknown("backend", word, &Backend::ALL.map(Backend::name)))
}

fn read_constants(at: &At<'_>) -> Option<OwnConstants> {
    let keys = at.keys()?;
    let time = |key| keys.get(key).map(|at| at.not_negative());
    let factor = |key| keys.get(key).map(|at| at.positive());
    let read = OwnConstants {
        host_ms: time("host_ms").unwrap_or_default(),
        per_expert_layer_us: time("per_expert_layer_us").unwrap_or_default(),
        per_sequence_us: time("per_sequence_us").unwrap_or_default(),
        decode_factor: factor("decode_factor").unwrap_or_default(),
        prefill_factor: factor("prefill_factor").unwrap_or_default(),
    };
    keys.finish();
    Some(read)
}
