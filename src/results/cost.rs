//! What a fleet cost: GPU-hours, rent and energy, by what the GPUs were doing.
//!
//! A server is paid for from its order to its leaving, with all its GPUs. They were *starting* with an instance
//! that was not ACTIVE yet, *draining* with one that drained, *serving* while an ACTIVE one had a batch running,
//! and *idle* otherwise: under an instance without work, or without an instance. Rent is GPU-hours × the SKU's
//! price. Energy follows from what the iterations did, [by phase](super::PhaseEnergy), where that is known of the
//! GPUs; of a SKU whose busy draw is given it is that draw while a GPU computes, an upper bound, and its idle draw
//! else. A draining GPU counts as computing.
//!
//! A server that applications share is paid for once: each pays for the GPUs of its instances while it has them, and
//! all that ever had any for equal parts of what nobody had. Leaves out: commitments, spot interruptions, cooling.

use std::collections::BTreeMap;

use ebbflow_actors::SimTime;
use serde::Serialize;

use super::energy::{Iterated, PhaseEnergy};
use super::{ApplicationResults, InstanceRecord, ServerRecord};
use crate::ids::{ApplicationId, ServerId};
use crate::scenario::Sku;

/// An amount by what the GPUs were doing.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize)]
pub struct Split {
    /// Sum of the following.
    pub total: f64,
    /// Computing for ACTIVE instances.
    pub serving: f64,
    /// Under instances that start.
    pub starting: f64,
    /// Under instances that drain.
    pub draining: f64,
    /// Waiting for work, or for an instance.
    pub idle: f64,
}

/// What a fleet cost.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize)]
pub struct Cost {
    /// Hours of GPUs.
    pub gpu_hours: Split,
    /// Rent in US dollars; null if the price of a SKU is not known.
    pub usd: Option<Split>,
    /// Kilowatt-hours; null if the draw of a SKU is not known.
    pub energy_kwh: Option<Split>,
    /// The same energy by what it was spent on; null if a SKU has a busy draw of its own, or energy is not known.
    pub energy_by_phase_kwh: Option<PhaseEnergy>,
}

/// What the instances of an application did with a server.
#[derive(Clone, Copy, Debug, Default)]
struct Use {
    /// Idle time left out.
    gpu_hours: Split,
    iterated: Iterated,
    /// GPU-hours from their creation to their removal, idle time included.
    held: f64,
}

impl Cost {
    /// What these applications, of `all` of a run, pay for their servers until `end`.
    pub fn of(applications: &[&ApplicationResults], all: &[ApplicationResults], end: SimTime) -> Self {
        let mut cost = Cost::nothing();
        let uses = uses(all, end);
        for owner in all {
            for server in &owner.servers {
                let nobody = [(owner.id, Use::default())];
                let tenants = uses.get(&server.id).map_or(&nobody[..], Vec::as_slice);
                let pays = |id: ApplicationId| applications.iter().any(|application| application.id == id);
                for (_, own) in tenants.iter().filter(|(id, _)| pays(*id)) {
                    cost.add(server, *own, paid(server, own, tenants, end));
                }
            }
        }
        cost
    }

    /// Of nobody: everything is known.
    fn nothing() -> Self {
        Cost {
            gpu_hours: Split::default(),
            usd: Some(Split::default()),
            energy_kwh: Some(Split::default()),
            energy_by_phase_kwh: Some(PhaseEnergy::default()),
        }
    }

    /// Adds so many GPU-hours of a server that an application paid for and used so.
    fn add(&mut self, server: &ServerRecord, Use { gpu_hours: used, iterated, .. }: Use, paid: f64) {
        let sku = &server.sku;
        let idle = (paid - used.serving - used.starting - used.draining).max(0.0);
        let gpu_hours = Split { idle, total: used.serving + used.starting + used.draining + idle, ..used };
        self.gpu_hours.add(gpu_hours, 1.0, 1.0);
        match (&mut self.usd, sku.usd_per_gpu_h) {
            (Some(usd), Some(price)) => usd.add(gpu_hours, price, price),
            (usd, None) => *usd = None,
            (None, _) => {}
        }
        if let Some(busy_w) = sku.busy_power_w {
            self.add_energy(gpu_hours.at_nameplate(busy_w, sku), None);
        } else if let Some((kwh, phases)) = iterated.energy_kwh(sku, &gpu_hours) {
            self.add_energy(kwh, Some(phases));
        } else {
            (self.energy_kwh, self.energy_by_phase_kwh) = (None, None);
        }
    }

    fn add_energy(&mut self, kwh: Split, phases: Option<PhaseEnergy>) {
        if let Some(energy) = &mut self.energy_kwh {
            energy.add(kwh, 1.0, 1.0);
        }
        match (&mut self.energy_by_phase_kwh, phases) {
            (Some(energy), Some(phases)) => *energy += phases,
            (energy, _) => *energy = None,
        }
    }
}

impl Split {
    /// Every part, so many times.
    pub(super) fn times(&self, rate: f64) -> Split {
        let mut product = Split::default();
        product.add(*self, rate, rate);
        product
    }

    /// Kilowatt-hours of these GPU-hours by the two draws of the SKU.
    fn at_nameplate(&self, busy_w: f64, sku: &Sku) -> Split {
        let gpus = f64::from(sku.gpus);
        let mut kwh = Split::default();
        kwh.add(*self, busy_w / gpus / 1000.0, sku.idle_power_w / gpus / 1000.0);
        kwh
    }

    /// Adds what computes at one rate and what waits at another.
    fn add(&mut self, more: Split, computing: f64, waiting: f64) {
        self.serving += more.serving * computing;
        self.draining += more.draining * computing;
        self.starting += more.starting * waiting;
        self.idle += more.idle * waiting;
        self.total = self.serving + self.starting + self.draining + self.idle;
    }
}

