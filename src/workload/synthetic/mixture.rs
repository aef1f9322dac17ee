//! Requests as a preset has them: of several kinds, with beginnings that others share.
//!
//! A kind may have blocks that all its prompts begin with, and conversations whose prompts grow ([`Chats`]). Names of
//! blocks are those of the prompt only, as the traces name them: what an answer leaves in a cache is not told. Kinds
//! draw from streams of their own.

use std::sync::Arc;

use ebbflow_actors::{CounterRng, SimTime};

use super::chats::Chats;
use super::lengths::LengthSource;
use super::{Stream, WORKLOAD};
use crate::ids::SessionId;
use crate::request::Attributes;
use crate::scenario::Lengths;
use crate::workload::WorkloadError;
use crate::workload::presets::{PRESET_BLOCK_TOKENS, Preset, RequestKind};

/// Streams of a kind are so far from those of the one before.
const STREAMS_A_KIND: u64 = 16;

/// Draws requests of a preset.
pub(super) struct Mixture {
    kinds: Vec<Kind>,
    choices: CounterRng,
    names: Names,
    next_session: u64,
}

struct Kind {
    /// Shares of this and the kinds before it.
    up_to: f64,
    prompt: LengthSource,
    output: LengthSource,
    shared: Vec<u64>,
    chats: Option<Chats>,
}

/// What a request of a preset is.
pub(super) struct Drawn {
    pub(super) prompt_tokens: u32,
    pub(super) output_tokens: u32,
    pub(super) attributes: Option<Arc<Attributes>>,
}

/// Names that nobody has yet. They begin anywhere, so that two workloads do not use the same.
struct Names(u64);

impl Names {
    fn more(&mut self, names: &mut Vec<u64>, until: usize) {
        while names.len() < until {
            names.push(self.0);
            self.0 = self.0.wrapping_add(1);
        }
    }
}

impl Mixture {
    pub(super) fn new(preset: &'static Preset, seed: u64) -> Result<Self, WorkloadError> {
        let mut names = Names(Stream::Names.open(seed).next_u64());
        let mut up_to = 0.0;
        let kinds = preset.kinds.iter().zip(0..).map(|(kind, index)| {
            up_to += kind.share;
            Kind::new(kind, up_to, &mut names, |stream| {
                CounterRng::new(seed, WORKLOAD, stream as u64 + index * STREAMS_A_KIND)
            })
        });
        let kinds = kinds.collect::<Result<_, _>>()?;
        Ok(Mixture { kinds, choices: Stream::Kinds.open(seed), names, next_session: 0 })
    }

    /// The request that arrives now.
    pub(super) fn draw(&mut self, now: SimTime) -> Drawn {
        let choice = self.choices.unit_f64();
        let last = self.kinds.len() - 1;
        let chosen = self.kinds.iter().position(|kind| choice < kind.up_to).unwrap_or(last);
        let kind = &mut self.kinds[chosen];
        let (prompt_tokens, output_tokens) = (kind.prompt.draw(), kind.output.draw());
        let blocks = (u64::from(prompt_tokens) / PRESET_BLOCK_TOKENS) as usize;
        let before = kind.chats.as_mut().and_then(|chats| chats.go_on(now, prompt_tokens));
        let session = match (&before, &kind.chats) {
            (Some(before), _) => before.session,
            (None, None) => None,
            (None, Some(_)) => {
                self.next_session += 1;
                Some(SessionId(self.next_session - 1))
            }
        };
        let begin = before.as_ref().map_or(&kind.shared, |before| &before.prefix);
        let mut prefix = Vec::with_capacity(blocks);
        prefix.extend(begin.iter().take(blocks));
        self.names.more(&mut prefix, blocks);
        let attributes = Arc::new(Attributes { session, prefix, ..Attributes::NONE });
        if let Some(chats) = &mut kind.chats {
            chats.remember(now, u64::from(prompt_tokens) + u64::from(output_tokens), attributes.clone());
        }
        Drawn { prompt_tokens, output_tokens, attributes: Some(attributes) }
    }
}

impl Kind {
    fn new(
        kind: &RequestKind,
        up_to: f64,
        names: &mut Names,
        stream: impl Fn(Stream) -> CounterRng,
    ) -> Result<Self, WorkloadError> {
        let lengths = |knots: &[(f64, f64)]| Lengths::Quantiles(knots.to_vec());
        let mut shared = Vec::new();
        names.more(&mut shared, kind.shared_blocks as usize);
        Ok(Kind {
            up_to,
            prompt: LengthSource::new("prompt", &lengths(kind.prompt), stream(Stream::Prompts))?,
            output: LengthSource::new("output", &lengths(kind.output), stream(Stream::Outputs))?,
            shared,
            chats: kind.turns.map(|turns| Chats::new(turns, stream)).transpose()?,
        })
    }
}
