//! One run of the command in a process of its own, and what it took.

use std::error::Error;
use std::fs;
use std::process::{Command, ExitCode};
use std::time::Instant;

use super::table::{Files, Scenario};

/// Set for a process that is to be the command `ebbflow` and to say at its end what it took.
const ROLE: &str = "EBBFLOW_BENCH_IS_THE_COMMAND";

/// Linux counts CPU time in hundredths of a second, whatever its kernel does inside.
const TICKS_PER_S: f64 = 100.0;

/// What a run took and brought.
#[derive(Clone, Debug)]
pub struct Sample {
    pub wall_s: f64,
    pub cpu_s: f64,
    pub peak_bytes: f64,
    pub completed: u64,
    pub output_tokens: u64,
    pub digest: String,
}

/// In the process that measures itself: the command, then a line about what it took.
pub fn be_the_command() -> Option<ExitCode> {
    std::env::var_os(ROLE)?;
    let code = ebbflow::cli::main();
    if let Some((cpu_s, peak_bytes)) = cost_of_this_process() {
        eprintln!("{ROLE} {cpu_s} {peak_bytes}");
    }
    Some(code)
}

fn cost_of_this_process() -> Option<(f64, u64)> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program, in brackets, may hold blanks; user and system time are fields 14 and 15.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: f64 = fields.get(11..13)?.iter().filter_map(|field| field.parse::<f64>().ok()).sum();
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = peak.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some((ticks / TICKS_PER_S, kibibytes * 1024))
}

/// Runs a scenario. `options` are handed on to `ebbflow run`.
pub fn take(scenario: &Scenario, options: &[String]) -> Result<Sample, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("scenario.yaml");
    fs::write(&file, scenario.yaml())?;
    let mut command = Command::new(std::env::current_exe()?);
    command.env(ROLE, "").arg("run").arg(&file).args(["--quiet", "--format", "json"]).args(options);
    match scenario.files {
        Files::All => command.args(["--no-report", "--out"]).arg(folder.path().join("results")),
        Files::Page => command.arg("--out").arg(folder.path().join("results")),
        Files::Summary => {
            command.args(["--results", "summary", "--no-report", "--out"]).arg(folder.path().join("results"))
        }
        Files::None => command.arg("--no-files"),
    };
    let begin = Instant::now();
    let output = command.output()?;
    let wall_s = begin.elapsed().as_secs_f64();
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{}: {}\n{said}", scenario.name, output.status).into());
    }
    let cost = said.lines().find_map(|line| line.strip_prefix(ROLE)).ok_or("no /proc: this needs Linux")?;
    let mut cost = cost.split_whitespace().map(str::parse::<f64>);
    let (Some(Ok(cpu_s)), Some(Ok(peak_bytes))) = (cost.next(), cost.next()) else {
        return Err(format!("{}: the run said nothing of its cost:\n{said}", scenario.name).into());
    };
    let results: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let number = |value: &serde_json::Value| value.as_u64().unwrap_or(0);
    Ok(Sample {
        wall_s,
        cpu_s,
        peak_bytes,
        completed: number(&results["requests"]["completed"]),
        output_tokens: number(&results["output_tokens"]),
        digest: results["digest"].as_str().unwrap_or_default().to_owned(),
    })
}
