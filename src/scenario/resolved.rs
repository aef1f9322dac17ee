//! Writes a scenario with every default filled in, in Ebbflow's own form.
//!
//! Reading the text again gives an equal scenario, whatever form the first one had: ancestor
//! configurations, presets without structure, short model names and overrides are all spelled out. Paths are absolute, so that it
//! may be read from anywhere.

mod workload;

use std::path::{Path, PathBuf};

use ebbflow_actors::{SimDuration, SimTime};
use serde_json::{Map, Value, json};

use super::models;
use super::spec::*;
use crate::cluster::known_skus;
use crate::instance::continuous::{QueueOrder, Settings as VllmSettings};
use crate::models::Precision;
use crate::performance::{DecodeKey, Knots};
use crate::registry::{Setting, Settings};
use crate::scaling::{AUTO, ColdStart, SkuChoice, Span};

const GIB: f64 = (1u64 << 30) as f64;

/// The scenario as YAML.
pub(super) fn to_yaml(scenario: &Scenario) -> String {
    let value = json!({
        "seed": scenario.seed,
        "end_time": time(scenario.end_time),
        "debug": scenario.debug,
        "dispatch_latency": seconds(scenario.dispatch_latency),
        "cluster": cluster(&scenario.cluster),
        "applications": scenario.applications.iter().map(application).collect::<Vec<_>>(),
        "start_state": start_state(&scenario.start_state),
        "performance_model": performance(&scenario.performance),
        "workload": workload::workload(&scenario.workload),
        "slo": scenario.slo.as_ref().map(ToString::to_string),
        "actions": scenario.actions.iter().map(action).collect::<Vec<_>>(),
    });
    serde_yaml::to_string(&value).expect("JSON values are always YAML values")
}

fn seconds(span: SimDuration) -> f64 {
    span.as_secs_f64()
}

fn time(time: SimTime) -> f64 {
    time.as_secs_f64()
}

fn cluster(cluster: &ClusterSpec) -> Value {
    let known = known_skus();
    let own = cluster.catalogue.iter().filter(|sku| !known.contains(sku));
    json!({
        "gpus": cluster.gpus,
        "skus": own.map(|sku| json!({
            "name": sku.name,
            "gpu": sku.gpu.name,
            "gpu_memory_gib": sku.gpu.memory_bytes as f64 / GIB,
            "gpus": sku.gpus,
            "idle_power_w": sku.idle_power_w,
            "busy_power_w": sku.busy_power_w,
            "usd_per_gpu_h": sku.usd_per_gpu_h,
        })).collect::<Vec<_>>(),
        "servers": cluster.servers.iter().map(|group| json!({
            "sku": group.sku.name,
            "count": group.count,
            "limit": group.limit,
        })).collect::<Vec<_>>(),
        "power_budget": cluster.power_budget_w,
        "network": cluster.network.as_ref().map(network),
        "interconnects": cluster.interconnects.iter().map(|link| json!({
            "link": link.link,
            "topology": link.topology,
        })).collect::<Vec<_>>(),
    })
}

fn network(network: &NetworkSpec) -> Value {
    let mut value = links(&network.links);
    value["overlap"] = json!(network.overlap);
    value["skus"] = network.skus.iter().map(|(sku, own)| with_sku(links(own), sku)).collect();
    value
}

fn with_sku(mut links: Value, sku: &str) -> Value {
    links["sku"] = json!(sku);
    links
}

fn links(links: &LinksSpec) -> Value {
    let gb_per_s = |bytes_per_s: Option<u64>| bytes_per_s.map(|bytes_per_s| bytes_per_s as f64 / 1e9);
    json!({
        "nic": links.nic.map(|nic| json!({ nic.kind.name(): {
            "gb_per_s": gb_per_s(nic.bytes_per_s),
            "per_server": nic.per_server,
            "latency": nic.latency.map(seconds),
        } })),
        "intra": links.intra.map(|intra| json!({ intra.kind.name(): {
            "gb_per_s": gb_per_s(intra.bytes_per_s),
            "latency": intra.latency.map(seconds),
        } })),
    })
}

fn application(application: &ApplicationSpec) -> Value {
    let mut keys = model(&application.model);
    keys["application_id"] = json!(application.id);
    keys["scheduler"] = named(&application.scheduler.name, &application.scheduler.settings);
    keys["scaling_manager"] = json!(application.scaling.as_ref().map(scaling));
    keys
}

/// The model, a description in a file written out.
fn model(model: &ModelSpec) -> Value {
    let Some(known) = model.known.as_deref() else {
        let (architecture, size) = models::names_of(model);
        return json!({ "model_architecture": architecture, "model_size": size });
    };
    json!({ "model": {
        "name": known.model.name,
        "config": known.config,
        "precision": known.precision.name(),
        "kv_dtype": known.cache.name(),
    } })
}

/// `{name: {parameter: value}}`.
fn named(name: &str, settings: &Settings) -> Value {
    json!({ name: keys(settings) })
}

