//! Numbers for new things, issued by several managers without asking each other.

/// Every `stride`-th number from the first on: manager *k* of *n* issues `first + k`, `first + k + n`, …
///
/// Unique among the managers, counting up, never reused; with one manager simply consecutive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IdBlock {
    /// Numbers below it belong to the start state.
    first: u32,
    next: u32,
    stride: u32,
}

impl IdBlock {
    /// The block of one of several managers.
    pub fn new(first: u32, manager: u32, managers: u32) -> Self {
        IdBlock { first, next: first + manager, stride: managers.max(1) }
    }

    /// Issues a number.
    pub fn issue(&mut self) -> u32 {
        let id = self.next;
        self.next += self.stride;
        id
    }

    /// Whether this block has issued a number, or the start state used it.
    pub fn has_issued(&self, id: u32) -> bool {
        id < self.first || (id < self.next && (self.next - id).is_multiple_of(self.stride))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_managers_never_issue_the_same_number() {
        let (mut a, mut b) = (IdBlock::new(4, 0, 2), IdBlock::new(4, 1, 2));
        assert_eq!([a.issue(), b.issue(), a.issue(), b.issue()], [4, 5, 6, 7]);
    }

    #[test]
    fn a_manager_knows_its_own_numbers_and_those_of_the_start_state() {
        let mut block = IdBlock::new(4, 0, 2);
        block.issue();
        block.issue();
        let issued: Vec<u32> = (0..10).filter(|&id| block.has_issued(id)).collect();
        assert_eq!(issued, [0, 1, 2, 3, 4, 6]);
    }
}
