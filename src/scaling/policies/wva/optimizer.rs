//! From tokens of capacity to replicas: the cheapest variants grow, the dearest shrink.

use std::cmp::Ordering;

/// What a variant offers.
#[derive(Clone, PartialEq, Debug)]
pub struct Offer {
    /// What it is called.
    pub name: String,
    /// Cost of a replica, in any unit.
    pub cost: f64,
    /// Replicas there are.
    pub current: u32,
    /// Tokens that a replica can bear; 0: unknown, and the variant stays as it is.
    pub replica_capacity: f64,
}

impl Offer {
    fn by_cost(&self, other: &Self) -> Ordering {
        self.cost.total_cmp(&other.cost).then_with(|| self.name.cmp(&other.name))
    }

    fn by_cost_of_capacity(&self, other: &Self) -> Ordering {
        let cost = |offer: &Self| offer.cost / offer.replica_capacity;
        cost(self).total_cmp(&cost(other)).then_with(|| self.name.cmp(&other.name))
    }
}

/// How many replicas each variant should have, in their order.
pub fn cost_aware(required: f64, spare: f64, offers: &[Offer]) -> Vec<u32> {
    let mut targets: Vec<u32> = offers.iter().map(|offer| offer.current).collect();
    if required > 0.0 {
        grow(required, offers, &mut targets);
    } else if spare > 0.0 {
        shrink(spare, offers, &mut targets);
    }
    targets
}

fn usable(offers: &[Offer], order: impl Fn(&Offer, &Offer) -> Ordering) -> Vec<usize> {
    let mut usable: Vec<usize> =
        (0..offers.len()).filter(|&nth| offers[nth].replica_capacity > 0.0).collect();
    usable.sort_by(|&a, &b| order(&offers[a], &offers[b]));
    usable
}

/// There is no limit to a variant, so the one with the cheapest capacity takes it all.
fn grow(required: f64, offers: &[Offer], targets: &mut [u32]) {
    if let Some(&cheapest) = usable(offers, Offer::by_cost_of_capacity).first() {
        let added = (required / offers[cheapest].replica_capacity).ceil() as u32;
        targets[cheapest] = targets[cheapest].saturating_add(added);
    }
}

/// From the dearest on, whole replicas that fit into what is spare; the cheapest keeps one if it is the last.
fn shrink(mut spare: f64, offers: &[Offer], targets: &mut [u32]) {
    let cheapest = (0..offers.len()).min_by(|&a, &b| offers[a].by_cost(&offers[b]));
    for nth in usable(offers, |a, b| b.by_cost(a)) {
        let others_serve = || targets.iter().enumerate().any(|(other, &target)| other != nth && target > 0);
        let kept = u32::from(Some(nth) == cheapest && !others_serve());
        let fits = (spare / offers[nth].replica_capacity).floor() as u32;
        let removed = fits.min(targets[nth].saturating_sub(kept));
        targets[nth] -= removed;
        spare -= f64::from(removed) * offers[nth].replica_capacity;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn offer(name: &str, cost: f64, current: u32, replica_capacity: f64) -> Offer {
        Offer { name: name.to_owned(), cost, current, replica_capacity }
    }

    #[test]
    fn growth_goes_where_capacity_is_cheapest_not_where_a_replica_is() {
        let offers = [offer("small", 2.0, 1, 100.0), offer("large", 6.0, 1, 400.0)];
        assert_eq!(cost_aware(500.0, 0.0, &offers), [1, 3]);
    }

    #[test]
    fn shrinking_passes_on_what_the_dearest_leaves() {
        let offers = [offer("cheap", 1.0, 5, 100.0), offer("dear", 9.0, 2, 300.0)];
        assert_eq!(cost_aware(0.0, 850.0, &offers), [3, 0]);
    }

    #[test]
    fn the_last_replica_of_all_stays() {
        let offers = [offer("cheap", 1.0, 2, 100.0), offer("dear", 9.0, 1, 100.0)];
        assert_eq!(cost_aware(0.0, 1e9, &offers), [1, 0]);
    }

    proptest! {
        #[test]
        fn growth_covers_what_is_required_and_shrinking_takes_no_more_than_is_spare(
            required in 0.0..1e6_f64, spare in 0.0..1e6_f64,
            rows in prop::collection::vec((0.1..50.0_f64, 0u32..20, 1.0..1e5_f64), 1..6),
        ) {
            let offers: Vec<Offer> = rows.iter().enumerate()
                .map(|(nth, &(cost, current, capacity))| offer(&nth.to_string(), cost, current, capacity))
                .collect();
            let change = |targets: Vec<u32>| -> f64 {
                let moves = targets.iter().zip(&offers);
                moves.map(|(&to, o)| (f64::from(to) - f64::from(o.current)) * o.replica_capacity).sum()
            };
            prop_assert!(change(cost_aware(required, 0.0, &offers)) >= required * 0.999_999);
            let removed = -change(cost_aware(0.0, spare, &offers));
            prop_assert!((-1e-6..=spare * 1.000_001).contains(&removed));
        }
    }
}
