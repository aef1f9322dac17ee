//! What only shows when the sections are seen together: does the model fit the servers it is put on, does the
//! performance table have a row for every instance, do the pools share out the servers that exist, can what the objectives
//! name be known.

mod fit;
mod objectives;
mod packed;
mod pools;
mod uses;

use super::actions::unknown_application;
use super::applications::Application;
use super::reader::At;
use super::spec::{
    Action, ClusterSpec, PerformanceSpec, SplitType, StartState, WorkloadSource, WorkloadSpec,
};
use crate::ids::ApplicationId;
use crate::slo::Slo;
use uses::Use;

/// The sections, with the places of those that may be at fault.
pub(super) struct Sections<'s, 't> {
    pub top: &'s At<'t>,
    pub cluster: &'s ClusterSpec,
    pub applications: &'s [Application<'t>],
    pub start: &'s StartState,
    /// Nothing when it has a problem of its own; the same for the workload.
    pub performance: Option<&'s PerformanceSpec>,
    pub workload: Option<&'s WorkloadSpec>,
    pub actions: &'s [(At<'t>, Action)],
    pub slo: Option<&'s Slo>,
}

impl<'s, 't> Sections<'s, 't> {
    /// Records every problem between sections.
    pub(super) fn check(&self) {
        let at_start = self.uses_at_start();
        self.check_instances_can_exist(&at_start);
        self.check_workload();
        self.check_objectives();
        let table = self.table();
        for instance in at_start.iter().chain(&self.uses_of_scale_ups()) {
            self.check_fit(instance, table.as_ref());
        }
    }

    fn application(&self, id: ApplicationId) -> Option<&'s Application<'t>> {
        self.applications.iter().find(|application| application.spec.id == id)
    }

    /// Without a ScalingManager an application has only the instances it starts with.
    fn check_instances_can_exist(&self, at_start: &[Use<'_, '_>]) {
        let fixed = self.applications.iter().filter(|application| application.spec.scaling.is_none());
        for application in fixed {
            let id = application.spec.id;
            let help = Some("add a `scaling_manager` or instances to start with".to_owned());
            let has_some = at_start.iter().any(|instance| instance.application.spec.id == id);
            // After another problem there may be none only because of it.
            if !has_some && self.top.log.is_clean() {
                let message =
                    format!("application {id} starts without instances and no scaling_manager can add one");
                application.at.refuse(message, help);
            } else if has_some && self.has_empty_pool() {
                let message = "a pool has num_instances 0 and no scaling_manager can fill it";
                self.top.descend(&["start_state"]).refuse(message, help);
            }
        }
    }

    fn has_empty_pool(&self) -> bool {
        let StartState::Split { split: SplitType::Homogeneous, prompt, token, .. } = self.start else {
            return false;
        };
        prompt.num_instances == 0 || token.num_instances == 0
    }

    fn check_workload(&self) {
        let source = self.workload.map(|workload| &workload.source);
        let spec = match source {
            Some(WorkloadSource::Synthetic(spec)) => spec,
            Some(WorkloadSource::ClientPool(pool)) => return self.check_asked(pool.application),
            Some(WorkloadSource::Trace { .. }) | None => return,
        };
        let shares = self.top.descend(&["workload", "applications"]);
        let places = if spec.shares.is_empty() { None } else { shares.list() };
        for ((id, _), at) in spec.shares.iter().zip(places.unwrap_or_default()) {
            if self.application(*id).is_none() {
                let at = at.descend(&["application"]);
                unknown_application::<()>(&at, *id, self.applications);
            }
        }
        self.check_asked(spec.application);
    }

    fn check_asked(&self, id: ApplicationId) {
        if self.application(id).is_none() {
            let at = self.top.descend(&["workload", "application"]);
            unknown_application::<()>(&at, id, self.applications);
        }
    }
}
