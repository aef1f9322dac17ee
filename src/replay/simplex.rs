//! The least value of a function of a few numbers, without derivatives: the downhill simplex.
//!
//! Source: Nelder and Mead, *A simplex method for function minimization*, The Computer Journal 7 (1965), with their
//! coefficients. Everything is deterministic. Bounds are the function's business.

/// Where to stop.
const SMALL: f64 = 1e-4;

/// A corner: the point and its value.
type Corner<const N: usize> = ([f64; N], f64);

/// The best point met within so many evaluations, starting from `start` and points `size` away from it.
pub(super) fn minimise<const N: usize>(
    start: [f64; N],
    size: f64,
    evaluations: usize,
    mut value: impl FnMut(&[f64; N]) -> f64,
) -> Corner<N> {
    let mut used = 0;
    let mut at = |point: [f64; N]| {
        used += 1;
        (point, value(&point), used)
    };
    let mut corners: Vec<Corner<N>> = Vec::with_capacity(N + 1);
    for axis in 0..=N {
        let mut point = start;
        if let Some(coordinate) = point.get_mut(axis) {
            *coordinate += size;
        }
        let (point, value, _) = at(point);
        corners.push((point, value));
    }
    loop {
        corners.sort_by(|one, other| one.1.total_cmp(&other.1));
        let (best, worst) = (corners[0], corners[N]);
        let centre = centre(&corners[..N]);
        // From the centre away from the worst corner, or towards it.
        let along = |by: f64| std::array::from_fn(|axis| centre[axis] + by * (centre[axis] - worst.0[axis]));
        let (reflected, reflected_value, used) = at(along(1.0));
        if used >= evaluations || extent(&corners) < SMALL {
            return if reflected_value < best.1 { (reflected, reflected_value) } else { best };
        }
        let mut better = (reflected, reflected_value);
        if reflected_value < best.1 {
            let (expanded, value, _) = at(along(2.0));
            if value < reflected_value {
                better = (expanded, value);
            }
        } else if reflected_value >= corners[N - 1].1 {
            let (contracted, value, _) = at(along(if reflected_value < worst.1 { 0.5 } else { -0.5 }));
            better = (contracted, value);
        }
        if better.1 < worst.1 {
            corners[N] = better;
            continue;
        }
        for corner in &mut corners[1..] {
            let (point, value, _) =
                at(std::array::from_fn(|axis| best.0[axis] + 0.5 * (corner.0[axis] - best.0[axis])));
            *corner = (point, value);
        }
    }
}

fn centre<const N: usize>(corners: &[Corner<N>]) -> [f64; N] {
    std::array::from_fn(|axis| {
        corners.iter().map(|(point, _)| point[axis]).sum::<f64>() / corners.len() as f64
    })
}

/// How far the corners are apart.
fn extent<const N: usize>(corners: &[Corner<N>]) -> f64 {
    let apart = |(point, _): &Corner<N>| {
        let distances = point.iter().zip(&corners[0].0).map(|(one, other)| (one - other).abs());
        distances.fold(0.0, f64::max)
    };
    corners.iter().map(apart).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bottom_of_a_curved_valley_is_found() {
        let valley = |&[x, y]: &[f64; 2]| (1.0 - x).powi(2) + 100.0 * (y - x * x).powi(2);
        let ([x, y], value) = minimise([-1.2, 1.0], 0.5, 400, valley);
        assert!((x - 1.0).abs() < 1e-2 && (y - 1.0).abs() < 1e-2, "({x}, {y}): {value}");
    }

    #[test]
    fn no_more_evaluations_are_made_than_a_round_over_what_is_allowed() {
        let mut count = 0;
        let bowl = |point: &[f64; 4]| {
            count += 1;
            point.iter().map(|x| (x - 3.0).abs()).sum()
        };
        minimise([0.0; 4], 0.1, 60, bowl);
        assert!(count <= 67, "{count}");
    }
}
