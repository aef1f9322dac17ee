//! Generated requests, drawn lazily: ten million of them take no more memory than ten.
//!
//! Gaps, prompts, outputs and on/off phases are drawn from streams of their own, so that changing one
//! setting shifts nothing else. What depends on answers draws from a stream for every turn of a conversation, so
//! that the order of answers shifts nothing either. All mathematics is from `libm`: the same bits on every platform.

mod arrivals;
mod chats;
mod lengths;
mod mixture;
pub(crate) mod variates;

use ebbflow_actors::{CounterRng, EntityId, SimTime};

use super::WorkloadError;
use super::entry::Entry;
use crate::ids::{ApplicationId, RequestId};
use crate::scenario::{Arrivals, SyntheticSpec};
pub(super) use arrivals::ArrivalTimes;
pub(super) use lengths::LengthDistribution;
use lengths::LengthSource;
use mixture::{Drawn, Mixture};

/// Owner of the streams; fixed, so that a workload does not depend on the entities of a run.
const WORKLOAD: EntityId = EntityId(1);
/// What the streams are for.
#[derive(Clone, Copy)]
pub(super) enum Stream {
    Gaps,
    Prompts,
    Outputs,
    Phases,
    Turns,
    Thinking,
    Pauses,
    Groups,
    Applications,
    Kinds,
    Names,
    FollowUps,
    NewTokens,
    TurnGaps,
    Classes,
    ClientGaps,
    ClientPrompts,
    ClientOutputs,
}

impl Stream {
    fn open(self, seed: u64) -> CounterRng {
        CounterRng::new(seed, WORKLOAD, self as u64)
    }

    /// The stream of one turn of one conversation.
    pub(super) fn of_turn(self, seed: u64, conversation: u64, turn: u32) -> CounterRng {
        let own = self.open(seed).next_u64();
        let own = CounterRng::new(own, WORKLOAD, conversation).next_u64();
        CounterRng::new(own, WORKLOAD, u64::from(turn))
    }
}

/// When things begin, by these arrivals.
pub(super) fn arrival_times(arrivals: &Arrivals, seed: u64) -> Result<ArrivalTimes, WorkloadError> {
    ArrivalTimes::new(arrivals, Stream::Gaps.open(seed), Stream::Phases.open(seed))
}

/// Refuses load for nobody, and load without an end.
pub(super) fn check(spec: &SyntheticSpec, applications: &[ApplicationId]) -> Result<(), WorkloadError> {
    let asked = spec.shares.iter().map(|(id, _)| *id).chain([spec.application]);
    if let Some(found) = asked.into_iter().find(|id| !applications.contains(id)) {
        let known = applications.to_vec();
        return Err(WorkloadError::UnknownApplication { found, known });
    }
    if let Some((_, share)) = spec.shares.iter().find(|(_, share)| !(share.is_finite() && *share > 0.0)) {
        let (setting, found) = ("applications", share.to_string());
        return Err(WorkloadError::Setting { setting, found, expected: "shares above 0" });
    }
    if spec.requests.is_none() && spec.until.is_none() {
        let (setting, found) = ("the length", "not given".to_owned());
        let expected = "a number of requests, or a time until which they arrive";
        return Err(WorkloadError::Setting { setting, found, expected });
    }
    Ok(())
}

/// Whom requests are for.
#[derive(Debug)]
pub(super) struct Asked {
    only: ApplicationId,
    shares: Vec<(ApplicationId, f64)>,
}

impl Asked {
    pub(super) fn of(spec: &SyntheticSpec) -> Self {
        Asked { only: spec.application, shares: spec.shares.clone() }
    }

    /// Draws one by the shares, if there are several.
    pub(super) fn draw(&self, random: &mut CounterRng) -> ApplicationId {
        let Some((last, rest)) = self.shares.split_last() else { return self.only };
        let whole: f64 = self.shares.iter().map(|(_, share)| share).sum();
        let mut left = random.unit_f64() * whole;
        let passed = rest.iter().find(|(_, share)| {
            left -= share;
            left < 0.0
        });
        passed.unwrap_or(last).0
    }
}

/// The generator.
pub(super) struct Synthetic {
    asked: Asked,
    applications: CounterRng,
    arrivals: ArrivalTimes,
    body: Body,
    next_id: u64,
    requests: u64,
    until: SimTime,
}

/// What requests are.
enum Body {
    /// Lengths with nothing in common.
    Lengths { prompt: LengthSource, output: LengthSource },
    /// As a preset has them.
    Mixture(Box<Mixture>),
}

impl Body {
    fn new(spec: &SyntheticSpec, seed: u64) -> Result<Self, WorkloadError> {
        if let Some(preset) = spec.preset {
            return Ok(Body::Mixture(Box::new(Mixture::new(preset, seed)?)));
        }
        Ok(Body::Lengths {
            prompt: LengthSource::new("prompt", &spec.prompt, Stream::Prompts.open(seed))?,
            output: LengthSource::new("output", &spec.output, Stream::Outputs.open(seed))?,
        })
    }

    fn draw(&mut self, now: SimTime) -> Drawn {
        match self {
            Body::Lengths { prompt, output } => {
                Drawn { prompt_tokens: prompt.draw(), output_tokens: output.draw(), attributes: None }
            }
            Body::Mixture(mixture) => mixture.draw(now),
        }
    }
}

