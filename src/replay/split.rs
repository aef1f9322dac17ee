//! Which requests of a log are fitted to, and which are held back to judge by.
//!
//! By blocks in time: neighbours see the same queue, so that single requests held back would be known by their
//! neighbours already.

/// Blocks of a log; fewer where it has fewer requests.
const BLOCKS: usize = 25;
/// Of so many blocks one is held back, the last.
const HELD_BACK: usize = 5;

/// Whether request `nth` of `count`, by arrival, is held back.
pub fn is_held_back(nth: usize, count: usize) -> bool {
    let block = nth * BLOCKS.min(count) / count.max(1);
    block % HELD_BACK == HELD_BACK - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fifth_block_is_held_back() {
        for count in [5, 24, 25, 300, 1001] {
            let held = (0..count).filter(|&nth| is_held_back(nth, count)).count();
            let share = held as f64 / count as f64;
            assert!((0.15..=0.21).contains(&share), "{held} of {count}");
        }
        assert!((48..60).all(|nth| is_held_back(nth, 300)));
        assert!(!is_held_back(47, 300) && !is_held_back(60, 300));
    }
}
