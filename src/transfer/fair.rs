//! Fair sharing: flows that meet on a link share it max-min fairly.
//!
//! A flow goes over all links of its path at one rate. The link with the least room per flow is the first to be
//! full; its flows get that much, what they take is taken from their other links, and so on (progressive filling:
//! Bertsekas and Gallager, *Data Networks*, 6.5.2). So no flow could be faster without slowing one that is no faster.
//!
//! Units: bytes per second and nanoseconds, both whole. What is left of a flow is counted in 10⁻⁹ bytes, so that rate
//! times time is exact: nothing is rounded but a share, down to a byte per second, and an end, up to a nanosecond.
//! Leaves out: ramping up, losses, headers, priorities.
//!
//! A flow is looked at when its rate changes and not before: what has moved until then follows from rate and time.
//! So an event costs time in proportion to the flows whose rates it may change, and those they meet.

mod sharing;

use std::collections::{BTreeMap, BTreeSet};

use ebbflow_actors::{SimDuration, SimTime};
use slab::Slab;

/// 10⁻⁹ bytes in a byte.
const PER_BYTE: u128 = 1_000_000_000;

/// Flows on their way over links, named by `F` and `L`.
#[derive(Debug)]
pub struct Flows<F, L> {
    now: SimTime,
    flows: Slab<Flow<F, L>>,
    keys: BTreeMap<F, usize>,
    /// By number; a link that was used once stays for its books.
    links: Vec<Link<L>>,
    numbers: BTreeMap<L, usize>,
    ends: BTreeSet<(SimTime, F)>,
}

#[derive(Debug)]
struct Flow<F, L> {
    name: F,
    /// Numbers of links, each once.
    path: Vec<usize>,
    /// What was left then, in 10⁻⁹ bytes, since when it goes at this rate.
    left: u128,
    since: SimTime,
    bytes_per_s: u64,
    held: Option<Held<L>>,
    /// What is found while rates are settled anew; none: it is not in question.
    fresh: Fresh<L>,
    end: SimTime,
}

/// What holds a flow up. In this order links are full.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Held<L> {
    share: u64,
    name: L,
    link: usize,
}

/// Where settling a flow's rate anew stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fresh<L> {
    /// It keeps the rate it has.
    Kept,
    /// It is to be settled.
    Open,
    /// It is settled.
    Settled(Held<L>),
}

#[derive(Debug)]
struct Link<L> {
    name: L,
    bytes_per_s: u64,
    /// Flows that are on it.
    flows: Vec<usize>,
    /// How many of them it holds up.
    holds: usize,
    /// What all of them take together, in bytes per second.
    taken: u64,
    scratch: sharing::Scratch,
    busy: SimDuration,
    busy_since: SimTime,
    /// In 10⁻⁹ bytes, by flows as far as they were looked at.
    moved: u128,
    flows_ever: u64,
}

/// What went over a link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Usage {
    /// What it carries at most.
    pub bytes_per_s: u64,
    /// What it carried, whole bytes.
    pub bytes: u64,
    /// Time with a flow on it.
    pub busy: SimDuration,
    /// Flows that used it.
    pub flows: u64,
}

impl<F, L> Default for Flows<F, L> {
    fn default() -> Self {
        Flows {
            now: SimTime::ZERO,
            flows: Slab::new(),
            keys: BTreeMap::new(),
            links: Vec::new(),
            numbers: BTreeMap::new(),
            ends: BTreeSet::new(),
        }
    }
}

impl<F, L> Flow<F, L> {
    /// What has moved since it was looked at, in 10⁻⁹ bytes.
    fn moved_by(&self, now: SimTime) -> u128 {
        self.left.min(u128::from(self.bytes_per_s) * u128::from((now - self.since).as_nanos()))
    }

