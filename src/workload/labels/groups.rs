//! Which of several system prompts a request begins with: all equally often, or after Zipf's law.

use super::super::WorkloadError;
use super::super::entry::MAX_TOKENS;
use super::super::synthetic::Stream;
use super::shares::Shares;
use crate::scenario::PrefixGroups;

/// Most prompts there may be: their shares are kept.
const MAX_GROUPS: u32 = 1_000_000;

/// System prompts of the same length.
#[derive(Debug)]
pub(super) struct Groups {
    seed: u64,
    tokens: u32,
    shares: Shares,
}

impl Groups {
    pub(super) fn new(spec: &PrefixGroups, seed: u64) -> Result<Self, WorkloadError> {
        let wrong =
            |setting, found: String, expected| Err(WorkloadError::Setting { setting, found, expected });
        let PrefixGroups { count, tokens, zipf } = *spec;
        if !(1..=MAX_GROUPS).contains(&count) {
            return wrong("prefix_groups.count", count.to_string(), "1 to 1000000 groups");
        }
        if !(1..=MAX_TOKENS / 2).contains(&tokens) {
            return wrong("prefix_groups.tokens", tokens.to_string(), "1 to 5000000 tokens");
        }
        if !(zipf.is_finite() && zipf >= 0.0) {
            return wrong("prefix_groups.zipf", zipf.to_string(), "a finite number of at least 0");
        }
        let shares = Shares::of((1..=count).map(|rank| libm::pow(f64::from(rank), -zipf)));
        Ok(Groups { seed, tokens, shares })
    }

    pub(super) fn tokens(&self) -> u32 {
        self.tokens
    }

    /// The prompt of this conversation, from 0.
    pub(super) fn draw(&self, conversation: u64) -> u64 {
        self.shares.at(Stream::Groups.of_turn(self.seed, conversation, 0).unit_f64()) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(groups: PrefixGroups) -> Vec<u32> {
        let mut counts = vec![0; groups.count as usize];
        let groups = Groups::new(&groups, 5).unwrap();
        (0..20_000).for_each(|conversation| counts[groups.draw(conversation) as usize] += 1);
        counts
    }

    #[test]
    fn prompts_are_equally_frequent_unless_zipf_says_otherwise() {
        let even = counts(PrefixGroups { count: 4, tokens: 100, zipf: 0.0 });
        assert!(even.iter().all(|count| (4700..5300).contains(count)), "{even:?}");
        // 1, 1/2, 1/3, 1/4 of 25/12.
        let zipf = counts(PrefixGroups { count: 4, tokens: 100, zipf: 1.0 });
        let expected = [9600.0, 4800.0, 3200.0, 2400.0];
        assert!(
            zipf.iter()
                .zip(expected)
                .all(|(found, expected)| (f64::from(*found) / expected - 1.0).abs() < 0.06),
            "{zipf:?}"
        );
    }

    #[test]
    fn senseless_groups_are_refused_by_name() {
        for (groups, name) in [
            (PrefixGroups { count: 0, tokens: 1, zipf: 0.0 }, "prefix_groups.count"),
            (PrefixGroups { count: 1, tokens: 0, zipf: 0.0 }, "prefix_groups.tokens"),
            (PrefixGroups { count: 1, tokens: 1, zipf: f64::NAN }, "prefix_groups.zipf"),
        ] {
            assert!(Groups::new(&groups, 0).unwrap_err().to_string().starts_with(name));
        }
    }
}
