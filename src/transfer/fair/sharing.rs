//! Settling rates anew, only where they may change.
//!
//! Progressive filling has one result however it is found: each flow is held up by the first to be full of its links,
//! by share and name, and the share of a link is what those leave it that are held up before, through the number of
//! the others. So it is enough to settle some flows among rates that all others keep, and to see whether every link
//! they meet still agrees with those; if one does not, the flows that it holds up, or now would, are in question, too.
//! (What is found is the one result: the link that is full first is so whatever is assumed of the others, then the
//! second one is, and so on.)

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{Flows, Fresh, Held};

/// What is noted at a link while flows on it are settled anew.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Scratch {
    met: bool,
    /// Whether a flow on it came, left, or goes at another rate.
    changed: bool,
    /// For flows that are not settled yet.
    room: u64,
    open: u64,
    /// What settled flows and kept ones take.
    taken: u64,
}

impl Scratch {
    /// Of the room, for each flow that is not settled; none if there are none.
    fn next_share(&self) -> Option<u64> {
        self.room.checked_div(self.open)
    }
}

impl<F: Ord + Copy, L: Ord + Copy> Flows<F, L> {
    /// Settles what may have changed since flows came to these links, or left them. `new` has no rate yet.
    pub(super) fn share(&mut self, links: &[usize], new: Option<usize>) {
        let mut open: Vec<usize> = Vec::new();
        self.open_up(new, &mut open);
        for &link in links {
            self.open_held_by(link, &mut open);
        }
        let mut met = Vec::new();
        while !open.is_empty() {
            self.prepare(&open, &mut met);
            self.fill(&met);
            self.note_changes(links, &open);
            let before = open.len();
            for &link in &met {
                self.open_what_disagrees(link, &mut open);
            }
            if open.len() == before {
                break;
            }
        }
        self.take_on(&open, &met);
    }

    fn open_up(&mut self, flows: impl IntoIterator<Item = usize>, open: &mut Vec<usize>) {
        for key in flows {
            if self.flows[key].fresh == Fresh::Kept {
                self.flows[key].fresh = Fresh::Open;
                open.push(key);
            }
        }
    }

    fn open_held_by(&mut self, link: usize, open: &mut Vec<usize>) {
        if self.links[link].holds > 0 {
            let flows = self.links[link].flows.iter().copied();
            let held: Vec<usize> =
                flows.filter(|&key| self.flows[key].held.is_some_and(|held| held.link == link)).collect();
            self.open_up(held, open);
        }
    }

    /// Takes open flows off their links, which are met.
    fn prepare(&mut self, open: &[usize], met: &mut Vec<usize>) {
        for &link in met.iter() {
            self.links[link].scratch = Scratch::default();
        }
        met.clear();
        for &key in open {
            let flow = &mut self.flows[key];
            flow.fresh = Fresh::Open;
            for &number in &flow.path {
                let link = &mut self.links[number];
                if !link.scratch.met {
                    link.scratch = Scratch { met: true, taken: link.taken, ..Scratch::default() };
                    met.push(number);
                }
                link.scratch.open += 1;
                link.scratch.taken -= flow.bytes_per_s;
            }
        }
        for &number in met.iter() {
            let link = &mut self.links[number];
            link.scratch.room = link.bytes_per_s.saturating_sub(link.scratch.taken);
        }
    }

    /// Settles the open flows by progressive filling.
    fn fill(&mut self, met: &[usize]) {
        let shares = met.iter().filter_map(|&number| {
            let link = &self.links[number];
            Some(Reverse((link.scratch.next_share()?, link.name, number)))
        });
        let mut fullest: BinaryHeap<_> = shares.collect();
        while let Some(Reverse((share, name, link))) = fullest.pop() {
            match self.links[link].scratch.next_share() {
                None => {}
                // Flows that are held up elsewhere have left room since: a share only ever grows.
                Some(grown) if grown > share => fullest.push(Reverse((grown, name, link))),
                Some(_) => self.settle(Held { share, name, link }),
            }
        }
    }

    /// The link is full: its open flows get this share, though a byte per second at least, so that each arrives
    /// some day.
    fn settle(&mut self, held: Held<L>) {
        for position in 0..self.links[held.link].flows.len() {
            let flow = &mut self.flows[self.links[held.link].flows[position]];
            if flow.fresh != Fresh::Open {
                continue;
            }
            flow.fresh = Fresh::Settled(held);
            for &link in &flow.path {
                let scratch = &mut self.links[link].scratch;
                scratch.room = scratch.room.saturating_sub(held.rate());
                scratch.taken += held.rate();
                scratch.open -= 1;
            }
        }
    }

    fn note_changes(&mut self, links: &[usize], open: &[usize]) {
        for &link in links {
            self.links[link].scratch.changed = true;
        }
        for &key in open {
            let flow = &self.flows[key];
            if flow.fresh.settled() != flow.held {
                flow.path.iter().for_each(|&link| self.links[link].scratch.changed = true);
            }
        }
    }

    /// Opens the flows that keep their rate, but cannot beside those that were settled.
    fn open_what_disagrees(&mut self, number: usize, open: &mut Vec<usize>) {
        if !self.links[number].scratch.changed {
            return;
        }
        self.open_held_by(number, open);
        let link = &self.links[number];
        // With a byte per second to spare for each it cannot hold up anybody, whatever is rounded.
        if link.scratch.taken + link.flows.len() as u64 > link.bytes_per_s {
            let late = self.late_at(number);
            self.open_up(late, open);
        }
    }

    /// The flows that are held up elsewhere, but only after this link is full.
    fn late_at(&self, number: usize) -> Vec<usize> {
        let link = &self.links[number];
        let elsewhere = |&key: &usize| {
            let flow = &self.flows[key];
            let held = flow.fresh.settled().or(flow.held)?;
            (held.link != number).then_some((held, key))
        };
        let mut flows: Vec<_> = link.flows.iter().filter_map(elsewhere).collect();
        flows.sort_unstable();
        let (mut room, mut open) = (link.bytes_per_s, link.flows.len() as u64);
        for (position, (held, _)) in flows.iter().enumerate() {
            if (room / open, link.name) < (held.share, held.name) {
                return flows[position..].iter().map(|&(_, key)| key).collect();
            }
            room = room.saturating_sub(held.rate());
            open -= 1;
        }
        Vec::new()
    }

    /// The settled rates are those from now on.
    fn take_on(&mut self, open: &[usize], met: &[usize]) {
        for &link in met {
            let link = &mut self.links[link];
            link.taken = link.scratch.taken;
            link.scratch = Scratch::default();
        }
        for &key in open {
            let flow = &mut self.flows[key];
            let Fresh::Settled(held) = std::mem::replace(&mut flow.fresh, Fresh::Kept) else { continue };
            if flow.held == Some(held) {
                continue;
            }
            if let Some(before) = flow.held.replace(held) {
                self.links[before.link].holds -= 1;
            }
            self.links[held.link].holds += 1;
            self.look_at(key);
            self.flows[key].bytes_per_s = held.rate();
            self.foresee(key);
        }
    }
}

impl<L> Held<L> {
    fn rate(&self) -> u64 {
        self.share.max(1)
    }
}

impl<L: Copy> Fresh<L> {
    fn settled(&self) -> Option<Held<L>> {
        match self {
            Fresh::Settled(held) => Some(*held),
            Fresh::Kept | Fresh::Open => None,
        }
    }
}
