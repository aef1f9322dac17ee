//! The `ebbflow` command as a user meets it: what it prints, writes and exits with.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::desk::{Desk, code, entries, json, stderr, stdout};

const GOOD: &str = "
cluster: {servers: [{sku: dgx-h100, count: 2}]}
applications:
  - {application_id: 0, model_architecture: LLaMA, model_size: 70B, scheduler: jsq, scaling_manager: {}}
start_state: {state_type: baseline, application_id: 0}
end_time: 60
workload:
  rate: 2
  requests: 40
  synthetic: {prompt: 500, output: 20}
actions:
  - {at: 5, scale_up_full: {}}
  - {at: 20, scale_down_full: {instance: 0}}
";

#[test]
fn without_arguments_the_built_in_scenario_runs_and_may_run_again() {
    let desk = Desk::new();
    let first = desk.ebbflow(&[]);
    assert_eq!(code(&first), 0, "{}", stderr(&first));
    for part in ["requests", "TTFT", "digest", "files           results"] {
        assert!(stdout(&first).contains(part), "{part} is missing in\n{}", stdout(&first));
    }
    assert_eq!(code(&desk.ebbflow(&[])), 0);
    let runs = entries(&desk.path("results"));
    assert_eq!(runs.len(), 2, "{runs:?}");
    assert_eq!(runs[1], format!("{}-2", runs[0]));
}

#[test]
fn equal_runs_write_equal_bytes_except_for_the_wall_clock() {
    let desk = Desk::new();
    desk.write("s.yaml", GOOD);
    for out in ["a", "b"] {
        let run = desk.ebbflow(&["run", "s.yaml", "--out", out, "--quiet"]);
        assert_eq!(code(&run), 0, "{}", stderr(&run));
    }
    let (mut a, mut b) = (files(&desk.path("a")), files(&desk.path("b")));
    a.retain(|(name, _)| name != "run.json");
    b.retain(|(name, _)| name != "run.json");
    assert!(a.len() >= 8);
    assert_eq!(a, b);
    let (a, b) = (json(&desk.path("a/run.json")), json(&desk.path("b/run.json")));
    assert_eq!(a["digest"], b["digest"]);
}

/// Every file of a folder with its bytes, by relative path.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for name in entries(folder) {
        let path = folder.join(&name);
        if path.is_dir() {
            all.extend(files(&path).into_iter().map(|(inner, bytes)| (format!("{name}/{inner}"), bytes)));
        } else {
            all.push((name, fs::read(&path).unwrap()));
        }
    }
    all
}

#[test]
fn json_on_stdout_is_the_run_file_with_the_promised_keys() {
    let desk = Desk::new();
    let run = desk.ebbflow(&["run", "--format", "json", "--out", "run"]);
    assert_eq!(code(&run), 0, "{}", stderr(&run));
    let report: Value = serde_json::from_str(&stdout(&run)).unwrap();
    assert_eq!(report, json(&desk.path("run/run.json")));
    for key in ["digest", "events", "messages", "simulated_s", "wall_s", "instance_seconds", "gpu_seconds"] {
        assert!(!report[key].is_null(), "{key}");
    }
    for latency in ["ttft_s", "tbt_s", "e2e_s"] {
        for key in ["mean", "p50", "p90", "p99", "max"] {
            assert!(report[latency][key].is_number(), "{latency}.{key}");
        }
    }
    for key in ["scale_ups", "scale_downs", "refused"] {
        assert!(report["scaling"][key].is_u64(), "scaling.{key}");
    }
    let count = |key: &str| report["requests"][key].as_u64().unwrap();
    assert_eq!(count("arrived"), count("completed") + count("rejected") + count("unfinished"));
}

#[test]
fn a_bad_scenario_exits_with_2_and_writes_nothing() {
    let desk = Desk::new();
    desk.write("bad.yaml", "clutser: {}\nend_time: -4\n");
    for arguments in [&["run", "bad.yaml"][..], &["check", "bad.yaml"], &["run", "missing.yaml"]] {
        let run = desk.ebbflow(arguments);
        assert_eq!(code(&run), 2, "{arguments:?}");
        assert_eq!(stdout(&run), "");
    }
    let run = desk.ebbflow(&["run", "bad.yaml"]);
    assert!(stderr(&run).contains("clutser") && stderr(&run).contains("end_time"), "{}", stderr(&run));
    assert_eq!(desk.entries(), ["bad.yaml"]);
}