/// GPU-hours of a server that one of its tenants pays for.
fn paid(server: &ServerRecord, own: &Use, tenants: &[(ApplicationId, Use)], end: SimTime) -> f64 {
    let life_h = hours(server.created, server.removed.unwrap_or(end).min(end));
    let all = f64::from(server.sku.gpus) * life_h;
    if tenants.len() < 2 {
        return all;
    }
    let held: f64 = tenants.iter().map(|(_, tenant)| tenant.held).sum();
    own.held + (all - held).max(0.0) / tenants.len() as f64
}

/// Who used each server, and how.
fn uses(applications: &[ApplicationResults], end: SimTime) -> BTreeMap<ServerId, Vec<(ApplicationId, Use)>> {
    let mut uses: BTreeMap<ServerId, Vec<(ApplicationId, Use)>> = BTreeMap::new();
    for application in applications {
        for instance in &application.instances {
            let tenants = uses.entry(instance.server).or_default();
            if tenants.last().is_none_or(|(id, _)| *id != application.id) {
                tenants.push((application.id, Use::default()));
            }
            if let Some((_, own)) = tenants.last_mut() {
                own.add(instance, end);
            }
        }
    }
    uses
}

impl Use {
    fn add(&mut self, instance: &InstanceRecord, end: SimTime) {
        let gpus = f64::from(instance.gpus());
        let gone = instance.removed.unwrap_or(end).min(end);
        let drains = instance.draining.unwrap_or(gone).min(gone);
        let serves = instance.active.unwrap_or(drains).min(drains);
        let busy_h = instance.busy.as_secs_f64() / 3600.0;
        let used = &mut self.gpu_hours;
        used.starting += gpus * hours(instance.created, serves);
        used.draining += gpus * hours(drains, gone);
        // What was computed during the drain is in `busy` too.
        let draining_h = hours(drains, gone);
        used.serving += gpus * (busy_h - draining_h).clamp(0.0, hours(serves, drains));
        self.iterated.add(instance, draining_h);
        self.held += gpus * hours(instance.created, gone);
    }
}

fn hours(from: SimTime, to: SimTime) -> f64 {
    to.saturating_sub(from).as_secs_f64() / 3600.0
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::samples;
    use super::*;
    use crate::scenario::{GpuSpec, Sku};

    /// One server of eight GPUs from 0 to 100 s.
    fn server(usd_per_gpu_h: Option<f64>) -> ServerRecord {
        let gpu = GpuSpec { name: "g".into(), memory_bytes: 1, sheet: None };
        let busy_power_w = Some(8000.0);
        let sku = Sku { name: "s".into(), gpu, gpus: 8, idle_power_w: 800.0, busy_power_w, usd_per_gpu_h };
        ServerRecord { id: ServerId(0), sku: Arc::new(sku), created: SimTime::ZERO, removed: None }
    }

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found} instead of {expected}");
    }

    #[test]
    fn a_server_costs_its_whole_time_whatever_is_on_it() {
        let mut cost = Cost::nothing();
        let gpu_hours = Split { serving: 0.1, starting: 0.02, ..Split::default() };
        let paid = 8.0 * 100.0 / 3600.0;
        cost.add(&server(Some(3.0)), Use { gpu_hours, ..Use::default() }, paid);
        near(cost.gpu_hours.total, paid);
        near(cost.gpu_hours.idle, paid - 0.12);
        near(cost.usd.unwrap().total, 3.0 * paid);
        near(cost.energy_kwh.unwrap().total, 0.1 * 1.0 + (paid - 0.1) * 0.1);
        assert_eq!(cost.energy_by_phase_kwh, None, "a busy draw says nothing of phases");
    }

    #[test]
    fn an_unknown_price_makes_the_rent_unknown_and_nothing_else() {
        let mut cost = Cost::nothing();
        let paid = 8.0 * 100.0 / 3600.0;
        cost.add(&server(Some(3.0)), Use::default(), paid);
        cost.add(&server(None), Use::default(), paid);
        assert_eq!(cost.usd, None);
        near(cost.gpu_hours.total, 16.0 * 100.0 / 3600.0);
    }

    #[test]
    fn an_instances_time_is_split_by_its_dates_and_its_work() {
        // Created at 20 s, ACTIVE at 30 s, draining at 70 s, gone at 90 s, 25 s of work; 20 of them at the end.
        let mut instance = samples::instance(0);
        instance.created = samples::at(20_000);
        instance.active = Some(samples::at(30_000));
        instance.draining = Some(samples::at(70_000));
        instance.removed = Some(samples::at(90_000));
        instance.busy = samples::at(25_000) - SimTime::ZERO;
        let mut own = Use::default();
        own.add(&instance, samples::at(100_000));
        let used = own.gpu_hours;
        let gpus = f64::from(instance.gpus());
        near(used.starting, gpus * 10.0 / 3600.0);
        near(used.draining, gpus * 20.0 / 3600.0);
        near(used.serving, gpus * 5.0 / 3600.0);
    }

    #[test]
    fn of_a_shared_server_each_pays_for_what_it_had_and_for_its_part_of_what_nobody_had() {
        let server = server(None);
        let tenants =
            [6.0, 1.0].map(|gpus| (ApplicationId(0), Use { held: gpus * 100.0 / 3600.0, ..Use::default() }));
        let paid = tenants.map(|(_, own)| paid(&server, &own, &tenants, samples::at(100_000)));
        near(paid[0], 6.5 * 100.0 / 3600.0);
        near(paid[1], 1.5 * 100.0 / 3600.0);
    }
}
