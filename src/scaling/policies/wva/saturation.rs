//! The first analysis: how far KV cache and queue of the replicas are from saturation.

/// Where a replica is saturated, and how much must be spare on average.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Thresholds {
    /// Share of the KV cache in use from which a replica is saturated.
    pub kv: f64,
    /// Waiting requests from which a replica is saturated.
    pub queue: f64,
    /// Least average distance to `kv`.
    pub kv_spare: f64,
    /// Least average distance to `queue`.
    pub queue_spare: f64,
}

/// What a replica shows.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Load {
    /// Share of its KV cache in use, from 0 to 1.
    pub kv: f64,
    /// Requests that wait there.
    pub queue: f64,
}

impl Thresholds {
    /// Whether a replica is saturated.
    pub fn saturates(&self, load: &Load) -> bool {
        load.kv >= self.kv || load.queue >= self.queue
    }
}

/// The state of a model's replicas.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Analysis {
    /// Replicas with metrics.
    pub replicas: usize,
    /// Those that are not saturated.
    pub unsaturated: usize,
    /// Average distance of those to the KV threshold; 0 without any.
    pub spare_kv: f64,
    /// Average distance of those to the queue threshold; 0 without any.
    pub spare_queue: f64,
    /// What follows.
    pub advice: Advice,
}

/// What an analysis advises.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Advice {
    /// Too little is spare.
    Grow,
    /// Enough would be spare without one of them.
    ShrinkIsSafe,
    /// Neither.
    Stay,
}

/// Looks at the replicas of a model, whatever their variants.
pub fn analyse(loads: &[Load], thresholds: &Thresholds) -> Analysis {
    let unsaturated: Vec<&Load> = loads.iter().filter(|load| !thresholds.saturates(load)).collect();
    let mean = |distance: &dyn Fn(&Load) -> f64| {
        let sum: f64 = unsaturated.iter().map(|load| distance(load)).sum();
        if unsaturated.is_empty() { 0.0 } else { sum / unsaturated.len() as f64 }
    };
    let spare_kv = mean(&|load| thresholds.kv - load.kv);
    let spare_queue = mean(&|load| thresholds.queue - load.queue);
    let is_short = spare_kv < thresholds.kv_spare || spare_queue < thresholds.queue_spare;
    let advice = if !loads.is_empty() && is_short {
        Advice::Grow
    } else if can_lose_one(&unsaturated, thresholds) {
        Advice::ShrinkIsSafe
    } else {
        Advice::Stay
    };
    Analysis { replicas: loads.len(), unsaturated: unsaturated.len(), spare_kv, spare_queue, advice }
}

/// Whether enough stays spare when one fewer bears the same load.
fn can_lose_one(unsaturated: &[&Load], thresholds: &Thresholds) -> bool {
    if unsaturated.len() < 2 {
        return false;
    }
    let rest = (unsaturated.len() - 1) as f64;
    let kv = unsaturated.iter().map(|load| load.kv).sum::<f64>() / rest;
    let queue = unsaturated.iter().map(|load| load.queue).sum::<f64>() / rest;
    thresholds.kv - kv >= thresholds.kv_spare && thresholds.queue - queue >= thresholds.queue_spare
}

/// A variant of a model: the same weights on another accelerator or parallelism.
#[derive(Clone, PartialEq, Debug)]
pub struct Variant {
    /// What it is called.
    pub name: String,
    /// Cost of a replica, in any unit.
    pub cost: f64,
    /// Replicas there are.
    pub current: u32,
    /// Those that show metrics.
    pub with_metrics: u32,
    /// Those that are not ready.
    pub pending: u32,
    /// How many were last wanted, if that was ever said.
    pub desired: Option<u32>,
}

impl Variant {
    /// How many it changes to, while it does.
    fn on_the_way_to(&self) -> Option<u32> {
        self.desired.filter(|&desired| desired != self.current)
    }

    fn is_in_transition(&self) -> bool {
        self.on_the_way_to().is_some() || self.with_metrics != self.current
    }
}

