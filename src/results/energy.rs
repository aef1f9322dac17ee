//! The energy of a server whose GPUs' draw is known by phase ([`power`](crate::performance::power)).
//!
//! Its instances metered what their iterations took. The other GPU-hours draw what an idle GPU does, and the server
//! around the GPUs (processors, memory, fans) what it draws when idle, the whole time. Leaves out: cooling, and
//! that fans and processors draw more under load.

use serde::Serialize;

use super::{InstanceRecord, Split};
use crate::instance::Phases;
use crate::performance::power::gpu_power;
use crate::scenario::Sku;

const JOULES_IN_KWH: f64 = 3.6e6;

/// Energy by what it was spent on.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize)]
pub struct PhaseEnergy {
    /// GPUs that computed prompts.
    pub prefill: f64,
    /// GPUs that produced the other output tokens.
    pub decode: f64,
    /// GPUs without an iteration.
    pub idle: f64,
    /// Everything in the servers but GPUs.
    pub servers: f64,
}

/// What the iterations of instances took: kilowatt-hours, and GPU-hours.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct Iterated {
    /// Whether the energy of some iterations is not known.
    unknown: bool,
    prefill_kwh: f64,
    decode_kwh: f64,
    serving: Amount,
    draining: Amount,
}

#[derive(Clone, Copy, PartialEq, Debug, Default)]
struct Amount {
    kwh: f64,
    gpu_h: f64,
}

impl Iterated {
    /// Adds an instance that drained for so long. As in all costs, who drains computes.
    pub fn add(&mut self, instance: &InstanceRecord, draining_h: f64) {
        let Phases { prefill, decode } = instance.phases;
        let hours = (prefill.time + decode.time).as_secs_f64() / 3600.0;
        if hours == 0.0 {
            return;
        }
        let (Some(prefill_j), Some(decode_j)) = (prefill.energy_j, decode.energy_j) else {
            self.unknown = true;
            return;
        };
        let kwh = |joules| joules as f64 / JOULES_IN_KWH;
        self.prefill_kwh += kwh(prefill_j);
        self.decode_kwh += kwh(decode_j);
        let draining = draining_h.min(hours) / hours;
        let whole = Amount { kwh: kwh(prefill_j) + kwh(decode_j), gpu_h: hours * f64::from(instance.gpus()) };
        self.draining.add(whole, draining);
        self.serving.add(whole, 1.0 - draining);
    }

    /// The energy of a server of this SKU that was there for so many GPU-hours; none where figures are missing.
    pub fn energy_kwh(&self, sku: &Sku, gpu_hours: &Split) -> Option<(Split, PhaseEnergy)> {
        let power = gpu_power(&sku.gpu.name).filter(|_| !self.unknown)?;
        let server_kw = sku.idle_power_w / f64::from(sku.gpus) / 1000.0;
        let gpu_kw = (power.idle_w / 1000.0).min(server_kw);
        let above_idle = |of: Amount| of.kwh - of.gpu_h * gpu_kw;
        let mut split = gpu_hours.times(server_kw);
        split.serving += above_idle(self.serving);
        split.draining += above_idle(self.draining);
        split.total += above_idle(self.serving) + above_idle(self.draining);
        let phases = PhaseEnergy {
            prefill: self.prefill_kwh,
            decode: self.decode_kwh,
            idle: (gpu_hours.total - self.serving.gpu_h - self.draining.gpu_h) * gpu_kw,
            servers: gpu_hours.total * (server_kw - gpu_kw),
        };
        Some((split, phases))
    }
}

impl Amount {
    fn add(&mut self, more: Amount, share: f64) {
        self.kwh += more.kwh * share;
        self.gpu_h += more.gpu_h * share;
    }
}

impl std::ops::AddAssign for PhaseEnergy {
    fn add_assign(&mut self, more: PhaseEnergy) {
        self.prefill += more.prefill;
        self.decode += more.decode;
        self.idle += more.idle;
        self.servers += more.servers;
    }
}

#[cfg(test)]
mod tests {
    use ebbflow_actors::SimDuration;

    use super::super::samples;
    use super::*;
    use crate::instance::Phase;
    use crate::scenario::GpuSpec;

    fn sku(gpu: &str, idle_power_w: f64) -> Sku {
        let gpu = GpuSpec { name: gpu.into(), memory_bytes: 1, sheet: None };
        Sku { name: "s".into(), gpu, gpus: 8, idle_power_w, busy_power_w: None, usd_per_gpu_h: None }
    }

    /// Eight GPUs that computed for two hours, 8 kWh of prompts and 4 kWh of decodes.
    fn instance() -> InstanceRecord {
        let hour = SimDuration::from_secs(3600);
        let prefill = Phase { time: hour, energy_j: Some(28_800_000) };
        let decode = Phase { time: hour, energy_j: Some(14_400_000) };
        InstanceRecord { phases: Phases { prefill, decode }, ..samples::instance(0) }
    }

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found} instead of {expected}");
    }

    #[test]
    fn the_two_ways_to_split_energy_have_the_same_total() {
        let mut iterated = Iterated::default();
        iterated.add(&instance(), 0.5);
        let gpu_hours = Split { total: 80.0, serving: 12.0, draining: 4.0, starting: 4.0, idle: 60.0 };
        // 200 W beside the GPUs; an idle H100 draws 75 W.
        let (split, phases) = iterated.energy_kwh(&sku("h100-80gb", 800.0), &gpu_hours).unwrap();
        near(phases.prefill, 8.0);
        near(phases.decode, 4.0);
        near(phases.idle, (80.0 - 16.0) * 0.075);
        near(phases.servers, 10.0 * 0.2);
        near(split.total, phases.prefill + phases.decode + phases.idle + phases.servers);
        near(split.total, split.serving + split.starting + split.draining + split.idle);
        near(split.starting, 4.0 * 0.1);
        near(split.draining, 4.0 * 0.1 + 0.25 * (12.0 - 16.0 * 0.075));
    }

    #[test]
    fn what_is_not_known_is_not_guessed() {
        let gpu_hours = Split::default();
        assert_eq!(Iterated::default().energy_kwh(&sku("abacus", 800.0), &gpu_hours), None);
        assert!(Iterated::default().energy_kwh(&sku("h100-80gb", 800.0), &gpu_hours).is_some());
        let mut iterated = Iterated::default();
        let mut instance = instance();
        instance.phases.decode.energy_j = None;
        iterated.add(&instance, 0.0);
        assert_eq!(iterated.energy_kwh(&sku("h100-80gb", 800.0), &gpu_hours), None);
    }
}
