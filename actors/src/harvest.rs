//! What every thread of a run brings home, and how it becomes one outcome.

use crate::digest::Digest;
use crate::entity::{Entity, EntityId};
use crate::event::{Body, Event};
use crate::fault::Fault;
use crate::host::{Departed, Host, Record};
use crate::outcome::{Ending, Outcome, Stats, Undelivered};
use crate::time::SimTime;

/// What one thread brings home.
pub(crate) struct Harvest<E: Entity> {
    pub(crate) hosts: Vec<Host<E>>,
    pub(crate) departed: Vec<Departed>,
    /// Whatever was still on its way.
    pub(crate) leftovers: Vec<Event<E>>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) envelopes: u64,
    pub(crate) windows: u64,
    pub(crate) interrupted: bool,
}

impl<E: Entity> Default for Harvest<E> {
    fn default() -> Self {
        Harvest {
            hosts: Vec::new(),
            departed: Vec::new(),
            leftovers: Vec::new(),
            faults: Vec::new(),
            envelopes: 0,
            windows: 0,
            interrupted: false,
        }
    }
}

impl<E: Entity> Harvest<E> {
    /// Takes in what another thread brought.
    pub(crate) fn merge(&mut self, other: Harvest<E>) {
        self.hosts.extend(other.hosts);
        self.departed.extend(other.departed);
        self.leftovers.extend(other.leftovers);
        self.faults.extend(other.faults);
        self.envelopes += other.envelopes;
        // The arbiters walk through the same windows.
        self.windows = self.windows.max(other.windows);
        self.interrupted |= other.interrupted;
    }

    /// The earliest fault, with labels, and the outcome.
    pub(crate) fn into_outcome(mut self, arbiters: usize) -> (Option<Fault>, Outcome<E>) {
        self.hosts.sort_unstable_by_key(Host::id);
        self.departed.sort_unstable_by_key(|departed| departed.id);
        let fault = self.take_fault();
        let ending = self.ending(fault.is_some());
        let mut records: Vec<(EntityId, &Record)> =
            self.departed.iter().map(|departed| (departed.id, &departed.record)).collect();
        records.extend(self.hosts.iter().map(|host| (host.id(), host.record())));
        records.sort_unstable_by_key(|(id, _)| *id);
        let stats = Stats {
            events: records.iter().map(|(_, record)| record.events).sum(),
            messages: records.iter().map(|(_, record)| record.messages).sum(),
            envelopes: self.envelopes,
            windows: self.windows,
            arbiters,
        };
        let digest = Digest::of_entities(records.iter().map(|(id, record)| (*id, record.hash())));
        let ended_at = records.iter().map(|(_, record)| record.last.time).max().unwrap_or(SimTime::ZERO);
        let undelivered = undelivered(self.leftovers);
        let entities = self.hosts.into_iter().map(|host| (host.id(), host.into_entity())).collect();
        (fault, Outcome { digest, stats, ended_at, ending, entities, undelivered })
    }

    fn ending(&self, failed: bool) -> Ending {
        // A wake is not something left to do: the tick it was for may have been cancelled.
        let on_the_way = self.leftovers.iter().any(|event| !matches!(event.body, Body::Wake));
        if self.interrupted || failed {
            Ending::Interrupted
        } else if on_the_way || self.hosts.iter().any(Host::has_pending) {
            Ending::TimeLimit
        } else {
            Ending::Quiescent
        }
    }

    /// Several arbiters may fail in one window: the earliest fault is the one to report.
    fn take_fault(&mut self) -> Option<Fault> {
        let earliest = |fault: &Fault| (fault.at(), fault.entity().map(|who| who.id));
        let mut fault = std::mem::take(&mut self.faults).into_iter().min_by_key(earliest)?;
        for who in fault.named().into_iter().flatten() {
            who.label = who.label.take().or_else(|| self.label(who.id));
        }
        Some(fault)
    }

    fn label(&self, id: EntityId) -> Option<String> {
        if let Ok(place) = self.hosts.binary_search_by_key(&id, Host::id) {
            return self.hosts[place].label();
        }
        let place = self.departed.binary_search_by_key(&id, |departed| departed.id).ok()?;
        self.departed[place].label.clone()
    }
}

fn undelivered<E: Entity>(leftovers: Vec<Event<E>>) -> Vec<Undelivered<E::Message>> {
    let mut messages: Vec<_> = leftovers
        .into_iter()
        .filter_map(|event| match event.body {
            Body::Message(message) => Some((event.order, event.target, message)),
            Body::Birth(_) | Body::Wake => None,
        })
        .collect();
    messages.sort_unstable_by_key(|(order, _, _)| *order);
    messages
        .into_iter()
        .map(|(order, to, message)| Undelivered { at: order.time, from: order.source, to, message })
        .collect()
}