/// How many replicas each variant should have, in their order. While any is in transition none is changed.
pub fn targets(advice: Advice, variants: &[Variant]) -> Vec<u32> {
    let mut targets: Vec<u32> =
        variants.iter().map(|variant| variant.on_the_way_to().unwrap_or(variant.current)).collect();
    if variants.iter().any(Variant::is_in_transition) {
        return targets;
    }
    let all = variants.iter().enumerate();
    let dearer = |a: &(usize, &Variant), b: &(usize, &Variant)| {
        a.1.cost.total_cmp(&b.1.cost).then_with(|| a.1.name.cmp(&b.1.name))
    };
    match advice {
        Advice::Grow => {
            let ready = all.filter(|(_, variant)| variant.pending == 0);
            if let Some((cheapest, _)) = ready.min_by(dearer) {
                targets[cheapest] += 1;
            }
        }
        Advice::ShrinkIsSafe => {
            let several = all.filter(|(_, variant)| variant.current > 1);
            if let Some((dearest, _)) = several.max_by(dearer) {
                targets[dearest] -= 1;
            }
        }
        Advice::Stay => {}
    }
    targets
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DEFAULTS: Thresholds = Thresholds { kv: 0.8, queue: 5.0, kv_spare: 0.1, queue_spare: 3.0 };

    fn variant(name: &str, cost: f64, current: u32) -> Variant {
        Variant { name: name.to_owned(), cost, current, with_metrics: current, pending: 0, desired: None }
    }

    #[test]
    fn saturation_begins_at_the_threshold_and_shortage_below_the_trigger() {
        let load = |kv, queue| Load { kv, queue };
        assert!(DEFAULTS.saturates(&load(0.8, 0.0)) && DEFAULTS.saturates(&load(0.0, 5.0)));
        assert!(!DEFAULTS.saturates(&load(0.7999, 4.9)));
        let thresholds = Thresholds { kv: 0.75, kv_spare: 0.25, ..DEFAULTS };
        assert_eq!(analyse(&[load(0.5, 2.0)], &thresholds).advice, Advice::Stay, "just enough is enough");
        assert_eq!(analyse(&[load(0.51, 2.0)], &thresholds).advice, Advice::Grow);
        assert_eq!(analyse(&[load(0.5, 2.1)], &thresholds).advice, Advice::Grow);
    }

    #[test]
    fn saturated_replicas_alone_ask_for_more_and_no_replicas_for_nothing() {
        let full = [Load { kv: 0.9, queue: 9.0 }; 3];
        assert_eq!(analyse(&full, &DEFAULTS).advice, Advice::Grow);
        assert_eq!(analyse(&[], &DEFAULTS).advice, Advice::Stay);
    }

    #[test]
    fn one_of_two_may_go_only_if_the_other_can_bear_both() {
        let pair = |kv| [Load { kv, queue: 0.0 }; 2];
        assert_eq!(analyse(&pair(0.3), &DEFAULTS).advice, Advice::ShrinkIsSafe);
        assert_eq!(analyse(&pair(0.4), &DEFAULTS).advice, Advice::Stay);
        assert_eq!(analyse(&pair(0.0)[..1], &DEFAULTS).advice, Advice::Stay, "the last one stays");
    }

    #[test]
    fn the_cheapest_grows_and_the_dearest_of_several_shrinks() {
        let variants = [variant("b", 5.0, 2), variant("a", 5.0, 2), variant("c", 9.0, 1)];
        assert_eq!(targets(Advice::Grow, &variants), [2, 3, 1]);
        assert_eq!(targets(Advice::ShrinkIsSafe, &variants), [1, 2, 1], "c has only one");
        assert_eq!(targets(Advice::Stay, &variants), [2, 2, 1]);
    }

    #[test]
    fn one_variant_in_transition_holds_up_all() {
        let moving = Variant { desired: Some(4), ..variant("a", 1.0, 2) };
        assert_eq!(targets(Advice::Grow, &[moving, variant("b", 2.0, 3)]), [4, 3]);
        let silent = Variant { with_metrics: 1, ..variant("a", 1.0, 2) };
        assert_eq!(targets(Advice::ShrinkIsSafe, &[silent, variant("b", 2.0, 3)]), [2, 3]);
        let arrived = Variant { desired: Some(2), ..variant("a", 1.0, 2) };
        assert_eq!(targets(Advice::Grow, &[arrived]), [3]);
    }

    proptest! {
        #[test]
        fn a_shrink_that_was_safe_is_not_undone_by_the_next_look(
            kv in prop::collection::vec(0.0..0.8_f64, 2..9),
        ) {
            let loads: Vec<Load> = kv.iter().map(|&kv| Load { kv, queue: 0.0 }).collect();
            if analyse(&loads, &DEFAULTS).advice == Advice::ShrinkIsSafe {
                let rest = loads.len() - 1;
                let each = Load { kv: kv.iter().sum::<f64>() / rest as f64, queue: 0.0 };
                let after = analyse(&vec![each; rest], &Thresholds { kv_spare: 0.0999, ..DEFAULTS });
                prop_assert!(after.advice != Advice::Grow);
            }
        }
    }
}
