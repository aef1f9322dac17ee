//! Entities that do nothing but tick, or send each other a ball: what is left is the runtime.

use ebbflow_actors::{CounterRng, Entity, EntityId, Group, Member, Message, Outbox, SimDuration, SimTime};

/// The lookahead of all loads, and so the length of a window.
pub const WINDOW: SimDuration = SimDuration::from_millis(1);

/// A tick or a ball.
#[derive(Hash, Debug)]
pub struct Beat;

impl Message for Beat {}

/// What an entity does, `left` more times.
#[derive(Clone, Copy)]
pub enum Habit {
    /// Ticks, with gaps from `shortest` windows to `range` − 1 windows more, all equally likely.
    Tick { shortest: u64, range: u64 },
    /// Serves a ball to a partner, or returns it, in every window.
    Rally { partner: EntityId },
}

/// One entity.
pub struct Beater {
    habit: Habit,
    left: u64,
    random: CounterRng,
}

impl Beater {
    fn beat(&mut self, outbox: &mut Outbox<'_, Self>) {
        if self.left == 0 {
            return;
        }
        self.left -= 1;
        match self.habit {
            Habit::Tick { shortest, range } => {
                let windows = shortest + self.random.below(range);
                outbox.tick(SimDuration::from_nanos(windows * WINDOW.as_nanos()), Beat);
            }
            Habit::Rally { partner } => outbox.send(partner, Beat),
        }
    }
}

impl Entity for Beater {
    type Message = Beat;

    fn label(&self) -> String {
        "beater".to_owned()
    }

    fn start(&mut self, _: SimTime, outbox: &mut Outbox<'_, Self>) {
        self.random = outbox.random(0);
        self.beat(outbox);
    }

    fn handle(&mut self, _: SimTime, _: EntityId, _: Beat, outbox: &mut Outbox<'_, Self>) {
        self.beat(outbox);
    }
}

/// `count` entities that together beat at least `beats` times; even and odd ids may live on two arbiters.
pub fn population(count: u32, beats: u64, habit: impl Fn(u32) -> Habit) -> Vec<Member<Beater>> {
    let left = beats.div_ceil(u64::from(count));
    let random = CounterRng::new(0, EntityId(0), 0);
    let member = |id| {
        let entity = Beater { habit: habit(id), left, random: random.clone() };
        Member { id: EntityId(id), group: Group(id % 2), entity }
    };
    (0..count).map(member).collect()
}