/// Parameters that are absent stay away.
fn keys(settings: &Settings) -> Value {
    let given = settings.iter().filter(|(_, setting)| **setting != Setting::Absent);
    given.map(|(name, setting)| (name.to_owned(), value(setting))).collect::<Map<_, _>>().into()
}

fn value(setting: &Setting) -> Value {
    match setting {
        Setting::Absent => Value::Null,
        Setting::Number(number) => json!(number),
        Setting::Flag(flag) => json!(flag),
        Setting::Text(text) => json!(text),
        Setting::Group(settings) => keys(settings),
        Setting::Rows(rows) => rows.iter().map(keys).collect(),
    }
}

fn scaling(scaling: &ScalingSpec) -> Value {
    let action = match scaling.drain_timeout_action {
        DrainTimeoutAction::Requeue => "requeue",
        DrainTimeoutAction::Abort => "abort",
    };
    json!({
        "cold_start": cold_start(&scaling.cold_start),
        "warm_pool": scaling.warm_pool,
        "place": scaling.place.name(),
        "server_sku": match &scaling.server_sku {
            SkuChoice::First => None,
            SkuChoice::Named(name) => Some(name.as_str()),
            SkuChoice::Auto => Some(AUTO),
        },
        "victims": scaling.victims.name(),
        "routing_stop_lag": seconds(scaling.routing_stop_lag),
        "drain_check_interval": seconds(scaling.drain_check_interval),
        "min_instances": scaling.min_instances,
        "max_instances": scaling.max_instances,
        "max_servers": scaling.max_servers,
        "drain_timeout": scaling.drain_timeout.map(seconds),
        "drain_timeout_action": action,
        "autoscaling_policy": policies(&scaling.policies),
        "decision_interval": decision_interval(&scaling.policies),
        "metrics": json!({
            "scrape_interval": seconds(scaling.scrape_interval),
            "delay": seconds(scaling.metrics_delay),
        }),
        "debug": scaling.debug,
    })
}

fn cold_start(start: &ColdStart) -> Value {
    let ColdStart { provision, image_pull, weights, warm_up } = start;
    json!({
        "provision": span(provision),
        "image_pull": span(image_pull),
        "weights": span(weights),
        "warm_up": span(warm_up),
    })
}

fn span(span: &Span) -> Value {
    match *span {
        Span::Constant(span) => json!(seconds(span)),
        Span::Uniform { min_s, max_s } => json!({ "uniform": { "min": min_s, "max": max_s } }),
        Span::Lognormal { median_s, sigma, max_s } => {
            json!({ "lognormal": { "median": median_s, "sigma": sigma, "max": max_s } })
        }
        Span::Formula { base_s, s_per_weights_gb, s_per_layer } => json!({ "formula": {
            "base": base_s, "per_weights_gb": s_per_weights_gb, "per_layer": s_per_layer,
        } }),
    }
}

/// One for all, or one a pool where they differ.
fn decision_interval(policies: &[PolicySpec]) -> Value {
    let Some(first) = policies.first() else { return Value::Null };
    if policies.iter().all(|policy| policy.decision_interval == first.decision_interval) {
        return json!(seconds(first.decision_interval));
    }
    let named = |policy: &PolicySpec| {
        Some((policy.pool?.name().to_owned(), json!(seconds(policy.decision_interval))))
    };
    policies.iter().filter_map(named).collect::<Map<_, _>>().into()
}

/// One policy for all pools, or one a pool.
fn policies(policies: &[PolicySpec]) -> Value {
    let spec = |policy: &PolicySpec| named(&policy.name, &policy.settings);
    match policies {
        [] => Value::Null,
        [all] if all.pool.is_none() => spec(all),
        pools => {
            let named = |policy: &PolicySpec| Some((policy.pool?.name().to_owned(), spec(policy)));
            pools.iter().filter_map(named).collect::<Map<_, _>>().into()
        }
    }
}

fn start_state(state: &StartState) -> Value {
    match state {
        StartState::Unallocated { instance } => {
            json!({ "state_type": "unallocated", "instance": instance_keys(instance) })
        }
        StartState::WholeServers { application, instance } => json!({
            "state_type": "baseline",
            "application_id": application,
            "instance": instance_keys(instance),
        }),
        StartState::Split { application, split, prompt, token } => json!({
            "state_type": "splitwise",
            "application_id": application,
            "split_type": match split {
                SplitType::Homogeneous => "homogeneous",
                SplitType::Heterogeneous => "heterogeneous",
            },
            "prompt": pool(prompt),
            "token": pool(token),
        }),
        StartState::Packed { entries, .. } => json!({
            "state_type": "packed",
            "instances": entries.iter().map(packed).collect::<Vec<_>>(),
        }),
    }
}

fn packed(entry: &PackedSpec) -> Value {
    let mut keys = instance_keys(&entry.instance);
    keys.insert("application".to_owned(), json!(entry.application));
    keys.insert("count".to_owned(), json!(entry.count));
    keys.insert("tag".to_owned(), json!(entry.tag));
    Value::Object(keys)
}

