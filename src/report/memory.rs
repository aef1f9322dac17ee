//! The GPU memory of an instance, from its scenario: what was not cache, and all of it.

use std::sync::Arc;

use crate::cluster::{deploy, memory_of, shape_on_gpus};
use crate::instance::continuous::GpuMemory;
use crate::results::InstanceRecord;
use crate::scaling::InstanceConfigs;
use crate::scenario::{ApplicationSpec, Scenario, Sku};

/// The memory of this instance; none when the scenario does not know its server.
pub fn of(
    scenario: &Scenario,
    application: &ApplicationSpec,
    instance: &InstanceRecord,
) -> Option<GpuMemory> {
    let cluster = &scenario.cluster;
    let mut known = cluster.servers.iter().map(|group| &group.sku).chain(&cluster.catalogue);
    let sku = known.find(|sku| sku.name == instance.sku)?;
    let model = &application.model;
    deployed(scenario, application, sku, instance).or_else(|| {
        Some(GpuMemory {
            weights_bytes: model.weights_bytes,
            capacity_bytes: sku.gpu.memory_bytes * u64::from(instance.gpus()),
            kv_bytes_per_token: model.kv_bytes_per_token,
        })
    })
}

/// The same where `roofline` tells it.
fn deployed(
    scenario: &Scenario,
    application: &ApplicationSpec,
    sku: &Arc<Sku>,
    instance: &InstanceRecord,
) -> Option<GpuMemory> {
    let model = &application.model;
    model.roofline.as_ref()?;
    let parallelism =
        InstanceConfigs::of(&scenario.start_state, application.id).for_tag(instance.tag).parallelism;
    let shape = shape_on_gpus(model, sku, instance.gpus(), parallelism).ok()?;
    let roofline = deploy(model, &sku.gpu, shape.parallelism)?.ok()?;
    Some(memory_of(&roofline, model))
}
