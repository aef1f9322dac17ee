//! Where the time of an iteration goes.

use super::backend::Constants;
use super::operators::{Operator, OperatorTimes};

/// What an iteration's time is made of, before the engine's constants: the time is linear in them.
#[derive(Clone, Copy, PartialEq, Default, Debug)]
pub struct Terms {
    /// Iterations: 1, or a mean over several.
    pub iterations: f64,
    /// Layers with experts, an iteration.
    pub expert_layers: f64,
    /// Sequences.
    pub sequences: f64,
    /// Seconds of moving data.
    pub memory: OperatorTimes,
    /// Seconds by which arithmetic takes longer than that.
    pub compute: OperatorTimes,
}

impl Terms {
    /// Seconds with these constants.
    pub fn total_s(&self, constants: &Constants) -> f64 {
        let values = constants.values();
        self.features().iter().zip(values).map(|(feature, value)| feature * value).sum()
    }

    /// What each constant is multiplied with, in the order of [`Constants::values`].
    pub fn features(&self) -> [f64; Constants::COUNT] {
        [self.iterations, self.expert_layers, self.sequences, self.memory.total_s(), self.compute.total_s()]
    }

    /// These terms, `weight` times.
    pub fn scaled(&self, weight: f64) -> Self {
        Terms {
            iterations: self.iterations * weight,
            expert_layers: self.expert_layers * weight,
            sequences: self.sequences * weight,
            memory: self.memory * weight,
            compute: self.compute * weight,
        }
    }

    /// The sum of two.
    pub fn plus(&self, other: &Self) -> Self {
        Terms {
            iterations: self.iterations + other.iterations,
            expert_layers: self.expert_layers + other.expert_layers,
            sequences: self.sequences + other.sequences,
            memory: self.memory + other.memory,
            compute: self.compute + other.compute,
        }
    }

    /// Seconds of every part with these constants.
    pub fn breakdown(&self, constants: &Constants) -> Breakdown {
        Breakdown {
            operators: self.memory * constants.memory_scale + self.compute * constants.compute_scale,
            host_s: self.iterations * constants.host_s + self.expert_layers * constants.expert_layer_s,
            sequences_s: self.sequences * constants.sequence_s,
        }
    }
}

/// Seconds of an iteration, part by part.
#[derive(Clone, Copy, PartialEq, Default, Debug)]
pub struct Breakdown {
    /// On the GPUs.
    pub operators: OperatorTimes,
    /// Work of the host that the GPUs wait for.
    pub host_s: f64,
    /// Work of the host for each sequence: sampling, detokenising, block tables.
    pub sequences_s: f64,
}

impl Breakdown {
    /// Seconds of everything.
    pub fn total_s(&self) -> f64 {
        self.operators.total_s() + self.host_s + self.sequences_s
    }

    /// Each part with its share of the whole, those that take no time left out.
    pub fn shares(&self) -> Vec<(&'static str, f64)> {
        let operators = Operator::ALL.iter().map(|&operator| (operator.name(), self.operators.get(operator)));
        let host = [("host", self.host_s), ("sequences", self.sequences_s)];
        let total = self.total_s();
        let parts = operators.chain(host).filter(|&(_, seconds)| seconds > 0.0);
        parts.map(|(name, seconds)| (name, seconds / total)).collect()
    }
}
