//! What a scenario is going to run, in a few lines: the answer of `ebbflow check`.

use std::fmt::Write;

use crate::scenario::{
    ApplicationSpec, Arrivals, PerformanceSpec, RooflineSpec, Scenario, SplitType, StartState, WorkloadSource,
};
use crate::workload::Workload;

/// A description, one fact a line, starting with OK.
pub fn describe(scenario: &Scenario, workload: &Workload) -> String {
    let mut text = format!("OK {}\n\n", scenario.name);
    let mut line = |label: &str, fact: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{label:<16}{fact}");
    };
    line("cluster", &cluster(scenario));
    for application in &scenario.applications {
        line(&format!("application {}", application.id), &describe_application(application));
    }
    line("start", &start(&scenario.start_state));
    line("performance", &performance(&scenario.performance));
    line("workload", &describe_workload(scenario, workload));
    if let (Some(first), Some(last)) = (scenario.actions.first(), scenario.actions.last()) {
        line("actions", &format!("{}, from {} to {}", scenario.actions.len(), first.at, last.at));
    }
    let (end, latency, seed) = (scenario.end_time, scenario.dispatch_latency, scenario.seed);
    line("run", &format!("until {end} at the latest · a message takes {latency} · seed {seed}"));
    for note in &scenario.notes {
        line("note", note);
    }
    text
}

fn cluster(scenario: &Scenario) -> String {
    let groups = scenario.cluster.servers.iter().map(|group| {
        let sku = &group.sku;
        format!("{} × {} ({} × {})", group.count, sku.name, sku.gpus, sku.gpu.name)
    });
    groups.collect::<Vec<_>>().join(", ")
}

fn describe_application(application: &ApplicationSpec) -> String {
    let mut text = format!("{} · scheduler {}", application.model.name, application.scheduler.name);
    if let Some(scaling) = &application.scaling {
        let (delay, interval) = (scaling.cold_start.mean(&application.model), scaling.drain_check_interval);
        let _ = write!(text, " · starts take {delay}, drains are checked every {interval}");
        for policy in &scaling.policies {
            let _ = write!(text, " · policy {} every {}", policy.name, policy.decision_interval);
        }
    }
    text
}

fn start(state: &StartState) -> String {
    match state {
        StartState::Unallocated { .. } => "no instance".to_owned(),
        StartState::WholeServers { application, .. } => {
            format!("one instance of application {application} on every server")
        }
        StartState::Split { application, split, prompt, token } => {
            let pools = match split {
                SplitType::Homogeneous => {
                    format!("{} prompt and {} token servers", prompt.num_instances, token.num_instances)
                }
                SplitType::Heterogeneous => format!(
                    "prompt on {}, token on {}",
                    prompt.instance_names.join(", "),
                    token.instance_names.join(", ")
                ),
            };
            format!("application {application}: {pools}")
        }
        StartState::Packed { entries, .. } => {
            let told = entries.iter().map(|entry| {
                let tag = entry.tag.map_or(String::new(), |tag| format!(" {tag}"));
                let gpus = entry.instance.parallelism.gpus();
                format!("{}{tag} of application {} on {gpus} GPU(s) each", entry.count, entry.application)
            });
            format!("packed: {}", told.collect::<Vec<_>>().join(", "))
        }
    }
}

fn performance(performance: &PerformanceSpec) -> String {
    match performance {
        PerformanceSpec::Constant { prompt_s, token_s } => {
            format!("{prompt_s} s an iteration with a prompt, {token_s} s one without")
        }
        PerformanceSpec::Pwl(knots) => {
            let (prompt, token) = (knots.prompt.len(), knots.token.len());
            format!("lines through {prompt} knots of prompts and {token} of tokens")
        }
        PerformanceSpec::Lookup { path: Some(path), .. } => format!("table {}", path.display()),
        PerformanceSpec::Lookup { path: None, .. } => "built-in table splitwise-2023".to_owned(),
        PerformanceSpec::Roofline(RooflineSpec { backend, calibration, kernels, constants, .. }) => {
            let own = if *constants == Default::default() { "" } else { ", constants of your own" };
            let fitted = calibration.as_ref().map(|file| format!(", calibrated by {}", file.path.display()));
            let measured = kernels.as_ref().map(|kernels| {
                let paths = kernels.paths.iter().map(|path| path.display().to_string());
                format!(", kernels as measured in {}", paths.collect::<Vec<_>>().join(", "))
            });
            format!(
                "roofline, operator by operator, under {backend}{}{}{own}",
                measured.unwrap_or_default(),
                fitted.unwrap_or_default()
            )
        }
    }
}

fn describe_workload(scenario: &Scenario, workload: &Workload) -> String {
    let source = match &scenario.workload.source {
        WorkloadSource::Trace { path, .. } => format!("trace {}", path.display()),
        WorkloadSource::ClientPool(pool) => format!("client pool {}", pool.folder.display()),
        WorkloadSource::Synthetic(synthetic) => {
            let arrivals = match synthetic.arrivals {
                Arrivals::Poisson(_) => "Poisson",
                Arrivals::Gamma { .. } => "gamma",
                Arrivals::OnOff { .. } => "on/off",
                Arrivals::Uniform { .. } => "uniform",
                Arrivals::Clients(_) => "closed-loop",
            };
            match (&synthetic.sessions, &synthetic.arrivals) {
                (None, Arrivals::Clients(clients)) => format!("synthetic, {} clients", clients.count),
                (Some(_), Arrivals::Clients(clients)) => {
                    format!("synthetic, sessions of {} clients", clients.count)
                }
                (Some(_), _) => format!("synthetic, {arrivals} starts of sessions"),
                (None, _) => format!("synthetic, {arrivals} arrivals"),
            }
        }
    };
    match workload.expected {
        Some(expected) => format!("{source}: {expected} requests"),
        None => source,
    }
}