#[test]
fn a_missing_trace_exits_with_2_and_writes_nothing() {
    let desk = Desk::new();
    desk.write("s.yaml", GOOD);
    let run = desk.ebbflow(&["run", "s.yaml", "--trace", "nowhere.csv"]);
    assert_eq!(code(&run), 2);
    assert!(stderr(&run).contains("nowhere.csv"), "{}", stderr(&run));
    assert_eq!(desk.entries(), ["s.yaml"]);
}

#[test]
fn a_trace_takes_the_place_of_the_workload() {
    let desk = Desk::new();
    desk.write("s.yaml", GOOD);
    desk.write(
        "my trace's.csv",
        "request_id,request_type,application_id,arrival_timestamp,batch_size,prompt_size,token_size\n\
         0,2,0,0.5,1,100,5\n1,2,0,0.75,1,100,1\n",
    );
    let run = desk.ebbflow(&["run", "s.yaml", "--trace", "my trace's.csv", "--format", "json", "--no-files"]);
    assert_eq!(code(&run), 0, "{}", stderr(&run));
    let report: Value = serde_json::from_str(&stdout(&run)).unwrap();
    assert_eq!(report["requests"]["arrived"], 2);
    assert_eq!(desk.entries(), ["my trace's.csv", "s.yaml"]);
}

#[test]
fn malformed_rows_are_fatal_unless_they_may_be_skipped() {
    let desk = Desk::new();
    desk.write("s.yaml", GOOD);
    desk.write(
        "t.csv",
        "request_id,request_type,application_id,arrival_timestamp,batch_size,prompt_size,token_size\n\
         0,2,0,0.5,1,100,5\n1,2,0,soon,1,100,1\n",
    );
    let arguments = ["run", "s.yaml", "--trace", "t.csv", "--no-files", "--format", "json"];
    let strict = desk.ebbflow(&arguments);
    assert_eq!(code(&strict), 2);
    assert!(stderr(&strict).contains("t.csv") && stderr(&strict).contains('3'), "{}", stderr(&strict));
    let lenient = desk.ebbflow(&[&arguments[..], &["--skip-bad-rows"]].concat());
    assert_eq!(code(&lenient), 0, "{}", stderr(&lenient));
    assert!(stderr(&lenient).contains("1 malformed row"), "{}", stderr(&lenient));
}

#[test]
fn an_existing_result_is_replaced_only_by_force() {
    let desk = Desk::new();
    desk.write("s.yaml", GOOD);
    let run = |more: &[&str]| desk.ebbflow(&[&["run", "s.yaml", "--out", "run"], more].concat());
    assert_eq!(code(&run(&["--seed", "1"])), 0);
    let refused = run(&["--seed", "2"]);
    assert_eq!(code(&refused), 2);
    assert!(stderr(&refused).contains("--force"), "{}", stderr(&refused));
    assert_eq!(json(&desk.path("run/run.json"))["seed"], 1);
    assert_eq!(code(&run(&["--seed", "2", "--force"])), 0);
    assert_eq!(json(&desk.path("run/run.json"))["seed"], 2);
    assert_eq!(desk.entries(), ["run", "s.yaml"]);
}

#[test]
fn a_directory_that_is_no_result_is_never_replaced() {
    let desk = Desk::new();
    fs::create_dir(desk.path("thesis")).unwrap();
    desk.write("thesis/chapter.tex", "words");
    let run = desk.ebbflow(&["run", "--out", "thesis", "--force"]);
    assert_eq!(code(&run), 2);
    assert_eq!(entries(&desk.path("thesis")), ["chapter.tex"]);
}

#[test]
fn a_directory_that_cannot_be_written_is_noticed_before_the_run() {
    let desk = Desk::new();
    desk.write("file", "");
    let run = desk.ebbflow(&["run", "--out", "file/run"]);
    assert_eq!(code(&run), 1);
    assert!(stderr(&run).contains("--out"), "{}", stderr(&run));
    assert_eq!(stdout(&run), "");
}

#[test]
fn check_says_what_would_run_and_writes_nothing() {
    let desk = Desk::new();
    desk.write("s.yaml", GOOD);
    let check = desk.ebbflow(&["check", "s.yaml", "cluster.servers.0.count=3"]);
    assert_eq!(code(&check), 0, "{}", stderr(&check));
    for part in ["OK", "3 × dgx-h100", "llama2-70b", "scheduler jsq", "actions         2"] {
        assert!(stdout(&check).contains(part), "{part} is missing in\n{}", stdout(&check));
    }
    assert_eq!(desk.entries(), ["s.yaml"]);
}

