//! Drives an engine through a list of jobs and writes down everything that comes of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use ebbflow_actors::{EntityId, SimDuration, SimTime};

use super::super::sequence::Stage;
use super::super::*;
use crate::ids::{ApplicationId, GpuName, InstanceId, RequestId};
use crate::instance::batcher::Finished;
use crate::instance::resident::Work;
use crate::instance::{Phases, Timesheet};
use crate::message::DecodeTarget;

use crate::request::{Attributes, Journal, Leg, Request};

/// Iterations that take odd times.
#[derive(Debug)]
pub struct Toy {
    pub window: Option<u32>,
}

impl IterationTime for Toy {
    fn mixed(&self, make_up: &MakeUp) -> SimDuration {
        let chunk = |chunk: &Chunk| 311 + 17 * chunk.tokens + chunk.tokens * chunk.context / 64;
        let Decodes { sequences, tokens_each, context, windowed_context, growing_in_window } =
            make_up.decodes;
        let decodes = u64::from(sequences * tokens_each) * 23 + context / 7 + windowed_context / 11;
        let chunks: u64 = make_up.chunks.iter().map(chunk).sum();
        SimDuration::from_nanos(997 + chunks + decodes + u64::from(growing_in_window))
    }

    fn decode_line(&self, sequences: u32, tokens_each: u32) -> DecodeLine {
        DecodeLine {
            base_fs: 1_003_000_017 + u64::from(sequences * tokens_each) * 23_456_789,
            per_context_fs: 142_857,
            per_windowed_context_fs: 90_909,
        }
    }

    fn window_tokens(&self) -> Option<u32> {
        self.window
    }
}

#[derive(Clone, Debug)]
pub enum Kind {
    Whole,
    /// Its cache leaves after so long.
    HandOver(u64),
    /// Its cache takes so long to come.
    FromElsewhere(u64),
}

#[derive(Clone, Debug)]
pub struct Job {
    pub at_ns: u64,
    pub prompt: u32,
    pub output: u32,
    pub kind: Kind,
    pub attributes: Attributes,
}

impl Job {
    pub fn whole(at_ns: u64, prompt: u32, output: u32) -> Self {
        Job { at_ns, prompt, output, kind: Kind::Whole, attributes: Attributes::default() }
    }

    pub fn work(&self) -> Work {
        match self.kind {
            Kind::Whole if self.output == 1 => Work::PrefillOnly,
            Kind::Whole => Work::Whole,
            Kind::HandOver(ns) => Work::PrefillFor(DecodeTarget {
                instance: InstanceId(1),
                entity: EntityId(1),
                transfer: SimDuration::from_nanos(ns),
            }),
            Kind::FromElsewhere(_) => Work::DecodeOnly,
        }
    }

    pub fn request(&self, id: u64) -> Box<Request> {
        let mut journal = Journal::default();
        if let Kind::FromElsewhere(_) = self.kind {
            let at = SimTime::from_nanos(self.at_ns);
            let leg = Leg { instance: InstanceId(9), gpu: GpuName::of("toy"), start: at, end: Some(at) };
            journal.prefill = Some(leg);
        }
        Box::new(Request {
            id: RequestId(id),
            request_type: 2,
            application: ApplicationId(0),
            arrival: SimTime::from_nanos(self.at_ns),
            batch_size: 1,
            prompt_tokens: self.prompt,
            output_tokens: self.output,
            attributes: Some(Arc::new(self.attributes.clone())),
            journal,
        })
    }
}

enum Event {
    Comes(u64),
    Retry(u64),
    Lands(u64, u64),
    Leaves(u64),
    Probe,
    EvictAll,
}

/// Everything there is to compare.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Outcome {
    pub ended: Vec<(u64, &'static str, SimTime, Journal, Passage)>,
    pub first_tokens: Vec<(SimTime, u32, Passage)>,
    pub probes: Vec<(SimTime, u64, usize, usize, u64, SimDuration)>,
    pub statistics: Statistics,
    pub busy: SimDuration,
    pub phases: Phases,
    pub tasks: u64,
    pub turned_away: Vec<u64>,
}

pub struct Fleet {
    pub engine: ContinuousBatcher,
    jobs: Vec<Job>,
    agenda: BTreeMap<(SimTime, u64), Event>,
    entries: u64,
    pub outcome: Outcome,
    produced: BTreeMap<u64, u64>,
}

impl Fleet {
    pub fn new(settings: Settings, blocks: u64, window: Option<u32>, jobs: Vec<Job>) -> Self {
        let memory =
            GpuMemory { weights_bytes: 1000, capacity_bytes: 1000 + blocks * 32, kv_bytes_per_token: 2 };
        let timesheet = Timesheet::new((InstanceId(0), GpuName::of("toy")));
        let engine = ContinuousBatcher::new(timesheet, memory, settings, Arc::new(Toy { window })).unwrap();
        let mut fleet = Fleet {
            engine,
            agenda: BTreeMap::new(),
            entries: 0,
            outcome: Outcome::default(),
            produced: BTreeMap::new(),
            jobs,
        };
        for id in 0..fleet.jobs.len() {
            fleet.plan(SimTime::from_nanos(fleet.jobs[id].at_ns), Event::Comes(id as u64));
        }
        fleet
    }

    pub fn probe_at(&mut self, ns: u64) {
        self.plan(SimTime::from_nanos(ns), Event::Probe);
    }

    pub fn evict_at(&mut self, ns: u64) {
        self.plan(SimTime::from_nanos(ns), Event::EvictAll);
    }

