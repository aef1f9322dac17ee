//! `scaling_manager`: delays, bounds, cold starts and the policies on top.

use serde_json::{Map, Value, json};

use super::forms::{
    Form, Object, any, bare_words, count, defined, flag, number, positive, positive_time, time, words,
};
use super::keys::KeyTable;
use super::{cluster, parameters};
use crate::registry::{Kind, Registry};
use crate::scaling::{AUTO, COLD_START_PRESETS, Governs, Place, VictimOrder};

const PATH: &str = "applications.scaling_manager";
/// What a pool may be called.
const POOLS: [(&str, &str); 5] = [
    ("prompt", "of prompt (prefill) instances"),
    ("token", "of token (decode) instances"),
    ("mixed", "of mixed instances"),
    ("prefill", "as `prompt`"),
    ("decode", "as `token`"),
];

/// The section.
pub fn form(table: &KeyTable) -> Form {
    let metrics = "applications.scaling_manager.metrics";
    let metrics =
        Object::documented(table, metrics).key("scrape_interval", positive_time()).key("delay", time());
    Object::documented(table, PATH)
        .key("scale_up_delay", time())
        .key("drain_check_interval", positive_time())
        .key("server_boot_delay", time())
        .key("cold_start", cold_start())
        .key("warm_pool", cluster::servers())
        .key("place", bare_words(Place::NAMES.map(|(name, _)| name)))
        .key("server_sku", any([cluster::known(), bare_words([AUTO]), super::forms::text()]))
        .key("victims", bare_words(VictimOrder::NAMES.map(|(name, _)| name)))
        .key("routing_stop_lag", time())
        .key("min_instances", count(0))
        .key("max_instances", count(1))
        .key("max_servers", count(1))
        .key("drain_timeout", time())
        .key("drain_timeout_action", bare_words(["requeue", "abort"]))
        .key("autoscaling_policy", any([defined("policy"), by_pool(&defined("pool_policy"))]))
        .key("decision_interval", any([positive_time(), by_pool(&positive_time())]))
        .key("metrics", metrics.form().about("how the metrics that policies see are gathered"))
        .key("enable_autoscaling", flag())
        .key("debug", flag())
        .form()
}

/// Defines `policy`, any there is, and `pool_policy`, any that a single pool can have.
pub fn define(definitions: &mut Map<String, Value>, registry: &Registry) {
    let of = |governs: &[Governs]| -> Vec<&Kind> {
        registry
            .policies()
            .filter(|known| governs.contains(&known.governs))
            .map(|known| &known.kind)
            .collect()
    };
    for (name, governs) in
        [("policy", &[Governs::Pool, Governs::Fleet][..]), ("pool_policy", &[Governs::Pool])]
    {
        let named = parameters::named("policy", &of(governs));
        definitions.insert(
            name.to_owned(),
            named.about("a policy: its name, or `name: {parameter: value}`").value(),
        );
    }
}

fn by_pool(one: &Form) -> Form {
    let pools = POOLS
        .iter()
        .fold(Object::default(), |object, (pool, about)| object.key(pool, one.clone().about(*about)));
    pools.form().with("minProperties", 1).about("one for each pool")
}

fn cold_start() -> Form {
    let preset = || words(COLD_START_PRESETS.iter().map(|preset| (preset.name, preset.about.to_owned())));
    let parts = Object::default()
        .key("preset", preset().about("where the parts not given are from"))
        .key("provision", span().about("from the order to a running machine"))
        .key("image_pull", span().about("the container image, on a new machine"))
        .key("weights", span().about("the weights, from wherever they are to the GPUs"))
        .key(
            "warm_up",
            span().about("until the engine takes requests: compilation, profiling, graph capture"),
        )
        .form();
    any([preset(), parts])
}

/// A time, or a way to make one up.
fn span() -> Form {
    let not_negative = || number(0.0, f64::INFINITY);
    let uniform =
        Object::default().must("min", time().about("at least")).must("max", time().about("at most")).form();
    let lognormal = Object::default()
        .must("median", time().about("half of all take longer"))
        .must("sigma", not_negative().about("standard deviation of the logarithm"))
        .key("max", time().about("what is longer is cut to this").otherwise(3600))
        .form();
    let bandwidth = Object::default()
        .must("gb_per_s", positive().unit("GB/s").about("bandwidth of the link"))
        .key(
            "gigabytes",
            not_negative().unit("GB").about("what is moved; unless given, the weights of the model"),
        )
        .form();
    let formula = Object::default()
        .key("base", not_negative().unit("s").about("whatever the model").otherwise(0))
        .key("per_weights_gb", not_negative().unit("s/GB").about("for each GB of weights").otherwise(0))
        .key("per_layer", not_negative().unit("s").about("for each layer").otherwise(0))
        .form();
    let drawn = Object::default()
        .key("uniform", uniform.about("equally likely between two times"))
        .key("lognormal", lognormal.about("most near the median, some much longer"))
        .key("bandwidth", bandwidth.about("bytes over a link"))
        .key("formula", formula.about("by the size of the model"))
        .one();
    any([time(), drawn]).with("examples", json!([10, "2min", {"uniform": {"min": 20, "max": 40}}]))
}
