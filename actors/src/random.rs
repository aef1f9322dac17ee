//! Random numbers that depend on nothing but who asks for what.
//!
//! A stream is a function of `(run seed, entity, stream number, how many were drawn)`. There is no shared
//! generator, so adding an entity, or letting one draw more often, never shifts another's numbers.

use crate::entity::EntityId;

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// A counter-based stream of random numbers; a copy continues where the original stood.
#[derive(Clone, Debug)]
pub struct CounterRng {
    key: u64,
    counter: u64,
}

impl CounterRng {
    /// The stream numbered `stream` of `entity` in a run with this `seed`, from its beginning.
    pub fn new(seed: u64, entity: EntityId, stream: u64) -> Self {
        let owner = mix(seed ^ mix(u64::from(entity.0)));
        CounterRng { key: mix(owner ^ mix(stream.wrapping_add(GOLDEN))), counter: 0 }
    }

    /// The next 64 uniformly distributed bits.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        self.counter = self.counter.wrapping_add(1);
        mix(self.key ^ mix(self.counter))
    }

    /// A number in `0..n`, and 0 for `n` = 0.
    ///
    /// Scaled by multiplication: the bias is at most `n / 2^64`, and exactly one number is drawn.
    #[inline]
    pub fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.next_u64()) * u128::from(n)) >> 64) as u64
    }

    /// A number strictly between 0 and 1, safe to take the logarithm of; 53 random bits less one.
    #[inline]
    pub fn unit_f64(&mut self) -> f64 {
        const STEP: f64 = 1.0 / (1u64 << 52) as f64;
        // 52 bits plus a half step: the largest is 1 - 2^-53, which an f64 still tells from 1.
        ((self.next_u64() >> 12) as f64 + 0.5) * STEP
    }
}

/// The output function of SplitMix64: a bijection of 64 bits in which every input bit moves every output bit.
#[inline]
fn mix(state: u64) -> u64 {
    let mut bits = state.wrapping_add(GOLDEN);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::CounterRng;
    use crate::entity::EntityId;

    fn first_four(seed: u64, entity: u32, stream: u64) -> [u64; 4] {
        let mut random = CounterRng::new(seed, EntityId(entity), stream);
        [(); 4].map(|()| random.next_u64())
    }

    #[test]
    fn the_same_key_gives_the_same_numbers_and_any_other_key_others() {
        let numbers = first_four(1, 2, 3);
        assert_eq!(numbers, first_four(1, 2, 3));
        for other in [first_four(2, 2, 3), first_four(1, 3, 3), first_four(1, 2, 4), first_four(2, 1, 3)] {
            assert!(numbers.iter().all(|number| !other.contains(number)));
        }
    }

    #[test]
    fn numbers_stay_in_their_range_and_fill_it() {
        let mut random = CounterRng::new(7, EntityId(0), 0);
        let mut seen = [0u32; 10];
        for _ in 0..10_000 {
            seen[random.below(10) as usize] += 1;
            let unit = random.unit_f64();
            assert!(unit > 0.0 && unit < 1.0);
        }
        assert!(seen.iter().all(|&count| (850..1150).contains(&count)), "{seen:?}");
        assert_eq!(random.below(0), 0);
    }

    #[test]
    fn the_mean_of_the_unit_interval_is_one_half() {
        let mut random = CounterRng::new(7, EntityId(1), 1);
        let mean = (0..10_000).map(|_| random.unit_f64()).sum::<f64>() / 10_000.0;
        assert!((mean - 0.5).abs() < 0.01, "{mean}");
    }
}
