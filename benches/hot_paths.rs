//! Times every hot path with criterion: `cargo bench --bench hot_paths -- FILTER`.
//!
//! A sample is a whole load; what is printed as `elem/s` are its units per second, and the start of the load is
//! part of it. Wall clocks on shared machines prove little: `instructions` counts the same paths.

mod paths;

use std::time::Duration;

use criterion::{BatchSize, Criterion, SamplingMode, Throughput};

use paths::Path;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    for path in paths::all() {
        time(&mut criterion, &path);
    }
    criterion.final_summary();
}

fn time(criterion: &mut Criterion, path: &Path) {
    let mut group = criterion.benchmark_group(&path.name);
    group.sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(path.units));
    group.bench_function(path.unit, |bencher| {
        bencher.iter_batched(|| path.prepare(path.units), |work| work(), BatchSize::PerIteration);
    });
    group.finish();
}
