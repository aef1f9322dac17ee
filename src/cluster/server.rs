//! The server actor: owns its GPUs, boots, starts instances on them, leaves when empty.

use ebbflow_actors::{EntityId, Group, SimTime};

use crate::ids::{InstanceId, ServerId};
use crate::instance::{Birth, Instance};
use crate::message::Message;
use crate::participant::{Outbox, Participant};
use crate::results::InstanceRecord;

/// The user's three server statuses, as logs and summaries name them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ServerStatus {
    /// Booting; holds no instance yet.
    ScalingUp,
    /// Up.
    Active,
    /// Leaving the cluster.
    ScalingDown,
}

impl ServerStatus {
    /// The word in the scaling log.
    pub const fn name(self) -> &'static str {
        match self {
            ServerStatus::ScalingUp => "scaling_up",
            ServerStatus::Active => "active",
            ServerStatus::ScalingDown => "scaling_down",
        }
    }
}

/// A server of the cluster. Who is on its GPUs is known here and nowhere better.
#[derive(Debug)]
pub struct Server {
    id: ServerId,
    /// Which instance occupies each GPU.
    processors: Vec<Option<InstanceId>>,
    /// Who asked for it; none for servers of the start state without a ScalingManager.
    manager: Option<EntityId>,
    /// When it is up; none: it is from the start.
    up_at: Option<SimTime>,
    /// Placements that wait for the boot.
    waiting: Vec<Birth>,
    up: bool,
}

impl Server {
    /// A server that is up from the start, with these instances on its GPUs.
    pub fn up(id: ServerId, gpus: u32, manager: Option<EntityId>, births: &[Birth]) -> Self {
        let mut server = Server {
            id,
            processors: vec![None; gpus as usize],
            manager,
            up_at: None,
            waiting: Vec::new(),
            up: true,
        };
        for birth in births {
            server.occupy(birth);
        }
        server
    }

    /// A server that boots until `up_at` and then starts its first instance, if any.
    pub fn booting(
        id: ServerId,
        gpus: u32,
        manager: EntityId,
        up_at: SimTime,
        first: Option<Box<Birth>>,
    ) -> Self {
        Server {
            id,
            processors: vec![None; gpus as usize],
            manager: Some(manager),
            up_at: Some(up_at),
            waiting: first.map(|birth| *birth).into_iter().collect(),
            up: false,
        }
    }

    /// Its number.
    pub fn id(&self) -> ServerId {
        self.id
    }

    /// The name in messages and logs.
    pub fn label(&self) -> String {
        format!("server_{}", self.id)
    }

    /// Instances that start when it is up.
    pub fn waiting(&self) -> impl Iterator<Item = &Birth> {
        self.waiting.iter()
    }

    /// Instances on it, by GPU.
    pub fn processors(&self) -> &[Option<InstanceId>] {
        &self.processors
    }

    pub(crate) fn start(&mut self, now: SimTime, outbox: &mut Outbox<'_>) {
        match self.up_at {
            Some(up_at) if up_at > now => {
                outbox.tick_at(up_at, Message::Booted);
            }
            Some(_) => self.come_up(outbox),
            None => {}
        }
    }

    pub(crate) fn handle(&mut self, now: SimTime, from: EntityId, message: Message, outbox: &mut Outbox<'_>) {
        match message {
            Message::Booted => self.come_up(outbox),
            Message::Place(birth) if self.up => self.place(*birth, outbox),
            Message::Place(birth) => self.waiting.push(*birth),
            Message::Drained { instance, .. } => self.vacate(instance),
            Message::CancelStart { instance, entity, since } => {
                self.cancel_start(now, instance, entity, since, outbox)
            }
            Message::RemoveServer => outbox.stop(),
            other => unreachable!("{from} sent a server what is not for servers: {other:?}"),
        }
    }

    fn come_up(&mut self, outbox: &mut Outbox<'_>) {
        self.up = true;
        if let Some(manager) = self.manager {
            outbox.send(manager, Message::ServerUp(self.id));
        }
        for birth in std::mem::take(&mut self.waiting) {
            self.place(birth, outbox);
        }
    }

    /// Starts an instance, unless one of its GPUs is taken: GPUs never overlap.
    fn place(&mut self, birth: Birth, outbox: &mut Outbox<'_>) {
        if let Some(reason) = self.objection(&birth) {
            if let Some(manager) = self.manager {
                let instance = birth.instance;
                let reason = reason.into_boxed_str();
                outbox.send(manager, Message::PlacementRefused { instance, reason });
            }
            return;
        }
        self.occupy(&birth);
        let group = Group(self.id.0 + 1);
        outbox.spawn(birth.entity, group, Participant::Instance(Box::new(Instance::new(birth))));
    }

    /// An instance that still waits for the boot leaves only a record; one that lives is told itself.
    fn cancel_start(
        &mut self,
        now: SimTime,
        instance: InstanceId,
        entity: EntityId,
        since: SimTime,
        outbox: &mut Outbox<'_>,
    ) {
        let Some(position) = self.waiting.iter().position(|birth| birth.instance == instance) else {
            outbox.send(entity, Message::CancelStart { instance, entity, since });
            return;
        };
        let birth = self.waiting.remove(position);
        if let Some(manager) = self.manager {
            outbox.send(manager, Message::Drained { instance, at: now });
        }
        let (application, recorder) = (birth.application, birth.recorder);
        let unborn = Instance::new(birth).record(Some(now));
        let record = Box::new(InstanceRecord { draining: Some(since), ..unborn });
        outbox.send(recorder, Message::Departed(application, record));
    }

    fn objection(&self, birth: &Birth) -> Option<String> {
        birth.processors.iter().find_map(|&gpu| match self.processors.get(gpu as usize) {
            None => Some(format!("server_{} has no GPU {gpu}", self.id)),
            Some(Some(holder)) => {
                Some(format!("GPU {gpu} of server_{} is occupied by instance_{holder}", self.id))
            }
            Some(None) => None,
        })
    }

    fn occupy(&mut self, birth: &Birth) {
        for &gpu in &birth.processors {
            if let Some(place) = self.processors.get_mut(gpu as usize) {
                *place = Some(birth.instance);
            }
        }
    }

    fn vacate(&mut self, instance: InstanceId) {
        for place in self.processors.iter_mut().filter(|place| **place == Some(instance)) {
            *place = None;
        }
    }
}
