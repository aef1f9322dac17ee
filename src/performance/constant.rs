//! Fixed iteration times: one for iterations that hold a prompt, one for those that only decode.
//!
//! Leaves out everything about the batch but the kind of its work. The ancestor's `constant` model times
//! whole tasks and works with no batching engine; this one times iterations and works with every engine.

use super::{BatchShape, PerformanceModel};

/// A performance model of two numbers.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Constant {
    prompt_s: f64,
    token_s: f64,
}

/// A fixed iteration time that is no time.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[error("{name} is {found} s; expected a finite time above 0 s")]
pub struct ConstantError {
    /// Which of the two: `prompt_s` or `token_s`.
    pub name: &'static str,
    /// Its value, in seconds.
    pub found: f64,
}

impl Constant {
    /// `prompt_s` for an iteration with a prompt in it, `token_s` for one of decodes only; both finite
    /// and above 0.
    pub fn new(prompt_s: f64, token_s: f64) -> Result<Self, ConstantError> {
        for (name, found) in [("prompt_s", prompt_s), ("token_s", token_s)] {
            if !(found.is_finite() && found > 0.0) {
                return Err(ConstantError { name, found });
            }
        }
        Ok(Constant { prompt_s, token_s })
    }
}

impl PerformanceModel for Constant {
    fn iteration_s(&self, batch: BatchShape) -> f64 {
        if batch.prompts > 0 { self.prompt_s } else { self.token_s }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_in_the_batch_decides_the_time() {
        let model = Constant::new(0.2, 0.03).unwrap();
        let decode = BatchShape { prompts: 0, prompt_tokens: 0, decodes: 9 };
        assert_eq!(model.iteration_s(decode), 0.03);
        assert_eq!(model.iteration_s(BatchShape { prompts: 1, prompt_tokens: 5, ..decode }), 0.2);
    }

    #[test]
    fn a_time_that_is_none_is_refused_by_name() {
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Constant::new(bad, 1.0).unwrap_err().name, "prompt_s");
            assert_eq!(Constant::new(1.0, bad).unwrap_err().name, "token_s");
        }
    }
}
