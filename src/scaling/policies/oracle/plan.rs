//! From a load to the fleet that carries it.
//!
//! Gaps in which an instance is not needed for less time than a stop and a start take are filled, for leaving
//! would save nothing. What is there at the start counts as needed then. Leaves out: that drains of different
//! requests take differently long.

use super::load::Load;

/// What a plan must reckon with besides the load.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Prospect {
    /// What an instance may be given, above 0.
    pub load_per_instance: f64,
    /// Instances that are there when the run begins.
    pub at_start: u32,
    /// What a stop and a start take: the last requests of the one, and the other's cold start.
    pub restart_s: f64,
}

/// Instances needed, before rounding, bin by bin.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Plan {
    bin_s: f64,
    needed: Vec<f64>,
}

impl Plan {
    /// The smallest fleet for a load.
    pub fn new(load: Load, prospect: &Prospect) -> Self {
        let mut needed = load.instances;
        for instances in &mut needed {
            *instances /= prospect.load_per_instance;
        }
        let gap = (prospect.restart_s / load.bin_s) as usize;
        Plan { bin_s: load.bin_s, needed: fill_gaps(needed, gap, f64::from(prospect.at_start)) }
    }

    /// The most that is needed at once between two moments, in seconds.
    pub fn most_between(&self, from_s: f64, until_s: f64) -> f64 {
        let first = (from_s / self.bin_s) as usize;
        let end = (until_s / self.bin_s).ceil() as usize;
        self.needed.iter().take(end).skip(first).copied().fold(0.0, f64::max)
    }
}

/// Raises what lies no more than `gap` bins between higher values: the closing of morphology, a running maximum
/// and then a running minimum over `gap + 1` bins. Before the first bin stands `before`.
fn fill_gaps(values: Vec<f64>, gap: usize, before: f64) -> Vec<f64> {
    // Longer gaps than the whole are no different.
    let gap = gap.min(values.len());
    let mut filled = vec![before; gap];
    filled.extend(values);
    let size = filled.len();
    for step in steps(gap + 1) {
        for nth in 0..size - step {
            filled[nth] = filled[nth].max(filled[nth + step]);
        }
    }
    for step in steps(gap + 1) {
        for nth in (step..size).rev() {
            filled[nth] = filled[nth].min(filled[nth - step]);
        }
    }
    filled.split_off(gap)
}

/// By doubling to a window: a running maximum over 7 is one over 1 + 1, of those 2 apart, of those 3 apart.
fn steps(window: usize) -> impl Iterator<Item = usize> {
    let mut covered = 1;
    std::iter::from_fn(move || {
        let step = covered.min(window - covered);
        covered += step;
        (step > 0).then_some(step)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_stays_when_leaving_would_save_nothing() {
        let values = || vec![2.0, 0.0, 0.0, 3.0, 1.0, 2.0, 0.0, 0.0, 0.0, 1.0];
        assert_eq!(fill_gaps(values(), 0, 0.0), values());
        assert_eq!(fill_gaps(values(), 2, 0.0), [2.0, 2.0, 2.0, 3.0, 2.0, 2.0, 0.0, 0.0, 0.0, 1.0]);
        assert_eq!(fill_gaps(values(), 3, 0.0), [2.0, 2.0, 2.0, 3.0, 2.0, 2.0, 1.0, 1.0, 1.0, 1.0]);
        assert_eq!(fill_gaps(values(), 99, 0.0), fill_gaps(values(), 3, 0.0));
    }

    #[test]
    fn what_is_there_at_the_start_stays_if_it_is_needed_soon() {
        assert_eq!(fill_gaps(vec![1.0, 1.0, 4.0], 2, 5.0), [4.0, 4.0, 4.0]);
        assert_eq!(fill_gaps(vec![1.0, 1.0, 4.0], 1, 5.0), [1.0, 1.0, 4.0]);
        assert_eq!(fill_gaps(Vec::new(), 3, 5.0), [0.0; 0]);
    }

    #[test]
    fn a_window_is_covered_by_doubling() {
        let steps = |window| steps(window).collect::<Vec<_>>();
        assert_eq!((steps(1), steps(2), steps(7), steps(8)), (vec![], vec![1], vec![1, 2, 3], vec![1, 2, 4]));
    }
}
