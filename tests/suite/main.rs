//! What Ebbflow promises, one file per promise.
//!
//! `support` runs scenarios, finds reference material and generates random fleets; everything else is
//! promises. Run them with `cargo test --release`; a debug build also checks the assertions inside the model.

#![allow(clippy::unwrap_used)]

mod support;

mod ancestor_bugs;
mod ancestor_policies;
mod ancestor_policies_at_work;
mod autoscaler_dynamo;
mod autoscaler_llmd;
mod autoscaler_ray_serve;
mod bench_command;
mod calibrate_command;
mod cli;
mod client_pools;
mod comparing;
mod conversations;
mod documentation;
mod documented_commands;
mod editor_help;
mod editor_schema;
mod engines_in_step;
mod error_texts;
mod estimate_command;
mod every_policy;
mod explain;
mod extending;
mod finished_runs;
mod fleet_invariants;
mod glossary;
mod golden;
mod instruction_counts;
mod kv_transfer;
mod logs;
mod memory_pressure;
mod modern_scenarios;
mod nothing_lost;
mod openmetrics;
mod oracle;
mod parquet_tables;
mod performance_tables;
mod presets;
mod published_behaviour;
mod reports;
mod reproducible;
mod rerun;
mod result_files;
mod result_streaming;
mod roofline;
mod routing_to_caches;
mod scaling_basic;
mod scaling_cancelled_starts;
mod scaling_cleanup;
mod scaling_concurrent;
mod scaling_edge_cases;
mod scaling_hpa;
mod scaling_kpa;
mod scaling_log;
mod scaling_long_drains;
mod scaling_to_zero;
mod scenario_errors;
mod scenario_files;
mod scenario_mutations;
mod scraped_metrics;
mod serving_defects;
mod sharing;
mod shipped_scenarios;
mod starts_and_stops;
mod terminal;
mod timeline;
mod timetable_and_forecast;
mod token_gaps;
mod trace_formats;
mod vectors;
mod vllm_fleet;
mod vllm_replay;
mod workloads;
