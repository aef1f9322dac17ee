//! Instances in the order they joined, some of whom have left.

use crate::ids::InstanceId;

/// Slots in order, empty where somebody left; finds the nth who is still there in O(log n).
#[derive(Clone, Debug, Default)]
pub(super) struct Order {
    slots: Vec<Option<InstanceId>>,
    len: usize,
    /// A Fenwick tree over the slots: node `i`, from 1, counts those present among the `i & -i` slots that
    /// end with slot `i - 1`.
    counts: Vec<u32>,
}

/// Below so many slots gaps are not worth closing.
const FEW: usize = 16;

impl Order {
    /// How many are present.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Who is in a slot.
    pub fn get(&self, slot: usize) -> Option<InstanceId> {
        self.slots.get(slot).copied().flatten()
    }

    /// Who is present, in order.
    pub fn members(&self) -> impl Iterator<Item = InstanceId> {
        self.slots.iter().copied().flatten()
    }

    /// Adds one at the end; its slot.
    pub fn push(&mut self, instance: InstanceId) -> usize {
        self.slots.push(Some(instance));
        self.len += 1;
        let node = self.slots.len();
        let covered = node & node.wrapping_neg();
        // Its own slot, and those below it in the tree.
        let mut count = 1;
        let mut child = 1;
        while child < covered {
            count += self.counts[node - child - 1];
            child *= 2;
        }
        self.counts.push(count);
        node - 1
    }

    /// Empties a slot that is taken.
    pub fn remove(&mut self, slot: usize) {
        self.slots[slot] = None;
        self.len -= 1;
        let mut node = slot + 1;
        while let Some(count) = self.counts.get_mut(node - 1) {
            *count -= 1;
            node += node & node.wrapping_neg();
        }
    }

    /// The nth who is present, from 0.
    pub fn nth(&self, position: usize) -> Option<InstanceId> {
        if position >= self.len || self.len == self.slots.len() {
            return self.get(position).filter(|_| position < self.len);
        }
        let (mut before, mut slot) = (position as u32, 0);
        let mut step = self.slots.len().next_power_of_two();
        while step > 0 {
            // All slots of a node are passed if too few are present in them.
            if let Some(&count) = self.counts.get(slot + step - 1)
                && count <= before
            {
                before -= count;
                slot += step;
            }
            step /= 2;
        }
        self.get(slot)
    }

    /// Whether most slots are empty.
    pub fn is_sparse(&self) -> bool {
        self.slots.len() > 2 * self.len + FEW
    }

    /// Moves everybody up into the empty slots.
    pub fn close_gaps(&mut self) {
        let members: Vec<InstanceId> = self.members().collect();
        *self = Order::default();
        for member in members {
            self.push(member);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_nth_is_the_nth_of_a_list_whoever_joined_and_left(
            steps in proptest::collection::vec((0u32..3, any::<prop::sample::Index>()), 1..200),
        ) {
            let (mut order, mut list) = (Order::default(), Vec::<(usize, InstanceId)>::new());
            for (number, (step, victim)) in steps.into_iter().enumerate() {
                if step > 0 || list.is_empty() {
                    let newcomer = InstanceId(number as u32);
                    list.push((order.push(newcomer), newcomer));
                } else {
                    let (slot, _) = list.remove(victim.index(list.len()));
                    order.remove(slot);
                }
                if number == 120 {
                    order.close_gaps();
                    list = list.into_iter().enumerate().map(|(slot, (_, member))| (slot, member)).collect();
                }
                let expected: Vec<InstanceId> = list.iter().map(|(_, member)| *member).collect();
                let found: Vec<InstanceId> = (0..).map_while(|nth| order.nth(nth)).collect();
                prop_assert_eq!(&found, &expected);
                prop_assert_eq!(order.members().collect::<Vec<_>>(), expected);
                prop_assert_eq!(order.len(), list.len());
            }
        }
    }
}
