//! Which requests are of which class and tenant: counts of each kind, and whose the served ones are.
//!
//! Costs nothing as long as no request says anything of that.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::request::{Fate, Request};
use crate::results::{RequestCounts, Served, Tally};

/// Class and tenant of a request that has at least one of them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Kind {
    /// Its SLO class.
    pub class: Option<Arc<str>>,
    /// Who pays for it.
    pub tenant: Option<Arc<str>>,
}

/// All kinds that occurred.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Kinds {
    numbers: BTreeMap<Kind, u32>,
    counts: Vec<RequestCounts>,
    /// The kind of each served request, as far as any of them is of a kind.
    served: Vec<u32>,
}

/// Of a request of no kind.
const NONE: u32 = u32::MAX;

impl Kinds {
    /// Counts a request; its kind.
    pub(in crate::results) fn note(&mut self, request: &Request, fate: &Fate) -> Option<u32> {
        let attributes = request.attributes();
        if attributes.class.is_none() && attributes.tenant.is_none() {
            return None;
        }
        let kind = Kind { class: attributes.class.clone(), tenant: attributes.tenant.clone() };
        let next = self.counts.len() as u32;
        let number = *self.numbers.entry(kind).or_insert(next);
        if number == next {
            self.counts.push(RequestCounts::default());
        }
        self.counts[number as usize].note(fate);
        Some(number)
    }

    /// The served request at this place is of this kind.
    pub(in crate::results) fn serve(&mut self, place: usize, kind: Option<u32>) {
        if kind.is_some() || !self.served.is_empty() {
            self.served.resize(place, NONE);
            self.served.push(kind.unwrap_or(NONE));
        }
    }

    /// Every kind there is.
    pub fn all(&self) -> impl Iterator<Item = &Kind> {
        self.numbers.keys()
    }
}

impl Tally {
    /// The same of those requests alone that are of such a kind.
    pub(in crate::results) fn only(&self, wanted: impl Fn(&Kind) -> bool) -> Tally {
        let wanted = |number: &u32| {
            let kind = self.kinds.numbers.iter().find(|(_, own)| *own == number);
            kind.is_some_and(|(kind, _)| wanted(kind))
        };
        let numbers: Vec<bool> = (0..self.kinds.counts.len() as u32).map(|number| wanted(&number)).collect();
        let is_wanted = |number: u32| numbers.get(number as usize).copied().unwrap_or(false);
        let served = self.served.iter().zip(&self.kinds.served).filter(|(_, kind)| is_wanted(**kind));
        let served: Vec<Served> = served.map(|(served, _)| *served).collect();
        let counts = self.kinds.counts.iter().zip(&numbers).filter(|(_, wanted)| **wanted);
        Tally { counts: counts.map(|(counts, _)| counts).sum(), served, kinds: Kinds::default() }
    }
}
