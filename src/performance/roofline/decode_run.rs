//! Iterations that only decode, many at once.
//!
//! While nobody joins or leaves, the context of every sequence grows by one token an iteration, so every
//! iteration is longer than the one before by the same amount and a run of them is an arithmetic sum. Time is
//! counted in whole femtoseconds, so that the sum of a run equals the sum of its parts exactly; nanoseconds are
//! rounded once, from the start of the run.

/// Femtoseconds in a nanosecond.
const FS_IN_NS: u128 = 1_000_000;

/// A run of iterations of one batch that only decodes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DecodeRun {
    /// Femtoseconds of the first iteration.
    pub first_fs: u64,
    /// Femtoseconds by which each is longer than the one before.
    pub growth_fs: u64,
}

impl DecodeRun {
    /// Femtoseconds of the first `iterations`.
    pub fn elapsed_fs(&self, iterations: u64) -> u128 {
        let count = u128::from(iterations);
        let growths = count * count.saturating_sub(1) / 2;
        count * u128::from(self.first_fs) + growths * u128::from(self.growth_fs)
    }

    /// Nanoseconds from the start of the run to the end of iteration number `iterations`, to the nearest.
    pub fn elapsed_ns(&self, iterations: u64) -> u64 {
        u64::try_from((self.elapsed_fs(iterations) + FS_IN_NS / 2) / FS_IN_NS).unwrap_or(u64::MAX)
    }

    /// The most iterations that are over `ns` nanoseconds after the start of the run.
    pub fn done_within_ns(&self, ns: u64) -> u64 {
        // The end of an iteration never comes before that of the one before: bisect.
        let mut done = 0;
        let mut beyond = match (u128::from(ns) + 1) * FS_IN_NS / u128::from(self.first_fs.max(1)) {
            few if few < u128::from(u64::MAX - 1) => few as u64 + 1,
            _ => u64::MAX - 1,
        };
        while done + 1 < beyond {
            let middle = done + (beyond - done) / 2;
            if self.elapsed_ns(middle) <= ns { done = middle } else { beyond = middle }
        }
        done
    }

    /// The run that is left after its first `iterations`.
    pub fn after(&self, iterations: u64) -> Self {
        let grown = u128::from(self.growth_fs) * u128::from(iterations);
        let first_fs = u128::from(self.first_fs).saturating_add(grown);
        DecodeRun { first_fs: u64::try_from(first_fs).unwrap_or(u64::MAX), ..*self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_run_takes_exactly_as_long_as_its_iterations_one_by_one(
            first_fs in 1u64..1 << 40, growth_fs in 0u64..1 << 24, iterations in 0u64..300
        ) {
            let run = DecodeRun { first_fs, growth_fs };
            let one_by_one: u128 = (0..iterations).map(|nth| u128::from(run.after(nth).first_fs)).sum();
            prop_assert_eq!(run.elapsed_fs(iterations), one_by_one);
        }

        #[test]
        fn what_is_done_within_a_time_has_ended_and_the_next_has_not(
            first_fs in 1_000_000u64..1 << 40, growth_fs in 0u64..1 << 24, ns in 0u64..1 << 34
        ) {
            let run = DecodeRun { first_fs, growth_fs };
            let done = run.done_within_ns(ns);
            prop_assert!(run.elapsed_ns(done) <= ns);
            prop_assert!(run.elapsed_ns(done + 1) > ns);
        }
    }
}
