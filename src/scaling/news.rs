//! What a manager hears of its servers and instances, and what follows from it.

use ebbflow_actors::SimTime;

use super::effect::Effect;
use super::life::Life;
use super::state::ScalingState;
use crate::cluster::ServerStatus;
use crate::ids::{InstanceId, ServerId};
use crate::instance::InstanceStatus;

impl ScalingState {
    /// A server came up.
    pub fn server_is_up(&mut self, server: ServerId) {
        if let Some(view) = self.servers.get_mut(&server) {
            view.status = ServerStatus::Active;
        }
    }

    /// An instance became ACTIVE. If its start was cancelled meanwhile it stays DRAINING; it will say so
    /// when it hears of that.
    pub fn instance_activated(&mut self, at: SimTime, instance: InstanceId) {
        let Some(view) = self.instances.get_mut(&instance) else { return };
        view.life.active = Some(at);
        let cancelled = view.life.draining;
        if cancelled.is_none() {
            self.change_status(instance, InstanceStatus::Active);
        }
        if cancelled.is_none_or(|since| at < since) {
            self.log(at, "scale_up_complete", format!("instance_{instance}"), InstanceStatus::Active.name());
        }
    }

    /// A cancellation reached its instance only after that was ACTIVE: it is drained like any other.
    pub fn cancelled_too_late(&mut self, instance: InstanceId) {
        if let Some(since) = self.instances.get(&instance).and_then(|view| view.life.draining) {
            self.effects.push(Effect::Drain { instance, since });
        }
    }

    /// An instance is drained and gone; its server follows if it was to and nothing else is on it.
    pub fn instance_drained(&mut self, at: SimTime, instance: InstanceId) {
        let Some(view) = self.forget(instance) else { return };
        self.past.push(Life { removed: Some(at), ..view.life });
        let target = format!("instance_{instance}");
        self.log(at, "scale_down_complete", target, InstanceStatus::ScalingDown.name());
        if view.life.active.is_none() {
            self.effects.push(Effect::StartFailed(view.life.tag));
        }
        let empty = self.servers.get(&view.server).is_some_and(|server| server.instances() == 0);
        if view.takes_server_along && empty && !self.stays_warm(view.server) {
            self.remove_server(at, view.server);
        }
    }

    /// The server could not start an instance: it is as if it had never been asked for.
    pub fn placement_refused(&mut self, at: SimTime, instance: InstanceId, reason: &str) {
        let Some(view) = self.forget(instance) else { return };
        self.counts.refused += 1;
        self.note(at, "refused", format!("instance_{instance}"), reason);
        self.effects.push(Effect::StartFailed(view.life.tag));
    }

    pub(super) fn remove_server(&mut self, at: SimTime, server: ServerId) {
        if let Some(view) = self.servers.remove(&server) {
            self.past_servers.push(view.record(server, Some(at)));
        }
        self.log(at, "scale_down_server", format!("server_{server}"), ServerStatus::ScalingDown.name());
        self.effects.push(Effect::RemoveServer(server));
    }
}
