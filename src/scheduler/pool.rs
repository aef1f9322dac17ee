//! An ordered list of instances, with the least loaded one and the sum of all loads at hand.
//!
//! Joining, leaving and a change of load take O(log n): a fleet of ten thousand may drain at once, under load.

use super::fleet::{Known, Load, Metric};
use super::min_tree::MinTree;
use super::order::Order;
use crate::ids::InstanceId;

/// Instances in the order they joined.
///
/// Each has a slot, in that order. Who leaves leaves an empty slot behind; when most slots are empty, all
/// move up.
#[derive(Clone, Debug)]
pub struct Pool {
    slots: Order,
    /// Slot of each instance, by its number.
    places: Vec<Option<u32>>,
    /// A number per slot.
    trees: Vec<(Metric, MinTree)>,
    load: Load,
    capacity_bytes: i64,
}

impl Pool {
    pub(super) fn new(metrics: &[Metric]) -> Self {
        let trees = metrics.iter().map(|&metric| (metric, MinTree::default())).collect();
        let (slots, load) = (Order::default(), Load::default());
        Pool { slots, places: Vec::new(), trees, load, capacity_bytes: 0 }
    }

    /// The instances, in order.
    pub fn members(&self) -> impl Iterator<Item = InstanceId> {
        self.slots.members()
    }

    /// The instance at a position of that order, in O(log n).
    pub fn nth(&self, position: usize) -> Option<InstanceId> {
        self.slots.nth(position)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether an instance is in it.
    pub fn contains(&self, instance: InstanceId) -> bool {
        self.place(instance).is_some()
    }

    /// The loads of all, summed.
    pub fn load(&self) -> Load {
        self.load
    }

    /// GPU memory of all, in bytes.
    pub fn capacity_bytes(&self) -> i64 {
        self.capacity_bytes
    }

    /// The instance with the least of this metric; of equals, the one that joined first.
    pub(super) fn least(&self, metric: Metric) -> Option<InstanceId> {
        let (_, tree) = self.trees.iter().find(|(kept, _)| *kept == metric)?;
        self.slots.get(tree.first_min()?)
    }

    pub(super) fn join(&mut self, instance: InstanceId, known: &Known) {
        let index = instance.0 as usize;
        if self.places.len() <= index {
            self.places.resize(index + 1, None);
        }
        self.places[index] = Some(self.slots.push(instance) as u32);
        for (metric, tree) in &mut self.trees {
            tree.push(known.value(*metric));
        }
        self.load += known.load();
        self.capacity_bytes += known.capacity_bytes;
    }

    pub(super) fn leave(&mut self, instance: InstanceId, known: &Known) {
        let Some(place) = self.place(instance) else { return };
        self.places[instance.0 as usize] = None;
        self.slots.remove(place);
        for (_, tree) in &mut self.trees {
            tree.remove(place);
        }
        self.load -= known.load();
        self.capacity_bytes -= known.capacity_bytes;
        if self.slots.is_sparse() {
            self.move_up();
        }
    }

    /// The load of an instance has changed by so much, to what is known of it now.
    pub(super) fn update(&mut self, instance: InstanceId, change: Load, known: &Known) {
        let Some(place) = self.place(instance) else { return };
        for (metric, tree) in &mut self.trees {
            if change.changes(*metric) {
                tree.set(place, known.value(*metric));
            }
        }
        self.load += change;
    }

    /// Closes the gaps. Rare enough that, spread over those who left, it costs next to nothing.
    fn move_up(&mut self) {
        for (_, tree) in &mut self.trees {
            tree.close_gaps();
        }
        self.slots.close_gaps();
        for (place, member) in self.slots.members().enumerate() {
            self.places[member.0 as usize] = Some(place as u32);
        }
    }

    fn place(&self, instance: InstanceId) -> Option<usize> {
        self.places.get(instance.0 as usize).copied().flatten().map(|place| place as usize)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    impl Pool {
        /// A pool of idle instances without metrics, for tests of policies.
        pub(in crate::scheduler) fn of(members: impl IntoIterator<Item = InstanceId>) -> Self {
            let mut pool = Pool::new(&[]);
            members.into_iter().for_each(|member| pool.join(member, &Known::with_load(Load::default())));
            pool
        }

        pub(in crate::scheduler) fn remove(&mut self, member: InstanceId) {
            self.leave(member, &Known::with_load(Load::default()));
        }
    }

    /// A list with loads, scanned for every answer.
    #[derive(Default)]
    struct Oracle(Vec<(InstanceId, Load)>);

    impl Oracle {
        fn least(&self, metric: Metric) -> Option<InstanceId> {
            let value = |load: &Load| Known::with_load(*load).value(metric);
            self.0.iter().min_by_key(|(_, load)| value(load)).map(|(instance, _)| *instance)
        }
    }

    proptest! {
        #[test]
        fn a_pool_agrees_with_a_list_that_is_scanned(
            steps in proptest::collection::vec((0u32..40, 0u32..4, -5i64..5, -5i64..5), 1..300),
        ) {
            let mut pool = Pool::new(&[Metric::Residents, Metric::PendingTokens, Metric::KvShare]);
            let mut oracle = Oracle::default();
            for (instance, step, residents, pending_tokens) in steps {
                let instance = InstanceId(instance);
                let change = Load { residents, pending_tokens, reserved_bytes: (residents - pending_tokens) << 20 };
                match oracle.0.iter().position(|(member, _)| *member == instance) {
                    None => {
                        pool.join(instance, &Known::with_load(change));
                        oracle.0.push((instance, change));
                    }
                    Some(position) if step == 0 => {
                        let (_, load) = oracle.0.remove(position);
                        pool.leave(instance, &Known::with_load(load));
                    }
                    Some(position) => {
                        let load = &mut oracle.0[position].1;
                        *load += change;
                        pool.update(instance, change, &Known::with_load(*load));
                    }
                }
                let members: Vec<InstanceId> = oracle.0.iter().map(|(member, _)| *member).collect();
                prop_assert_eq!(pool.members().collect::<Vec<_>>(), members);
                prop_assert_eq!(pool.least(Metric::Residents), oracle.least(Metric::Residents));
                prop_assert_eq!(pool.least(Metric::PendingTokens), oracle.least(Metric::PendingTokens));
                prop_assert_eq!(pool.least(Metric::KvShare), oracle.least(Metric::KvShare));
                let mut sum = Load::default();
                oracle.0.iter().for_each(|(_, load)| sum += *load);
                prop_assert_eq!(pool.load(), sum);
                prop_assert_eq!(pool.contains(instance), oracle.0.iter().any(|(member, _)| *member == instance));
            }
        }
    }
}
