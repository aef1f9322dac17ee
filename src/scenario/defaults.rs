//! What holds for a scenario that does not say how its models are served.

use super::applications::Application;
use super::engines;
use super::spec::EngineSpec;
use crate::instance::continuous::Settings;

/// Whose way of serving holds where nothing is said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Defaults {
    /// Every application names a `model` of today: `vllm`, timed by `roofline`.
    Modern,
    /// The ancestor's: `Splitwise`, timed by its table.
    Ancestors,
}

impl Defaults {
    /// By the models that are served.
    pub fn of(applications: &[Application<'_>]) -> Self {
        let is_modern = |application: &Application<'_>| application.spec.model.known.is_some();
        match !applications.is_empty() && applications.iter().all(is_modern) {
            true => Defaults::Modern,
            false => Defaults::Ancestors,
        }
    }

    /// How instances batch.
    pub fn engine(self) -> EngineSpec {
        match self {
            Defaults::Modern => EngineSpec::Vllm(Settings::default()),
            Defaults::Ancestors => engines::SPLITWISE,
        }
    }

    /// The name of that engine.
    pub fn engine_name(self) -> &'static str {
        self.engine().name()
    }
}
