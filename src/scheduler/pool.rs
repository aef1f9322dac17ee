//! An ordered list of instances, with the least loaded one at hand.

use super::fleet::{Load, Metric};
use super::min_tree::MinTree;
use crate::ids::InstanceId;

/// Instances in the order they joined.
#[derive(Clone, Debug)]
pub struct Pool {
    members: Vec<InstanceId>,
    /// Position of each instance in `members`, by its number.
    positions: Vec<Option<u32>>,
    trees: Vec<(Metric, MinTree)>,
}

impl Pool {
    pub(super) fn new(metrics: &[Metric]) -> Self {
        let trees = metrics.iter().map(|&metric| (metric, MinTree::default())).collect();
        Pool { members: Vec::new(), positions: Vec::new(), trees }
    }

    /// The instances, in order.
    pub fn members(&self) -> &[InstanceId] {
        &self.members
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Whether an instance is in it.
    pub fn contains(&self, instance: InstanceId) -> bool {
        self.position(instance).is_some()
    }

    /// The instance with the least of this metric; of equals, the one that joined first.
    pub(super) fn least(&self, metric: Metric) -> Option<InstanceId> {
        let (_, tree) = self.trees.iter().find(|(kept, _)| *kept == metric)?;
        tree.first_min().map(|position| self.members[position])
    }

    pub(super) fn join(&mut self, instance: InstanceId, load: &Load) {
        let index = instance.0 as usize;
        if self.positions.len() <= index {
            self.positions.resize(index + 1, None);
        }
        self.positions[index] = Some(self.members.len() as u32);
        self.members.push(instance);
        for (metric, tree) in &mut self.trees {
            tree.push(load.value(*metric));
        }
    }

    pub(super) fn leave(&mut self, instance: InstanceId, load_of: impl Fn(InstanceId) -> Load) {
        let Some(position) = self.position(instance) else { return };
        self.members.remove(position);
        self.positions[instance.0 as usize] = None;
        for (later, &member) in self.members.iter().enumerate().skip(position) {
            self.positions[member.0 as usize] = Some(later as u32);
        }
        for (metric, tree) in &mut self.trees {
            tree.rebuild(self.members.iter().map(|&member| load_of(member).value(*metric)));
        }
    }

    pub(super) fn update(&mut self, instance: InstanceId, load: &Load) {
        let Some(position) = self.position(instance) else { return };
        for (metric, tree) in &mut self.trees {
            tree.set(position, load.value(*metric));
        }
    }

    fn position(&self, instance: InstanceId) -> Option<usize> {
        self.positions.get(instance.0 as usize).copied().flatten().map(|position| position as usize)
    }
}
