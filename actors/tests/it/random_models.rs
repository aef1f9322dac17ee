//! Random models: entities that tick, cancel, write, spawn and leave at random give the same result in every way
//! to run them. Proptest chooses the shape; every entity then improvises from its own random numbers.

use std::collections::BTreeMap;

use ebbflow_actors::{
    CounterRng, Entity, EntityId, Group, Member, Message, Outbox, RunConfig, SimDuration, SimTime, TickId,
};
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::test_runner::{Config, TestRunner};

use crate::support::agree;

#[derive(Hash, Debug, Clone, Copy)]
enum Note {
    Word(u64),
    /// A tick that concerns nobody else.
    Quiet(u32),
    /// A tick at which others may be written to.
    Loud(u32),
    /// The tick at which a child leaves.
    Bedtime,
}

impl Message for Note {
    fn class(&self) -> u8 {
        match self {
            Note::Word(word) => (word % 3) as u8,
            Note::Quiet(_) | Note::Bedtime => 1,
            Note::Loud(number) => (number % 2) as u8,
        }
    }
}

#[derive(Debug, Clone)]
struct Shape {
    founders: u32,
    fuel: u32,
    lookahead: u64,
    /// Ticks lie up to so many lookaheads ahead; beyond a thousand the wheel spills into its heap.
    reach: u64,
    until: Option<u64>,
    seed: u64,
}

#[derive(Debug, Clone)]
struct Improviser {
    shape: Shape,
    random: CounterRng,
    child: bool,
    /// How much it may still set in motion: lets every run end.
    fuel: u32,
    children: u32,
    ticks_set: u32,
    loud: BTreeMap<u32, (TickId, SimTime)>,
    quiet: BTreeMap<u32, TickId>,
    bedtime: Option<SimTime>,
    memory: u64,
}

const CHILDREN: u32 = 3;

impl Improviser {
    fn new(shape: &Shape, child: bool) -> Self {
        Improviser {
            shape: shape.clone(),
            random: CounterRng::new(0, EntityId(0), 0),
            child,
            fuel: if child { shape.fuel / 4 } else { shape.fuel },
            children: 0,
            ticks_set: 0,
            loud: BTreeMap::new(),
            quiet: BTreeMap::new(),
            bedtime: None,
            memory: 0,
        }
    }

    fn delay(&mut self) -> SimDuration {
        // Zero delays and exact multiples make ties, which are what can go wrong.
        let lookaheads = self.random.below(self.shape.reach + 1);
        let rest = if self.random.below(3) == 0 { self.random.below(self.shape.lookahead) } else { 0 };
        SimDuration::from_nanos(lookaheads * self.shape.lookahead + rest)
    }

    fn set_tick(&mut self, outbox: &mut Outbox<'_, Self>) {
        let number = self.ticks_set;
        self.ticks_set += 1;
        let delay = self.delay();
        if self.random.below(2) == 0 {
            let tick = outbox.tick(delay, Note::Loud(number));
            self.loud.insert(number, (tick, outbox.now() + delay));
        } else {
            let tick = outbox.tick(delay, Note::Quiet(number));
            self.quiet.insert(number, tick);
        }
    }

    fn improvise(&mut self, may_speak: bool, outbox: &mut Outbox<'_, Self>) {
        for _ in 0..=self.random.below(4) {
            if self.fuel == 0 {
                return;
            }
            self.fuel -= 1;
            match self.random.below(8) {
                0..=2 => self.set_tick(outbox),
                3 => {
                    if let Some((_, tick)) = self.quiet.pop_first() {
                        assert!(outbox.cancel(tick));
                    }
                    if let Some((_, (tick, _))) = self.loud.pop_last() {
                        assert!(outbox.cancel(tick));
                    }
                }
                4..=6 if may_speak => {
                    let friend = EntityId(self.random.below(u64::from(self.shape.founders)) as u32);
                    if friend == outbox.me() {
                        // To oneself it would be a tick, of which the promise below knows nothing.
                        continue;
                    }
                    let delay = outbox.lookahead() + self.delay();
                    outbox.send_after(friend, delay, Note::Word(self.memory));
                }
                7 if may_speak && !self.child && self.children < CHILDREN => {
                    let id = self.shape.founders + outbox.me().0 * CHILDREN + self.children;
                    self.children += 1;
                    let delay = outbox.lookahead() + self.delay();
                    let group = Group(self.random.below(5) as u32);
                    outbox.spawn_after(EntityId(id), group, delay, Improviser::new(&self.shape, true));
                    outbox.send(EntityId(id), Note::Word(self.memory));
                }
                _ => self.memory = self.memory.rotate_left(5) ^ self.random.next_u64(),
            }
        }
    }
}

