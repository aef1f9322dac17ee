//! Attention of decoding sequences as measured, made straight: for so many sequences a fixed time and one for each token
//! of context, as engines need it that pass over iterations in one step.
//!
//! The line has the least squares of relative errors over the contexts measured, those below 128 tokens left out where
//! three others are left: there kernels take the same time whatever the context. Over NVIDIA AIConfigurator's tables
//! (vLLM 0.24 on H100 and B200, 0.14 on A100; heads of 64 and 128) it is 1 to 5 % off on average on H100, 3 to 8 % on
//! B200, 1 to 10 % on A100, most with a single sequence, and 1 to 7 % within a window of 128; a little more once the late
//! start of kernels measured one by one is taken off. On L40S it is 29 % off: its second-level cache holds short
//! contexts. Between measured numbers of sequences both times are interpolated; beyond the most, the fixed one grows in
//! proportion.

use std::collections::BTreeSet;

/// Contexts from here on make the line.
const SHORTEST: u64 = 128;
/// So many of them, at least.
const ENOUGH: usize = 3;

/// Time of a layer's attention for so many sequences.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Line {
    /// Seconds whatever the context.
    pub(super) start_s: f64,
    /// Seconds a token of context of any of the sequences.
    pub(super) context_s: f64,
}

impl Line {
    /// Seconds with so much context, of all sequences together.
    pub(super) fn at(self, context: f64) -> f64 {
        self.start_s + self.context_s * context
    }
}

/// The lines of every number of sequences.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct DecodeLines {
    /// By number of sequences, rising; never empty.
    knots: Vec<(f64, Line)>,
    /// Mean relative error of the lines over the measurements they were fitted to.
    error: f64,
}

impl DecodeLines {
    /// From seconds measured by number of sequences and tokens of context of each, in that order. None without any.
    pub(super) fn fit(points: impl IntoIterator<Item = ([u64; 2], f64)>) -> Option<Self> {
        let points: Vec<([u64; 2], f64)> = points.into_iter().collect();
        let (mut knots, mut error, mut count) = (Vec::new(), 0.0, 0.0);
        for batch in points.chunk_by(|one, next| one.0[0] == next.0[0]) {
            let long: Vec<_> = batch.iter().filter(|point| point.0[1] >= SHORTEST).copied().collect();
            let contexts: BTreeSet<u64> = long.iter().map(|point| point.0[1]).collect();
            let used = if contexts.len() < ENOUGH { batch } else { &long };
            let total = |sizes: [u64; 2]| (sizes[0] * sizes[1]) as f64;
            let line = Line::through(used.iter().map(|(sizes, seconds)| (total(*sizes), *seconds)));
            let off = |(sizes, seconds): &([u64; 2], f64)| (line.at(total(*sizes)) / seconds - 1.0).abs();
            error += used.iter().map(off).sum::<f64>();
            count += used.len() as f64;
            knots.push((batch[0].0[0] as f64, line));
        }
        if knots.is_empty() { None } else { Some(DecodeLines { knots, error: error / count }) }
    }

    /// Mean relative error of the lines over the measurements they were fitted to.
    pub(super) fn error(&self) -> f64 {
        self.error
    }

    /// The line of so many sequences.
    pub(super) fn at(&self, sequences: f64) -> Line {
        let after = self.knots.partition_point(|knot| knot.0 <= sequences);
        match (self.knots[..after].last(), self.knots.get(after)) {
            (Some((from, line)), Some((to, next))) => {
                let share = (sequences - from) / (to - from);
                let mean = |from: f64, to: f64| from + share * (to - from);
                Line {
                    start_s: mean(line.start_s, next.start_s),
                    context_s: mean(line.context_s, next.context_s),
                }
            }
            (Some((most, line)), None) => Line { start_s: line.start_s * (sequences / most), ..*line },
            (None, Some((_, line))) => *line,
            (None, None) => unreachable!("there is a knot"),
        }
    }
}

impl Line {
    /// Least squares of relative errors; neither time is negative.
    fn through(points: impl Iterator<Item = (f64, f64)> + Clone) -> Self {
        // Relative errors: 1 = start · (1 / t) + each · (x / t).
        let sum = |of: fn(f64, f64) -> f64| points.clone().map(|(x, t)| of(x, t)).sum::<f64>();
        let (ss, sx, xx) =
            (sum(|_, t| 1.0 / (t * t)), sum(|x, t| x / (t * t)), sum(|x, t| (x / t) * (x / t)));
        let (s1, x1) = (sum(|_, t| 1.0 / t), sum(|x, t| x / t));
        let determinant = ss * xx - sx * sx;
        if determinant > 1e-9 * ss * xx {
            let (start_s, context_s) = ((xx * s1 - sx * x1) / determinant, (ss * x1 - sx * s1) / determinant);
            if context_s < 0.0 {
                return Line { start_s: s1 / ss, context_s: 0.0 };
            }
            if start_s < 0.0 {
                return Line { start_s: 0.0, context_s: x1 / xx };
            }
            return Line { start_s, context_s };
        }
        Line { start_s: s1 / ss, context_s: 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(left: f64, right: f64) -> bool {
        (left - right).abs() <= 1e-9 * right.abs()
    }

    #[test]
    fn what_is_a_line_is_found_and_short_contexts_do_not_bend_it() {
        let line = |sizes: [u64; 2]| (sizes, 10e-6 + 1e-9 * (sizes[0] * sizes[1]) as f64);
        let points = [([4, 2], 1.0), line([4, 128]), line([4, 1024]), line([4, 9000])];
        let lines = DecodeLines::fit(points).unwrap();
        let found = lines.at(4.0);
        assert!(close(found.start_s, 10e-6) && close(found.context_s, 1e-9), "{found:?}");
        assert!(lines.error() < 1e-9);
    }

    #[test]
    fn between_measured_batches_the_line_is_between_and_beyond_them_it_starts_later() {
        let flat = |sequences, seconds| [([sequences, 200], seconds), ([sequences, 400], seconds)];
        let lines = DecodeLines::fit([flat(2, 4.0), flat(4, 6.0)].concat()).unwrap();
        assert!(close(lines.at(1.0).start_s, 4.0) && close(lines.at(3.0).start_s, 5.0));
        assert!(close(lines.at(8.0).start_s, 12.0));
        assert!(lines.at(3.0).context_s < 1e-12);
    }

    #[test]
    fn a_line_never_goes_below_zero() {
        let falling = DecodeLines::fit([([1, 200], 3.0), ([1, 400], 2.0), ([1, 800], 1.0)]).unwrap().at(1.0);
        assert!(falling.context_s == 0.0 && falling.start_s > 0.0);
        let steep = DecodeLines::fit([([1, 200], 1.0), ([1, 400], 3.0), ([1, 800], 9.0)]).unwrap().at(1.0);
        assert!(steep.start_s == 0.0 && steep.context_s > 0.0);
        assert!(DecodeLines::fit([]).is_none());
    }
}
