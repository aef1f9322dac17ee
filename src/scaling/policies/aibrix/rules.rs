//! The arithmetic of APA, and of AIBrix's KPA as it ships.

use crate::scaling::damping::Tolerance;

/// How the fleet may move at once.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Rates {
    /// At most so many times what there is.
    pub up: f64,
    /// At least what there is divided by this.
    pub down: f64,
}

/// What APA makes of the load of one instance: the fleet times load ÷ target. A target of 0 says nothing.
pub fn apa(current: u32, load: f64, target: f64, tolerance: Tolerance, rates: Rates) -> u32 {
    let (pods, ratio) = (f64::from(current), load / target);
    if target <= 0.0 || tolerance.covers(ratio) {
        return current;
    }
    let wanted = (pods * ratio).ceil();
    let wanted = if ratio > 1.0 {
        wanted.min((rates.up * pods).ceil())
    } else {
        wanted.max((pods / rates.down).floor())
    };
    wanted as u32
}

/// The panic of the shipped KPA variant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mood {
    /// The stable window counts.
    Calm,
    /// The larger of both counts, and no less than this.
    Panic {
        /// The most wanted in this panic.
        at_least: u32,
    },
}

impl Mood {
    /// As shipped: silence is panic, and every panic is a new one.
    pub fn of(stable: f64, panic: f64, threshold: f64) -> Self {
        if stable <= 0.0 || panic / stable > threshold { Mood::Panic { at_least: 0 } } else { Mood::Calm }
    }
}

/// What the shipped KPA variant makes of two averages: each divided by the target, within the rates.
pub fn shipped_kpa(
    current: u32,
    (stable, panic): (f64, f64),
    target: f64,
    mood: Mood,
    rates: Rates,
    activation_scale: u32,
) -> u32 {
    let pods = f64::from(current);
    let (most, least) = ((rates.up * pods).ceil().max(1.0), (pods / rates.down).floor());
    let wanted = |load: f64| match (load / target).ceil().max(least).min(most) as u32 {
        0 => 0,
        some if activation_scale > 1 => some.max(activation_scale),
        some => some,
    };
    match mood {
        Mood::Calm => wanted(stable),
        Mood::Panic { at_least } => wanted(stable).max(wanted(panic)).max(at_least),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RATES: Rates = Rates { up: 2.0, down: 2.0 };
    const TOLERANCE: Tolerance = Tolerance::both(0.1);

    #[test]
    fn the_fleet_moves_by_the_ratio_within_the_rates() {
        let wanted = |current, load| apa(current, load, 10.0, TOLERANCE, RATES);
        assert_eq!((wanted(4, 13.0), wanted(4, 50.0)), (6, 8));
        assert_eq!((wanted(7, 6.0), wanted(7, 1.0)), (5, 3));
        assert_eq!((wanted(4, 11.0), wanted(4, 9.0)), (4, 4), "the tolerance is inclusive");
        assert_eq!(apa(4, 7.0, 0.0, TOLERANCE, RATES), 4);
    }

    #[test]
    fn the_shipped_kpa_does_not_see_how_large_the_fleet_is() {
        let wanted = |current| shipped_kpa(current, (35.0, 35.0), 10.0, Mood::Calm, RATES, 1);
        assert_eq!((wanted(2), wanted(4), wanted(6)), (4, 4, 4));
    }

    #[test]
    fn silence_is_panic_in_the_shipped_kpa_and_ends_at_zero_all_the_same() {
        let mood = Mood::of(0.0, 0.0, 2.0);
        assert_eq!(mood, Mood::Panic { at_least: 0 });
        assert_eq!(shipped_kpa(1, (0.0, 0.0), 10.0, mood, RATES, 1), 0);
        assert_eq!(Mood::of(10.0, 20.0, 2.0), Mood::Calm, "only above the threshold");
        assert_eq!(shipped_kpa(0, (0.0, 5.0), 10.0, mood, RATES, 4), 4);
    }

    proptest! {
        #[test]
        fn apa_stays_within_its_rates(current in 0..500_u32, load in 0.0..1e4_f64, target in 0.0..100.0_f64) {
            let wanted = apa(current, load, target, TOLERANCE, RATES);
            prop_assert!((current / 2..=current * 2).contains(&wanted));
        }

        #[test]
        fn a_constant_total_ends_in_a_constant_fleet(total in 0.1..1000.0_f64, start in 1..60_u32) {
            let mut fleet = start;
            let mut sizes = Vec::new();
            for _ in 0..60 {
                fleet = apa(fleet, total / f64::from(fleet), 10.0, TOLERANCE, RATES).max(1);
                sizes.push(fleet);
            }
            prop_assert!(sizes[30..].iter().all(|&size| size == sizes[59]), "{sizes:?}");
        }
    }
}
