//! Figures per class of requests, each judged by what was promised to it, and per tenant.

mod kinds;
mod text;

use std::collections::BTreeSet;

use serde::Serialize;

pub use kinds::{Kind, Kinds};
pub(super) use text::classes;

use super::{Attainment, Figures, GroupFigures, RunResults, Tally};
use crate::scenario::{RequestClass, Scenario};

/// The figures of one class, over all applications.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ClassReport {
    /// Its name.
    pub class: String,
    /// Who pays for it.
    pub tenant: Option<String>,
    /// Lower goes first, at engines that mind.
    pub priority: i32,
    /// Its figures.
    #[serde(flatten)]
    pub figures: GroupFigures,
    /// How it did by its own objectives; null without any.
    pub slo: Option<Attainment>,
}

/// The figures of one tenant, over all applications and classes.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct TenantReport {
    /// Its name.
    pub tenant: String,
    /// Its figures.
    #[serde(flatten)]
    pub figures: GroupFigures,
}

/// The classes of a scenario in its order, then others that requests name.
pub(super) fn class_reports(results: &RunResults, scenario: &Scenario) -> Vec<ClassReport> {
    let spec = &scenario.workload.classes;
    let others = names(results, |kind| kind.class.as_deref());
    let others = others.into_iter().filter(|name| spec.iter().all(|class| class.name != *name));
    let known = spec.iter().map(|class| ClassReport::of(results, &class.name, Some(class)));
    known.chain(others.map(|name| ClassReport::of(results, name, None))).collect()
}

/// All tenants, by name.
pub(super) fn tenant_reports(results: &RunResults) -> Vec<TenantReport> {
    let tenants = names(results, |kind| kind.tenant.as_deref()).into_iter();
    let report = |tenant: &str| TenantReport {
        tenant: tenant.to_owned(),
        figures: figures(&only(results, |kind| kind.tenant.as_deref() == Some(tenant))),
    };
    tenants.map(report).collect()
}

impl ClassReport {
    fn of(results: &RunResults, name: &str, spec: Option<&RequestClass>) -> Self {
        let tallies = only(results, |kind| kind.class.as_deref() == Some(name));
        let figures = figures(&tallies);
        let slo = spec.and_then(|class| class.slo.as_ref());
        let judged: Vec<&Tally> = tallies.iter().collect();
        ClassReport {
            class: name.to_owned(),
            tenant: spec.and_then(|class| class.tenant.clone()),
            priority: spec.map_or(0, |class| class.priority),
            slo: slo.map(|slo| Attainment::of(slo, &judged, figures.requests.arrived, None)),
            figures,
        }
    }
}

fn figures(tallies: &[Tally]) -> GroupFigures {
    GroupFigures::of(tallies.iter(), &Figures::of(tallies.iter()))
}

/// The tally of each application, of such requests alone.
fn only(results: &RunResults, wanted: impl Fn(&Kind) -> bool) -> Vec<Tally> {
    results.applications.iter().map(|application| application.tally.only(&wanted)).collect()
}

fn names<'r>(results: &'r RunResults, of: impl Fn(&'r Kind) -> Option<&'r str>) -> BTreeSet<&'r str> {
    results.applications.iter().flat_map(|application| application.tally.kinds.all()).filter_map(of).collect()
}
