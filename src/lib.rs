//! Ebbflow simulates an elastic fleet of LLM-serving instances as actors, and tells what happens to
//! latency, drain times and cost when the fleet scales up and down under load.
//!
//! A [`Scenario`](scenario::Scenario) describes cluster, applications, workload and scaling. It is read
//! from YAML by [`scenario::load`], its requests come from [`workload::open`], and [`simulation::run`]
//! turns both into [`RunResults`](results::RunResults). Every server, instance, scheduler and
//! ScalingManager is an [entity](participant::Participant) that exchanges [messages](message::Message)
//! with the others in virtual time; [`ebbflow_actors`] runs them. The same scenario and seed give the
//! same results to the bit, on any number of threads.
//!
//! *The ancestor*, in these pages, is splitwise-sim and its scaling fork splitwise-DRL, the Python simulators
//! that this one grew out of: what they do right is reproduced, what they do wrong is mended.
//!
//! To add a scheduler implement [`scheduler::RoutingPolicy`], to add an autoscaling policy implement
//! [`scaling::AutoscalingPolicy`], and register it in a [`registry::Registry`].

pub mod cli;
pub mod cluster;
pub mod compare;
pub mod diagnosis;
mod hot_log;
pub mod ids;
pub mod instance;
pub mod message;
pub mod models;
pub mod participant;
pub mod performance;
mod recency;
pub mod registry;
pub mod replay;
pub mod report;
pub mod request;
pub mod results;
pub mod scaling;
pub mod scenario;
pub mod scheduler;
pub mod schema;
pub mod simulation;
pub mod slo;
pub mod throughput;
pub mod transfer;
pub mod vitals;
pub mod workload;
