//! Whether a model without requests keeps a replica.

/// What the zero policy makes of targets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Enforced {
    /// Replicas per variant.
    pub targets: Vec<u32>,
    /// Whether that differs from what was asked.
    pub applied: bool,
}

/// Applies the policy. With scale to zero, a model without requests in the retention period goes to zero;
/// `requests` is none when nobody could tell, and then nothing is changed. Without it a model that would
/// have no replica keeps one of the variant with the least cost, of equals the first by name.
pub fn enforce(
    targets: &[u32],
    variants: &[(&str, f64)],
    scale_to_zero: bool,
    requests: Option<f64>,
) -> Enforced {
    let mut enforced = targets.to_vec();
    if scale_to_zero {
        if requests == Some(0.0) {
            enforced.fill(0);
        }
    } else if enforced.iter().all(|&target| target == 0) {
        let order = |a: &usize, b: &usize| {
            let ((name_a, cost_a), (name_b, cost_b)) = (variants[*a], variants[*b]);
            cost_a.total_cmp(&cost_b).then_with(|| name_a.cmp(name_b))
        };
        if let Some(cheapest) = (0..enforced.len().min(variants.len())).min_by(order) {
            enforced[cheapest] = 1;
        }
    }
    let applied = enforced != targets;
    Enforced { targets: enforced, applied }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VARIANTS: [(&str, f64); 3] = [("b", 2.0), ("a", 2.0), ("c", 7.0)];

    #[test]
    fn silence_empties_a_model_and_doubt_does_not() {
        assert_eq!(enforce(&[2, 0, 1], &VARIANTS, true, Some(0.0)).targets, [0, 0, 0]);
        for requests in [None, Some(1.0)] {
            let kept = enforce(&[2, 0, 1], &VARIANTS, true, requests);
            assert_eq!(kept, Enforced { targets: vec![2, 0, 1], applied: false });
        }
    }

    #[test]
    fn without_scale_to_zero_the_cheapest_keeps_one() {
        let kept = enforce(&[0, 0, 0], &VARIANTS, false, Some(0.0));
        assert_eq!(kept, Enforced { targets: vec![0, 1, 0], applied: true });
        assert!(!enforce(&[0, 0, 1], &VARIANTS, false, Some(0.0)).applied);
        assert_eq!(enforce(&[], &[], false, None).targets, [0; 0]);
    }
}
