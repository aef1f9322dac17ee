//! The second analysis: how many tokens a replica can hold and work on, and how many are there.

/// An engine's configuration as far as the estimate needs it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct EngineLimits {
    /// Tokens of an iteration at most.
    pub max_batched_tokens: f64,
    /// Sequences of a batch at most.
    pub max_num_seqs: f64,
}

/// Mean lengths of requests, in tokens.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Lengths {
    /// Of prompts.
    pub input: f64,
    /// Of outputs.
    pub output: f64,
}

/// What a running replica shows.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct TokenLoad {
    /// Tokens in its KV cache.
    pub in_use: f64,
    /// Tokens that its KV cache can hold.
    pub kv_tokens: f64,
    /// Requests that wait there.
    pub queue: f64,
}

/// From when on memory and queue count as full.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Full {
    /// Share of the KV cache.
    pub kv: f64,
    /// Waiting requests.
    pub queue: f64,
}

/// Tokens of a batch in steady state: as many sequences as the iterations can prefill for each decode they
/// make, each half way through its output. None where lengths or limits tell nothing.
pub fn derived_capacity(limits: EngineLimits, lengths: Lengths) -> Option<f64> {
    let Lengths { input, output } = lengths;
    if output <= 0.0 || limits.max_batched_tokens <= 0.0 {
        return None;
    }
    let sequences = (limits.max_batched_tokens * output / (input + output)).min(limits.max_num_seqs);
    Some((sequences * (input + output / 2.0)).trunc()).filter(|&tokens| tokens > 0.0)
}

/// Tokens that a replica can bear: what its memory holds, or what its batches get done if that is less. The
/// latter is what it held when its queue was full; else what such replicas held before; else derived.
pub fn replica_capacity(load: &TokenLoad, full: Full, history: Option<f64>, derived: Option<f64>) -> f64 {
    let by_memory = (load.kv_tokens * full.kv).trunc();
    let by_compute = observed_capacity(load, full).or(history.map(f64::trunc)).or(derived);
    by_compute.map_or(by_memory, |by_compute| by_compute.min(by_memory))
}

/// What a replica with a full queue holds: that is all it can.
pub fn observed_capacity(load: &TokenLoad, full: Full) -> Option<f64> {
    (load.queue >= full.queue.trunc() && load.in_use > 0.0).then_some(load.in_use)
}

/// The capacity of a variant without replicas: derived, bounded by its memory, if known, and by what replicas
/// of a compatible variant bear.
pub fn absent_capacity(derived: f64, by_memory: Option<f64>, compatible: Option<f64>) -> f64 {
    [by_memory, compatible].into_iter().flatten().filter(|&bound| bound > 0.0).fold(derived, f64::min)
}

/// Tokens that a replica has to bear, those of waiting prompts included.
pub fn demand(load: &TokenLoad, mean_input: f64) -> f64 {
    load.in_use + load.queue * mean_input.max(0.0).trunc()
}

/// Shares of the supply between which nothing is done.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Band {
    /// Above it more is needed.
    pub up: f64,
    /// Below it some is spare.
    pub down: f64,
}

/// Tokens of capacity that are missing or spare; never both.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Balance {
    /// Missing, even when all pending replicas are ready.
    pub required: f64,
    /// Spare, without pending replicas.
    pub spare: f64,
}

impl Balance {
    /// Of this demand with this much ready and pending supply.
    pub fn of(demand: f64, ready: f64, pending: f64, band: Band) -> Self {
        let required = (demand / band.up - (ready + pending)).max(0.0);
        let spare = (ready - demand / band.down).max(0.0);
        Balance { required, spare }
    }
}

/// Means of what full replicas held, by length of the outputs: short ones batch differently from long ones.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct History([Vec<f64>; 3]);

impl History {
    /// Observations that count.
    const WINDOW: usize = 10;