impl Synthetic {
    /// Checks the description and stands before the first request.
    pub(super) fn new(
        spec: &SyntheticSpec,
        applications: &[ApplicationId],
        seed: u64,
    ) -> Result<Self, WorkloadError> {
        check(spec, applications)?;
        Ok(Synthetic {
            asked: Asked::of(spec),
            applications: Stream::Applications.open(seed),
            arrivals: arrival_times(&spec.arrivals, seed)?,
            body: Body::new(spec, seed)?,
            next_id: 0,
            requests: spec.requests.unwrap_or(u64::MAX),
            until: spec.until.unwrap_or(SimTime::MAX),
        })
    }

    /// When requests cease to arrive, if that is said.
    pub(super) fn until(&self) -> Option<SimTime> {
        Some(self.until).filter(|until| *until < SimTime::MAX)
    }

    /// How many requests there will be, if that does not depend on when they arrive.
    pub(super) fn expected(&self) -> Option<u64> {
        (self.until == SimTime::MAX && !self.arrivals.may_end()).then_some(self.requests)
    }
}

impl Iterator for Synthetic {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        if self.next_id >= self.requests {
            return None;
        }
        let Some(arrival) = self.arrivals.next().filter(|arrival| *arrival < self.until) else {
            self.requests = 0;
            return None;
        };
        let id = RequestId(self.next_id);
        self.next_id += 1;
        let Drawn { prompt_tokens, output_tokens, attributes } = self.body.draw(arrival);
        let application = self.asked.draw(&mut self.applications);
        Some(Entry { arrival, id, application, batch_size: 1, prompt_tokens, output_tokens, attributes })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::scenario::Lengths;

    fn spec() -> SyntheticSpec {
        SyntheticSpec {
            application: ApplicationId(0),
            shares: Vec::new(),
            arrivals: Arrivals::Poisson(vec![(SimTime::ZERO, 5.0)]),
            prompt: Lengths::Lognormal { mu: 6.0, sigma: 1.0, max: 4000 },
            output: Lengths::Constant(20),
            preset: None,
            sessions: None,
            prefix_groups: None,
            requests: Some(200),
            until: None,
        }
    }

    fn drawn(spec: &SyntheticSpec, seed: u64) -> Vec<Entry> {
        Synthetic::new(spec, &[ApplicationId(0)], seed).unwrap().collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_requests_and_another_seed_others() {
        assert_eq!(drawn(&spec(), 7), drawn(&spec(), 7));
        assert_ne!(drawn(&spec(), 7), drawn(&spec(), 8));
    }

    #[test]
    fn changing_arrivals_shifts_no_length_and_changing_outputs_no_prompt() {
        let prompts = |spec: &SyntheticSpec| -> Vec<_> {
            drawn(spec, 3).iter().map(|entry| entry.prompt_tokens).collect()
        };
        let other = SyntheticSpec {
            arrivals: Arrivals::Gamma { shape: 0.3, rate: vec![(SimTime::ZERO, 50.0)] },
            output: Lengths::Lognormal { mu: 3.0, sigma: 1.0, max: 100 },
            ..spec()
        };
        assert_eq!(prompts(&spec()), prompts(&other));
    }

    #[test]
    fn applications_get_their_shares_and_nothing_else_changes() {
        let shares = vec![(ApplicationId(1), 3.0), (ApplicationId(0), 1.0)];
        let several = SyntheticSpec { shares, requests: Some(4000), ..spec() };
        let entries: Vec<_> =
            Synthetic::new(&several, &[ApplicationId(0), ApplicationId(1)], 5).unwrap().collect();
        let own = entries.iter().filter(|entry| entry.application == ApplicationId(1)).count();
        assert!((2900..3100).contains(&own), "{own} of 4000");
        let lengths = |entries: &[Entry]| -> Vec<_> {
            entries.iter().map(|entry| (entry.arrival, entry.prompt_tokens)).collect()
        };
        let alone = drawn(&SyntheticSpec { requests: Some(4000), ..spec() }, 5);
        assert_eq!(lengths(&entries), lengths(&alone));
    }

    #[test]
    fn ids_count_from_zero_and_arrivals_stop_at_the_given_time() {
        let until = SimTime::from_nanos(3_000_000_000);
        let entries = drawn(&SyntheticSpec { requests: None, until: Some(until), ..spec() }, 1);
        assert!(entries.iter().all(|entry| entry.arrival < until));
        assert!(entries.iter().zip(0..).all(|(entry, id)| entry.id == RequestId(id)));
    }

    #[test]
    fn a_workload_without_an_end_or_for_a_stranger_is_refused() {
        let endless = SyntheticSpec { requests: None, ..spec() };
        assert!(matches!(
            Synthetic::new(&endless, &[ApplicationId(0)], 0),
            Err(WorkloadError::Setting { setting: "the length", .. })
        ));
        assert!(matches!(
            Synthetic::new(&spec(), &[ApplicationId(4)], 0),
            Err(WorkloadError::UnknownApplication { .. })
        ));
    }

    proptest! {
        #[test]
        fn arrivals_never_fall(
            seed: u64, shape in 0.05f64..20.0, rate in 0.01f64..1e6, change in 1u64..100_000_000,
        ) {
            let rate = vec![(SimTime::ZERO, rate), (SimTime::from_nanos(change), rate / 3.0)];
            let entries = drawn(&SyntheticSpec { arrivals: Arrivals::Gamma { shape, rate }, ..spec() }, seed);
            prop_assert_eq!(entries.len(), 200);
            prop_assert!(entries.is_sorted_by_key(|entry| entry.arrival));
        }
    }
}
