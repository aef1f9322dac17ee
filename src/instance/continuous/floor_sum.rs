//! Σ ⌊(slope·i + offset) / modulus⌋ in a logarithmic number of divisions.
//!
//! The sum counts the points with whole coordinates under a line. Whole multiples of the modulus are rectangles
//! and triangles; what is left is a flat line that rises less than one a column, and its points are counted by
//! rows instead of columns, which is the same problem with smaller numbers: Euclid's algorithm (Graham, Knuth,
//! Patashnik: *Concrete Mathematics*, section 3.5).

/// Σ over `i` in `0..count` of `⌊(slope·i + offset) / modulus⌋`; `modulus` > 0.
///
/// Exact as long as the sum and `count · max(slope, modulus) + offset` stay below 2^127.
pub fn floor_sum(count: u64, modulus: u128, slope: u128, offset: u128) -> u128 {
    let (mut count, mut modulus, mut slope, mut offset) = (u128::from(count), modulus, slope, offset);
    let mut sum = 0;
    while count > 0 {
        sum += count * (count - 1) / 2 * (slope / modulus) + count * (offset / modulus);
        slope %= modulus;
        offset %= modulus;
        let top = slope * count + offset;
        // Rows below the top one, each with the points right of where the line crosses it.
        count = top / modulus;
        offset = top % modulus;
        (modulus, slope) = (slope, modulus);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_the_sum_of_the_floors(
            count in 0u64..400, modulus in 1u128..5_000, slope in 0u128..20_000, offset in 0u128..20_000
        ) {
            let one_by_one: u128 = (0..u128::from(count)).map(|i| (slope * i + offset) / modulus).sum();
            prop_assert_eq!(floor_sum(count, modulus, slope, offset), one_by_one);
        }

        #[test]
        fn it_adds_up_over_pieces_of_a_long_run(
            first in 1u64..1 << 20, second in 1u64..1 << 20, slope in 0u128..1 << 60, offset in 0u128..1 << 70
        ) {
            let modulus = 1_000_000u128 << 16;
            let whole = floor_sum(first + second, modulus, slope, offset);
            let moved = offset + slope * u128::from(first);
            let pieces = floor_sum(first, modulus, slope, offset) + floor_sum(second, modulus, slope, moved);
            prop_assert_eq!(whole, pieces);
        }
    }
}