impl Entity for Improviser {
    type Message = Note;

    fn label(&self) -> String {
        String::from("improviser")
    }

    fn start(&mut self, now: SimTime, outbox: &mut Outbox<'_, Self>) {
        self.random = outbox.random(3);
        if self.child {
            // Only its parent knows it, and writes once: by then it has heard that.
            let life = SimDuration::from_nanos(self.shape.lookahead * (self.shape.reach + 10));
            outbox.tick(life, Note::Bedtime);
            self.bedtime = Some(now + life);
        }
        self.set_tick(outbox);
        self.improvise(true, outbox);
    }

    fn handle(&mut self, now: SimTime, from: EntityId, note: Note, outbox: &mut Outbox<'_, Self>) {
        self.memory = self.memory.rotate_left(7) ^ now.as_nanos() ^ u64::from(from.0);
        match note {
            Note::Word(word) => {
                self.memory ^= word;
                self.improvise(true, outbox);
            }
            Note::Quiet(number) => {
                assert!(self.quiet.remove(&number).is_some(), "it was cancelled");
                self.improvise(false, outbox);
            }
            Note::Loud(number) => {
                assert!(self.loud.remove(&number).is_some(), "it was cancelled");
                self.improvise(true, outbox);
            }
            Note::Bedtime => outbox.stop(),
        }
    }

    /// At the next loud tick. A quiet one may set a loud one before that, but not before itself.
    fn promise(&self, next_tick: Option<SimTime>) -> Option<SimTime> {
        let loud = self.loud.values().map(|(_, time)| *time).chain(self.bedtime).min();
        let quiet = if self.quiet.is_empty() { None } else { next_tick };
        loud.into_iter().chain(quiet).min()
    }
}

fn shapes() -> impl Strategy<Value = Shape> {
    let lookahead = prop_oneof![Just(1_u64), Just(7), Just(1_000), Just(1_000_000)];
    let reach = prop_oneof![Just(2_u64), Just(40), Just(3_000)];
    let until = prop_oneof![Just(None), (1..200_u64).prop_map(Some)];
    (1..7_u32, 1..120_u32, lookahead, reach, until, any::<u64>()).prop_map(
        |(founders, fuel, lookahead, reach, until, seed)| Shape {
            founders,
            fuel,
            lookahead,
            reach,
            until,
            seed,
        },
    )
}

fn founders(shape: &Shape) -> Vec<Member<Improviser>> {
    let founder = |id| Member { id: EntityId(id), group: Group(id), entity: Improviser::new(shape, false) };
    (0..shape.founders).map(founder).collect()
}

#[test]
fn random_models_are_the_same_in_every_way_to_run_them() {
    // A soak: PROPTEST_CASES=5000 cargo test --release -p ebbflow-actors random_models
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(48);
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    runner
        .run(&shapes(), |shape| {
            let mut config =
                RunConfig::default().seed(shape.seed).lookahead(SimDuration::from_nanos(shape.lookahead));
            let reach = shape.lookahead * shape.reach;
            config.until = shape.until.map(|percent| SimTime::from_nanos(reach * percent / 50 + 1));
            agree(|| founders(&shape), &config);
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_large_random_model_is_the_same_in_every_way_to_run_it() {
    let shape = Shape { founders: 40, fuel: 400, lookahead: 1_000_000, reach: 40, until: None, seed: 1 };
    let agreed = agree(|| founders(&shape), &RunConfig::default().seed(1));
    assert!(agreed.events > 5_000, "{}", agreed.events);
}
