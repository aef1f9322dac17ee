//! Parameters that all five policies have.

use ebbflow_actors::SimDuration;

use crate::registry::{Parameter, Settings};
use crate::scaling::PolicyRefusal;
use crate::scaling::damping::{Cooldown, Tolerance};

use super::rule::Bounds;

const SOURCE: &str = "splitwise-DRL, default of the class";

pub(super) const FAITHFUL: Parameter =
    Parameter::flag("faithful", false, "compute what splitwise-DRL computes, defects included");
pub(super) const MIN: Parameter =
    Parameter::number("min_instances", 1.0, "smallest pool").unit("instances").from(SOURCE);
pub(super) const MAX: Parameter =
    Parameter::number("max_instances", 100.0, "largest pool").unit("instances").at_least(1.0).from(SOURCE);
pub(super) const OUT_COOLDOWN: Parameter =
    Parameter::seconds("scale_out_cooldown", 180.0, "between two scale-outs").from(SOURCE);
pub(super) const IN_COOLDOWN: Parameter =
    Parameter::seconds("scale_in_cooldown", 600.0, "between two scale-ins").from(SOURCE);
pub(super) const WINDOW: Parameter =
    Parameter::seconds("window", 60.0, "over which metrics are taken; faithful: since the last decision");
pub(super) const PERCENTILE: Parameter =
    Parameter::number("percentile", 90.0, "of the latency; faithful: 50").unit("%").at_most(100.0);

/// A policy's own parameters, followed by those of all five.
macro_rules! with_common {
    ($($own:expr),+ $(,)?) => {{
        use super::common::{FAITHFUL, IN_COOLDOWN, MAX, MIN, OUT_COOLDOWN, WINDOW};
        &[$($own,)+ WINDOW, MIN, MAX, OUT_COOLDOWN, IN_COOLDOWN, FAITHFUL]
    }};
}
pub(super) use with_common;

/// A target above zero, from the ancestor's class.
pub(super) const fn target(name: &'static str, default: f64, about: &'static str) -> Parameter {
    Parameter::number(name, default, about).at_least(1e-6).from(SOURCE)
}

/// Another number of the ancestor's class.
pub(super) const fn number(name: &'static str, default: f64, about: &'static str) -> Parameter {
    Parameter::number(name, default, about).from(SOURCE)
}

/// Settings of the drivers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Common {
    pub cooldown: Cooldown,
    pub window: SimDuration,
}

impl Common {
    pub fn read(settings: &Settings) -> Self {
        let rest = |name| settings.seconds(name);
        Common {
            cooldown: Cooldown::new(rest("scale_out_cooldown"), rest("scale_in_cooldown")),
            window: settings.seconds("window"),
        }
    }
}

pub(super) fn bounds(settings: &Settings) -> Result<Bounds, PolicyRefusal> {
    Bounds::new(settings.count("min_instances"), settings.count("max_instances"))
}

/// How far the need may be from the pool, as a share of it.
pub(super) fn tolerance(settings: &Settings) -> Tolerance {
    Tolerance { down: settings.number("scale_in_threshold"), up: settings.number("scale_out_threshold") }
}
