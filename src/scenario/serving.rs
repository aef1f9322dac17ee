//! Settles in which number formats each model is served, and who times it.
//!
//! What a model says itself comes first, then what `roofline` says for all, then the model's released weights and the
//! cache that the engine takes by itself: in 8 bits where it would do so on every GPU of the cluster.

use super::applications::Application;
use super::models::same_sizes;
use super::reader::Log;
use super::spec::{ClusterSpec, KnownModel, ModelSpec, PerformanceSpec, RooflineSpec};
use crate::models::{Precision, builtin_models};
use crate::performance::calibration::Calibration;
use crate::performance::roofline::{Evidence, Gpu};

/// Fills in the models of all applications; a model that `roofline` knows no sizes of is a problem.
pub(super) fn settle(
    applications: &mut [Application<'_>],
    performance: Option<&PerformanceSpec>,
    cluster: &ClusterSpec,
    log: &Log,
) {
    let roofline = match performance {
        Some(PerformanceSpec::Roofline(spec)) => Some(spec),
        _ => None,
    };
    for application in applications {
        if let Some(spec) = roofline {
            settle_timed(application, spec, cluster, log);
        } else if let Some(known) = application.spec.model.known.as_deref() {
            let known = served(known.clone(), application, None, &[]);
            application.spec.model = known.into();
        }
    }
}

fn settle_timed(application: &mut Application<'_>, spec: &RooflineSpec, cluster: &ClusterSpec, log: &Log) {
    let Some(known) = known(application, log) else { return };
    let gpus: Vec<_> = cluster.servers.iter().filter_map(|group| group.sku.gpu.data_sheet()).collect();
    let gpus: Vec<&Gpu> = gpus.iter().map(AsRef::as_ref).collect();
    let known = served(known, application, Some(spec), &gpus);
    warn(application, &known, spec, &gpus, log);
    application.spec.model = ModelSpec { roofline: Some(spec.clone()), ..known.into() };
}

/// The model with all its sizes; of the ancestor's those that a built-in one has.
fn known(application: &Application<'_>, log: &Log) -> Option<KnownModel> {
    let ModelSpec { name, known, .. } = &application.spec.model;
    if let Some(known) = known {
        return Some((**known).clone());
    }
    let Some(model) = same_sizes(name) else {
        let built_in: Vec<String> = builtin_models().into_iter().map(|model| model.name).collect();
        let help = format!("name another with `model`: {}, or a config.json", built_in.join(", "));
        application.model_at.refuse(format!("roofline does not know the sizes of {name}"), Some(help));
        return None;
    };
    log.note(format!(
        "{}: roofline times {name} as {}, grouped heads and all",
        application.at.path, model.name
    ));
    Some(KnownModel::as_released(model, None))
}

fn served(
    known: KnownModel,
    application: &Application<'_>,
    spec: Option<&RooflineSpec>,
    gpus: &[&Gpu],
) -> KnownModel {
    let precision = application.precision.or(spec.and_then(|spec| spec.precision)).unwrap_or(known.precision);
    let weights = known.model.weight_precision(precision);
    let eight_bits = |spec: &RooflineSpec| {
        !gpus.is_empty() && gpus.iter().all(|gpu| spec.backend.default_cache(weights, gpu) == Precision::Fp8)
    };
    let by_itself = if spec.is_some_and(eight_bits) { Precision::Fp8 } else { Precision::Bf16 };
    let cache = application.cache.or(spec.and_then(|spec| spec.cache)).unwrap_or(by_itself);
    KnownModel { precision, cache, ..known }
}

/// Says what of this was never held against measurements.
fn warn(application: &Application<'_>, known: &KnownModel, spec: &RooflineSpec, gpus: &[&Gpu], log: &Log) {
    let model = &known.model;
    for warning in &model.warnings {
        log.note(format!("{}: {}: {warning}", application.at.path, model.name));
    }
    for gpu in gpus {
        match gpu.evidence {
            Evidence::EndToEnd => {}
            Evidence::Kernels => log.note(format!(
                "performance_model: kernels were measured on {}, engines were not: expect errors of 10 to 15 %",
                gpu.name
            )),
            Evidence::Assumed => log.note(format!(
                "performance_model: of {} only the data sheet is known: expect errors of 15 to 25 %",
                gpu.name
            )),
        }
    }
    match &spec.calibration {
        Some(file) => note_carried(known, &file.calibration, log),
        None => {
            if let Some(untested) = spec.backend.untested_with(model) {
                log.note(format!("performance_model: {untested}"));
            }
        }
    }
}

/// Says when constants are carried over to what they were not fitted to.
fn note_carried(known: &KnownModel, calibration: &Calibration, log: &Log) {
    let (model, precision) = (&known.model, known.model.weight_precision(known.precision));
    if (model.name.as_str(), precision) == (calibration.model.as_str(), calibration.precision) {
        return;
    }
    let same_kind = model.is_moe() == (calibration.expert_layers > 0);
    let how =
        if same_kind { "" } else { ", in proportion to the built-in ones: only one of the two has experts" };
    log.note(format!(
        "performance_model: constants fitted to {} in {} are carried over to {} in {precision}{how}",
        calibration.model, calibration.precision, model.name
    ));
}