    /// Remembers an observation.
    pub fn record(&mut self, mean_output: f64, tokens: f64) {
        let bucket = &mut self.0[Self::bucket(mean_output)];
        if bucket.len() == Self::WINDOW {
            bucket.remove(0);
        }
        bucket.push(tokens);
    }

    /// The mean of the newest observations.
    pub fn mean(&self, mean_output: f64) -> Option<f64> {
        let bucket = &self.0[Self::bucket(mean_output)];
        (!bucket.is_empty()).then(|| bucket.iter().sum::<f64>() / bucket.len() as f64)
    }

    /// Short below 100 tokens, long from 500 on.
    fn bucket(mean_output: f64) -> usize {
        usize::from(mean_output >= 100.0) + usize::from(mean_output >= 500.0)
    }
}

/// The middle one; of two the mean, cut off as token counts are whole.
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    Some(if values.len() % 2 == 1 { upper } else { ((values[middle - 1] + upper) / 2.0).trunc() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FULL: Full = Full { kv: 0.8, queue: 5.0 };

    #[test]
    fn what_a_full_replica_holds_goes_before_history_and_history_before_the_estimate() {
        let at = |queue| TokenLoad { in_use: 3000.0, kv_tokens: 10_000.0, queue };
        let estimated = |load, history| replica_capacity(&load, FULL, history, Some(5000.0));
        assert_eq!(estimated(at(5.0), Some(4000.0)), 3000.0);
        assert_eq!(estimated(at(4.0), Some(4000.0)), 4000.0);
        assert_eq!(estimated(at(4.0), None), 5000.0);
        assert_eq!(replica_capacity(&at(4.0), FULL, None, None), 8000.0, "memory alone");
        assert_eq!(estimated(at(4.0), Some(9000.0)), 8000.0, "memory bounds all");
    }

    #[test]
    fn the_estimate_is_limited_by_sequences_and_needs_outputs() {
        let limits = EngineLimits { max_batched_tokens: 1000.0, max_num_seqs: 50.0 };
        let of = |input, output| derived_capacity(limits, Lengths { input, output });
        assert_eq!(of(900.0, 100.0), Some(50.0 * 950.0));
        assert_eq!(of(980.0, 20.0), Some(20.0 * 990.0));
        assert_eq!(of(100.0, 0.0), None);
    }

    #[test]
    fn history_keeps_ten_of_each_length() {
        let mut history = History::default();
        for tokens in 1..=15 {
            history.record(99.0, f64::from(tokens));
        }
        history.record(500.0, 7.0);
        assert_eq!(history.mean(0.0), Some(10.5));
        assert_eq!((history.mean(100.0), history.mean(9000.0)), (None, Some(7.0)));
    }

    #[test]
    fn pending_supply_counts_against_growing_but_never_as_spare() {
        let band = Band { up: 0.8, down: 0.5 };
        assert_eq!(Balance::of(800.0, 900.0, 0.0, band), Balance { required: 100.0, spare: 0.0 });
        assert_eq!(Balance::of(800.0, 900.0, 500.0, band), Balance::default());
        assert_eq!(Balance::of(100.0, 900.0, 500.0, band), Balance { required: 0.0, spare: 700.0 });
    }

    #[test]
    fn the_median_of_an_even_number_is_whole() {
        assert_eq!(median(vec![4.0, 1.0, 3.0]), Some(3.0));
        assert_eq!(median(vec![4.0, 1.0]), Some(2.0));
        assert_eq!(median(Vec::new()), None);
    }

    proptest! {
        #[test]
        fn nothing_is_missing_and_spare_at_once(
            demand in 0.0..1e7_f64, ready in 0.0..1e7_f64, pending in 0.0..1e7_f64,
        ) {
            let balance = Balance::of(demand, ready, pending, Band { up: 0.85, down: 0.7 });
            prop_assert!(balance.required == 0.0 || balance.spare == 0.0);
        }
    }
}
