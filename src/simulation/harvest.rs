//! Gathers the results of a run from its entities, and from messages still in flight.

use std::collections::BTreeSet;

use ebbflow_actors::{Ending, Outcome, SimTime};

use super::layout::{self, StartServer};
use crate::ids::{ApplicationId, InstanceId};
use crate::instance::Instance;
use crate::message::{Message, Return};
use crate::participant::Participant;
use crate::request::{Fate, Request, Stage};
use crate::results::{
    ApplicationResults, EndedRequest, Incomplete, InstanceRecord, Keep, Ledger, RunResults, ServerRecord,
};
use crate::scaling::{ScalingManager, time_by_tag};
use crate::scenario::Scenario;

/// What was found for one application, besides what the recorder kept.
struct Gathered {
    id: ApplicationId,
    ledger: Ledger,
    unfinished: Vec<(Stage, Request)>,
    present: Vec<InstanceRecord>,
    manager: Option<Box<ScalingManager>>,
}

pub(super) fn harvest(
    scenario: &Scenario,
    outcome: Outcome<Participant>,
    fault: Option<Incomplete>,
    mut keep: Keep,
) -> RunResults {
    let mut gathered: Vec<Gathered> =
        scenario.applications.iter().map(|spec| Gathered::new(spec.id)).collect();
    let (mut arrived, mut servers, mut links) = (0, Vec::new(), Vec::new());
    for (_, entity) in outcome.entities {
        match entity {
            Participant::Source(source) => arrived = source.arrived(),
            Participant::Recorder(recorder) => {
                for (id, ledger) in recorder.into_ledgers() {
                    with(&mut gathered, id, |found| found.ledger = ledger);
                }
            }
            Participant::Scheduler(scheduler) => {
                for request in scheduler.waiting() {
                    unfinished(&mut gathered, Stage::WaitingAtScheduler, request.clone());
                }
            }
            Participant::Manager(manager) => {
                let id = manager.application();
                with(&mut gathered, id, |found| found.manager = Some(manager));
            }
            Participant::Server(server) => {
                servers.push(server.id());
                for birth in server.waiting() {
                    let record = Instance::new(birth.clone()).record(None);
                    with(&mut gathered, birth.application, |found| found.present.push(record));
                }
            }
            Participant::Network(network) => links = network.links(),
            Participant::Instance(instance) => {
                let record = instance.record(None);
                let id = instance.birth().application;
                with(&mut gathered, id, |found| {
                    found.present.push(record);
                    found.unfinished.extend(instance.unfinished());
                });
            }
        }
    }
    keep.expect_letters();
    for letter in outcome.undelivered {
        open_letter(&mut gathered, letter.message, &mut keep);
    }
    keep.flush();
    servers.sort_unstable();
    let end = outcome.ended_at;
    let interrupted = (outcome.ending == Ending::Interrupted).then_some(Incomplete::Interrupted);
    let applications = gathered.into_iter().map(|found| found.finish(scenario, end, &mut keep)).collect();
    keep.flush();
    RunResults {
        applications,
        arrived,
        servers,
        links,
        end,
        digest: outcome.digest,
        stats: outcome.stats,
        reached_end_time: outcome.ending == Ending::TimeLimit,
        incomplete: fault.or(interrupted),
        wall_s: 0.0,
    }
}

fn with(gathered: &mut [Gathered], id: ApplicationId, change: impl FnOnce(&mut Gathered)) {
    if let Some(found) = gathered.iter_mut().find(|found| found.id == id) {
        change(found);
    }
}

fn unfinished(gathered: &mut [Gathered], stage: Stage, request: Request) {
    with(gathered, request.application, |found| found.unfinished.push((stage, request)));
}

