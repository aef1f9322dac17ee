//! What an instance's iterations took, by phase: time and energy.
//!
//! Iterations with a piece of a prompt and decodes at once count for both phases, shared out by tokens. Leaves out
//! an iteration that the end of the simulation, or a drain time-out, cuts short. Nothing here acts on the model.

use ebbflow_actors::SimDuration;

use crate::performance::power::{Effort, EnergyRates};

/// Time and energy of an instance's iterations.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Phases {
    /// Of prompts.
    pub prefill: Phase,
    /// Of output tokens after the first.
    pub decode: Phase,
}

/// Time and energy of iterations of one phase.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Phase {
    /// How long they ran.
    pub time: SimDuration,
    /// What the instance's GPUs took meanwhile, in whole joules; none if their figures are not known.
    pub energy_j: Option<u64>,
}

/// Iterations alike.
#[derive(Clone, Copy, Debug)]
pub(super) struct Iterations {
    /// How long they took together.
    pub time: SimDuration,
    pub count: u64,
    /// Tokens of prompts in each of them.
    pub prompt_tokens: u64,
    /// Tokens of decoding sequences in each of them.
    pub decode_tokens: u64,
    /// Tokens of context that the decoding sequences read, in all of them together.
    pub context_tokens: u64,
}

/// Adds up what iterations took.
#[derive(Clone, Debug, Default)]
pub struct PhaseMeter {
    rates: Option<EnergyRates>,
    prefill: Sum,
    decode: Sum,
}

#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    time: SimDuration,
    joules: f64,
}

impl PhaseMeter {
    /// A meter that knows what work costs, or only its time.
    pub fn new(rates: Option<EnergyRates>) -> Self {
        PhaseMeter { rates, ..PhaseMeter::default() }
    }

    /// These iterations are over.
    pub(super) fn add(&mut self, iterations: Iterations) {
        let Iterations { time, count, prompt_tokens, decode_tokens, context_tokens } = iterations;
        let tokens = prompt_tokens + decode_tokens;
        let joules = self.rates.map_or(0.0, |rates| {
            rates.joules(&Effort {
                seconds: time.as_secs_f64(),
                iterations: count as f64,
                tokens: (tokens * count) as f64,
                context_tokens: context_tokens as f64,
            })
        });
        if prompt_tokens == 0 {
            self.decode.add(time, joules);
        } else if decode_tokens == 0 {
            self.prefill.add(time, joules);
        } else {
            let of_prompts = u128::from(time.as_nanos()) * u128::from(prompt_tokens) / u128::from(tokens);
            let of_prompts = SimDuration::from_nanos(of_prompts as u64);
            let joules_of_prompts = joules * prompt_tokens as f64 / tokens as f64;
            self.prefill.add(of_prompts, joules_of_prompts);
            self.decode.add(time - of_prompts, joules - joules_of_prompts);
        }
    }

    /// What they took so far.
    pub fn phases(&self) -> Phases {
        let phase = |sum: Sum| {
            let energy_j = self.rates.map(|_| sum.joules.round() as u64);
            Phase { time: sum.time, energy_j }
        };
        Phases { prefill: phase(self.prefill), decode: phase(self.decode) }
    }
}

impl Sum {
    fn add(&mut self, time: SimDuration, joules: f64) {
        self.time += time;
        self.joules += joules;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::performance::power::{Served, gpu_power};

    fn rates() -> EnergyRates {
        let served = Served { gpus: 8, weights_bytes: 138 << 30, active_share: 1.0, kv_bytes_per_token: 0 };
        EnergyRates::new(&gpu_power("A100").unwrap(), &served)
    }

    fn iterations(prompt_tokens: u64, decode_tokens: u64) -> Iterations {
        let time = SimDuration::from_millis(100);
        Iterations { time, count: 2, prompt_tokens, decode_tokens, context_tokens: 0 }
    }

    #[test]
    fn a_mixed_iteration_is_shared_out_by_tokens_and_nothing_is_lost() {
        let (mut mixed, mut alone) = (PhaseMeter::new(Some(rates())), PhaseMeter::new(Some(rates())));
        mixed.add(iterations(30, 10));
        alone.add(iterations(40, 0));
        let (mixed, alone) = (mixed.phases(), alone.phases());
        assert_eq!(
            (mixed.prefill.time, mixed.decode.time),
            (SimDuration::from_millis(75), SimDuration::from_millis(25))
        );
        let sum = mixed.prefill.energy_j.unwrap() + mixed.decode.energy_j.unwrap();
        assert!(sum.abs_diff(alone.prefill.energy_j.unwrap()) <= 1);
        assert_eq!(alone.decode, Phase { energy_j: Some(0), ..Phase::default() });
    }

    #[test]
    fn without_figures_only_time_is_known() {
        let mut meter = PhaseMeter::new(None);
        meter.add(iterations(0, 5));
        let decode = Phase { time: SimDuration::from_millis(100), energy_j: None };
        assert_eq!(meter.phases(), Phases { decode, ..Phases::default() });
    }

    #[test]
    fn a_decode_draws_half_the_rated_power_and_a_prompt_nearly_all_of_it() {
        let mut meter = PhaseMeter::new(Some(rates()));
        meter.add(Iterations { count: 2, ..iterations(0, 8) });
        meter.add(Iterations { count: 1, ..iterations(1024, 0) });
        let phases = meter.phases();
        let share = |phase: Phase| phase.energy_j.unwrap() as f64 / (phase.time.as_secs_f64() * 8.0 * 400.0);
        assert!((0.4..0.6).contains(&share(phases.decode)), "{phases:?}");
        assert!((0.9..=1.0).contains(&share(phases.prefill)), "{phases:?}");
    }
}
