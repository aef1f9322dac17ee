//! Finds the first smallest of many changing numbers, some of them gone, in O(log n).

/// A list of numbers that knows the position of its first minimum.
///
/// A segment tree: leaves in list order, each inner node the minimum of its two children.
#[derive(Clone, Debug, Default)]
pub(super) struct MinTree {
    /// Node 1 is the root; leaf `i` is node `width + i`.
    nodes: Vec<i64>,
    width: usize,
    len: usize,
}

/// What stands where a number is gone, or was never.
const ABSENT: i64 = i64::MAX;

impl MinTree {
    pub fn push(&mut self, value: i64) {
        if self.len == self.width {
            self.widen();
        }
        self.len += 1;
        self.set(self.len - 1, value);
    }

    pub fn set(&mut self, position: usize, value: i64) {
        let mut node = self.width + position;
        self.nodes[node] = value;
        while node > 1 {
            node /= 2;
            let least = self.nodes[2 * node].min(self.nodes[2 * node + 1]);
            if self.nodes[node] == least {
                break;
            }
            self.nodes[node] = least;
        }
    }

    /// Takes a number out; the others keep their positions.
    pub fn remove(&mut self, position: usize) {
        self.set(position, ABSENT);
    }

    /// Position of the smallest number; of equal ones, the first.
    pub fn first_min(&self) -> Option<usize> {
        if self.nodes.get(1).is_none_or(|&least| least == ABSENT) {
            return None;
        }
        let mut node = 1;
        while node < self.width {
            node *= 2;
            if self.nodes[node] > self.nodes[node + 1] {
                node += 1;
            }
        }
        Some(node - self.width)
    }

    /// Moves all numbers up into the positions of those that are gone.
    pub fn close_gaps(&mut self) {
        let leaves = &self.nodes[self.width..self.width + self.len];
        *self = MinTree::from_values(leaves.iter().copied().filter(|&value| value != ABSENT).collect());
    }

    fn from_values(values: Vec<i64>) -> MinTree {
        let len = values.len();
        let width = len.next_power_of_two().max(1);
        let mut nodes = vec![ABSENT; 2 * width];
        nodes[width..width + len].copy_from_slice(&values);
        for node in (1..width).rev() {
            nodes[node] = nodes[2 * node].min(nodes[2 * node + 1]);
        }
        MinTree { nodes, width, len }
    }

    fn widen(&mut self) {
        let values = self.nodes.get(self.width..self.width + self.len).unwrap_or(&[]).to_vec();
        let len = self.len;
        let mut wider = MinTree::from_values(values);
        if wider.width == len {
            let mut padded = wider.nodes[wider.width..].to_vec();
            padded.resize((len + 1).next_power_of_two(), ABSENT);
            wider = MinTree::from_values(padded);
            wider.len = len;
        }
        *self = wider;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_equal_numbers_the_first_is_found() {
        let mut tree = MinTree::default();
        for value in [3, 1, 2, 1] {
            tree.push(value);
        }
        assert_eq!(tree.first_min(), Some(1));
        tree.set(1, 5);
        assert_eq!(tree.first_min(), Some(3));
    }

    proptest::proptest! {
        #[test]
        fn the_tree_agrees_with_a_scan(
            values in proptest::collection::vec(-9i64..9, 1..40),
            changes in proptest::collection::vec((0usize..40, proptest::option::of(-9i64..9)), 0..80),
        ) {
            let mut list: Vec<Option<i64>> = values.iter().copied().map(Some).collect();
            let mut tree = MinTree::default();
            values.iter().for_each(|&value| tree.push(value));
            for (number, (position, value)) in changes.into_iter().enumerate() {
                let position = position % list.len();
                list[position] = value;
                match value {
                    Some(value) => tree.set(position, value),
                    None => tree.remove(position),
                }
                if number == 50 && list.iter().any(Option::is_some) {
                    tree.close_gaps();
                    list.retain(Option::is_some);
                }
                let least = list.iter().flatten().min().copied();
                let first = least.and_then(|least| list.iter().position(|&value| value == Some(least)));
                proptest::prop_assert_eq!(tree.first_min(), first);
            }
        }
    }
}
