//! The longest iteration since a sequence joined, without telling every sequence of every iteration.
//!
//! Only iterations that no later one outlasts can be the answer to such a question. They are kept in order; a new
//! one removes those it outlasts, so that lengths fall from the oldest to the newest, and the answer is the oldest
//! that ended after the sequence joined.

/// Iterations that no later iteration outlasts.
#[derive(Clone, Debug, Default)]
pub struct Peaks {
    /// The count of iterations when it was over, and its nanoseconds.
    peaks: Vec<(u64, u64)>,
}

impl Peaks {
    /// Iterations up to number `ended`, the longest of which took `ns`.
    pub fn push(&mut self, ended: u64, ns: u64) {
        while self.peaks.last().is_some_and(|&(_, shorter)| shorter <= ns) {
            self.peaks.pop();
        }
        self.peaks.push((ended, ns));
    }

    /// Nanoseconds of the longest iteration after number `joined`; 0 if there was none.
    pub fn longest_since(&self, joined: u64) -> u64 {
        let first = self.peaks.partition_point(|&(ended, _)| ended <= joined);
        self.peaks.get(first).map_or(0, |&(_, ns)| ns)
    }

    /// Forgets everything: nobody is left to ask.
    pub fn clear(&mut self) {
        self.peaks.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_longest_since_any_moment_is_known(lengths in prop::collection::vec(0u64..20, 1..60)) {
            let mut peaks = Peaks::default();
            for (nth, &ns) in (1..).zip(&lengths) {
                peaks.push(nth, ns);
            }
            for joined in 0..lengths.len() {
                let longest = lengths[joined..].iter().max().copied();
                prop_assert_eq!(Some(peaks.longest_since(joined as u64)), longest);
            }
            prop_assert_eq!(peaks.longest_since(lengths.len() as u64), 0);
        }
    }
}
