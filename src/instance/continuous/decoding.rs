//! The sequences that decode, together.
//!
//! In every iteration each of them gains the same tokens, so nobody is touched: a counter of iterations (ticks) is
//! enough. A sequence remembers its tokens less those the counter stood for when it joined; its context, the
//! iteration that ends it, and its blocks follow. Sums over all sequences cost O(1), blocks O(16): sequences are
//! counted by where in a block their last token lies.

use std::collections::BTreeSet;

use super::pace::Pace;
use super::settings::BLOCK_TOKENS;
use super::stretch::Stretch;
use super::time::{DecodeLine, Decodes, FS_IN_NS};
use crate::instance::resident::Key;
use ebbflow_actors::SimTime;

/// What a decoding sequence remembers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Member {
    /// Its tokens (prompt and output) less those gained since tick 0.
    base: i64,
    /// Tick at which it joined.
    pub joined: u64,
    /// Blocks it came with.
    blocks: u64,
    done_at: u64,
    outgrows_window_at: Option<u64>,
}

/// All of them.
#[derive(Debug)]
pub struct Decoding {
    pace: Pace,
    draft_tokens: u32,
    window: Option<u64>,
    ticks: u64,
    sequences: u64,
    /// Σ base.
    bases: i128,
    /// The same of those that still fit the window.
    growing_bases: i128,
    growing: u64,
    /// Σ ⌊(base + draft + 15) / 16⌋, and how many sequences have which remainder.
    whole_blocks: i128,
    by_remainder: [u64; BLOCK_TOKENS as usize],
    done: BTreeSet<(u64, u64, Key)>,
    outgrow: BTreeSet<(u64, Key, i64)>,
    /// Blocks they hold, and the iterations these are enough for.
    held: u64,
    granted: u64,
}

impl Decoding {
    /// Nobody yet.
    pub fn new(pace: Pace, draft_tokens: u32, window_tokens: Option<u32>) -> Self {
        Decoding {
            pace,
            draft_tokens,
            window: window_tokens.map(u64::from),
            ticks: 0,
            sequences: 0,
            bases: 0,
            growing_bases: 0,
            growing: 0,
            whole_blocks: 0,
            by_remainder: [0; BLOCK_TOKENS as usize],
            done: BTreeSet::new(),
            outgrow: BTreeSet::new(),
            held: 0,
            granted: 0,
        }
    }

    /// How many sequences decode.
    pub fn sequences(&self) -> u64 {
        self.sequences
    }

    /// Iterations that are over.
    pub fn ticks(&self) -> u64 {
        self.ticks
    }

    #[cfg(test)]
    pub(super) fn held(&self) -> u64 {
        self.held
    }

    /// A sequence of so many tokens (prompt and output so far) joins with its blocks. It leaves when `left` more
    /// tokens are out; of those that leave at once, the first admitted comes first.
    pub fn join(&mut self, (admitted, key): (u64, Key), tokens: u64, left: u64, blocks: u64) -> Member {
        let gained = self.pace.tokens(self.ticks);
        let outgrows_window_at = self
            .window
            .filter(|&window| tokens < window)
            .map(|window| self.pace.ticks_for(gained + window - tokens));
        let done_at = self.pace.ticks_for(gained + left).max(self.ticks + 1);
        let base = tokens as i64 - gained as i64;
        let member = Member { base, joined: self.ticks, blocks, done_at, outgrows_window_at };
        self.sequences += 1;
        self.bases += i128::from(base);
        let (whole, remainder) = self.split(base);
        self.whole_blocks += i128::from(whole);
        self.by_remainder[remainder] += 1;
        self.held += blocks;
        self.done.insert((done_at, admitted, key));
        if let Some(tick) = outgrows_window_at {
            self.growing += 1;
            self.growing_bases += i128::from(base);
            self.outgrow.insert((tick, key, base));
        }
        member
    }

    /// A sequence leaves with its blocks, which are returned.
    pub fn leave(&mut self, (admitted, key): (u64, Key), member: &Member) -> u64 {
        let blocks = self.blocks_of(member);
        self.sequences -= 1;
        self.bases -= i128::from(member.base);
        let (whole, remainder) = self.split(member.base);
        self.whole_blocks -= i128::from(whole);
        self.by_remainder[remainder] -= 1;
        self.held -= blocks;
        self.done.remove(&(member.done_at, admitted, key));
        if let Some(tick) = member.outgrows_window_at
            && self.outgrow.remove(&(tick, key, member.base))
        {
            self.growing -= 1;
            self.growing_bases -= i128::from(member.base);
        }
        blocks
    }

    /// Tokens of a sequence, prompt and output.
    pub fn tokens_of(&self, member: &Member) -> u64 {
        (member.base + self.pace.tokens(self.ticks) as i64) as u64
    }

    /// Blocks a sequence holds.
    pub fn blocks_of(&self, member: &Member) -> u64 {
        if self.granted <= member.joined {
            return member.blocks;
        }
        let slots = member.base + self.slots_at(self.granted - 1);
        (slots as u64).div_ceil(BLOCK_TOKENS)
    }

