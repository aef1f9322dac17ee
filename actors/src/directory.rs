//! Which ids are known, and where they live.
//!
//! Every arbiter keeps its own copy; what changes it, spawns, is told to all at the end of the window.
//!
//! The rule that makes the copies equivalent: an id is knowledge. Its spawner may use it at once; anybody else
//! must have heard of it by message, and a message takes at least one window. So a send to an id that another
//! entity spawned in the same window is refused everywhere, although one arbiter might happen to know better.

use rustc_hash::FxHashMap;

use crate::entity::{Entity, EntityId, Group};
use crate::event::{Body, Event, Order, describe};
use crate::fault::{Absence, Fault, Who};
use crate::time::{SimDuration, SimTime};

/// A spawn, as told to all arbiters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Announcement {
    id: EntityId,
    group: Group,
    birth: Order,
    /// The window in which it was spawned, not the one in which it is born.
    window: u64,
}

impl Announcement {
    /// The announcement of a birth that was asked for in `window`; `None` for other events.
    pub(crate) fn of<E: Entity>(event: &Event<E>, window: u64) -> Option<Self> {
        match &event.body {
            Body::Birth(newborn) => {
                Some(Announcement { id: event.target, group: newborn.group, birth: event.order, window })
            }
            Body::Message(_) | Body::Wake => None,
        }
    }
}

#[derive(Clone)]
pub(crate) struct Directory {
    arbiters: u32,
    lookahead: SimDuration,
    /// By id: 0 for unknown, else the arbiter plus one, plus [`YOUNG`].
    homes: Vec<u32>,
    /// Spawned entities to whom the spawner's privilege or the date of birth may still matter.
    young: FxHashMap<EntityId, Announcement>,
}

const YOUNG: u32 = 1 << 31;

impl Directory {
    pub(crate) fn new(arbiters: usize, lookahead: SimDuration) -> Self {
        Directory { arbiters: arbiters as u32, lookahead, homes: Vec::new(), young: FxHashMap::default() }
    }

    /// Enters an entity of the initial population; false if the id is taken.
    pub(crate) fn settle(&mut self, id: EntityId, group: Group) -> bool {
        let home = self.arbiter(group) as u32 + 1;
        let entry = self.entry(id);
        let free = *entry == 0;
        if free {
            *entry = home;
        }
        free
    }

    pub(crate) fn arbiters(&self) -> usize {
        self.arbiters as usize
    }

    /// The arbiter on which entities of this group live.
    pub(crate) fn arbiter(&self, group: Group) -> usize {
        (group.0 % self.arbiters) as usize
    }

    /// Enters a spawned entity, unless its id is taken or out of bounds.
    pub(crate) fn announce(&mut self, news: Announcement) -> Result<(), Box<Fault>> {
        if news.id.0 >= EntityId::LIMIT {
            let problem = format!(
                "{} spawned {}: ids index tables and must stay below {}; number entities densely",
                news.birth.source,
                news.id,
                EntityId::LIMIT
            );
            return Err(Box::new(Fault::InvalidConfig { problem }));
        }
        let home = (self.arbiter(news.group) as u32 + 1) | YOUNG;
        let entry = self.entry(news.id);
        if *entry != 0 {
            // All arbiters must name the same culprit, in whatever order the news reached them.
            let rival = self.young.get(&news.id).map_or(news.birth, |other| other.birth);
            let second = rival.max(news.birth);
            return Err(Box::new(Fault::DuplicateEntity {
                entity: Who::new(news.id),
                by: Who::new(second.source),
                at: second.time,
            }));
        }
        *entry = home;
        self.young.insert(news.id, news);
        Ok(())
    }

    /// The arbiter to which an event, made in `window`, must go.
    ///
    /// Announces births, and postpones a message that would arrive before its target is born.
    #[inline]
    pub(crate) fn route<E: Entity>(
        &mut self,
        event: &mut Event<E>,
        window: u64,
    ) -> Result<usize, Box<Fault>> {
        if let Some(news) = Announcement::of(event, window) {
            self.announce(news)?;
            return Ok(self.arbiter(news.group));
        }
        let home = self.homes.get(event.target.index()).copied().unwrap_or(0);
        if home != 0 && home & YOUNG == 0 {
            return Ok(home as usize - 1);
        }
        self.route_to_young(home, event, window)
    }

    #[cold]
    fn route_to_young<E: Entity>(
        &mut self,
        home: u32,
        event: &mut Event<E>,
        window: u64,
    ) -> Result<usize, Box<Fault>> {
        let arbiter = (home & !YOUNG) as usize;
        let Some(news) = self.young.get(&event.target).copied() else {
            return Err(never_announced(event));
        };
        if news.window == window && news.birth.source != event.order.source {
            return Err(never_announced(event));
        }
        let birth = news.birth.time;
        if self.grown(window, birth) {
            // From now on nobody can be early, nor privileged: the fast path will do.
            self.homes[event.target.index()] = home & !YOUNG;
            self.young.remove(&event.target);
        }
        event.order.time = event.order.time.max(birth);
        Ok(arbiter - 1)
    }

    /// Whether nothing sent in `window` can arrive before `birth`, because the birth lies in an earlier window
    /// (so was announced in an earlier one still).
    fn grown(&self, window: u64, birth: SimTime) -> bool {
        window > birth.as_nanos() / self.lookahead.as_nanos()
    }

    fn entry(&mut self, id: EntityId) -> &mut u32 {
        if id.index() >= self.homes.len() {
            self.homes.resize(id.index() + 1, 0);
        }
        &mut self.homes[id.index()]
    }
}

#[cold]
fn never_announced<E: Entity>(event: &Event<E>) -> Box<Fault> {
    let text = match &event.body {
        Body::Message(message) => describe(message, &event.order),
        Body::Birth(_) | Body::Wake => String::from("an event"),
    };
    Box::new(Fault::UnknownEntity {
        sender: Who::new(event.order.source),
        target: Who::new(event.target),
        at: event.order.time,
        absence: Absence::NeverAnnounced,
        event: text,
    })
}
