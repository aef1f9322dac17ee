//! How a model is split over the GPUs of an instance.

use super::RooflineError;
use crate::models::{Attention, Model};

/// Most GPUs of one instance.
const MAX_GPUS: u32 = 1024;

/// How a model is split.
///
/// Tables of measurements know `tensor` alone; fixed times and knots ignore it all.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Parallelism {
    /// Groups of layers, one after the other; each has `tensor` GPUs.
    pub pipeline: u32,
    /// GPUs that share every matrix.
    pub tensor: u32,
    /// Engines that each have requests, attention and a cache of their own, `tensor` GPUs each, and compute the
    /// experts together, iteration by iteration.
    pub data: u32,
    /// Of the `tensor · data` GPUs, how many share the experts whole instead of sharing every expert.
    pub expert: u32,
}

impl Parallelism {
    /// Tensor parallelism alone.
    pub const fn tensor(tensor: u32) -> Self {
        Parallelism { tensor, pipeline: 1, data: 1, expert: 1 }
    }

    /// GPUs in all; too many to count are more than any server has.
    pub const fn gpus(&self) -> u32 {
        self.tensor.saturating_mul(self.pipeline).saturating_mul(self.data)
    }

    /// GPUs that share the experts of a layer.
    pub const fn expert_gpus(&self) -> u32 {
        self.tensor.saturating_mul(self.data)
    }

    /// Refuses what the model cannot be split into.
    pub fn check(&self, model: &Model) -> Result<(), RooflineError> {
        let refuse = |what, degree, why: String| {
            Err(RooflineError::Parallelism { what, degree, model: model.name.clone(), why })
        };
        let Parallelism { tensor, pipeline, data, expert } = *self;
        for (what, degree) in [("tensor", tensor), ("pipeline", pipeline), ("data", data), ("expert", expert)]
        {
            if degree == 0 || degree > MAX_GPUS {
                return refuse(what, degree, format!("expected 1 to {MAX_GPUS}"));
            }
        }
        if !model.heads.is_multiple_of(tensor) {
            return refuse("tensor", tensor, format!("its {} heads must divide evenly", model.heads));
        }
        if let Attention::Grouped { kv_heads, .. } = model.attention
            && !kv_heads.is_multiple_of(tensor)
            && !tensor.is_multiple_of(kv_heads)
        {
            let why = format!("its {kv_heads} key/value heads must divide evenly, or be divided by it");
            return refuse("tensor", tensor, why);
        }
        if pipeline > model.layers {
            return refuse("pipeline", pipeline, format!("it has {} layers", model.layers));
        }
        if data > 1 && !model.is_moe() {
            let why = "it has no experts to share; so many instances do the same".to_owned();
            return refuse("data", data, why);
        }
        let count = model.experts.map_or(1, |experts| experts.count);
        let shared = self.expert_gpus();
        if expert > 1 && (!shared.is_multiple_of(expert) || !count.is_multiple_of(expert)) {
            let shared_by = if data > 1 { "tensor × data parallelism" } else { "tensor parallelism" };
            let why = format!("it must divide {shared_by} ({shared}) and its {count} experts");
            return refuse("expert", expert, why);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::find;

    #[test]
    fn a_split_that_cannot_be_is_refused_with_the_reason() {
        let refused = |split: Parallelism, model: &str| {
            split.check(&find(model).unwrap()).map_err(|error| error.to_string()).unwrap_err()
        };
        assert!(refused(Parallelism::tensor(3), "Llama-3.1-8B").contains("32 heads"));
        assert!(refused(Parallelism::tensor(0), "Llama-3.1-8B").contains("expected 1 to"));
        let experts = Parallelism { expert: 3, ..Parallelism::tensor(4) };
        assert!(refused(experts, "gpt-oss-20b").contains("expert parallelism 3"));
        assert!(
            refused(Parallelism { pipeline: 99, ..Parallelism::tensor(1) }, "Qwen3-8B").contains("36 layers")
        );
        let replicated = Parallelism { expert: 8, ..Parallelism::tensor(8) };
        assert!(replicated.check(&find("Qwen3-235B-A22B").unwrap()).is_ok());
        let engines = Parallelism { data: 4, expert: 8, ..Parallelism::tensor(2) };
        assert!(engines.check(&find("Qwen3-235B-A22B").unwrap()).is_ok());
        assert!(refused(engines, "Llama-3.1-8B").contains("no experts to share"));
        let uneven = Parallelism { data: 2, expert: 4, ..Parallelism::tensor(1) };
        assert!(refused(uneven, "gpt-oss-20b").contains("tensor × data parallelism (2)"));
    }
}
