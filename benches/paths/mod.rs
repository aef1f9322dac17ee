//! The hot paths, as loads that isolate them. `hot_paths` times them, `instructions` counts them.
//!
//! Every load goes through the public interface: what is measured is what a user's program gets, and nothing
//! private has to be opened for it. Wheel, exchange and grouping are reached by loads that do little else.
//! Leaves out reading scenarios and writing files: `scenarios` measures whole commands.

mod beaters;
mod runtime;
mod scheduling;
mod serving;
mod transfers;

use std::any::Any;

/// What is measured; it returns what is to be dropped afterwards.
pub type Work = Box<dyn FnOnce() -> Box<dyn Any>>;

/// A load of any size that spends its time on one path.
pub struct Path {
    /// `room/what`.
    pub name: String,
    /// What costs are given per.
    pub unit: &'static str,
    /// How many units make a load whose start does not matter.
    pub units: u64,
    /// Whether its instructions are the same in every run, and few enough to be counted on every change.
    pub counted: bool,
    prepare: Box<dyn Fn(u64) -> Work>,
}

impl Path {
    fn new(
        name: impl Into<String>,
        (units, unit): (u64, &'static str),
        prepare: impl Fn(u64) -> Work + 'static,
    ) -> Self {
        Path { name: name.into(), unit, units, counted: true, prepare: Box::new(prepare) }
    }

    /// For the clock only.
    fn uncounted(mut self) -> Self {
        self.counted = false;
        self
    }

    /// Builds a load of this many units, ready to run.
    pub fn prepare(&self, units: u64) -> Work {
        (self.prepare)(units)
    }
}

/// All of them.
pub fn all() -> Vec<Path> {
    [runtime::paths(), scheduling::paths(), serving::paths(), transfers::paths()]
        .into_iter()
        .flatten()
        .collect()
}
