//! The network actor: holds the caches that are on their way over the links of the cluster.
//!
//! A decode instance that has reserved room says so, a message's time later the cache sets out, and the instance is
//! told on time when it is there. To be on time the news is sent one message's time ahead: a cache that sets out
//! within that last moment on the same link slows the others down in the books, but the end that is told stands.
//! Whoever starts a transfer hears of its end exactly once, also when it calls it off.
//!
//! Overlap: the layers of a cache go one by one while the prompt is computed. What would have gone in that time, at
//! the rate at which the transfer begins, has gone when it begins, save the last layer ([`Flows::head_start`]). Left
//! out: these bytes load no link before that moment, and the room they take at the other end is reserved only when
//! the prompt is done; a cache that has to wait for room has no head start.

use std::collections::BTreeMap;

use ebbflow_actors::{EntityId, SimDuration, SimTime, TickId};

use super::fair::Flows;
use super::links::{Link, Port};
use crate::ids::{RequestId, ServerId};
use crate::message::Message;
use crate::participant::Outbox;
use crate::results::LinkRecord;

/// A KV cache that sets out.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct TransferOrder {
    /// Whose.
    pub request: RequestId,
    /// From.
    pub from: Port,
    /// To.
    pub to: Port,
    /// How much.
    pub bytes: u64,
    /// While it was computed its layers could go already: for so long.
    pub head_start: SimDuration,
}

/// A transfer: to whom, whose.
type Name = (EntityId, RequestId);

/// The network between all instances.
#[derive(Debug, Default)]
pub struct Network {
    flows: Flows<Name, Link>,
    courses: BTreeMap<Name, Course>,
    /// What the links of a server are, by server.
    wired: BTreeMap<ServerId, Port>,
    due: Option<(SimTime, TickId)>,
}

/// What a transfer is besides its flow.
#[derive(Clone, Copy, Debug)]
struct Course {
    latency: SimDuration,
    /// Its end has been told.
    told: bool,
}

impl Network {
    /// The name in messages and logs.
    pub fn label(&self) -> String {
        "network".to_owned()
    }

    pub(crate) fn start(&mut self, _: SimTime, _: &mut Outbox<'_>) {}

    pub(crate) fn handle(&mut self, now: SimTime, from: EntityId, message: Message, outbox: &mut Outbox<'_>) {
        self.flows.advance(now);
        self.let_arrive(now, outbox);
        match message {
            Message::StartTransfer(order) => self.set_out(now, &order),
            Message::CancelTransfer(request) => self.call_off(now, (from, request), outbox),
            Message::LinkDue => self.due = None,
            other => unreachable!("{from} sent the network what is not for it: {other:?}"),
        }
        self.tell(now, outbox);
        self.wake(now, outbox);
    }

    fn set_out(&mut self, now: SimTime, order: &TransferOrder) {
        let TransferOrder { request, from, to, bytes, head_start } = order;
        let (name, way) = ((to.instance, *request), from.way_to(to));
        for port in [from, to] {
            self.wired.entry(port.server).or_insert(*port);
        }
        self.flows.start(now, name, &way.links, *bytes);
        self.flows.head_start(name, *head_start, from.parts);
        self.courses.insert(name, Course { latency: way.latency, told: false });
    }

    fn call_off(&mut self, now: SimTime, name: Name, outbox: &mut Outbox<'_>) {
        self.flows.cancel(now, name);
        if self.courses.remove(&name).is_some_and(|course| !course.told) {
            outbox.send(name.0, Message::TransferEnds(name.1));
        }
    }

    /// Takes away what has arrived.
    fn let_arrive(&mut self, now: SimTime, outbox: &mut Outbox<'_>) {
        for name in self.flows.take_ended(now) {
            if let Some(course) = self.courses.remove(&name).filter(|course| !course.told) {
                tell(name, course.latency, outbox);
            }
        }
    }

    /// Tells the ends that are so near that the news takes until then.
    fn tell(&mut self, now: SimTime, outbox: &mut Outbox<'_>) {
        let soon = now + outbox.lookahead();
        let mut near: Vec<_> = self.flows.ends().take_while(|(_, end)| *end <= soon).collect();
        // Messages go out in the order of names.
        near.sort_unstable();
        for (name, end) in near {
            let Some(course) = self.courses.get_mut(&name).filter(|course| !course.told) else { continue };
            let in_time = end - now + course.latency;
            if in_time <= outbox.lookahead() {
                course.told = true;
                tell(name, in_time, outbox);
            }
        }
    }

    /// Sets the tick of the next end, or of the moment to tell it.
    fn wake(&mut self, now: SimTime, outbox: &mut Outbox<'_>) {
        let moment = |(name, end): (Name, SimTime)| match self.courses.get(&name) {
            Some(Course { latency, told: false }) => {
                end.min(now + (end - now + *latency).saturating_sub(outbox.lookahead()))
            }
            _ => end,
        };
        let mut next: Option<SimTime> = None;
        for (name, end) in self.flows.ends() {
            // No end is told earlier before it than this, and further ones are later.
            if next.is_some_and(|next| next + outbox.lookahead() <= end) {
                break;
            }
            let moment = moment((name, end));
            next = Some(next.map_or(moment, |next| next.min(moment)));
        }
        if next == self.due.map(|(time, _)| time) {
            return;
        }
        if let Some((_, tick)) = self.due.take() {
            outbox.cancel(tick);
        }
        self.due = next.map(|time| (time, outbox.tick_at(time, Message::LinkDue)));
    }

    /// What went over the links of every server that a cache left or came to.
    pub fn links(&self) -> Vec<LinkRecord> {
        let record = |(link, usage)| {
            let (server, direction) = match link {
                Link::NicsOut(server) => (server, "out"),
                Link::NicsIn(server) => (server, "in"),
                Link::Inside(server) => (server, "inside"),
                _ => return None,
            };
            let wiring = self.wired.get(&server)?.wiring;
            let is_inside = matches!(link, Link::Inside(_));
            let kind = if is_inside { wiring.intra.name() } else { wiring.nic.name() };
            Some(LinkRecord { server, link: kind, direction, usage })
        };
        let mut records: Vec<LinkRecord> = self.flows.usage().filter_map(record).collect();
        records.sort_by_key(|record| record.server);
        records
    }
}

fn tell((instance, request): Name, after: SimDuration, outbox: &mut Outbox<'_>) {
    let delay = after.max(outbox.lookahead());
    outbox.send_after(instance, delay, Message::TransferEnds(request));
}
