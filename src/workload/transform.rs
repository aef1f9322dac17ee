//! Changes to a workload: a window of time, another rate, fewer or shorter requests.
//!
//! Pure and lazy; applied in the order of the fields of [`Transform`].

use ebbflow_actors::{SimDuration, SimTime};

use super::WorkloadError;
use super::entry::Entry;
use crate::scenario::Transform;

impl Transform {
    /// Whether nothing is left out because of when it arrives.
    pub(super) fn keeps_time(&self) -> bool {
        self.start.is_none() && self.duration.is_none()
    }
}

/// Refuses settings that would leave no workload.
pub(super) fn check(transform: &Transform) -> Result<(), WorkloadError> {
    let wrong = |setting, found: String, expected| Err(WorkloadError::Setting { setting, found, expected });
    match *transform {
        Transform { rate_scale: Some(scale), .. } if !(scale.is_finite() && scale > 0.0) => {
            wrong("rate_scale", scale.to_string(), "a finite number above 0")
        }
        Transform { limit: Some(0), .. } => wrong("limit", "0".into(), "at least 1 request"),
        Transform { token_clip: Some(0), .. } => wrong("token_clip", "0".into(), "at least 1 token"),
        Transform { duration: Some(SimDuration::ZERO), .. } => {
            wrong("duration", "0".into(), "a time above 0 s")
        }
        _ => Ok(()),
    }
}

/// Applies all changes to entries in order of arrival, which they keep.
pub(super) fn apply(
    entries: impl Iterator<Item = Entry>,
    transform: Transform,
) -> impl Iterator<Item = Entry> {
    let start = SimTime::ZERO + transform.start.unwrap_or_default();
    let duration = transform.duration.unwrap_or(SimDuration::MAX);
    let limit = transform.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    entries
        .skip_while(move |entry| entry.arrival < start)
        .map(move |entry| Entry { arrival: SimTime::ZERO + (entry.arrival - start), ..entry })
        .take_while(move |entry| entry.arrival - SimTime::ZERO < duration)
        .map(move |entry| Entry { arrival: scaled(entry.arrival, transform.rate_scale), ..entry })
        .take(limit)
        .map(move |entry| clipped(entry, transform.token_clip))
}

/// All gaps divided by `rate_scale`, the first one included.
fn scaled(arrival: SimTime, rate_scale: Option<f64>) -> SimTime {
    match rate_scale {
        // The cast saturates: what would arrive after the end of time never does.
        Some(scale) => SimTime::from_nanos((arrival.as_nanos() as f64 / scale).round() as u64),
        None => arrival,
    }
}

fn clipped(entry: Entry, token_clip: Option<u32>) -> Entry {
    let clip = token_clip.unwrap_or(u32::MAX);
    Entry {
        prompt_tokens: entry.prompt_tokens.min(clip),
        output_tokens: entry.output_tokens.min(clip),
        ..entry
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{ApplicationId, RequestId};

    fn seconds(entries: &[u64], transform: Transform) -> Vec<f64> {
        let entry = |s: &u64| Entry {
            arrival: SimTime::ZERO + SimDuration::from_secs(*s),
            id: RequestId(*s),
            application: ApplicationId(0),
            batch_size: 1,
            prompt_tokens: 100,
            output_tokens: 10,
            attributes: None,
        };
        apply(entries.iter().map(entry), transform).map(|entry| entry.arrival.as_secs_f64()).collect()
    }

    #[test]
    fn nothing_is_changed_without_a_setting() {
        assert_eq!(seconds(&[0, 1, 1, 9], Transform::default()), [0.0, 1.0, 1.0, 9.0]);
    }

    #[test]
    fn a_window_is_cut_and_shifted_before_the_rate_is_scaled() {
        let transform = Transform {
            start: Some(SimDuration::from_secs(2)),
            duration: Some(SimDuration::from_secs(4)),
            rate_scale: Some(2.0),
            ..Transform::default()
        };
        assert_eq!(seconds(&[0, 2, 3, 5, 6, 7], transform), [0.0, 0.5, 1.5]);
    }

    #[test]
    fn the_limit_counts_what_the_window_left() {
        let transform =
            Transform { start: Some(SimDuration::from_secs(2)), limit: Some(2), ..Transform::default() };
        assert_eq!(seconds(&[0, 1, 2, 3, 4], transform), [0.0, 1.0]);
    }

    #[test]
    fn lengths_are_clipped_and_short_ones_kept() {
        let entry = Entry {
            arrival: SimTime::ZERO,
            id: RequestId(0),
            application: ApplicationId(0),
            batch_size: 1,
            prompt_tokens: 100,
            output_tokens: 10,
            attributes: None,
        };
        let clipped = clipped(entry, Some(50));
        assert_eq!((clipped.prompt_tokens, clipped.output_tokens), (50, 10));
    }

    #[test]
    fn settings_that_leave_nothing_are_refused_by_name() {
        for (transform, name) in [
            (Transform { rate_scale: Some(0.0), ..Transform::default() }, "rate_scale"),
            (Transform { rate_scale: Some(f64::NAN), ..Transform::default() }, "rate_scale"),
            (Transform { limit: Some(0), ..Transform::default() }, "limit"),
            (Transform { token_clip: Some(0), ..Transform::default() }, "token_clip"),
            (Transform { duration: Some(SimDuration::ZERO), ..Transform::default() }, "duration"),
        ] {
            assert!(check(&transform).unwrap_err().to_string().starts_with(name));
        }
    }
}
