//! One worker more or fewer: the rules of the load mode.

use super::regression::Line;

/// The load at which a prefill worker would miss the time to first token: the line's, less the prompt that is
/// yet to come.
pub fn prefill_limit(line: Line, ttft: f64, prompt_tokens: f64) -> Option<f64> {
    line.inverse(ttft).map(|load| (load - prompt_tokens).max(0.0))
}

/// The load at which a decode worker would miss the time between tokens.
pub fn decode_limit(line: Line, itl: f64) -> Option<f64> {
    line.inverse(itl)
}

/// How many workers there should be: one more if all are above the limit; one fewer if all are so far below it
/// that the others can take over; none: no change.
pub fn by_limit(loads: &[f64], limit: f64, sensitivity: f64) -> Option<u32> {
    let workers = u32::try_from(loads.len()).ok().filter(|&workers| workers > 0)?;
    let count = f64::from(workers);
    let low = limit * (count - 1.0) / count * sensitivity;
    if loads.iter().all(|&load| load > limit) {
        Some(workers + 1)
    } else if workers > 1 && loads.iter().all(|&load| load < low) {
        Some(workers - 1)
    } else {
        None
    }
}

/// Fixed limits of one kind of worker.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Thresholds {
    /// One more if any worker is above it.
    pub up: f64,
    /// Whether at it is above it.
    pub up_includes: bool,
    /// One fewer if all workers are below it; below 0 is at 0.
    pub down: f64,
}

impl Thresholds {
    /// Prompt tokens that wait, in contexts.
    pub fn prefill(rule: Fixed) -> Self {
        match rule {
            Fixed::Throughput => Thresholds { up: 1.0, up_includes: true, down: 0.1 },
            Fixed::Latency => Thresholds { up: 0.1, up_includes: true, down: 0.0 },
        }
    }

    /// KV cache in use and waited for, in caches.
    pub fn decode(rule: Fixed) -> Self {
        match rule {
            Fixed::Throughput => Thresholds { up: 1.0, up_includes: false, down: 0.6 },
            Fixed::Latency => Thresholds { up: 0.4, up_includes: false, down: 0.1 },
        }
    }

    /// How many workers there should be; none: no change.
    pub fn apply(&self, loads: &[f64]) -> Option<u32> {
        let workers = u32::try_from(loads.len()).ok().filter(|&workers| workers > 0)?;
        let is_high = |&load: &f64| load > self.up || (self.up_includes && load == self.up);
        let is_low = |&load: &f64| load < self.down || (self.down == 0.0 && load == 0.0);
        if loads.iter().any(is_high) {
            Some(workers + 1)
        } else if workers > 1 && loads.iter().all(is_low) {
            Some(workers - 1)
        } else {
            None
        }
    }
}

/// Which fixed limits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fixed {
    /// Full use.
    Throughput,
    /// Short waits.
    Latency,
}

/// What both halves of an undivided pool want together: up if one does, down only if both do.
pub fn merged(prefill: Option<u32>, decode: Option<u32>, workers: u32) -> Option<u32> {
    let up = |wanted: &Option<u32>| wanted.is_some_and(|wanted| wanted > workers);
    match (prefill, decode) {
        _ if up(&prefill) => prefill,
        _ if up(&decode) => decode,
        (Some(prefill), Some(decode)) => Some(prefill.max(decode)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn all_must_be_above_to_grow_and_all_well_below_to_shrink() {
        assert_eq!(by_limit(&[101.0, 101.0], 100.0, 0.8), Some(3));
        assert_eq!(by_limit(&[101.0, 100.0], 100.0, 0.8), None, "at the limit is not above it");
        // Half of the load moves to the other one: below 100 · 1/2 · 0.8.
        assert_eq!(by_limit(&[39.0, 0.0], 100.0, 0.8), Some(1));
        assert_eq!(by_limit(&[40.0, 0.0], 100.0, 0.8), None);
        assert_eq!(by_limit(&[0.0], 100.0, 0.8), None, "the last one stays");
        assert_eq!(by_limit(&[0.0, 0.0], 100.0, 0.0), None, "without sensitivity it never shrinks");
        assert_eq!(by_limit(&[], 100.0, 0.8), None);
    }

    #[test]
    fn the_prompt_to_come_is_part_of_the_load() {
        let line = Line { slope: 0.001, intercept: 0.1 };
        assert!((prefill_limit(line, 0.6, 200.0).unwrap() - 300.0).abs() < 1e-9);
        assert_eq!(prefill_limit(line, 0.2, 200.0), Some(0.0));
    }

    #[test]
    fn fixed_rules_grow_for_any_and_shrink_for_all() {
        let prefill = Thresholds::prefill(Fixed::Throughput);
        assert_eq!(prefill.apply(&[1.0, 0.0]), Some(3));
        assert_eq!(prefill.apply(&[0.1, 0.0]), None);
        assert_eq!(prefill.apply(&[0.09, 0.0]), Some(1));
        let decode = Thresholds::decode(Fixed::Throughput);
        assert_eq!((decode.apply(&[1.0]), decode.apply(&[1.01])), (None, Some(2)));
        let quick = Thresholds::prefill(Fixed::Latency);
        assert_eq!((quick.apply(&[0.0, 0.0]), quick.apply(&[0.01, 0.0])), (Some(1), None));
    }

    #[test]
    fn an_undivided_pool_grows_for_either_half_and_shrinks_for_both() {
        assert_eq!(merged(Some(4), None, 3), Some(4));
        assert_eq!(merged(Some(2), Some(4), 3), Some(4));
        assert_eq!(merged(Some(2), None, 3), None);
        assert_eq!(merged(Some(2), Some(2), 3), Some(2));
    }

    proptest! {
        #[test]
        fn a_move_is_by_one_and_never_to_none(
            loads in prop::collection::vec(0.0..100.0_f64, 1..9), limit in 0.0..100.0_f64,
        ) {
            let workers = loads.len() as u32;
            let wanted = by_limit(&loads, limit, 0.8).unwrap_or(workers);
            prop_assert!(wanted.abs_diff(workers) <= 1 && wanted >= 1);
        }
    }
}
