//! Rounds of samples: every case once, then every case again.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::case::Case;
use super::row::Row;
use super::sample::{self, Sample, SampleError};

/// Measures cases in rounds, with a progress line if stderr is a terminal.
pub struct Rounds {
    repeat: u16,
    progress: ProgressBar,
}

/// Why there are no rows.
#[derive(Debug, thiserror::Error)]
pub enum RoundsError {
    /// A run did not succeed.
    #[error(transparent)]
    Sample(#[from] SampleError),
    /// Two runs of one load differ. That must never be.
    #[error(
        "two runs of the same load differ, so neither is to be trusted; please report this\n  {one}\n  {other}"
    )]
    Differ {
        /// A case and its digest.
        one: String,
        /// A case with the same load, perhaps the same one, and its digest.
        other: String,
    },
}

impl Rounds {
    /// Rounds of which the median will count.
    pub fn new(repeat: u16, quiet: bool) -> Self {
        let progress = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
        if quiet {
            progress.set_draw_target(ProgressDrawTarget::hidden());
        }
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len}  {msg}");
        Rounds { repeat, progress: style.into_iter().fold(progress, ProgressBar::with_style) }
    }

    /// One row for each case.
    pub fn measure(&mut self, cases: &[Case]) -> Result<Vec<Row>, RoundsError> {
        self.progress.inc_length(cases.len() as u64 * u64::from(self.repeat));
        let mut samples: Vec<Vec<Sample>> = cases.iter().map(|_| Vec::new()).collect();
        for _ in 0..self.repeat {
            for (case, taken) in cases.iter().zip(&mut samples) {
                self.progress.set_message(case.to_string());
                taken.push(sample::take_elsewhere(case)?);
                self.progress.inc(1);
            }
        }
        check_digests(cases, &samples)?;
        Ok(cases.iter().zip(&samples).filter_map(|(case, samples)| Row::new(case, samples)).collect())
    }

    /// Wipes the progress line.
    pub fn finish(&self) {
        self.progress.finish_and_clear();
    }
}

fn check_digests(cases: &[Case], samples: &[Vec<Sample>]) -> Result<(), RoundsError> {
    let all = || cases.iter().zip(samples).flat_map(|(case, taken)| taken.iter().map(move |one| (case, one)));
    for (case, sample) in all() {
        let Some((one, reference)) = all().find(|(other, _)| case.is_comparable_to(other)) else { continue };
        if sample.digest != reference.digest {
            let tell = |case: &Case, sample: &Sample| format!("{case}: digest {}", sample.digest);
            return Err(RoundsError::Differ { one: tell(one, reference), other: tell(case, sample) });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::case::Mover;
    use super::super::sample::Cost;
    use super::*;

    fn case(runner: Mover, entities: u32) -> Case {
        Case { entities, runner, arbiters: 1, payload_bytes: 0, jobs_per_worker_s: 2.0, simulated_ms: 10 }
    }

    fn sample(digest: &str) -> Sample {
        let cost = Cost { events: 1, messages: 0, envelopes: 0, wall_s: 1.0 };
        let digest = digest.to_owned();
        Sample { whole: cost, start: cost, digest, peak_memory_bytes: None, busiest: None }
    }

    #[test]
    fn runs_of_one_load_must_agree_and_runs_of_two_need_not() {
        let cases = [case(Mover::Lazy, 10), case(Mover::Naive, 10), case(Mover::Lazy, 20)];
        let agreed = [vec![sample("a")], vec![sample("a")], vec![sample("b")]];
        assert!(check_digests(&cases, &agreed).is_ok());
        let differ = [vec![sample("a")], vec![sample("c")], vec![sample("b")]];
        let error = check_digests(&cases, &differ).unwrap_err().to_string();
        for part in ["lazy, 10 entities", "digest a", "naive, 10 entities", "digest c"] {
            assert!(error.contains(part), "{part} is missing in {error}");
        }
    }

    #[test]
    fn two_rounds_of_one_case_must_agree() {
        let differ = [vec![sample("a"), sample("b")]];
        assert!(check_digests(&[case(Mover::Lazy, 10)], &differ).is_err());
    }
}
