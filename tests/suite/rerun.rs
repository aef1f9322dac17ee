//! `ebbflow rerun`: a run repeats from its own directory, wherever that is by now, or says why it does not.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::desk::{Desk, code, entries, json as read_json, stderr, stdout};

const SCENARIO: &str = "
cluster: {servers: [{sku: dgx-h100, count: 2}]}
applications:
  - {model_architecture: LLaMA, model_size: 70B, scheduler: token_jsq, scaling_manager: {scale_up_delay: 2}}
end_time: 60
workload: {rate: 3, requests: 60, synthetic: {prompt: 800, output: 20}}
actions: [{at: 3, scale_up_full: {}}, {at: 12, scale_down_full: {instance: 0}}]
";

const HEADER: &str =
    "request_id,request_type,application_id,arrival_timestamp,batch_size,prompt_size,token_size\n";

fn trace(requests: u32) -> String {
    let row = |id: u32| format!("{id},2,0,{},1,{},{}\n", f64::from(id) * 0.2, 300 + id * 7, 5 + id % 9);
    HEADER.to_owned() + &(0..requests).map(row).collect::<String>()
}

/// Runs the scenario into `run`.
fn make(desk: &Desk, options: &[&str]) {
    desk.write("s.yaml", SCENARIO);
    let run = desk.ebbflow(&[&["run", "s.yaml", "--out", "run", "--quiet"], options].concat());
    assert_eq!(code(&run), 0, "{}", stderr(&run));
}

/// Repeats it, and gives back the exit code and what was said.
fn repeat(desk: &Desk, arguments: &[&str]) -> (i32, String) {
    let run = desk.ebbflow(&[&["rerun"], arguments].concat());
    (code(&run), stdout(&run) + &stderr(&run))
}

#[track_caller]
fn assert_same((code, said): (i32, String)) {
    assert_eq!(code, 0, "{said}");
    assert!(said.starts_with("same "), "{said}");
}

/// Changes the `run.json` of `run`.
fn edit(desk: &Desk, change: impl Fn(&mut Value)) {
    let path = desk.path("run/run.json");
    let mut summary = read_json(&path);
    change(&mut summary);
    fs::write(path, summary.to_string()).unwrap();
}

#[test]
fn a_run_is_the_same_again_with_every_runner() {
    let desk = Desk::new();
    make(
        &desk,
        &["--runner", "sequential", "cluster.servers.0.count=3", "--seed", "9", "--slo", "ttft.p99<90s"],
    );
    for runner in ["actors", "sequential", "naive"] {
        assert_same(repeat(&desk, &["run", "--runner", runner]));
    }
    assert_same(repeat(&desk, &["run", "--arbiters", "2", "--quiet"]));
    assert_eq!(desk.entries(), ["run", "s.yaml"], "nothing else is left behind");
}

#[test]
fn what_is_kept_of_the_new_run_is_what_was_kept_of_the_first() {
    let desk = Desk::new();
    make(&desk, &["debug=true"]);
    let said = repeat(&desk, &["run", "--out", "again"]);
    assert!(said.1.contains("files           again"), "{}", said.1);
    assert_same(said);
    assert_eq!(entries(&desk.path("run")), entries(&desk.path("again")));
    for file in ["detailed/0.csv", "scaling/0.csv", "request_nodes.csv", "scenario.yaml"] {
        let read = |run: &str| fs::read(desk.path(run).join(file)).unwrap();
        assert_eq!(read("run"), read("again"), "{file}");
    }
    assert_eq!(repeat(&desk, &["run", "--out", "again"]).0, 2, "a result is not replaced");
}

#[test]
fn the_built_in_scenario_repeats() {
    let desk = Desk::new();
    assert_eq!(code(&desk.ebbflow(&["run", "--out", "run", "--results", "summary"])), 0);
    assert_same(repeat(&desk, &["run"]));
}

#[test]
fn a_trace_is_found_from_another_working_directory() {
    let desk = Desk::new();
    desk.write("t.csv", &(trace(40) + "this row is bad\n"));
    make(&desk, &["--trace", "t.csv", "--skip-bad-rows"]);
    fs::create_dir(desk.path("elsewhere")).unwrap();
    let mut command = desk.command(&["rerun", "../run"]);
    let run = command.current_dir(desk.path("elsewhere")).output().unwrap();
    assert_same((code(&run), stdout(&run) + &stderr(&run)));
}

#[test]
fn a_directory_that_was_sent_to_somebody_repeats_with_its_trace_beside_the_scenario_or_named() {
    let desk = Desk::new();
    desk.write("t.csv", &trace(40));
    make(&desk, &["--trace", "t.csv"]);
    fs::rename(desk.path("run"), desk.path("received")).unwrap();
    fs::rename(desk.path("t.csv"), desk.path("mine.csv")).unwrap();
    let (code, said) = repeat(&desk, &["received"]);
    assert_eq!(code, 2, "{said}");
    for part in ["trace", "is gone", "t.csv", "--trace FILE"] {
        assert!(said.contains(part), "{part} is missing in\n{said}");
    }
    assert_same(repeat(&desk, &["received", "--trace", "mine.csv"]));
    fs::rename(desk.path("mine.csv"), desk.path("received/t.csv")).unwrap();
    assert_same(repeat(&desk, &["received"]));
}