    fn arrives(&self) -> SimTime {
        let nanos = self.left.div_ceil(u128::from(self.bytes_per_s.max(1)));
        self.since + SimDuration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

impl<F: Ord + Copy, L: Ord + Copy> Flows<F, L> {
    /// Moves everything on its way until `now`.
    pub fn advance(&mut self, now: SimTime) {
        self.now = self.now.max(now);
    }

    /// Starts a flow of so many bytes over these links, at least one and each once, each with what it carries in
    /// bytes per second.
    pub fn start(&mut self, now: SimTime, name: F, path: &[(L, u64)], bytes: u64) {
        self.advance(now);
        let path: Vec<usize> =
            path.iter().map(|&(link, bytes_per_s)| self.number(link, bytes_per_s)).collect();
        let flow = Flow {
            name,
            path: path.clone(),
            left: u128::from(bytes) * PER_BYTE,
            since: self.now,
            bytes_per_s: 0,
            held: None,
            fresh: Fresh::Kept,
            end: SimTime::MAX,
        };
        self.ends.insert((flow.end, name));
        let key = self.flows.insert(flow);
        self.keys.insert(name, key);
        for &link in &path {
            let link = &mut self.links[link];
            link.flows_ever += 1;
            if link.flows.is_empty() {
                link.busy_since = self.now;
            }
            link.flows.push(key);
        }
        self.share(&path, Some(key));
    }

    /// Of the cache of a flow, as much has gone before as it now moves in `span`, but no more than all parts save
    /// the last of `parts` equal ones: of that much, as the first part cannot go before it is there.
    pub fn head_start(&mut self, name: F, span: SimDuration, parts: u32) {
        let Some(&key) = self.keys.get(&name) else { return };
        self.look_at(key);
        let flow = &mut self.flows[key];
        let parts = u128::from(parts.max(1));
        let at_this_rate = u128::from(flow.bytes_per_s) * u128::from(span.as_nanos());
        let gone = at_this_rate.min(flow.left) / parts * (parts - 1);
        flow.left -= gone;
        for &link in &flow.path {
            self.links[link].moved += gone;
        }
        self.foresee(key);
    }

    /// Ends a flow before its time; false if it is not on its way.
    pub fn cancel(&mut self, now: SimTime, name: F) -> bool {
        self.advance(now);
        let Some(path) = self.remove(name) else { return false };
        self.share(&path, None);
        true
    }

    /// Takes away the flows that have arrived by `now`, in order of their names.
    pub fn take_ended(&mut self, now: SimTime) -> Vec<F> {
        self.advance(now);
        let ended = self.ends.iter().take_while(|(end, _)| *end <= self.now);
        let mut ended: Vec<F> = ended.map(|&(_, name)| name).collect();
        ended.sort_unstable();
        let paths: Vec<usize> = ended.iter().filter_map(|&name| self.remove(name)).flatten().collect();
        self.share(&paths, None);
        ended
    }

    /// All flows with the moment they arrive if nothing comes between, in this order.
    pub fn ends(&self) -> impl Iterator<Item = (F, SimTime)> {
        self.ends.iter().map(|&(end, name)| (name, end.max(self.now)))
    }

    /// When the next flow arrives if nothing comes between.
    pub fn next_end(&self) -> Option<SimTime> {
        self.ends().next().map(|(_, end)| end)
    }

    /// Every link that was ever used, in order of their names.
    pub fn usage(&self) -> impl Iterator<Item = (L, Usage)> {
        self.numbers.iter().map(|(&name, &number)| {
            let link = &self.links[number];
            let flows = link.flows.iter().map(|&key| &self.flows[key]);
            let moved = link.moved + flows.map(|flow| flow.moved_by(self.now)).sum::<u128>();
            let bytes = u64::try_from(moved / PER_BYTE).unwrap_or(u64::MAX);
            let busy =
                if link.flows.is_empty() { link.busy } else { link.busy + (self.now - link.busy_since) };
            (name, Usage { bytes_per_s: link.bytes_per_s, bytes, busy, flows: link.flows_ever })
        })
    }

    fn number(&mut self, name: L, bytes_per_s: u64) -> usize {
        let links = &mut self.links;
        *self.numbers.entry(name).or_insert_with(|| {
            links.push(Link {
                name,
                bytes_per_s,
                flows: Vec::new(),
                holds: 0,
                taken: 0,
                scratch: sharing::Scratch::default(),
                busy: SimDuration::ZERO,
                busy_since: SimTime::ZERO,
                moved: 0,
                flows_ever: 0,
            });
            links.len() - 1
        })
    }

    /// Takes a flow off its links, if it is there: these links.
    fn remove(&mut self, name: F) -> Option<Vec<usize>> {
        let key = self.keys.remove(&name)?;
        self.look_at(key);
        let flow = self.flows.remove(key);
        self.ends.remove(&(flow.end, name));
        if let Some(held) = flow.held {
            self.links[held.link].holds -= 1;
        }
        for &link in &flow.path {
            let link = &mut self.links[link];
            link.taken -= flow.bytes_per_s;
            link.flows.retain(|&other| other != key);
            if link.flows.is_empty() {
                link.busy += self.now - link.busy_since;
            }
        }
        Some(flow.path)
    }

    /// Writes down what a flow has moved until now.
    fn look_at(&mut self, key: usize) {
        let flow = &mut self.flows[key];
        let moved = flow.moved_by(self.now);
        flow.left -= moved;
        flow.since = self.now;
        for &link in &flow.path {
            self.links[link].moved += moved;
        }
    }

    /// Writes down anew when a flow that was looked at arrives.
    fn foresee(&mut self, key: usize) {
        let flow = &mut self.flows[key];
        let end = flow.arrives();
        let before = std::mem::replace(&mut flow.end, end);
        if before != end {
            self.ends.remove(&(before, flow.name));
            self.ends.insert((end, flow.name));
        }
    }
}

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod tests;
