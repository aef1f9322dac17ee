//! The same by the simplest means: every event moves all flows and settles all rates.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use ebbflow_actors::{SimDuration, SimTime};

use super::{PER_BYTE, Usage};

/// Flows on their way over links, named by `F` and `L`.
#[derive(Debug)]
pub struct Simple<F, L> {
    now: SimTime,
    flows: BTreeMap<F, Flow>,
    /// By number; a link that was used once stays for its books.
    links: Vec<Link>,
    numbers: BTreeMap<L, usize>,
}

#[derive(Debug)]
struct Flow {
    /// Numbers of links.
    path: Vec<usize>,
    /// In 10⁻⁹ bytes.
    left: u128,
    bytes_per_s: u64,
}

#[derive(Debug)]
struct Link {
    bytes_per_s: u64,
    busy: SimDuration,
    /// In 10⁻⁹ bytes.
    moved: u128,
    flows_ever: u64,
    flows_now: usize,
}

impl<F, L> Default for Simple<F, L> {
    fn default() -> Self {
        Simple { now: SimTime::ZERO, flows: BTreeMap::new(), links: Vec::new(), numbers: BTreeMap::new() }
    }
}

impl<F: Ord + Copy, L: Ord + Copy> Simple<F, L> {
    /// Moves everything on its way until `now`.
    pub fn advance(&mut self, now: SimTime) {
        let span = now - self.now;
        self.now = self.now.max(now);
        if span.is_zero() {
            return;
        }
        for flow in self.flows.values_mut() {
            let moved = flow.left.min(u128::from(flow.bytes_per_s) * u128::from(span.as_nanos()));
            flow.left -= moved;
            flow.path.iter().for_each(|&link| self.links[link].moved += moved);
        }
        for link in self.links.iter_mut().filter(|link| link.flows_now > 0) {
            link.busy += span;
        }
    }

    /// Starts a flow of so many bytes over these links, at least one, each with what it carries in bytes per second.
    pub fn start(&mut self, now: SimTime, name: F, path: &[(L, u64)], bytes: u64) {
        self.advance(now);
        let path: Vec<usize> =
            path.iter().map(|&(link, bytes_per_s)| self.number(link, bytes_per_s)).collect();
        for &link in &path {
            self.links[link].flows_ever += 1;
            self.links[link].flows_now += 1;
        }
        self.flows.insert(name, Flow { path, left: u128::from(bytes) * PER_BYTE, bytes_per_s: 0 });
        self.share();
    }

    /// Of the cache of a flow, as much has gone before as it now moves in `span`, but no more than all parts save
    /// the last of `parts` equal ones: of that much, as the first part cannot go before it is there.
    pub fn head_start(&mut self, name: F, span: SimDuration, parts: u32) {
        let Some(flow) = self.flows.get_mut(&name) else { return };
        let parts = u128::from(parts.max(1));
        let at_this_rate = u128::from(flow.bytes_per_s) * u128::from(span.as_nanos());
        let gone = at_this_rate.min(flow.left) / parts * (parts - 1);
        flow.left -= gone;
        flow.path.iter().for_each(|&link| self.links[link].moved += gone);
    }

    /// Ends a flow before its time; false if it is not on its way.
    pub fn cancel(&mut self, now: SimTime, name: F) -> bool {
        self.advance(now);
        let found = self.remove(name);
        self.share();
        found
    }

    /// Takes away the flows that have arrived by `now`, in order of their names.
    pub fn take_ended(&mut self, now: SimTime) -> Vec<F> {
        self.advance(now);
        let ended: Vec<F> =
            self.flows.iter().filter(|(_, flow)| flow.left == 0).map(|(&name, _)| name).collect();
        for &name in &ended {
            self.remove(name);
        }
        if !ended.is_empty() {
            self.share();
        }
        ended
    }

    /// All flows with the moment they arrive if nothing comes between, in order of their names.
    pub fn ends(&self) -> impl Iterator<Item = (F, SimTime)> {
        self.flows.iter().map(|(&name, flow)| {
            let nanos = flow.left.div_ceil(u128::from(flow.bytes_per_s.max(1)));
            (name, self.now + SimDuration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)))
        })
    }

    /// Every link that was ever used, in order of their names.
    pub fn usage(&self) -> impl Iterator<Item = (L, Usage)> {
        self.numbers.iter().map(|(&name, &number)| {
            let Link { bytes_per_s, busy, moved, flows_ever, .. } = self.links[number];
            let bytes = u64::try_from(moved / PER_BYTE).unwrap_or(u64::MAX);
            (name, Usage { bytes_per_s, bytes, busy, flows: flows_ever })
        })
    }

    pub fn rates(&self) -> Vec<u64> {
        self.flows.values().map(|flow| flow.bytes_per_s).collect()
    }

    fn number(&mut self, link: L, bytes_per_s: u64) -> usize {
        let links = &mut self.links;
        *self.numbers.entry(link).or_insert_with(|| {
            links.push(Link { bytes_per_s, busy: SimDuration::ZERO, moved: 0, flows_ever: 0, flows_now: 0 });
            links.len() - 1
        })
    }

    fn remove(&mut self, name: F) -> bool {
        let Some(flow) = self.flows.remove(&name) else { return false };
        flow.path.iter().for_each(|&link| self.links[link].flows_now -= 1);
        true
    }

    /// Settles all rates anew.
    fn share(&mut self) {
        let room = |link: &Link| Room { bytes_per_s: link.bytes_per_s, unsettled: 0, flows: Vec::new() };
        let mut rooms: Vec<Room> = self.links.iter().map(room).collect();
        let mut flows: Vec<&mut Flow> = self.flows.values_mut().collect();
        for (number, flow) in flows.iter_mut().enumerate() {
            flow.bytes_per_s = 0;
            for &link in &flow.path {
                rooms[link].flows.push(number);
                rooms[link].unsettled += 1;
            }
        }
        // Of links with equal shares the first by name: their numbers tell which was used first, and shares are rounded.
        let shares = self.numbers.iter().filter_map(|(&name, &link)| {
            let share = rooms[link].share()?;
            Some(Reverse((share, name, link)))
        });
        let mut fullest: BinaryHeap<_> = shares.collect();
        while let Some(Reverse((share, name, link))) = fullest.pop() {
            match rooms[link].share() {
                None => {}
                // Flows that are held up elsewhere have left room since: a share only ever grows.
                Some(grown) if grown > share => fullest.push(Reverse((grown, name, link))),
                Some(_) => settle(share, link, &mut rooms, &mut flows),
            }
        }
    }
}

/// What a link has for flows whose rate is not settled yet.
struct Room {
    bytes_per_s: u64,
    unsettled: u64,
    flows: Vec<usize>,
}

impl Room {
    /// For each of them; none if there are none.
    fn share(&self) -> Option<u64> {
        self.bytes_per_s.checked_div(self.unsettled)
    }
}

/// The link is full: its flows get this share, though a byte per second at least, so that each arrives some day.
fn settle(share: u64, link: usize, rooms: &mut [Room], flows: &mut [&mut Flow]) {
    for number in std::mem::take(&mut rooms[link].flows) {
        let flow = &mut flows[number];
        if flow.bytes_per_s > 0 {
            continue;
        }
        flow.bytes_per_s = share.max(1);
        for &link in &flow.path {
            rooms[link].bytes_per_s = rooms[link].bytes_per_s.saturating_sub(flow.bytes_per_s);
            rooms[link].unsettled -= 1;
        }
    }
}
