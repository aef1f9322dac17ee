//! Whole scenarios, end to end in memory: requests per second of wall-clock time.
//!
//! `cargo bench --bench scenarios` prints the median of five interleaved runs of each, on one arbiter and
//! without result files. It is a measurement, not a test: it never fails on time.

use std::path::Path;
use std::time::Instant;

use ebbflow::registry::Registry;
use ebbflow::scenario;
use ebbflow::simulation::{self, RunOptions};
use ebbflow::workload;
use ebbflow_actors::Runner;

const RUNS: usize = 5;

/// A name, servers of the fleet, requests per second, requests.
const SCENARIOS: [(&str, u32, f64, u64); 4] = [
    ("40 instances", 40, 80.0, 10_000),
    ("8 instances, as many requests as a real hour", 8, 5.53, 19_366),
    ("2,000 instances", 2_000, 4_000.0, 100_000),
    ("10,000 instances", 10_000, 20_000.0, 100_000),
];

fn yaml(servers: u32, rate: f64, requests: u64) -> String {
    format!(
        "cluster: {{servers: [{{sku: dgx-h100, count: {servers}}}]}}\n\
         applications: [{{model_architecture: bloom-176b, model_size: bloom-176b-fp16, scheduler: token_jsq}}]\n\
         start_state: baseline\n\
         workload: {{preset: azure-conv, rate: {rate}, requests: {requests}}}\n"
    )
}

/// Seconds, and completed requests, of one run.
fn measure(text: &str, runner: Runner) -> Result<(f64, usize), Box<dyn std::error::Error>> {
    let registry = Registry::builtin();
    let scenario = scenario::from_yaml("bench", text, Path::new("."), &[], &registry)?;
    let applications: Vec<_> = scenario.applications.iter().map(|spec| spec.id).collect();
    let workload = workload::open(&scenario.workload, &applications, scenario.seed)?;
    let options = RunOptions { runner, arbiters: std::num::NonZeroUsize::new(1), ..RunOptions::default() };
    let begin = Instant::now();
    let results = simulation::run(&scenario, workload, &registry, &options)?;
    Ok((begin.elapsed().as_secs_f64(), results.applications[0].completed().count()))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runners = [("actors", Runner::Actors), ("sequential", Runner::Sequential)];
    println!("{:<46} {:<11} {:>9} {:>12}", "scenario", "runner", "median s", "requests/s");
    for (name, servers, rate, requests) in SCENARIOS {
        let text = yaml(servers, rate, requests);
        let mut seconds = [const { Vec::new() }; 2];
        let mut completed = 0;
        for _ in 0..RUNS {
            for (position, (_, runner)) in runners.iter().enumerate() {
                let (elapsed, served) = measure(&text, *runner)?;
                seconds[position].push(elapsed);
                completed = served;
            }
        }
        for (times, (runner, _)) in seconds.iter_mut().zip(runners) {
            times.sort_by(f64::total_cmp);
            let median = times[RUNS / 2];
            println!("{name:<46} {runner:<11} {median:>9.3} {:>12.0}", completed as f64 / median);
        }
    }
    Ok(())
}
