//! Reads the settings of `roofline`: the engine, its number formats, a calibration, tables of kernels, constants of
//! one's own. `lookup` in tables of kernels is the same.

use std::sync::Arc;

use crate::diagnosis::Findings;
use crate::performance::KernelTables;
use crate::performance::calibration::{Calibration, CalibrationError};
use crate::performance::roofline::{Backend, OwnConstants};
use crate::scenario::context::Context;
use crate::scenario::model;
use crate::scenario::reader::{At, Keys};
use crate::scenario::spec::{CalibrationFile, KernelFiles, PerformanceSpec, RooflineSpec};

/// The spec; `keys` is nothing when only the name is given.
pub(super) fn read(keys: Option<&Keys<'_>>, context: &Context<'_>) -> Option<PerformanceSpec> {
    let get = |key| keys.and_then(|keys| keys.get(key));
    let calibration = get("calibration").map_or(Some(None), |at| read_calibration(&at, context));
    let fitted = calibration.as_ref().and_then(Option::as_ref).map(|file| file.calibration.backend);
    let backend = get("backend").map_or(Some(fitted.unwrap_or(Backend::Vllm)), |at| read_backend(&at));
    if let (Some(at), Some(fitted), Some(backend)) = (get("calibration"), fitted, backend)
        && fitted != backend
    {
        let help = format!("calibrate on a log of {backend}, or say `backend: {fitted}`");
        at.refuse(format!("the calibration is for the engine {fitted}, not for {backend}"), Some(help));
    }
    let precision = get("precision").map_or(Some(None), |at| model::precision(&at));
    let cache = get("kv_dtype").map_or(Some(None), |at| model::cache(&at));
    let constants = get("constants").map_or(Some(OwnConstants::default()), |at| read_constants(&at));
    let kernels = get("kernels").map_or(Some(None), |at| read_kernels(&at, context));
    Some(PerformanceSpec::Roofline(RooflineSpec {
        backend: backend?,
        calibration: calibration?,
        kernels: kernels?,
        constants: constants?,
        precision: precision?,
        cache: cache?,
    }))
}

/// The spec of `lookup` in tables of kernels: all else as it is when nothing is said.
pub(super) fn of_kernels(at: &At<'_>, context: &Context<'_>) -> Option<PerformanceSpec> {
    let kernels = read_kernels(at, context)?;
    match read(None, context)? {
        PerformanceSpec::Roofline(spec) => Some(PerformanceSpec::Roofline(RooflineSpec { kernels, ..spec })),
        other => Some(other),
    }
}

/// The tables in a file or folder, or several; nothing where they may be gone.
fn read_kernels(at: &At<'_>, context: &Context<'_>) -> Option<Option<KernelFiles>> {
    let named = if at.is_list() { at.filled_list()? } else { vec![at.clone()] };
    let path = |at: &At<'_>| context.file_or_folder(at, at.text()?);
    let paths = named.iter().map(path).collect::<Option<Vec<_>>>()?;
    if context.files_may_be_gone {
        return Some(None);
    }
    match KernelTables::read(&paths) {
        Ok(tables) => {
            for path in tables.passed_over() {
                at.log.note(format!(
                    "{}: {} is no table of kernels and is passed over",
                    at.path,
                    path.display()
                ));
            }
            Some(Some(KernelFiles { paths, tables: Arc::new(tables) }))
        }
        Err(error) => {
            refuse(at, &error.to_string(), error.findings());
            None
        }
    }
}

/// Records what is wrong with a file that is named here, or in it.
fn refuse(at: &At<'_>, message: &str, findings: Findings) {
    if findings.headline.is_empty() {
        return at.refuse(message, None);
    }
    at.refuse(findings.headline.clone(), Some("correct it; what is wrong in it follows".to_owned()));
    at.log.elsewhere(findings);
}

/// What lies there; nothing where it is gone and nobody needs it any more.
fn read_calibration(at: &At<'_>, context: &Context<'_>) -> Option<Option<CalibrationFile>> {
    let path = context.file(at, at.text()?)?;
    match Calibration::read(&path) {
        Ok(calibration) => Some(Some(CalibrationFile { path, calibration: Arc::new(calibration) })),
        Err(CalibrationError::Unreadable { .. }) if context.files_may_be_gone => Some(None),
        Err(error) => {
            let findings = error.findings();
            if findings.headline.is_empty() {
                at.refuse(error.to_string(), None);
            } else {
                let help = format!("correct {}; what is wrong in it follows", path.display());
                at.refuse(findings.headline.clone(), Some(help));
                at.log.elsewhere(findings);
            }
            None
        }
    }
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
