//! What one instance should carry: from what users may say of it to the number that load is divided by.

/// What load is measured in.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Metric {
    /// Requests in the system at once.
    Concurrency {
        /// Requests that an instance takes at once; none: as many as come.
        hard_limit: Option<f64>,
    },
    /// Requests that arrive, per second.
    RequestsPerS,
}

/// What is known of the load an instance should carry.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct TargetRules {
    /// In which unit.
    pub metric: Metric,
    /// What the user wants an instance to carry at most, if it was said.
    pub wanted: Option<f64>,
    /// Requests at once where neither a limit nor a wish is known.
    pub default_concurrency: f64,
    /// Requests per second where no wish is known.
    pub default_requests_per_s: f64,
    /// Share of that load to aim for, above 0; the rest is room for what comes before the next instance does.
    pub utilization: f64,
}

/// The load of one instance.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Target {
    /// To aim for, above 0.
    pub value: f64,
    /// At most.
    pub total: f64,
}

impl TargetRules {
    /// Targets are at least this much: nobody divides by nothing.
    pub const FLOOR: f64 = 0.01;

    /// The load of one instance.
    pub fn resolve(&self) -> Target {
        let total = match self.metric {
            // No use in aiming above what an instance takes.
            Metric::Concurrency { hard_limit: Some(limit) } => {
                self.wanted.map_or(limit, |wanted| wanted.min(limit))
            }
            Metric::Concurrency { hard_limit: None } => self.wanted.unwrap_or(self.default_concurrency),
            Metric::RequestsPerS => self.wanted.unwrap_or(self.default_requests_per_s),
        };
        Target { value: (total * self.utilization).max(Self::FLOOR), total }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(metric: Metric, wanted: Option<f64>) -> TargetRules {
        TargetRules {
            metric,
            wanted,
            default_concurrency: 40.0,
            default_requests_per_s: 80.0,
            utilization: 0.5,
        }
    }

    #[test]
    fn a_wish_replaces_the_default_but_not_what_an_instance_can_take() {
        let unlimited = Metric::Concurrency { hard_limit: None };
        let limited = Metric::Concurrency { hard_limit: Some(6.0) };
        assert_eq!(rules(unlimited, None).resolve(), Target { value: 20.0, total: 40.0 });
        assert_eq!(rules(unlimited, Some(9.0)).resolve(), Target { value: 4.5, total: 9.0 });
        assert_eq!(rules(limited, None).resolve(), Target { value: 3.0, total: 6.0 });
        assert_eq!(rules(limited, Some(9.0)).resolve(), Target { value: 3.0, total: 6.0 });
        assert_eq!(rules(limited, Some(2.0)).resolve(), Target { value: 1.0, total: 2.0 });
        assert_eq!(rules(Metric::RequestsPerS, None).resolve(), Target { value: 40.0, total: 80.0 });
        assert_eq!(rules(Metric::RequestsPerS, Some(7.0)).resolve(), Target { value: 3.5, total: 7.0 });
    }

    #[test]
    fn a_target_is_never_nothing() {
        assert_eq!(rules(Metric::RequestsPerS, Some(0.0)).resolve().value, TargetRules::FLOOR);
    }
}
