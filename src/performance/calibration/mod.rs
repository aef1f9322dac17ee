//! An engine's constants fitted to measured requests of one's own, and what they were fitted to.
//!
//! `ebbflow calibrate` writes one ([`Calibration::to_yaml`]), a scenario includes it ([`Calibration::read`]). Its four
//! constants stand in for those of the engine ([`Backend::constants`]): host work an iteration and a sequence, and
//! the factors on moving data (decoding) and on arithmetic beyond that (prefill).
//!
//! *Carrying over.* A deployment of the same engine and GPU may run another model, precision or split. Where both
//! models have experts or neither has, the constants hold as they are, host work with experts by the layer. Between
//! the two kinds, whose built-in constants differ, the *ratio* of the fitted to the built-in constant is carried.
//! The front end's time is never fitted.
//!
//! Units: milliseconds and microseconds in the file, as the names say.

mod error;
mod file;
mod provenance;

pub use error::CalibrationError;
pub use provenance::{Held, MetricErrors, Provenance};

use super::roofline::{Backend, Constants, Deployment, Parallelism};
use crate::models::Precision;

/// Fitted constants with everything that tells what they hold for.
#[derive(Clone, PartialEq, Debug)]
pub struct Calibration {
    /// The engine whose requests were measured.
    pub backend: Backend,
    /// The GPU they ran on.
    pub gpu: String,
    /// The model they asked.
    pub model: String,
    /// Layers of that model that have experts; 0: it is dense.
    pub expert_layers: u32,
    /// Precision of the weights.
    pub precision: Precision,
    /// How the model was split.
    pub parallelism: Parallelism,
    /// What was fitted.
    pub constants: Fitted,
    /// To what, and how well.
    pub provenance: Provenance,
}

/// The fitted constants.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Fitted {
    /// Milliseconds of host work an iteration; of a model with experts that of its layers.
    pub host_ms: f64,
    /// Microseconds of host work a sequence, an iteration.
    pub per_sequence_us: f64,
    /// Time of arithmetic beyond moving data, over that of the kernels one by one: what long prompts live on.
    pub prefill_factor: f64,
    /// The same of moving data: what decoding lives on.
    pub decode_factor: f64,
}

impl Fitted {
    /// What is built in for a model with so many layers of experts.
    pub fn built_in(backend: Backend, expert_layers: u32) -> Self {
        let Constants { host_s, expert_layer_s, sequence_s, memory_scale, compute_scale, .. } =
            backend.constants(expert_layers > 0);
        Fitted {
            host_ms: (host_s + expert_layer_s * f64::from(expert_layers)) * 1e3,
            per_sequence_us: sequence_s * 1e6,
            prefill_factor: compute_scale,
            decode_factor: memory_scale,
        }
    }

    /// With as many digits as they deserve.
    pub fn rounded(&self) -> Self {
        let to = |value: f64, steps: f64| (value * steps).round() / steps;
        Fitted {
            host_ms: to(self.host_ms, 1e3),
            per_sequence_us: to(self.per_sequence_us, 1e1),
            prefill_factor: to(self.prefill_factor, 1e3),
            decode_factor: to(self.decode_factor, 1e3),
        }
    }

    /// As the roofline takes them, for a model with so many layers of experts.
    pub fn constants(&self, backend: Backend, expert_layers: u32) -> Constants {
        let host_s = self.host_ms * 1e-3;
        let (host_s, expert_layer_s) = match expert_layers {
            0 => (host_s, 0.0),
            layers => (0.0, host_s / f64::from(layers)),
        };
        Constants {
            host_s,
            expert_layer_s,
            sequence_s: self.per_sequence_us * 1e-6,
            memory_scale: self.decode_factor,
            compute_scale: self.prefill_factor,
            front_end_s: backend.constants(expert_layers > 0).front_end_s,
        }
    }
}

impl Calibration {
    /// The constants for this deployment.
    ///
    /// # Errors
    /// Another engine or GPU than was measured.
    pub fn constants_for(&self, deployment: &Deployment) -> Result<Constants, CalibrationError> {
        let other = |what, calibrated: &str, wanted: &str| CalibrationError::Other {
            what,
            calibrated: calibrated.to_owned(),
            wanted: wanted.to_owned(),
        };
        if deployment.backend != self.backend {
            return Err(other("engine", self.backend.name(), deployment.backend.name()));
        }
        if deployment.gpu.name != self.gpu {
            return Err(other("GPU", &self.gpu, &deployment.gpu.name));
        }
        let own = self.constants.constants(self.backend, self.expert_layers);
        if deployment.model.is_moe() == (self.expert_layers > 0) {
            return Ok(own);
        }
        Ok(self.carried(&self.backend.constants(deployment.model.is_moe())))
    }

    /// `built_in`, changed as much as the fit changed what is built in for the kind of model it saw.
    fn carried(&self, built_in: &Constants) -> Constants {
        let before = Fitted::built_in(self.backend, self.expert_layers);
        let ratio = |after: f64, before: f64| if before > 0.0 { after / before } else { 1.0 };
        let host = ratio(self.constants.host_ms, before.host_ms);
        Constants {
            host_s: built_in.host_s * host,
            expert_layer_s: built_in.expert_layer_s * host,
            sequence_s: built_in.sequence_s * ratio(self.constants.per_sequence_us, before.per_sequence_us),
            memory_scale: built_in.memory_scale * ratio(self.constants.decode_factor, before.decode_factor),
            compute_scale: built_in.compute_scale
                * ratio(self.constants.prefill_factor, before.prefill_factor),
            front_end_s: built_in.front_end_s,
        }
    }
}

#[cfg(test)]
mod tests;
