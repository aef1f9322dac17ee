//! Numbers for new things, issued by several managers without asking each other.

/// Every `stride`-th number from `next` on: manager *k* of *n* issues `first + k`, `first + k + n`, …
///
/// Unique among the managers, counting up, never reused; with one manager simply consecutive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IdBlock {
    next: u32,
    stride: u32,
}

impl IdBlock {
    /// The block of one of several managers.
    pub fn new(first: u32, manager: u32, managers: u32) -> Self {
        IdBlock { next: first + manager, stride: managers.max(1) }
    }

    /// Issues a number.
    pub fn issue(&mut self) -> u32 {
        let id = self.next;
        self.next += self.stride;
        id
    }

    /// Whether a number of this block has been issued, or lies before it.
    pub fn has_issued(&self, id: u32) -> bool {
        id < self.next
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
}
