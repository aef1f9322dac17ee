#![doc = include_str!("keys.md")]

mod actions;
mod applications;
mod check;
mod classes;
mod client_pool;
mod cluster;
mod cold_start;
mod context;
mod conversations;
mod defaults;
mod distributions;
mod engines;
mod gpus;
mod load;
mod model;
mod models;
mod network;
mod overrides;
mod performance;
mod problem;
mod reader;
mod resolved;
mod scaling;
mod serving;
mod spec;
mod start_state;
mod syntax;
mod tree;
mod workload;

pub use load::{builtin, from_yaml, load, load_finished};
pub use models::known_models;
pub(crate) use models::{architectures, sizes};
pub use problem::{Place, Problem, ScenarioErrors};
pub use spec::*;
