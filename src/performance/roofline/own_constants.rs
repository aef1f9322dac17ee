//! Constants of one's own: fitted to one's own measurements, or tried.

use super::Constants;

/// Constants to use instead of an engine's; those left out stay the engine's.
#[derive(Clone, Copy, PartialEq, Default, Debug)]
pub struct OwnConstants {
    /// Milliseconds of host work an iteration.
    pub host_ms: Option<f64>,
    /// Microseconds of host work a layer with experts, an iteration.
    pub per_expert_layer_us: Option<f64>,
    /// Microseconds of host work a sequence, an iteration.
    pub per_sequence_us: Option<f64>,
    /// Time of moving data over that of the kernels one by one: what decoding lives on.
    pub decode_factor: Option<f64>,
    /// The same of the arithmetic beyond: what long prompts live on.
    pub prefill_factor: Option<f64>,
}

impl OwnConstants {
    /// The constants with these put in.
    pub fn over(&self, built_in: Constants) -> Constants {
        Constants {
            host_s: self.host_ms.map_or(built_in.host_s, |ms| ms * 1e-3),
            expert_layer_s: self.per_expert_layer_us.map_or(built_in.expert_layer_s, |us| us * 1e-6),
            sequence_s: self.per_sequence_us.map_or(built_in.sequence_s, |us| us * 1e-6),
            memory_scale: self.decode_factor.unwrap_or(built_in.memory_scale),
            compute_scale: self.prefill_factor.unwrap_or(built_in.compute_scale),
            ..built_in
        }
    }

    /// These where they are given, otherwise those of `others`.
    pub fn or(&self, others: &OwnConstants) -> OwnConstants {
        OwnConstants {
            host_ms: self.host_ms.or(others.host_ms),
            per_expert_layer_us: self.per_expert_layer_us.or(others.per_expert_layer_us),
            per_sequence_us: self.per_sequence_us.or(others.per_sequence_us),
            decode_factor: self.decode_factor.or(others.decode_factor),
            prefill_factor: self.prefill_factor.or(others.prefill_factor),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Backend;
    use super::*;

    #[test]
    fn what_is_not_given_stays_the_engines() {
        let built_in = Backend::Vllm.constants(false);
        assert_eq!(OwnConstants::default().over(built_in), built_in);
        let own = OwnConstants { host_ms: Some(2.5), decode_factor: Some(1.0), ..OwnConstants::default() };
        let constants = own.over(built_in);
        assert_eq!((constants.host_s, constants.memory_scale), (0.0025, 1.0));
        assert_eq!(constants.compute_scale, built_in.compute_scale);
        let measured =
            OwnConstants { host_ms: Some(9.0), per_sequence_us: Some(5.0), ..OwnConstants::default() };
        assert_eq!((own.or(&measured).host_ms, own.or(&measured).per_sequence_us), (Some(2.5), Some(5.0)));
    }
}
