//! The GPU memory of an instance, from its scenario: what was not cache, and all of it.

use crate::cluster::{deploy, memory_of, shape_on_gpus};
use crate::instance::continuous::GpuMemory;
use crate::results::InstanceRecord;
use crate::scaling::InstanceConfigs;
use crate::scenario::{ApplicationSpec, InstanceConfig, ModelSpec, Scenario, Sku};

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
    let config = InstanceConfigs::of(&scenario.start_state, application.id).for_tag(instance.tag);
    let gpus = instance.gpus();
    let deployed = deployed(model, config, sku, gpus);
    Some(deployed.unwrap_or_else(|| model.plain_memory_on(sku, gpus, config.engine)))
}

/// The same where `roofline` tells it.
fn deployed(model: &ModelSpec, config: InstanceConfig, sku: &Sku, gpus: u32) -> Option<GpuMemory> {
    model.roofline.as_ref()?;
    let shape = shape_on_gpus(model, sku, gpus, config).ok()?;
    let roofline = deploy(model, &sku.gpu, config.spread(shape.parallelism))?.ok()?;
    Some(memory_of(&roofline, model, config.engine))
}
