//! What a user sees in a terminal, and what a program reads that is none.

use std::process::Command;

use serde_json::Value;

use crate::support::desk::{Desk, code, stderr, stdout};

/// Ends with requests in service and a refusal.
const CUT_SHORT: &str = "
cluster: {servers: [{sku: dgx-h100, count: 2}]}
applications:
  - {model_architecture: LLaMA, model_size: 70B, scheduler: jsq, scaling_manager: {}}
start_state: baseline
end_time: 20
slo: ttft.p99<2s, e2e.p50<1ms
workload: {rate: 4, requests: 400, synthetic: {prompt: 500, output: 200}}
actions:
  - {at: 5, scale_up_full: {}}
  - {at: 6, scale_down_full: {instances: [0, 1, 2]}}
";

/// What the command prints on stdout when that is a terminal of so many columns, with this environment.
fn in_a_terminal(desk: &Desk, columns: usize, environment: &str, command: &str) -> Option<String> {
    let ebbflow = env!("CARGO_BIN_EXE_ebbflow");
    let line = format!("stty cols {columns} rows 30; {environment} {ebbflow} {command}");
    let script = Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .current_dir(desk.path(""))
        .env_remove("NO_COLOR")
        .env_remove("RUST_LOG")
        .env("TERM", "xterm")
        .output();
    match script {
        Ok(output) => Some(stdout(&output).replace('\r', "")),
        Err(error) => {
            println!("skipped: there is no pseudo-terminal without `script`: {error}");
            None
        }
    }
}

#[test]
fn the_summary_fits_the_terminal_and_has_colours_there() {
    let desk = Desk::new();
    desk.write("s.yaml", CUT_SHORT);
    for columns in [60, 80, 120] {
        let Some(text) = in_a_terminal(&desk, columns, "", "run s.yaml --no-files 2>/dev/null") else {
            return;
        };
        assert!(text.contains("\u{1b}[32m✓") && text.contains("\u{1b}[31m✗"), "{text}");
        let plain = console::strip_ansi_codes(&text).into_owned();
        for line in plain.lines() {
            assert!(line.chars().count() <= columns, "{columns} columns:\n{line}\nin\n{plain}");
        }
        let chart = plain.lines().find(|line| line.trim_start().starts_with("active ")).unwrap();
        assert!(chart.contains('█') && chart.chars().count() > columns - 12, "{plain}");
    }
}

#[test]
fn no_color_and_dumb_terminals_are_respected() {
    let desk = Desk::new();
    desk.write("s.yaml", CUT_SHORT);
    for environment in ["NO_COLOR=1", "TERM=dumb"] {
        let command = "run s.yaml --no-files 2>/dev/null";
        let Some(text) = in_a_terminal(&desk, 80, environment, command) else { return };
        assert!(text.contains("digest") && !text.contains('\u{1b}'), "{environment}:\n{text}");
    }
}

#[test]
fn a_pipe_gets_the_summary_without_colours() {
    let desk = Desk::new();
    desk.write("s.yaml", CUT_SHORT);
    let run = desk.ebbflow(&["run", "s.yaml", "--no-files"]);
    assert_eq!(code(&run), 3, "{}", stderr(&run));
    let text = stdout(&run);
    assert!(!text.contains('\u{1b}'), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    // What was promised comes first.
    let place = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part} is missing in\n{text}"));
    assert!(place("✓ ttft.p99") < place("✗ e2e.p50") && place("✗ e2e.p50") < place("requests"));
}

#[test]
fn the_summary_says_in_words_why_requests_are_unfinished_and_operations_refused() {
    let desk = Desk::new();
    desk.write("s.yaml", CUT_SHORT);
    let text = stdout(&desk.ebbflow(&["run", "s.yaml", "--no-files", "--quiet"]));
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "producing output tokens (decode)",
        "stopped at its end_time",
        "first refusal at 6.0 s: instance_1 is needed: min_instances is 1",
        "simulated seconds per second",
    ] {
        assert!(flat.contains(part), "{part} is missing in\n{text}");
    }
}

#[test]
fn a_run_that_nobody_can_finish_says_so() {
    let desk = Desk::new();
    let text = CUT_SHORT.replace("scaling_manager: {}", "scaling_manager: {min_instances: 0}");
    desk.write(
        "s.yaml",
        &text.replace("end_time: 20", "end_time: 500").replace("- {at: 5, scale_up_full: {}}", ""),
    );
    let run = desk.ebbflow(&["run", "s.yaml", "--no-files", "--quiet"]);
    let flat = stdout(&run).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains("waiting at the scheduler, no instance could take them"), "{}", stdout(&run));
    assert!(flat.contains("nothing was left to happen"), "{}", stdout(&run));
}

#[test]
fn json_on_stdout_is_nothing_but_json_whatever_is_said_on_stderr() {
    let desk = Desk::new();
    let json = ["run", "--no-files", "--format", "json"];
    for more in [&["-v"][..], &["-vv"], &["-v", "--log-format", "json"], &["--quiet"], &[]] {
        let run = desk.ebbflow(&[&json[..], more].concat());
        assert!(serde_json::from_str::<Value>(&stdout(&run)).is_ok(), "{more:?}: {}", stdout(&run));
    }
    let command = "run --no-files --format json 2>/dev/null";
    let Some(text) = in_a_terminal(&desk, 80, "", command) else { return };
    assert!(serde_json::from_str::<Value>(&text).is_ok(), "{text}");
}

#[test]
fn progress_is_drawn_in_a_terminal_only_and_never_when_quiet() {
    let desk = Desk::new();
    desk.write("s.yaml", CUT_SHORT);
    let long = "run s.yaml --no-files slo=ttft.p99<9999s workload.requests=5000 end_time=10000";
    let Some(text) = in_a_terminal(&desk, 120, "", &format!("{} >/dev/null", quoted(long))) else { return };
    for part in ["/", "requests", "active", "M events/s", "ETA"] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    let short = "run --no-files --quiet >/dev/null";
    assert_eq!(in_a_terminal(&desk, 120, "", short).as_deref(), Some(""));
    let run = desk.ebbflow(&["run", "--no-files"]);
    assert!(stderr(&run).lines().all(|line| line.starts_with("note: ")), "{}", stderr(&run));
}

/// The arguments, each in quotes for a shell.
fn quoted(arguments: &str) -> String {
    arguments.split(' ').map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ")
}