/// A message that was in flight when the run ended: requests and records in it are not lost.
fn open_letter(gathered: &mut [Gathered], message: Message, keep: &mut Keep) {
    match message {
        Message::Arrival(request) | Message::Serve { request, .. } => {
            unfinished(gathered, Stage::InFlight, *request);
        }
        Message::OfferCache { request, .. } => unfinished(gathered, Stage::Transfer, *request),
        Message::Returned { request, reason, .. } => {
            let fate = match reason {
                Return::Completed => Fate::Completed,
                Return::Rejected(rejection) => Fate::Rejected(rejection),
                Return::Requeued => Fate::Unfinished(Stage::InFlight),
            };
            let id = request.application;
            with(gathered, id, |found| found.ledger.file(EndedRequest { request, fate }, keep));
        }
        Message::Ended(ended) => {
            let id = ended.request.application;
            with(gathered, id, |found| found.ledger.file(ended, keep));
        }
        Message::Logged(id, line) => with(gathered, id, |found| found.ledger.scaling_log.push(*line)),
        Message::Noted(id, fact) => with(gathered, id, |found| found.ledger.scaling_events.push(*fact)),
        Message::Decided(id, row) => with(gathered, id, |found| found.ledger.decisions.push(*row)),
        Message::Departed(id, record) => with(gathered, id, |found| found.ledger.departed.push(*record)),
        Message::Iterated(id, row) => with(gathered, id, |found| found.ledger.iterations.push(*row)),
        _ => {}
    }
}

impl Gathered {
    fn new(id: ApplicationId) -> Self {
        Gathered { id, ledger: Ledger::default(), unfinished: Vec::new(), present: Vec::new(), manager: None }
    }

    fn finish(
        self,
        scenario: &Scenario,
        end: ebbflow_actors::SimTime,
        keep: &mut Keep,
    ) -> ApplicationResults {
        let Gathered { id, mut ledger, mut unfinished, present, manager } = self;
        unfinished.sort_by_key(|(_, request)| (request.arrival, request.id));
        for (stage, request) in unfinished {
            let ended = EndedRequest { request: Box::new(request), fate: Fate::Unfinished(stage) };
            ledger.file(ended, keep);
        }
        let mut instances = ledger.departed;
        instances.extend(present);
        if let Some(manager) = &manager {
            let known: BTreeSet<InstanceId> = instances.iter().map(|record| record.id).collect();
            instances.extend(manager.state().unborn().filter(|record| !known.contains(&record.id)));
        }
        instances.sort_by_key(|record| record.id);
        let mut scaling_log = ledger.scaling_log;
        scaling_log.sort_by_key(|line| line.time);
        let mut scaling_events = ledger.scaling_events;
        scaling_events.sort_by_key(|fact| fact.time);
        let mut decisions = ledger.decisions;
        decisions.sort_by_key(|row| row.time);
        let mut iterations = ledger.iterations;
        iterations.sort_by_key(|row| (row.instance, row.start));
        let spec = scenario.applications.iter().find(|spec| spec.id == id);
        ApplicationResults {
            id,
            tally: ledger.tally,
            requests: ledger.requests,
            time: match &manager {
                Some(manager) => manager.state().instance_time(end),
                None => time_by_tag(instances.iter().map(InstanceRecord::life), end),
            },
            instances,
            servers: match &manager {
                Some(manager) => manager.state().server_records(),
                None => start_servers(scenario, id),
            },
            has_scaling_manager: spec.is_some_and(|spec| spec.scaling.is_some()),
            scaling_log,
            scaling_events,
            decisions,
            status: manager.as_ref().map(|manager| manager.state().get_status_summary()),
            scaling: manager.map(|manager| manager.counts()).unwrap_or_default(),
            iterations,
        }
    }
}

/// The servers of an application without a manager: those of the start state, for ever, if they are its.
fn start_servers(scenario: &Scenario, id: ApplicationId) -> Vec<ServerRecord> {
    // A scenario that ran has them.
    let servers = layout::start_servers(scenario).unwrap_or_default().into_iter();
    let record = |server: StartServer| ServerRecord {
        id: server.id,
        sku: server.sku,
        created: SimTime::ZERO,
        removed: None,
    };
    servers.filter(|server| server.owner == id).map(record).collect()
}
