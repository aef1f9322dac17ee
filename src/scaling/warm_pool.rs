//! Servers that are up and idle, so that an instance can start without waiting for a machine.
//!
//! A full scale-up takes the longest-standing free server of its SKU, and the pool is filled up again behind it;
//! a full scale-down gives its server back while the pool is short of one. Waiting servers cost what servers
//! cost.

use std::sync::Arc;

use ebbflow_actors::SimTime;

use super::state::{ScalingState, ServerView};
use crate::cluster::ServerStatus;
use crate::ids::ServerId;
use crate::scenario::Sku;

impl ScalingState {
    /// Orders servers until as many are free as the pool should have. What cannot be had is written down.
    pub fn refill_warm_pool(&mut self, now: SimTime) {
        if self.spec.warm_pool == 0 {
            return;
        }
        let missing = (self.spec.warm_pool as usize).saturating_sub(self.free_servers().count());
        for _ in 0..missing {
            if let Err(error) = self.scale_up_server(now, None) {
                self.refuse(now, "warm_pool", &error);
                return;
            }
        }
    }

    /// The free server of this SKU that has been up longest, or will be up first, if there is a pool.
    pub(super) fn warm_server(&self, sku: &Arc<Sku>) -> Option<ServerId> {
        if self.spec.warm_pool == 0 {
            return None;
        }
        let own = self.servers.iter().filter(|(_, view)| view.owner == self.application);
        let own = own.filter(|(_, view)| !view.is_shared());
        let free = own.filter(|(_, view)| view.sku.name == sku.name && view.instances() == 0);
        free.min_by_key(|(id, view)| (view.up_at, **id)).map(|(id, _)| *id)
    }

    /// Whether a server that has just become empty stays, for the pool is short of one.
    pub(super) fn stays_warm(&self, server: ServerId) -> bool {
        let up = |view: &ServerView| view.status == ServerStatus::Active;
        // Without a pool nobody is counted: ten thousand may leave at once.
        self.spec.warm_pool > 0
            && self.servers.get(&server).is_some_and(up)
            && self.free_servers().count() <= self.spec.warm_pool as usize
    }
}