#[test]
fn a_trace_that_has_changed_is_named_as_the_reason() {
    let desk = Desk::new();
    desk.write("t.csv", &trace(40));
    make(&desk, &["--trace", "t.csv"]);
    let inputs = read_json(&desk.path("run/run.json"))["inputs"].clone();
    assert_eq!(inputs[0]["kind"], "trace");
    assert_eq!(inputs[0]["bytes"], trace(40).len());
    assert!(Path::new(inputs[0]["path"].as_str().unwrap()).is_absolute());
    let digit = trace(40).replace(",1,300,", ",1,301,");
    desk.write("t.csv", &digit);
    for arguments in [&["run"][..], &["run", "--trace", "t.csv"]] {
        let (code, said) = repeat(&desk, arguments);
        assert_eq!(code, 2, "{said}");
        assert!(said.contains("the trace has changed since the run"), "{said}");
        assert!(said.contains(inputs[0]["fingerprint"].as_str().unwrap()), "{said}");
    }
}

#[test]
fn a_performance_table_is_found_again_and_checked() {
    let Some(table) = crate::support::reference("data").map(|folder| folder.join("splitwise/perf_model.csv"))
    else {
        return;
    };
    if !table.is_file() {
        println!("skipped: {} is absent", table.display());
        return;
    }
    let desk = Desk::new();
    fs::copy(&table, desk.path("table.csv")).unwrap();
    make(&desk, &["performance_model={db: {path: table.csv}}"]);
    fs::rename(desk.path("table.csv"), desk.path("run/table.csv")).unwrap();
    assert_same(repeat(&desk, &["run"]));
    let text = fs::read_to_string(desk.path("run/table.csv")).unwrap();
    desk.write("run/table.csv", &(text + "\n"));
    let (code, said) = repeat(&desk, &["run"]);
    assert_eq!(code, 2);
    assert!(said.contains("the performance table has changed"), "{said}");
}

#[test]
fn what_differs_is_said_the_cause_first() {
    let desk = Desk::new();
    make(&desk, &[]);
    edit(&desk, |summary| {
        summary["digest"] = json!("0000000000000000");
        summary["version"] = json!("0.0.1");
        summary["requests"]["completed"] = json!(59);
        summary["ttft_s"]["p99"] = json!(0.5);
    });
    let (code, said) = repeat(&desk, &["run"]);
    assert_eq!(code, 1, "{said}");
    let places = [
        "different ",
        "before 0000000000000000",
        "version ",
        "before 0.0.1",
        "requests.completed: 60, before 59",
        "ttft_s.p99",
    ];
    let found: Vec<usize> =
        places.iter().map(|part| said.find(part).unwrap_or_else(|| panic!("{part}: {said}"))).collect();
    assert!(found.is_sorted(), "{said}");
    let run = desk.ebbflow(&["rerun", "run", "--format", "json"]);
    let found: Value = serde_json::from_str(&stdout(&run)).unwrap();
    assert_eq!((&found["verdict"], &found["same"]), (&json!("different"), &json!(false)));
    assert_eq!(
        found["differences"][0],
        json!({"key": "version", "before": "0.0.1", "now": env!("CARGO_PKG_VERSION")})
    );
    assert_eq!(found["differences"].as_array().unwrap().len(), 3, "{found:#}");
}

#[test]
fn a_scenario_that_was_edited_afterwards_is_the_first_difference() {
    let desk = Desk::new();
    make(&desk, &[]);
    let text = fs::read_to_string(desk.path("run/scenario.yaml")).unwrap();
    desk.write("run/scenario.yaml", &text.replace("rate: 3.0", "rate: 4.0"));
    let (code, said) = repeat(&desk, &["run"]);
    assert_eq!(code, 1, "{said}");
    assert!(
        said.lines().nth(1).unwrap().contains("scenario.workload.rate.0.rate: 4.0, before 3.0"),
        "{said}"
    );
}

#[test]
fn a_run_that_ended_early_is_compared_as_far_as_it_went() {
    let desk = Desk::new();
    make(&desk, &[]);
    edit(&desk, |summary| {
        summary["digest"] = json!("0000000000000000");
        summary["incomplete"] = json!("interrupted");
        summary["simulated_s"] = json!(7.5);
        summary["requests"]["completed"] = json!(20);
    });
    let rows = fs::read_to_string(desk.path("run/requests/0.csv")).unwrap();
    let begun: String = rows.lines().take(21).map(|row| format!("{row}\n")).collect();
    desk.write("run/requests/0.csv", &begun);
    let (code, said) = repeat(&desk, &["run"]);
    assert_eq!(code, 0, "{said}");
    for part in
        ["incomplete ", "(interrupted), at 7.5 s", "nothing to compare", "all 20 requests it completed"]
    {
        assert!(said.contains(part), "{part} is missing in\n{said}");
    }
    desk.write("run/requests/0.csv", &(begun + "12345,2,1,1,1,1,completed,\n"));
    let (code, said) = repeat(&desk, &["run"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("1 of the 21 requests it completed are different, first 12345"), "{said}");
}

#[test]
fn what_is_no_run_is_refused() {
    let desk = Desk::new();
    fs::create_dir(desk.path("empty")).unwrap();
    desk.write("file", "");
    fs::create_dir(desk.path("broken")).unwrap();
    desk.write("broken/run.json", "{");
    for (name, what) in [("empty", "holds no run.json"), ("nowhere", "holds no run.json"), ("broken", "EOF")]
    {
        let (code, said) = repeat(&desk, &[name]);
        assert_eq!(code, 2, "{said}");
        assert!(said.contains("is not the directory of a run") && said.contains(what), "{said}");
    }
    assert_eq!(repeat(&desk, &["file"]).0, 2);
}
