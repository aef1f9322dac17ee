//! How many GPUs an instance takes, and which of them its times are those of.

use super::deployment::deploy;
use crate::models::Precision;
use crate::scenario::{EngineSpec, InstanceConfig, ModelSpec, Parallelism, Sku};

/// The size of an instance on a kind of server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InstanceShape {
    /// GPUs it occupies.
    pub gpus: u32,
    /// Parallelism its iteration times are those of.
    pub parallelism: Parallelism,
    /// True when the whole server was taken instead of the configured slice: it could not hold the model, or the
    /// server has fewer GPUs.
    pub widened: bool,
}

/// A model that does not fit where it is put.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum DoesNotFit {
    /// Neither the slice nor the whole server holds the weights, or not the GPUs it was asked for on.
    #[error(
        "model {model} needs {weights_gb:.0} GB for its weights, but {place} {memory_gb:.0} GB of GPU memory"
    )]
    Weights {
        /// The model.
        model: String,
        /// Who has too little, e.g. `a dgx-h100 server has`.
        place: String,
        /// What it needs.
        weights_gb: f64,
        /// What there is.
        memory_gb: f64,
    },
    /// The KV cache that was asked for outright is too large.
    #[error(
        "{blocks} KV blocks of {model} take {cache_gb:.1} GB beside {weights_gb:.1} GB of weights, but {place} \
         {memory_gb:.1} GB of GPU memory"
    )]
    Blocks {
        /// How many.
        blocks: u64,
        /// The model.
        model: String,
        /// What they need.
        cache_gb: f64,
        /// What the weights need.
        weights_gb: f64,
        /// Who has too little, e.g. `a dgx-h100 server has`.
        place: String,
        /// What there is.
        memory_gb: f64,
    },
    /// Nothing is known of the GPU but its name and memory.
    #[error("there is no data sheet of the GPU `{0}`, from which roofline could tell its times")]
    NoSheet(String),
    /// Its constants were fitted to something else.
    #[error("{0}")]
    Uncalibrated(String),
    /// Nothing is known of the model but the size of its weights.
    #[error("roofline does not know the sizes of {0}")]
    NoSizes(String),
    /// The model cannot be split this way.
    #[error("{problem}; {}", smallest(*fits))]
    Split {
        /// Which counts do not go together.
        problem: String,
        /// A tensor parallelism that would do.
        fits: Option<u32>,
    },
    /// The weights leave no room for a KV cache.
    #[error(
        "{model} in {precision} takes {weights_gb:.1} GB, and {gpus} × {gpu} have {room_gb:.1} GB for weights and KV \
         cache; {}",
        smallest(*fits)
    )]
    NoRoom {
        /// The model.
        model: String,
        /// Of its weights.
        precision: Precision,
        /// What it needs.
        weights_gb: f64,
        /// How many GPUs.
        gpus: u32,
        /// Of which kind.
        gpu: String,
        /// What an engine has of their memory, for itself and its cache.
        room_gb: f64,
        /// A tensor parallelism that would do.
        fits: Option<u32>,
    },
}

impl DoesNotFit {
    /// Not on so many GPUs of a server.
    pub(crate) fn on_gpus(model: &ModelSpec, sku: &Sku, gpus: u32, engine: EngineSpec) -> Self {
        let place = match gpus {
            1 => format!("one GPU of a {} server has", sku.name),
            more if more <= sku.gpus => format!("{more} GPUs of a {} server have", sku.name),
            more => format!("{more} GPUs are asked for, and the {} of a {} server have", sku.gpus, sku.name),
        };
        Self::at(model, place, gpus.min(sku.gpus), sku, engine)
    }

    fn at(model: &ModelSpec, place: String, gpus: u32, sku: &Sku, engine: EngineSpec) -> Self {
        let (model_name, weights_gb) = (model.name.clone(), model.weights_bytes as f64 / 1e9);
        let memory_gb = f64::from(gpus) * sku.gpu.memory_bytes as f64 / 1e9;
        let space = engine.cache_space();
        match (space.num_gpu_blocks_override, space.tokens()) {
            (Some(blocks), Some(tokens)) if weights_gb < memory_gb => DoesNotFit::Blocks {
                blocks,
                model: model_name,
                cache_gb: tokens as f64 * model.kv_bytes_per_token as f64 / 1e9,
                weights_gb,
                place,
                memory_gb,
            },
            (Some(_), _) => DoesNotFit::Weights { model: model_name, place, weights_gb, memory_gb },
            (None, _) => {
                let (place, memory_gb) = match space.gpu_memory_utilization {
                    Some(share) => {
                        (format!("within gpu_memory_utilization {share}, {place}"), share * memory_gb)
                    }
                    None => (place, memory_gb),
                };
                DoesNotFit::Weights { model: model_name, place, weights_gb, memory_gb }
            }
        }
    }
}

fn smallest(fits: Option<u32>) -> String {
    match fits {
        Some(tensor) => format!("the smallest tensor parallelism that fits is {tensor}"),
        None => "no tensor parallelism fits".to_owned(),
    }
}

/// An instance on **all** GPUs of a server (`orca`, `baseline`, every full scale-up).
///
/// Its times are those of the configured parallelism, as in the ancestor, unless so few GPUs
/// cannot hold the model; then they are those of all the server's GPUs.
pub fn shape_on_server(
    model: &ModelSpec,
    sku: &Sku,
    instance: InstanceConfig,
) -> Result<InstanceShape, DoesNotFit> {
    let slice = shape_of_slice(model, sku, instance)?;
    Ok(InstanceShape { gpus: sku.gpus, ..slice })
}

/// An instance on a slice of `tensor_parallelism` GPUs; where these cannot hold the model's weights,
/// on the whole server (the user's rule: one server, one instance).
pub fn shape_of_slice(
    model: &ModelSpec,
    sku: &Sku,
    instance: InstanceConfig,
) -> Result<InstanceShape, DoesNotFit> {
    if model.roofline.is_some() {
        return shape_on_gpus(model, sku, sku.gpus, instance);
    }
    let InstanceConfig { engine, parallelism } = instance;
    let holds = |gpus: u32| model.cache_bytes_on(sku, gpus, engine).is_some();
    let tensor = parallelism.tensor;
    if tensor <= sku.gpus && holds(tensor) {
        Ok(InstanceShape { gpus: tensor, parallelism, widened: false })
    } else if holds(sku.gpus) {
        let parallelism = Parallelism { tensor: sku.gpus, ..parallelism };
        Ok(InstanceShape { gpus: sku.gpus, parallelism, widened: true })
    } else {
        Err(DoesNotFit::at(model, format!("a {} server has", sku.name), sku.gpus, sku, engine))
    }
}

/// An instance timed by `roofline`, on as many of `gpus` GPUs as its parallelism says: on all of them by tensor
/// parallelism where that is more. Where the model does not fit, nothing is taken instead.
pub fn shape_on_gpus(
    model: &ModelSpec,
    sku: &Sku,
    gpus: u32,
    instance: InstanceConfig,
) -> Result<InstanceShape, DoesNotFit> {
    let parallelism = instance.parallelism;
    let widened = parallelism.gpus() > gpus;
    let parallelism = if widened { Parallelism::tensor(gpus) } else { parallelism };
    deploy(model, &sku.gpu, instance.spread(parallelism)).transpose()?;
    Ok(InstanceShape { gpus: parallelism.gpus(), parallelism, widened })
}
