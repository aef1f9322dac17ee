//! Reads how long starts take: `cold_start`, or the simple form `scale_up_delay` and `server_boot_delay`.

use ebbflow_actors::SimDuration;

use super::reader::{At, Keys};
use crate::scaling::{COLD_START_PRESETS, ColdStart, ColdStartPreset, Span};

const DEFAULT_SCALE_UP_DELAY: SimDuration = SimDuration::from_secs(10);
/// What a lognormal start is cut to unless the scenario says: an hour.
const DEFAULT_MAX_S: f64 = 3600.0;

/// From the keys of a scaling_manager. A preset may be changed part by part: `{preset: NAME, warm_up: 20}`.
pub(super) fn read(keys: &Keys<'_>) -> ColdStart {
    let simple = |key: &'static str| keys.get(key).map(|at| (at.duration().unwrap_or_default(), at));
    let (instance, server) = (simple("scale_up_delay"), simple("server_boot_delay"));
    let Some(at) = keys.get("cold_start") else {
        let server = server.map_or(SimDuration::ZERO, |(delay, _)| delay);
        let instance = instance.map_or(DEFAULT_SCALE_UP_DELAY, |(delay, _)| delay);
        return ColdStart::simple(server, instance);
    };
    for (_, simple) in [instance, server].into_iter().flatten() {
        simple.refuse(
            "stands beside `cold_start`, which says the same in parts",
            Some("give one of them".into()),
        );
    }
    let nothing = ColdStart::simple(SimDuration::ZERO, SimDuration::ZERO);
    if at.is_map() { at.keys().map(|keys| read_parts(keys)) } else { preset(&at) }.unwrap_or(nothing)
}

fn read_parts(keys: Keys<'_>) -> ColdStart {
    let base = keys.get("preset").and_then(|at| preset(&at));
    let base = base.unwrap_or(ColdStart::simple(SimDuration::ZERO, SimDuration::ZERO));
    let part =
        |key: &'static str, default: Span| keys.get(key).and_then(|at| read_span(&at)).unwrap_or(default);
    let parts = ColdStart {
        provision: part("provision", base.provision),
        image_pull: part("image_pull", base.image_pull),
        weights: part("weights", base.weights),
        warm_up: part("warm_up", base.warm_up),
    };
    keys.finish();
    parts
}

fn preset(at: &At<'_>) -> Option<ColdStart> {
    let name = at.text()?;
    let names = COLD_START_PRESETS.map(|preset| preset.name);
    let found: Option<&ColdStartPreset> = COLD_START_PRESETS.iter().find(|preset| preset.name == name);
    match found {
        Some(preset) => Some(preset.parts),
        None => at.unknown("cold start", name, &names),
    }
}

/// A time, or `uniform`, `lognormal`, `bandwidth` or `formula` with its figures.
fn read_span(at: &At<'_>) -> Option<Span> {
    if !at.is_map() {
        return at.duration().map(Span::Constant);
    }
    let named = at.named()?;
    let keys = named.body.as_ref().and_then(|body| body.keys())?;
    let seconds =
        |key: &'static str| keys.need(key).and_then(|at| at.duration()).map(SimDuration::as_secs_f64);
    let number = |key: &'static str| keys.get(key).and_then(|at| at.not_negative());
    let span = match named.name {
        "uniform" => (|| Some(Span::Uniform { min_s: seconds("min")?, max_s: seconds("max")? }))(),
        "lognormal" => {
            let max_s =
                keys.get("max").and_then(|at| at.duration()).map_or(DEFAULT_MAX_S, SimDuration::as_secs_f64);
            let sigma = keys.need("sigma").and_then(|at| at.not_negative());
            (|| Some(Span::Lognormal { median_s: seconds("median")?, sigma: sigma?, max_s }))()
        }
        "bandwidth" => read_bandwidth(&keys),
        "formula" => Some(Span::Formula {
            base_s: number("base").unwrap_or(0.0),
            s_per_weights_gb: number("per_weights_gb").unwrap_or(0.0),
            s_per_layer: number("per_layer").unwrap_or(0.0),
        }),
        other => {
            return named.at.unknown(
                "kind of time",
                other,
                &["uniform", "lognormal", "bandwidth", "formula"],
            );
        }
    };
    keys.finish();
    if let Some(Span::Uniform { min_s, max_s }) = span
        && max_s < min_s
    {
        return at.expected("max to be at least min");
    }
    span
}

/// Bytes over a link: the model's weights, or so many gigabytes.
fn read_bandwidth(keys: &Keys<'_>) -> Option<Span> {
    let gb_per_s = keys.need("gb_per_s").and_then(|at| at.positive());
    let gigabytes = keys.get("gigabytes").and_then(|at| at.not_negative());
    let gb_per_s = gb_per_s?;
    Some(match gigabytes {
        Some(gigabytes) => {
            Span::Formula { base_s: gigabytes / gb_per_s, s_per_weights_gb: 0.0, s_per_layer: 0.0 }
        }
        None => Span::Formula { base_s: 0.0, s_per_weights_gb: 1.0 / gb_per_s, s_per_layer: 0.0 },
    })
}
