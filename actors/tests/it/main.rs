//! What this crate promises, one file per promise.

mod endings;
mod faults;
mod order;
mod queueing;
mod random_models;
mod same_result;
mod spawning;
mod support;
