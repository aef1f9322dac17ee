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

/// A model that fits neither the slice nor the whole server.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[error(
    "model {model} needs {weights_gb:.0} GB for its weights, but a {sku} server has {server_gb:.0} GB of GPU memory"
)]
pub struct DoesNotFit {
    model: String,
    sku: String,
    weights_gb: f64,
    server_gb: f64,
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
        Err(DoesNotFit {
            model: model.name.clone(),
            sku: sku.name.clone(),
            weights_gb: model.weights_bytes as f64 / 1e9,
            server_gb: f64::from(sku.gpus) * sku.gpu.memory_bytes as f64 / 1e9,
        })
    }
}
