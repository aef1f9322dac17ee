//! The engine's prefix cache over Mooncake's traces, one request at a time, against hit rates computed by others.

use std::path::Path;
use std::sync::Arc;

use ebbflow_actors::{SimDuration, SimTime};

use super::super::*;
use crate::ids::{ApplicationId, GpuName, InstanceId};
use crate::instance::Timesheet;
use crate::instance::resident::Work;
use crate::request::Request;
use crate::scenario::{Transform, WorkloadSource, WorkloadSpec};

/// Every iteration takes a nanosecond.
#[derive(Debug)]
struct Instant;

impl IterationTime for Instant {
    fn mixed(&self, _: &MakeUp) -> SimDuration {
        SimDuration::from_nanos(1)
    }

    fn decode_line(&self, _: u32, _: u32) -> DecodeLine {
        DecodeLine { base_fs: 1_000_000, per_context_fs: 0, per_windowed_context_fs: 0 }
    }
}

/// The shares of prompt tokens and of named blocks that an engine with so many KV tokens finds in its cache.
fn hit_rates(requests: &[Request], capacity_tokens: u64) -> (f64, f64) {
    let memory = GpuMemory { weights_bytes: 0, capacity_bytes: capacity_tokens, kv_bytes_per_token: 1 };
    let settings =
        Settings { max_num_batched_tokens: 1 << 20, prefix_block_tokens: 512, ..Settings::default() };
    let timesheet = Timesheet::new((InstanceId(0), GpuName::of("toy")));
    let mut engine = ContinuousBatcher::new(timesheet, memory, settings, Arc::new(Instant)).unwrap();
    let mut now = SimTime::ZERO;
    for request in requests {
        let request = Request { output_tokens: 1, ..request.clone() };
        engine.arrive(now, Box::new(request), Work::PrefillOnly, 0);
        while let Some(end) = engine.run_end() {
            now = end;
            engine.finish_run(now, |_, _| ());
        }
    }
    let statistics = engine.statistics();
    let hit = statistics.prefix_hit_tokens as f64;
    let named: usize = requests.iter().map(|request| request.attributes().prefix.len()).sum();
    (hit / statistics.prefix_queried_tokens as f64, hit / 512.0 / named as f64)
}

#[test]
fn the_cache_of_an_engine_hits_as_published_for_mooncakes_traces() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/mooncake");
    // Published: share of tokens without bound, and shares of blocks by capacity in blocks of 512 tokens.
    for (file, unbounded, bounded) in [
        ("conversation_trace.jsonl", 0.374, [(5000, 0.110), (10_000, 0.211)]),
        ("synthetic_trace.jsonl", 0.651, [(5000, 0.279), (10_000, 0.423)]),
    ] {
        let path = data.join(file);
        if !path.is_file() {
            println!("skipped: {} is absent", path.display());
            return;
        }
        let source = WorkloadSource::Trace { path, skip_bad_rows: false, arrivals: None };
        let spec = WorkloadSpec { source, transform: Transform::default(), classes: Vec::new() };
        let workload = crate::workload::open(&spec, &[ApplicationId(0)], 0).unwrap();
        assert_eq!(workload.prefix_block_tokens, 512);
        let requests: Vec<Request> = workload.requests.collect();
        let near = |what: &str, found: f64, published: f64| {
            println!("{file}, {what}: {found:.4}, published {published}");
            assert!((found - published).abs() < 0.02, "{file}, {what}: {found}");
        };
        near("unbounded", hit_rates(&requests, 512 << 20).0, unbounded);
        for (blocks, published) in bounded {
            near(&format!("{blocks} blocks"), hit_rates(&requests, blocks * 512).1, published);
        }
    }
}
