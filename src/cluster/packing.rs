//! Where instances of several applications stand when they share servers: first fit, in order.
//!
//! Each takes the first free GPUs of the first server that has enough of them, so a server fills up from its
//! GPU 0 and what is left of it is at its end. Leaves out: which GPUs of a server are near each other.

use std::sync::Arc;

use super::placement::{DoesNotFit, InstanceShape, shape_on_gpus};
use crate::scenario::{InstanceConfig, ModelSpec, Sku};

/// An instance on `tensor × pipeline` GPUs, as they are asked for: never widened.
///
/// # Errors
/// If these GPUs cannot hold the weights, or the server has fewer.
pub fn shape_of_stages(
    model: &ModelSpec,
    sku: &Sku,
    instance: InstanceConfig,
) -> Result<InstanceShape, DoesNotFit> {
    let InstanceConfig { engine, parallelism } = instance;
    let gpus = parallelism.gpus();
    if model.roofline.is_some() && gpus <= sku.gpus {
        return shape_on_gpus(model, sku, gpus, instance);
    }
    if gpus <= sku.gpus && model.cache_bytes_on(sku, gpus, engine).is_some() {
        return Ok(InstanceShape { gpus, parallelism, widened: false });
    }
    Err(DoesNotFit::on_gpus(model, sku, gpus, engine))
}

/// So many like instances of one application.
#[derive(Clone, Copy, Debug)]
pub struct Parcel<'a> {
    /// What they serve.
    pub model: &'a ModelSpec,
    /// What they are.
    pub instance: InstanceConfig,
    /// How many.
    pub count: u32,
}

/// The place of an instance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Spot {
    /// Of which parcel it is, counted from 0.
    pub parcel: usize,
    /// On which server, counted from 0.
    pub server: usize,
    /// Its first GPU there.
    pub first_gpu: u32,
    /// How many it takes.
    pub gpus: u32,
}

/// A parcel that does not fit.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum NoRoom {
    /// No server has such GPUs.
    #[error("{source}")]
    Never {
        /// Which parcel.
        parcel: usize,
        /// Why.
        source: DoesNotFit,
    },
    /// The servers are full.
    #[error(
        "{placed} of {count} instances find room: each takes {gpus} GPU(s) of one server, and {free} GPU(s) \
         are free, at most {largest} on one server"
    )]
    Full {
        /// Which parcel.
        parcel: usize,
        /// How many there should be.
        count: u32,
        /// How many have a place.
        placed: u32,
        /// GPUs that each takes.
        gpus: u32,
        /// GPUs that are free then.
        free: u64,
        /// Most of them on one server.
        largest: u32,
    },
}

impl NoRoom {
    /// Which parcel it is about.
    pub fn parcel(&self) -> usize {
        match self {
            NoRoom::Never { parcel, .. } | NoRoom::Full { parcel, .. } => *parcel,
        }
    }
}

/// Puts parcels on servers, in order.
///
/// # Errors
/// At the first parcel of which not all find room.
pub fn pack(servers: &[&Arc<Sku>], parcels: &[Parcel<'_>]) -> Result<Vec<Spot>, NoRoom> {
    let mut used = vec![0; servers.len()];
    let mut spots = Vec::new();
    for (nth, parcel) in parcels.iter().enumerate() {
        let mut placed = 0;
        // Who does not fit here does not fit later either: like instances need not look back.
        for (server, (sku, used)) in servers.iter().zip(&mut used).enumerate() {
            let Ok(shape) = shape_of_stages(parcel.model, sku, parcel.instance) else { continue };
            while placed < parcel.count && sku.gpus - *used >= shape.gpus {
                spots.push(Spot { parcel: nth, server, first_gpu: *used, gpus: shape.gpus });
                *used += shape.gpus;
                placed += 1;
            }
            if placed == parcel.count {
                break;
            }
        }
        if placed < parcel.count {
            return Err(no_room(servers, &used, nth, parcel, placed));
        }
    }
    Ok(spots)
}

fn no_room(servers: &[&Arc<Sku>], used: &[u32], nth: usize, parcel: &Parcel<'_>, placed: u32) -> NoRoom {
    let shapes = servers.iter().map(|sku| shape_of_stages(parcel.model, sku, parcel.instance));
    if let Some(Err(source)) = shapes.clone().next().filter(|_| shapes.clone().all(|shape| shape.is_err())) {
        return NoRoom::Never { parcel: nth, source };
    }
    let free = || servers.iter().zip(used).map(|(sku, used)| sku.gpus - used);
    NoRoom::Full {
        parcel: nth,
        count: parcel.count,
        placed,
        gpus: parcel.instance.parallelism.gpus(),
        free: free().map(u64::from).sum(),
        largest: free().max().unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{EngineSpec, GpuSpec, Parallelism};

    fn sku(gpus: u32, memory_bytes: u64) -> Arc<Sku> {
        let gpu = GpuSpec { name: "g".into(), memory_bytes, sheet: None };
        let name = "s".into();
        Arc::new(Sku { name, gpu, gpus, idle_power_w: 0.0, usd_per_gpu_h: None, busy_power_w: None })
    }

    fn model() -> ModelSpec {
        ModelSpec {
            name: "m".into(),
            layers: 1,
            hidden_size: 1,
            weights_bytes: 150,
            kv_bytes_per_token: 2,
            known: None,
            roofline: None,
        }
    }

    fn spread(tensor: u32, pipeline: u32) -> Parallelism {
        Parallelism { pipeline, ..Parallelism::tensor(tensor) }
    }

    /// Server and first GPU of each.
    fn places(servers: &[Arc<Sku>], parcels: &[(Parallelism, u32)]) -> Result<Vec<(usize, u32)>, NoRoom> {
        let model = model();
        let parcel = |&(parallelism, count): &(Parallelism, u32)| {
            let instance = InstanceConfig { engine: EngineSpec::Default, parallelism };
            Parcel { model: &model, instance, count }
        };
        let parcels: Vec<Parcel<'_>> = parcels.iter().map(parcel).collect();
        let spots = pack(&servers.iter().collect::<Vec<_>>(), &parcels)?;
        Ok(spots.iter().map(|spot| (spot.server, spot.first_gpu)).collect())
    }

    #[test]
    fn each_takes_the_first_free_gpus_of_the_first_server_that_has_enough() {
        let servers = [sku(8, 100), sku(8, 100), sku(8, 100)];
        let parcels = [(spread(6, 1), 2), (spread(2, 1), 3), (spread(2, 2), 1)];
        let expected = [(0, 0), (1, 0), (0, 6), (1, 6), (2, 0), (2, 2)];
        assert_eq!(places(&servers, &parcels), Ok(expected.to_vec()));
    }

    #[test]
    fn servers_whose_gpus_are_too_small_are_passed_over() {
        let servers = [sku(8, 10), sku(2, 100)];
        assert_eq!(places(&servers, &[(spread(2, 1), 1)]), Ok(vec![(1, 0)]));
    }

    #[test]
    fn what_does_not_fit_is_told_with_what_is_free() {
        let servers = [sku(8, 100), sku(3, 100)];
        let full = places(&servers, &[(spread(5, 1), 1), (spread(3, 1), 4)]).unwrap_err();
        let (free, largest) = (0, 0);
        assert_eq!(full, NoRoom::Full { parcel: 1, count: 4, placed: 2, gpus: 3, free, largest });
        assert!(matches!(places(&servers, &[(spread(1, 1), 1)]), Err(NoRoom::Never { parcel: 0, .. })));
    }
}