#[test]
fn a_fleet_that_cannot_be_built_is_found_by_check_and_by_run() {
    let desk = Desk::new();
    desk.write("s.yaml", &GOOD.replace("jsq, scaling_manager: {}", "kv_jsq"));
    for command in ["check", "run"] {
        let refused = desk.ebbflow(&[command, "s.yaml", "actions=[]"]);
        assert_eq!(code(&refused), 2, "{command}: {}", stdout(&refused));
        assert!(stderr(&refused).contains("kv_jsq"), "{}", stderr(&refused));
    }
    assert_eq!(desk.entries(), ["s.yaml"]);
}

#[test]
fn overrides_apply_without_a_scenario_too() {
    let desk = Desk::new();
    let run = desk.ebbflow(&["run", "seed=5", "--format", "json", "--no-files"]);
    assert_eq!(code(&run), 0, "{}", stderr(&run));
    let report: Value = serde_json::from_str(&stdout(&run)).unwrap();
    assert_eq!((&report["seed"], &report["scenario"]["seed"]), (&5.into(), &5.into()));
    assert!(desk.entries().is_empty());
}

#[test]
fn quiet_means_that_stderr_stays_empty() {
    let desk = Desk::new();
    let run = desk.ebbflow(&["run", "--quiet", "--no-files"]);
    assert_eq!((code(&run), stderr(&run).as_str()), (0, ""));
}

#[test]
fn wrong_arguments_exit_with_2() {
    let desk = Desk::new();
    let wrong: [&[&str]; 5] = [
        &["fly"],
        &["run", "--arbiters", "0"],
        &["run", "a.yaml", "b.yaml"],
        &["run", "--runner", "fast"],
        &["run", "--no-files", "--out", "x"],
    ];
    for arguments in wrong {
        assert_eq!(code(&desk.ebbflow(arguments)), 2, "{arguments:?}");
    }
}

#[test]
fn every_runner_gives_the_same_digest() {
    let desk = Desk::new();
    desk.write("s.yaml", GOOD);
    let digest = |more: &[&str]| {
        let run = desk.ebbflow(&[&["run", "s.yaml", "--no-files", "--format", "json"], more].concat());
        assert_eq!(code(&run), 0, "{}", stderr(&run));
        serde_json::from_str::<Value>(&stdout(&run)).unwrap()["digest"].clone()
    };
    let expected = digest(&["--runner", "sequential"]);
    for more in [
        &["--runner", "naive"][..],
        &["--ticks", "eager"],
        &["--arbiters", "1"],
        &["--arbiters", "2"],
        &["--arbiters", "4", "--ticks", "eager"],
    ] {
        assert_eq!(digest(more), expected, "{more:?}");
    }
}

#[test]
fn a_reader_who_leaves_early_is_no_error() {
    let desk = Desk::new();
    let mut run = desk
        .command(&["run", "--no-files", "--quiet", "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(run.stdout.take());
    let output = run.wait_with_output().unwrap();
    assert_eq!((code(&output), stderr(&output).as_str()), (0, ""));
}

/// Far more load than can be simulated before the signal comes.
#[cfg(unix)]
const LONG: [&str; 3] = ["end_time=1e9", "workload.requests=100000000", "workload.synthetic.output=2000"];

#[cfg(unix)]
#[test]
fn ctrl_c_writes_what_there_is_marked_incomplete() {
    let desk = Desk::new();
    desk.write("s.yaml", GOOD);
    let arguments = [&["run", "s.yaml", "--out", "run", "--format", "json"], &LONG[..]].concat();
    let run = desk.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1500));
    let killed = Command::new("kill").args(["-INT", &run.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let output = run.wait_with_output().unwrap();
    assert_eq!(code(&output), 130, "{}", stderr(&output));
    assert!(stderr(&output).contains("marked incomplete"), "{}", stderr(&output));
    let report = json(&desk.path("run/run.json"));
    assert_eq!(report["incomplete"], "interrupted");
    assert_eq!(report, serde_json::from_str::<Value>(&stdout(&output)).unwrap());
    let count = |key: &str| report["requests"][key].as_u64().unwrap();
    assert_eq!(count("arrived"), count("completed") + count("rejected") + count("unfinished"));
    assert_eq!(desk.entries(), ["run", "s.yaml"]);
}
