//! Servers that several applications share: each manager knows its own instances and where those of others stand.
//!
//! What it knows of others is a message old. It may so ask for GPUs that are taken: the server refuses, and the
//! books are as they were. A shared server belongs to nobody, so it stays until the end of the run.

use super::error::ScalingError;
use super::state::{ScalingState, ServerView};
use crate::cluster::{GpuNews, ServerStatus};
use crate::ids::{ApplicationId, InstanceId, ServerId};

/// Where full scale-ups put instances.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Place {
    /// Each on a server of its own.
    #[default]
    NewServer,
    /// On free GPUs of a shared server if there are any, on a server of its own otherwise.
    Shared,
}

impl Place {
    /// All of them by the word a scenario uses.
    pub const NAMES: [(&str, Place); 2] = [("new_server", Place::NewServer), ("shared", Place::Shared)];

    /// The word a scenario uses.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, place)| *place == self).map_or("", |(name, _)| name)
    }
}

/// An instance of another application.
pub(super) type Neighbour = (ApplicationId, InstanceId);

impl ServerView {
    /// Whether other applications may have instances on it.
    pub fn is_shared(&self) -> bool {
        self.others.is_some()
    }

    /// Who of another application is on a GPU, as far as it is known.
    pub fn neighbour(&self, gpu: usize) -> Option<Neighbour> {
        *self.others.as_ref()?.get(gpu)?
    }

    fn is_free(&self, gpu: u32) -> bool {
        let gpu = gpu as usize;
        self.processors.get(gpu).is_some_and(Option::is_none) && self.neighbour(gpu).is_none()
    }

    /// GPUs that nobody has.
    pub fn idle_gpus(&self) -> usize {
        (0..self.sku.gpus).filter(|&gpu| self.is_free(gpu)).count()
    }

    /// The first so many free GPUs beside each other.
    pub fn first_fit(&self, gpus: u32) -> Option<Vec<u32>> {
        let last = self.sku.gpus.checked_sub(gpus)?;
        let first = (0..=last).find(|&first| (first..first + gpus).all(|gpu| self.is_free(gpu)))?;
        Some((first..first + gpus).collect())
    }

    /// The same, or what stands against it.
    pub fn room_for(&self, server: ServerId, gpus: u32) -> Result<Vec<u32>, ScalingError> {
        let free = self.idle_gpus();
        self.first_fit(gpus).ok_or(ScalingError::NoRoomBesideOthers { server, gpus, free })
    }
}

impl ScalingState {
    /// From now on the application shares this server with others.
    pub fn share_server(&mut self, server: ServerId) {
        if let Some(view) = self.servers.get_mut(&server) {
            view.others = Some(vec![None; view.sku.gpus as usize]);
        }
    }

    /// An instance of another application took GPUs of a shared server, or left them.
    pub fn gpus_changed(&mut self, news: &GpuNews) {
        let view = self.servers.get_mut(&news.server);
        let Some(others) = view.and_then(|view| view.others.as_mut()) else { return };
        let who = (news.application, news.instance);
        for &gpu in &news.processors {
            if let Some(place) = others.get_mut(gpu as usize) {
                *place = news.taken.then_some(who);
            }
        }
    }

    /// A server this manager may remove.
    pub(super) fn removable_server(&self, server: ServerId) -> Result<&ServerView, ScalingError> {
        let view = self.own_server(server)?;
        if view.is_shared() { Err(ScalingError::Shared(server)) } else { Ok(view) }
    }

    /// Where an instance on so many GPUs fits among others: on the first shared server with room.
    pub(super) fn room_beside_others(&self, gpus: u32) -> Option<(ServerId, Vec<u32>)> {
        let up = |view: &&ServerView| view.is_shared() && view.status == ServerStatus::Active;
        let mut shared = self.servers.iter().filter(|(_, view)| up(view));
        shared.find_map(|(&server, view)| Some((server, view.first_fit(gpus)?)))
    }
}
