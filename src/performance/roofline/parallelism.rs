//! How a model is split over the GPUs of an instance.

use super::RooflineError;
use crate::models::{Attention, Model};

/// Most GPUs of one instance.
const MAX_GPUS: u32 = 1024;

/// How a model is split.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parallelism {
    /// GPUs that share every matrix.
    pub tensor: u32,
    /// Groups of layers, one after the other; each has `tensor` GPUs.
    pub pipeline: u32,
    /// Of the `tensor` GPUs, how many share the experts whole instead of sharing every expert.
    pub expert: u32,
}

impl Parallelism {
    /// Tensor parallelism alone.
    pub const fn tensor(tensor: u32) -> Self {
        Parallelism { tensor, pipeline: 1, expert: 1 }
    }

    /// GPUs in all.
    pub const fn gpus(&self) -> u32 {
        self.tensor * self.pipeline
    }

    /// Refuses what the model cannot be split into.
    pub fn check(&self, model: &Model) -> Result<(), RooflineError> {
        let refuse = |what, degree, why: String| {
            Err(RooflineError::Parallelism { what, degree, model: model.name.clone(), why })
        };
        let Parallelism { tensor, pipeline, expert } = *self;
        for (what, degree) in [("tensor", tensor), ("pipeline", pipeline), ("expert", expert)] {
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
        let count = model.experts.map_or(1, |experts| experts.count);
        if expert > 1 && (!tensor.is_multiple_of(expert) || !count.is_multiple_of(expert)) {
            let why = format!("it must divide tensor parallelism ({tensor}) and its {count} experts");
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
        let experts = Parallelism { tensor: 4, pipeline: 1, expert: 3 };
        assert!(refused(experts, "gpt-oss-20b").contains("expert parallelism 3"));
        assert!(
            refused(Parallelism { pipeline: 99, ..Parallelism::tensor(1) }, "Qwen3-8B").contains("36 layers")
        );
        let replicated = Parallelism { tensor: 8, pipeline: 1, expert: 8 };
        assert!(replicated.check(&find("Qwen3-235B-A22B").unwrap()).is_ok());
    }
}