    fn plan(&mut self, at: SimTime, event: Event) {
        self.agenda.insert((at, self.entries), event);
        self.entries += 1;
    }

    /// Until nothing happens any more. A run that ends at the moment of an event ends first.
    pub fn run(mut self) -> (Outcome, ContinuousBatcher) {
        loop {
            let next = self.agenda.first_key_value().map(|(&(at, _), _)| at);
            match self.engine.run_end() {
                Some(end) if next.is_none_or(|next| end <= next) => self.finish_run(end),
                _ => match self.agenda.pop_first() {
                    Some(((now, _), event)) => self.handle(now, event),
                    None => break,
                },
            }
            self.check();
        }
        self.outcome.statistics = self.engine.statistics().clone();
        self.outcome.busy = self.engine.timesheet().busy();
        self.outcome.phases = self.engine.timesheet().phases();
        self.outcome.tasks = self.engine.timesheet().tasks_completed();
        (self.outcome, self.engine)
    }

    fn handle(&mut self, now: SimTime, event: Event) {
        match event {
            Event::Comes(id) => {
                let job = self.jobs[id as usize].clone();
                let request = job.request(id);
                if !self.engine.could_ever_hold(&request, job.work()) {
                    self.outcome.turned_away.push(id);
                } else if let Kind::FromElsewhere(_) = job.kind {
                    self.reserve(now, id);
                } else {
                    self.engine.arrive(now, request, job.work(), 0);
                }
            }
            Event::Retry(id) => self.reserve(now, id),
            Event::Lands(id, bytes) => {
                let job = self.jobs[id as usize].clone();
                self.engine.arrive(now, job.request(id), job.work(), bytes);
            }
            Event::Leaves(bytes) => self.engine.free(now, bytes),
            Event::Probe => {
                let (blocks, _) = self.engine.blocks_at(now);
                let (running, waiting) = (self.engine.running(), self.engine.waiting());
                let tokens = self.engine.waiting_prompt_tokens();
                let busy = self.engine.timesheet().busy_at(now);
                self.outcome.probes.push((now, blocks, running, waiting, tokens, busy));
            }
            Event::EvictAll => {
                for Evicted { request, passage, .. } in self.engine.evict_all(now) {
                    self.outcome.ended.push((request.id.0, "evicted", now, request.journal, passage));
                }
                assert!(self.engine.is_empty() && self.engine.run().is_none());
            }
        }
    }

    fn reserve(&mut self, now: SimTime, id: u64) {
        let job = self.jobs[id as usize].clone();
        let Kind::FromElsewhere(ns) = job.kind else { return };
        match self.engine.reserve_inbound(now, &job.request(id)) {
            Some(bytes) => self.plan(now + SimDuration::from_nanos(ns), Event::Lands(id, bytes)),
            None => self.plan(now + SimDuration::from_nanos(100_003), Event::Retry(id)),
        }
    }

    fn finish_run(&mut self, now: SimTime) {
        let mut leaving = Vec::new();
        let Fleet { engine, outcome, .. } = self;
        engine.finish_run(now, |finished, passage| match finished {
            Finished::Prefilled { prompt_tokens, .. } => {
                outcome.first_tokens.push((now, prompt_tokens, passage));
            }
            Finished::HandOver { request, target, held_bytes } => {
                leaving.push((target.transfer, held_bytes));
                outcome.ended.push((request.id.0, "handed over", now, request.journal, passage));
            }
            Finished::Completed { request, .. } => {
                assert_eq!(passage.output_tokens, u64::from(request.output_tokens));
                outcome.ended.push((request.id.0, "completed", now, request.journal, passage));
            }
        });
        for (transfer, bytes) in leaving {
            self.plan(now + transfer, Event::Leaves(bytes));
        }
    }

    /// What must hold after every event.
    fn check(&mut self) {
        let engine = &self.engine;
        let unit = engine.blocks_in_unit();
        let (mut private, mut references, mut held) = (engine.inbound_blocks, 0, 0);
        for outgoing in &engine.outgoing {
            private += outgoing.private;
            references += outgoing.units.len() as u64;
        }
        for (_, sequence) in &engine.sequences {
            let (blocks, produced) = match sequence.stage {
                Stage::Decoding(member) => {
                    held += engine.decoding.blocks_of(&member);
                    let tokens = engine.decoding.tokens_of(&member);
                    (engine.decoding.blocks_of(&member), tokens - u64::from(sequence.request.prompt_tokens))
                }
                _ => (sequence.blocks, sequence.produced),
            };
            private += blocks - sequence.units.len() as u64 * unit;
            references += sequence.units.len() as u64;
            let before = self.produced.insert(sequence.request.id.0, produced).unwrap_or(0);
            assert!(produced >= before, "output was lost");
        }
        assert_eq!(held, engine.decoding.held());
        engine.blocks.check(private, references);
        assert!(engine.blocks.used() <= engine.blocks.capacity());
        let settings = &engine.settings;
        let decodes = engine.decoding.sequences() * u64::from(settings.tokens_each());
        let planned: u64 = engine.planned.iter().map(|planned| planned.tokens).sum();
        assert!(decodes + planned <= settings.max_num_batched_tokens, "over budget");
        assert!(engine.running() <= settings.max_num_seqs as usize, "too many sequences");
        assert!(settings.max_loras.is_none_or(|slots| engine.adapters.len() <= slots as usize));
        assert_eq!(engine.running() + engine.waiting(), engine.len());
    }
}
