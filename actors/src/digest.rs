//! The fingerprint of a run.
//!
//! Every entity keeps a running hash over the events it handled; the run's digest combines them in id order.
//! The hash is our own so that neither a newer compiler nor a newer crate can change a recorded digest.

use std::fmt;
use std::hash::Hasher;

use crate::entity::EntityId;

/// The fingerprint of everything that was handled in a run; equal digests mean equal runs.
///
/// Sixty-four bits: meant to catch accidents, not adversaries.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Digest(pub u64);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Digest {
    /// Combines the hashes of all entities; the caller sorts them by id.
    pub(crate) fn of_entities(hashes: impl Iterator<Item = (EntityId, u64)>) -> Digest {
        let mut combined = RunningHash::default();
        for (id, hash) in hashes {
            combined.write_u64(u64::from(id.0));
            combined.write_u64(hash);
        }
        Digest(combined.finish())
    }
}

/// A hasher that is fast on words and depends on nothing but what is written to it.
#[derive(Clone, Debug)]
pub(crate) struct RunningHash(u64);

impl Default for RunningHash {
    fn default() -> Self {
        RunningHash(0x243F_6A88_85A3_08D3)
    }
}

impl Hasher for RunningHash {
    fn finish(&self) -> u64 {
        self.0
    }

    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word) ^ ((chunk.len() as u64) << 56));
        }
    }

    /// Folds the two halves of the full product together: one multiplication moves every bit.
    #[inline]
    fn write_u64(&mut self, word: u64) {
        const ODD: u128 = 0xD6E8_FEB8_6659_FD93;
        let product = u128::from(self.0.rotate_left(23) ^ word) * ODD;
        self.0 = (product as u64) ^ ((product >> 64) as u64) ^ word.rotate_left(32);
    }

    #[inline]
    fn write_u8(&mut self, value: u8) {
        self.write_u64(u64::from(value));
    }

    #[inline]
    fn write_u16(&mut self, value: u16) {
        self.write_u64(u64::from(value));
    }

    #[inline]
    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }

    #[inline]
    fn write_u128(&mut self, value: u128) {
        self.write_u64(value as u64);
        self.write_u64((value >> 64) as u64);
    }

    /// Widened, so that a 32-bit build writes the same words.
    #[inline]
    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{Hash, Hasher};

    use super::{Digest, RunningHash};

    fn hash(value: impl Hash) -> u64 {
        let mut hasher = RunningHash::default();
        value.hash(&mut hasher);
        hasher.finish()
    }

    #[test]
    fn order_and_length_count() {
        assert_ne!(hash((1u32, 2u32)), hash((2u32, 1u32)));
        assert_ne!(hash("ab"), hash("ab\0"));
        assert_ne!(hash([0u8; 3].as_slice()), hash([0u8; 4].as_slice()));
    }

    #[test]
    fn zeros_do_not_get_stuck() {
        assert_ne!(hash((0u64, 0u64)), hash((0u64, 0u64, 0u64)));
    }

    #[test]
    fn every_input_bit_moves_the_hash() {
        let all: std::collections::BTreeSet<u64> = (0..64).map(|bit| hash((1u64 << bit, 7u64))).collect();
        assert_eq!(all.len(), 64);
    }

    #[test]
    fn a_digest_is_printed_as_sixteen_hexadecimal_digits() {
        assert_eq!(Digest(0xab).to_string(), "00000000000000ab");
    }
}
