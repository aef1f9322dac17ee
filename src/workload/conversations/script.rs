//! What is asked: the turns of a conversation, each a function of the seed, the conversation and its number.

use ebbflow_actors::{SimDuration, SimTime};

use super::super::WorkloadError;
use super::super::entry::{GENERATIVE, MAX_TOKENS};
use super::super::labels::Labels;
use super::super::synthetic::{Asked, LengthDistribution, Stream};
use super::pauses;
use crate::ids::RequestId;
use crate::request::{Journal, Request};
use crate::scenario::{RequestClass, Sessions, SyntheticSpec, ThinkTime};

/// How conversations go.
#[derive(Debug)]
pub(super) struct Script {
    seed: u64,
    asked: Asked,
    prompt: LengthDistribution,
    output: LengthDistribution,
    sessions: Option<SessionScript>,
    labels: Labels,
}

#[derive(Debug)]
struct SessionScript {
    turns: LengthDistribution,
    thinking: ThinkTime,
    max_context_tokens: u32,
}

/// One turn of a conversation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Turn {
    pub(super) conversation: u64,
    /// From 0.
    number: u32,
    /// How many the conversation has at most.
    turns: u32,
    /// With all that was said before.
    prompt_tokens: u32,
    output_tokens: u32,
}

impl Turn {
    pub(super) fn is_first(&self) -> bool {
        self.number == 0
    }
}

impl Script {
    pub(super) fn new(
        spec: &SyntheticSpec,
        classes: &[RequestClass],
        seed: u64,
    ) -> Result<Self, WorkloadError> {
        let labels = Labels::new(Some(spec), classes, seed)?;
        let sessions = spec.sessions.as_ref().map(SessionScript::new).transpose()?;
        if let Some(sessions) = &sessions
            && sessions.max_context_tokens < labels.system_prompt_tokens() + 2
        {
            return Err(WorkloadError::Setting {
                setting: "sessions.max_context_tokens",
                found: sessions.max_context_tokens.to_string(),
                expected: "more than the tokens of prefix_groups, and one asked, and one answered",
            });
        }
        Ok(Script {
            seed,
            asked: Asked::of(spec),
            prompt: LengthDistribution::new("prompt", &spec.prompt)?,
            output: LengthDistribution::new("output", &spec.output)?,
            sessions,
            labels,
        })
    }

    /// The first turn, cut to the context if it is longer: a session has at least one.
    pub(super) fn begin(&self, conversation: u64) -> Turn {
        let sessions = self.sessions.as_ref();
        let turns = sessions.map_or(1, |sessions| {
            sessions.turns.draw(&mut Stream::Turns.of_turn(self.seed, conversation, 0))
        });
        let (prompt, output) = self.lengths(conversation, 0);
        let system = self.labels.system_prompt_tokens();
        let room = self.max_context_tokens() - system;
        let output_tokens = output.min(room - 1);
        let prompt_tokens = system + prompt.min(room - output_tokens);
        Turn { conversation, number: 0, turns, prompt_tokens, output_tokens }
    }

    /// The turn after this one, if the session goes on.
    pub(super) fn follow(&self, turn: &Turn) -> Option<Turn> {
        let number = turn.number + 1;
        if number >= turn.turns {
            return None;
        }
        let (added, output_tokens) = self.lengths(turn.conversation, number);
        // Below 64 bits by far, while the sum may leave 32.
        let said = u64::from(turn.prompt_tokens) + u64::from(turn.output_tokens);
        let prompt = said + u64::from(added);
        if prompt + u64::from(output_tokens) > u64::from(self.max_context_tokens()) {
            return None;
        }
        let prompt_tokens = u32::try_from(prompt).ok()?;
        Some(Turn { number, prompt_tokens, output_tokens, ..turn.clone() })
    }

    /// How long the user thinks before this turn.
    pub(super) fn thinking(&self, turn: &Turn) -> SimDuration {
        let random = &mut Stream::Thinking.of_turn(self.seed, turn.conversation, turn.number);
        self.sessions.as_ref().map_or(SimDuration::ZERO, |sessions| pauses::draw(&sessions.thinking, random))
    }

    /// The request of a turn.
    pub(super) fn request(&self, turn: &Turn, id: RequestId, arrival: SimTime) -> Request {
        let context = u64::from(turn.prompt_tokens) + u64::from(turn.output_tokens);
        let session = self.sessions.as_ref().map(|_| turn.conversation);
        let attributes = self.labels.of(turn.conversation, session, context);
        Request {
            id,
            request_type: GENERATIVE,
            application: self.asked.draw(&mut Stream::Applications.of_turn(self.seed, turn.conversation, 0)),
            arrival,
            batch_size: 1,
            prompt_tokens: turn.prompt_tokens,
            output_tokens: turn.output_tokens,
            attributes,
            journal: Journal::default(),
        }
    }

    /// What the user says in this turn, and what is answered.
    fn lengths(&self, conversation: u64, number: u32) -> (u32, u32) {
        let stream = |stream: Stream| stream.of_turn(self.seed, conversation, number);
        let (prompt, output) = self.labels.lengths(conversation);
        let (prompt, output) = (prompt.unwrap_or(&self.prompt), output.unwrap_or(&self.output));
        (prompt.draw(&mut stream(Stream::Prompts)), output.draw(&mut stream(Stream::Outputs)))
    }

    fn max_context_tokens(&self) -> u32 {
        self.sessions.as_ref().map_or(3 * MAX_TOKENS, |sessions| sessions.max_context_tokens)
    }
}

impl SessionScript {
    fn new(spec: &Sessions) -> Result<Self, WorkloadError> {
        pauses::check("sessions.think_time", &spec.think_time)?;
        let max_context_tokens = spec.max_context_tokens.unwrap_or(MAX_TOKENS);
        if !(2..=MAX_TOKENS).contains(&max_context_tokens) {
            return Err(WorkloadError::Setting {
                setting: "sessions.max_context_tokens",
                found: max_context_tokens.to_string(),
                expected: "2 to 10000000 tokens",
            });
        }
        let turns = LengthDistribution::new("sessions.turns", &spec.turns)?;
        Ok(SessionScript { turns, thinking: spec.think_time, max_context_tokens })
    }
}
