//! How long a client's prompts and outputs are.

use std::sync::Arc;

use ebbflow_actors::{CounterRng, SimTime};

use crate::scenario::Lengths;
use crate::workload::WorkloadError;
use crate::workload::entry::MAX_TOKENS;
use crate::workload::synthetic::LengthDistribution;

/// A distribution over whole numbers, drawn from by its inverse.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Counts {
    /// (share of draws up to this value, value), rising.
    up_to: Vec<(f64, u32)>,
}

impl Counts {
    /// Of (value, probability) in any order; none without a probability above 0.
    pub(super) fn of(mut entries: Vec<(u32, f64)>) -> Option<Self> {
        entries.retain(|(_, probability)| *probability > 0.0);
        entries.sort_by_key(|(value, _)| *value);
        let whole: f64 = entries.iter().map(|(_, probability)| probability).sum();
        let mut sum = 0.0;
        let up_to = entries.into_iter().map(|(value, probability)| {
            sum += probability;
            (sum / whole, value)
        });
        Some(Counts { up_to: up_to.collect() }).filter(|counts| !counts.up_to.is_empty())
    }

    fn draw(&self, random: &mut CounterRng) -> u32 {
        let unit = random.unit_f64();
        // Rounding may leave the last share a little below 1.
        let at = self.up_to.partition_point(|(share, _)| *share < unit).min(self.up_to.len() - 1);
        self.up_to[at].1
    }
}

/// A part of a prompt: text, or one of several images.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Part {
    pub(super) tokens: Counts,
    /// How many there are; none: one.
    pub(super) count: Option<Counts>,
}

/// The lengths of a client for some hours.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Dataset {
    pub(super) from: SimTime,
    pub(super) prompt: Vec<Part>,
    pub(super) output: Counts,
}

/// The lengths of a client.
#[derive(Clone, Debug)]
pub(super) enum ClientLengths {
    /// As the scenario says.
    Named(Arc<(LengthDistribution, LengthDistribution)>),
    /// As the pool says, by time.
    Datasets(Vec<Dataset>),
}

impl ClientLengths {
    /// Lengths of prompts and outputs that the scenario names.
    pub(super) fn named((prompt, output): &(Lengths, Lengths)) -> Result<Self, WorkloadError> {
        let prompt = LengthDistribution::new("client_pool.prompt", prompt)?;
        let output = LengthDistribution::new("client_pool.output", output)?;
        Ok(ClientLengths::Named(Arc::new((prompt, output))))
    }

    /// Those of a pool, in any order.
    pub(super) fn of_datasets(mut datasets: Vec<Dataset>) -> Self {
        datasets.sort_by_key(|dataset| dataset.from);
        ClientLengths::Datasets(datasets)
    }

    /// Whether there is nothing to draw from.
    pub(super) fn is_empty(&self) -> bool {
        matches!(self, ClientLengths::Datasets(datasets) if datasets.is_empty())
    }

    /// Draws prompt and output of a request in the window that begins at this time, each from its own stream.
    pub(super) fn draw(
        &self,
        window: SimTime,
        prompts: &mut CounterRng,
        outputs: &mut CounterRng,
    ) -> (u32, u32) {
        match self {
            ClientLengths::Named(named) => (named.0.draw(prompts), named.1.draw(outputs)),
            ClientLengths::Datasets(datasets) => {
                // The last one that has begun; before the first, that.
                let begun = datasets.partition_point(|dataset| dataset.from <= window);
                let dataset = &datasets[begun.saturating_sub(1)];
                (dataset.prompt(prompts), dataset.output.draw(outputs).clamp(1, MAX_TOKENS))
            }
        }
    }
}

impl Dataset {
    /// The tokens of all parts, at least one.
    fn prompt(&self, random: &mut CounterRng) -> u32 {
        let mut tokens: u32 = 0;
        for part in &self.prompt {
            let count = part.count.as_ref().map_or(1, |count| count.draw(random));
            for _ in 0..count {
                tokens = tokens.saturating_add(part.tokens.draw(random));
            }
        }
        tokens.clamp(1, MAX_TOKENS)
    }
}

#[cfg(test)]
mod tests {
    use ebbflow_actors::{EntityId, SimDuration};

    use super::*;

    fn random() -> CounterRng {
        CounterRng::new(3, EntityId(1), 2)
    }

    fn always(value: u32) -> Counts {
        Counts::of(vec![(value, 1.0)]).unwrap()
    }

    fn dataset(from_s: u64, prompt: Vec<Part>, output: u32) -> Dataset {
        Dataset { from: SimTime::ZERO + SimDuration::from_secs(from_s), prompt, output: always(output) }
    }

    fn text(tokens: u32) -> Part {
        Part { tokens: always(tokens), count: None }
    }

    #[test]
    fn values_come_as_often_as_they_are_probable() {
        let counts = Counts::of(vec![(9, 0.2), (4, 0.5), (5, 0.3), (7, 0.0)]).unwrap();
        let mut random = random();
        let drawn: Vec<u32> = (0..20_000).map(|_| counts.draw(&mut random)).collect();
        for (value, share) in [(4, 0.5), (5, 0.3), (7, 0.0), (9, 0.2)] {
            let found = drawn.iter().filter(|drawn| **drawn == value).count() as f64 / 20_000.0;
            assert!((found - share).abs() < 0.01, "{value}: {found}");
        }
        assert_eq!(Counts::of(vec![(4, 0.0)]), None);
    }

    #[test]
    fn a_prompt_is_its_text_and_every_one_of_its_images() {
        let images = Part { tokens: always(1000), count: Some(always(3)) };
        let none = Part { tokens: always(500), count: Some(always(0)) };
        assert_eq!(dataset(0, vec![text(40), images, none], 1).prompt(&mut random()), 3040);
        assert_eq!(dataset(0, vec![text(0)], 1).prompt(&mut random()), 1);
    }

    #[test]
    fn the_last_dataset_that_has_begun_counts_and_before_the_first_that() {
        let datasets = vec![dataset(600, vec![text(20)], 2), dataset(60, vec![text(10)], 1)];
        let lengths = ClientLengths::of_datasets(datasets);
        let at = |seconds| {
            let window = SimTime::ZERO + SimDuration::from_secs(seconds);
            lengths.draw(window, &mut random(), &mut random())
        };
        assert_eq!(
            [at(0), at(60), at(599), at(600), at(9000)],
            [(10, 1), (10, 1), (10, 1), (20, 2), (20, 2)]
        );
    }
}
