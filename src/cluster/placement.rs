//! How many GPUs an instance takes, and which row of the performance table describes it.

use crate::scenario::{ModelSpec, Parallelism, Sku};

/// The size of an instance on a kind of server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InstanceShape {
    /// GPUs it occupies.
    pub gpus: u32,
    /// Tensor parallelism its iteration times are looked up under.
    pub tensor_parallelism: u32,
    /// True when the configured slice could not hold the model and the whole server was taken instead.
    pub widened: bool,
}

/// A model that fits neither the slice nor the whole server, or not the GPUs it was asked for on.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[error(
    "model {model} needs {weights_gb:.0} GB for its weights, but {place} {memory_gb:.0} GB of GPU memory"
)]
pub struct DoesNotFit {
    model: String,
    place: String,
    weights_gb: f64,
    memory_gb: f64,
}

impl DoesNotFit {
    /// Not on so many GPUs of a server.
    pub(super) fn on_gpus(model: &ModelSpec, sku: &Sku, gpus: u32) -> Self {
        let place = match gpus {
            1 => format!("one GPU of a {} server has", sku.name),
            more if more <= sku.gpus => format!("{more} GPUs of a {} server have", sku.name),
            more => format!("{more} GPUs are asked for, and the {} of a {} server have", sku.gpus, sku.name),
        };
        Self::new(model, place, gpus.min(sku.gpus), sku)
    }

    fn new(model: &ModelSpec, place: String, gpus: u32, sku: &Sku) -> Self {
        DoesNotFit {
            model: model.name.clone(),
            place,
            weights_gb: model.weights_bytes as f64 / 1e9,
            memory_gb: f64::from(gpus) * sku.gpu.memory_bytes as f64 / 1e9,
        }
    }
}

/// An instance on **all** GPUs of a server (`orca`, `baseline`, every full scale-up).
///
/// The table row is that of the configured tensor parallelism, as in the ancestor, unless so few GPUs
/// cannot hold the model; then it is that of all the server's GPUs.
pub fn shape_on_server(
    model: &ModelSpec,
    sku: &Sku,
    parallelism: Parallelism,
) -> Result<InstanceShape, DoesNotFit> {
    let slice = shape_of_slice(model, sku, parallelism)?;
    Ok(InstanceShape { gpus: sku.gpus, ..slice })
}

/// An instance on a slice of `tensor_parallelism` GPUs; where these cannot hold the model's weights,
/// on the whole server (the user's rule: one server, one instance).
pub fn shape_of_slice(
    model: &ModelSpec,
    sku: &Sku,
    parallelism: Parallelism,
) -> Result<InstanceShape, DoesNotFit> {
    let holds = |gpus: u32| u64::from(gpus) * sku.gpu.memory_bytes > model.weights_bytes;
    let tensor = parallelism.tensor;
    if tensor <= sku.gpus && holds(tensor) {
        Ok(InstanceShape { gpus: tensor, tensor_parallelism: tensor, widened: false })
    } else if holds(sku.gpus) {
        Ok(InstanceShape { gpus: sku.gpus, tensor_parallelism: sku.gpus, widened: true })
    } else {
        Err(DoesNotFit::new(model, format!("a {} server has", sku.name), sku.gpus, sku))
    }
}
