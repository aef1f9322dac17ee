//! The server actor: owns its GPUs, boots, starts instances on them, leaves when empty.
//!
//! Where applications share it, their managers each start instances on GPUs they believe free. The server decides:
//! who comes first has them, the other is refused, and everybody hears of every change.

use ebbflow_actors::{EntityId, Group, SimTime};

use crate::ids::{ApplicationId, InstanceId, ServerId};
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

/// Who occupies a GPU.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tenant {
    /// Whose instance it is.
    pub application: ApplicationId,
    /// Its number there.
    pub instance: InstanceId,
    /// Its address.
    pub entity: EntityId,
}

/// What managers that share a server hear of each other: an instance took GPUs of it, or left them.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct GpuNews {
    /// On which server.
    pub server: ServerId,
    /// Whose instance.
    pub application: ApplicationId,
    /// Its number there.
    pub instance: InstanceId,
    /// Which GPUs.
    pub processors: Vec<u32>,
    /// Whether they are taken now, or free.
    pub taken: bool,
}

/// A server of the cluster. Who is on its GPUs is known here and nowhere better.
#[derive(Debug)]
pub struct Server {
    id: ServerId,
    /// Who occupies each GPU.
    processors: Vec<Option<Tenant>>,
    /// Who asked for it; none for servers of the start state.
    manager: Option<EntityId>,
    /// The applications that share it, with their managers, as far as they have one.
    sharers: Vec<(ApplicationId, EntityId)>,
    /// When it is up; none: it is from the start.
    up_at: Option<SimTime>,
    /// Placements that wait for the boot.
    waiting: Vec<Birth>,
    up: bool,
}

impl Server {
    /// A server that is up from the start, with these instances on its GPUs; `sharers` are none unless several
    /// applications are to start instances on it.
    pub fn up(id: ServerId, gpus: u32, sharers: Vec<(ApplicationId, EntityId)>, births: &[Birth]) -> Self {
        let mut server = Server {
            id,
            processors: vec![None; gpus as usize],
            manager: None,
            sharers,
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
            sharers: Vec::new(),
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

    /// Who is on it, by GPU.
    pub fn processors(&self) -> &[Option<Tenant>] {
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
            Message::Drained { .. } => self.vacate(from, outbox),
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
            if let Some(manager) = birth.manager {
                let instance = birth.instance;
                let reason = reason.into_boxed_str();
                outbox.send(manager, Message::PlacementRefused { instance, reason });
            }
            return;
        }
        self.occupy(&birth);
        if !self.sharers.is_empty() {
            let Birth { application, instance, .. } = birth;
            self.tell_sharers(application, instance, birth.processors.clone(), true, outbox);
        }
        let group = Group(self.id.0 + 1);
        outbox.spawn(birth.entity, group, Participant::Instance(Box::new(Instance::new(birth))));
    }

    /// An instance that still waits for the boot leaves only a record; one that lives is told itself. One that was
    /// refused never was, which its manager is about to hear.
    fn cancel_start(
        &mut self,
        now: SimTime,
        instance: InstanceId,
        entity: EntityId,
        since: SimTime,
        outbox: &mut Outbox<'_>,
    ) {
        let Some(position) = self.waiting.iter().position(|birth| birth.entity == entity) else {
            if self.processors.iter().flatten().any(|tenant| tenant.entity == entity) {
                outbox.send(entity, Message::CancelStart { instance, entity, since });
            }
            return;
        };
        let birth = self.waiting.remove(position);
        if let Some(manager) = birth.manager {
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
            Some(Some(Tenant { application, instance, .. })) => {
                let whose = match *application == birth.application {
                    true => String::new(),
                    false => format!(" of application {application}"),
                };
                Some(format!("GPU {gpu} of server_{} is occupied by instance_{instance}{whose}", self.id))
            }
            Some(None) => None,
        })
    }

    fn occupy(&mut self, birth: &Birth) {
        let Birth { application, instance, entity, .. } = *birth;
        for &gpu in &birth.processors {
            if let Some(place) = self.processors.get_mut(gpu as usize) {
                *place = Some(Tenant { application, instance, entity });
            }
        }
    }

    fn vacate(&mut self, gone: EntityId, outbox: &mut Outbox<'_>) {
        let mut left = None;
        let mut gpus = Vec::new();
        for (gpu, place) in (0..).zip(&mut self.processors) {
            if place.is_some_and(|tenant| tenant.entity == gone) {
                left = place.take();
                gpus.push(gpu);
            }
        }
        if let Some(Tenant { application, instance, .. }) = left {
            self.tell_sharers(application, instance, gpus, false, outbox);
        }
    }

    /// Its own manager knows better.
    fn tell_sharers(
        &self,
        application: ApplicationId,
        instance: InstanceId,
        processors: Vec<u32>,
        taken: bool,
        outbox: &mut Outbox<'_>,
    ) {
        let news = GpuNews { server: self.id, application, instance, processors, taken };
        for &(_, manager) in self.sharers.iter().filter(|(sharer, _)| *sharer != application) {
            outbox.send(manager, Message::GpusChanged(Box::new(news.clone())));
        }
    }
}
