//! One loop over one heap: no actors, no windows, nothing to get wrong. The oracle of every comparison.

use crate::agenda::{Agenda, Appointment};
use crate::config::Rules;
use crate::entity::Entity;
use crate::event::Event;
use crate::fault::Fault;
use crate::harvest::Harvest;
use crate::host::{Departed, Host, Stage};
use crate::inbox::{nobody_home, take_birth};
use crate::pulse::Pulse;
use crate::run::Member;
use crate::time::SimTime;

/// Appointments between two looks at the interrupt flag and two reports of progress.
const ROUND: u64 = 256;

pub(crate) fn run<E: Entity>(population: Vec<Member<E>>, rules: &Rules, pulse: &Pulse) -> Harvest<E> {
    let mut agenda = Agenda::new(rules);
    let mut seats = Seats { hosts: Vec::new(), departed: Vec::new() };
    for Member { id, group, entity } in population {
        agenda.settle(id, group);
        seats.take(Host::initial(id, entity));
    }
    let mut harvest = Harvest::default();
    let (mut inbox, mut sink) = (Vec::new(), Vec::new());
    let mut appointments = 0;
    let mut reported = 0;
    while let Some(due) = agenda.next(rules, &mut inbox) {
        if appointments % ROUND == 0 {
            rules.report(Some(due.time), appointments - reported);
            reported = appointments;
            if rules.interrupted() {
                harvest.interrupted = true;
                harvest.leftovers.append(&mut inbox);
                break;
            }
        }
        appointments += 1;
        let mut stage = Stage { rules, pulse, sink: &mut sink };
        let attended = seats.attend(&due, &mut inbox, &mut stage);
        // What was sent before a fault is on its way all the same.
        let filed = agenda.file(due.time, rules, &mut sink);
        match attended.and_then(|wake| filed.map(|()| wake)) {
            Ok(wake) => wake.into_iter().for_each(|time| agenda.wake(due.entity, time)),
            Err(fault) => {
                harvest.faults.push(*fault);
                break;
            }
        }
    }
    harvest.windows = agenda.windows();
    harvest.leftovers.extend(agenda.into_leftovers());
    harvest.hosts = seats.hosts.into_iter().flatten().collect();
    harvest.departed = seats.departed;
    harvest
}

struct Seats<E: Entity> {
    /// By id; empty where nobody is born yet or somebody has left.
    hosts: Vec<Option<Host<E>>>,
    departed: Vec<Departed>,
}

impl<E: Entity> Seats<E> {
    fn take(&mut self, host: Host<E>) {
        let place = host.id().index();
        if place >= self.hosts.len() {
            self.hosts.resize_with(place + 1, || None);
        }
        self.hosts[place] = Some(host);
    }

    /// Returns when the entity must be looked at again.
    fn attend(
        &mut self,
        due: &Appointment,
        inbox: &mut Vec<Event<E>>,
        stage: &mut Stage<'_, E>,
    ) -> Result<Option<SimTime>, Box<Fault>> {
        if let Some(host) = take_birth(inbox) {
            self.take(host);
        }
        let seat = &mut self.hosts[due.entity.index()];
        let Some(host) = seat else {
            return nobody_home(inbox.drain(..)).map(|()| None);
        };
        let wake = host.step(inbox.drain(..), due.horizon(), stage)?;
        if host.stopped()
            && let Some(host) = seat.take()
        {
            self.departed.push(host.depart()?);
        }
        Ok(wake)
    }
}