fn pool(pool: &PoolSpec) -> Value {
    let mut keys = instance_keys(&pool.instance);
    keys.insert("num_instances".to_owned(), json!(pool.num_instances));
    keys.insert("instance_names".to_owned(), json!(pool.instance_names));
    Value::Object(keys)
}

fn instance_keys(config: &InstanceConfig) -> Map<String, Value> {
    let engine = match config.engine {
        EngineSpec::Default => json!({ "instance_type": "DEFAULT" }),
        EngineSpec::Orca { max_batch_size } => {
            json!({ "instance_type": "ORCA", "max_batch_size": max_batch_size })
        }
        EngineSpec::Splitwise { max_batch_size, max_batch_tokens, max_preemptions } => json!({
            "instance_type": "Splitwise",
            "max_batch_size": max_batch_size,
            "max_batch_tokens": max_batch_tokens,
            "max_preemptions": max_preemptions,
        }),
        EngineSpec::Vllm(settings) => vllm_keys(&settings),
    };
    let mut keys = engine.as_object().cloned().unwrap_or_default();
    keys.insert("pipeline_parallelism".to_owned(), json!(config.parallelism.pipeline));
    keys.insert("tensor_parallelism".to_owned(), json!(config.parallelism.tensor));
    keys.insert("data_parallelism".to_owned(), json!(config.parallelism.data));
    keys.insert("expert_parallelism".to_owned(), json!(config.parallelism.expert));
    keys
}

/// What a workload or nobody sets is left out.
fn vllm_keys(settings: &VllmSettings) -> Value {
    json!({
        "instance_type": "vllm",
        "max_num_batched_tokens": settings.max_num_batched_tokens,
        "max_num_seqs": settings.max_num_seqs,
        "chunked_prefill": settings.chunked_prefill,
        "long_prefill_token_threshold": settings.long_prefill_token_threshold,
        "scheduling_policy": match settings.order {
            QueueOrder::Fcfs => "fcfs",
            QueueOrder::Priority => "priority",
        },
        "watermark_blocks": settings.watermark_blocks,
        "prefix_caching": settings.prefix_caching,
        "speculation": settings.speculation.map(|speculation| json!({
            "draft_tokens": speculation.draft_tokens,
            "acceptance": speculation.acceptance,
        })),
        "max_loras": settings.max_loras,
        "gpu_memory_utilization": settings.cache_space.gpu_memory_utilization,
        "num_gpu_blocks_override": settings.cache_space.num_gpu_blocks_override,
        "fast_forward": settings.fast_forward,
    })
}

fn performance(model: &PerformanceSpec) -> Value {
    match model {
        PerformanceSpec::Constant { prompt_s, token_s } => {
            json!({ "constant": { "prompt_time": prompt_s, "token_time": token_s } })
        }
        PerformanceSpec::Pwl(Knots { prompt, token, per_context_token_s }) => json!({ "pwl": {
            "prompt": prompt,
            "token": token,
            "per_context_token_s": per_context_token_s,
        } }),
        PerformanceSpec::Lookup { path, decode_key } => json!({ "db": {
            "path": path.as_deref().map(absolute),
            "decode_key": match decode_key {
                DecodeKey::BatchSize => "batch_size",
                DecodeKey::BatchTokens => "batch_tokens",
            },
        } }),
        PerformanceSpec::Roofline(RooflineSpec {
            backend,
            calibration,
            kernels,
            constants,
            precision,
            cache,
        }) => {
            json!({ "roofline": {
                "backend": backend.name(),
                "precision": precision.map(Precision::name),
                "kv_dtype": cache.map(Precision::name),
                "calibration": calibration.as_ref().map(|file| absolute(&file.path)),
                "kernels": kernels.as_ref().map(|kernels| {
                    kernels.paths.iter().map(|path| absolute(path)).collect::<Vec<_>>()
                }),
                "constants": {
                    "host_ms": constants.host_ms,
                    "per_expert_layer_us": constants.per_expert_layer_us,
                    "per_sequence_us": constants.per_sequence_us,
                    "decode_factor": constants.decode_factor,
                    "prefill_factor": constants.prefill_factor,
                },
            } })
        }
    }
}

/// Only a working directory that is gone can keep a path from being absolute.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn action(action: &Action) -> Value {
    let (name, settings) = match &action.operation {
        Operation::ScaleUpFull { count, tag, server_sku } => {
            ("scale_up_full", json!({ "count": count, "tag": tag, "server_sku": server_sku }))
        }
        Operation::ScaleDownFull { instances } => ("scale_down_full", json!({ "instances": instances })),
        Operation::ScaleUpServer { server_sku, count } => {
            ("scale_up_server", json!({ "server_sku": server_sku, "count": count }))
        }
        Operation::ScaleUpInstance { server, tag, processors } => {
            ("scale_up_instance", json!({ "server": server, "tag": tag, "processors": processors }))
        }
        Operation::ScaleDownInstance { instances } => {
            ("scale_down_instance", json!({ "instances": instances }))
        }
        Operation::ScaleDownServer { server } => ("scale_down_server", json!({ "server": server })),
    };
    json!({ "at": time(action.at), "application": action.application, name: settings })
}