    /// Tokens gained up to a tick, and the draft that needs its slots beside them.
    fn slots_at(&self, tick: u64) -> i64 {
        self.pace.tokens(tick) as i64 + i64::from(self.draft_tokens)
    }

    fn split(&self, base: i64) -> (i64, usize) {
        let block = BLOCK_TOKENS as i64;
        let shifted = base + i64::from(self.draft_tokens) + block - 1;
        (shifted.div_euclid(block), shifted.rem_euclid(block) as usize)
    }

    /// Blocks that all of them need in the iteration `ahead` of the next one.
    pub fn blocks_ahead(&self, ahead: u64) -> u64 {
        let gained = self.pace.tokens(self.ticks + ahead);
        let (whole, part) = (gained / BLOCK_TOKENS, gained % BLOCK_TOKENS);
        let wrapped: u64 = self.by_remainder[(BLOCK_TOKENS - part) as usize..].iter().sum();
        (self.whole_blocks + i128::from(self.sequences * whole + wrapped)) as u64
    }

    /// Blocks they lack up to the iteration `ahead` of the next one.
    pub fn lacking(&self, ahead: u64) -> u64 {
        self.blocks_ahead(ahead) - self.held
    }

    /// They got the blocks they lacked.
    pub fn grant(&mut self, ahead: u64) {
        self.held = self.blocks_ahead(ahead);
        self.granted = self.ticks + ahead + 1;
    }

    /// Iterations, the next one included, that pass before somebody is done, outgrows the window, or the blocks at
    /// hand (what is `available` beside those granted for the next iteration) run out; none if nobody decodes.
    pub fn iterations_alike(&self, available: u64) -> Option<u64> {
        let &(done_at, ..) = self.done.first()?;
        let outgrown = self.outgrow.first().map_or(u64::MAX, |&(tick, ..)| tick);
        let iterations = done_at.min(outgrown).saturating_sub(self.ticks).max(1);
        Some(self.within_blocks(iterations, available))
    }

    /// At most so many iterations, and no more than these blocks last for; at least the next one.
    pub fn within_blocks(&self, iterations: u64, available: u64) -> u64 {
        let limit = self.blocks_ahead(0) + available;
        if iterations <= 1 || self.blocks_ahead(iterations - 1) <= limit {
            return iterations;
        }
        let (mut enough, mut too_many) = (1, iterations);
        while enough + 1 < too_many {
            let middle = enough + (too_many - enough) / 2;
            match self.blocks_ahead(middle - 1) <= limit {
                true => enough = middle,
                false => too_many = middle,
            }
        }
        enough
    }

    /// So many iterations from `start` on, which only these sequences take part in.
    pub fn stretch(&self, start: SimTime, line: DecodeLine, iterations: u64) -> Stretch {
        let parts = |tokens: i128| self.pace.to_parts(tokens);
        let [per_context, per_windowed] = [line.per_context_fs, line.per_windowed_context_fs].map(i128::from);
        let [sequences, growing] = [self.sequences, self.growing].map(i128::from);
        let gained = self.pace.parts(self.ticks);
        let context = parts(self.bases) + sequences * gained;
        let windowed = parts(self.growing_bases + self.outgrown()) + growing * gained;
        let base = parts(i128::from(line.base_fs.max(FS_IN_NS)));
        let first = base + per_context * context + per_windowed * windowed;
        let growth = (per_context * sequences + per_windowed * growing) * self.pace.parts(1);
        let unit = parts(i128::from(FS_IN_NS));
        Stretch::new(start, first as u128, growth as u128, unit as u128, iterations)
    }

    /// Σ window over those that have outgrown it.
    fn outgrown(&self) -> i128 {
        i128::from(self.window.unwrap_or(0)) * i128::from(self.sequences - self.growing)
    }

    /// What they add to the next iteration.
    pub fn decodes(&self) -> Decodes {
        let gained = i128::from(self.pace.tokens(self.ticks));
        let growing = self.growing_bases + i128::from(self.growing) * gained;
        Decodes {
            sequences: self.sequences as u32,
            tokens_each: self.draft_tokens + 1,
            context: (self.bases + i128::from(self.sequences) * gained) as u64,
            windowed_context: (growing + self.outgrown()) as u64,
            growing_in_window: self.growing as u32,
        }
    }

    /// Tokens each gains in the next `iterations`.
    pub fn gained_in(&self, iterations: u64) -> u64 {
        self.pace.tokens(self.ticks + iterations) - self.pace.tokens(self.ticks)
    }

    /// So many iterations are over.
    pub fn advance(&mut self, iterations: u64) {
        self.ticks += iterations;
        while let Some(&(tick, _, base)) = self.outgrow.first()
            && tick <= self.ticks
        {
            self.outgrow.pop_first();
            self.growing -= 1;
            self.growing_bases -= i128::from(base);
        }
    }

    /// The first of those whose last token is out; they stay until they [`leave`](Decoding::leave).
    pub fn first_done(&self) -> Option<Key> {
        self.done.first().filter(|&&(tick, ..)| tick <= self.ticks).map(|&(.., key)| key)
    }
}
