//! Every file of a small run made by hand.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::super::{Report, RunResults, Statistics, samples};
use super::write_all;

/// Writes a run and reads all its files back, by relative path.
fn written(results: &RunResults, debug: bool) -> BTreeMap<String, String> {
    let home = tempfile::tempdir().unwrap();
    let report = Report::new(results, &samples::scenario());
    write_all(home.path(), results, &report, "seed: 7", debug).unwrap();
    let mut files = BTreeMap::new();
    collect(home.path(), home.path(), &mut files);
    files
}

fn collect(root: &Path, folder: &Path, files: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, files);
        } else {
            let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            files.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
}

fn file(name: &str) -> String {
    written(&samples::results(), true).remove(name).unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn a_run_directory_holds_the_files_that_are_promised() {
    let names: Vec<String> = written(&samples::results(), true).into_keys().collect();
    assert_eq!(
        names,
        [
            "detailed/0.csv",
            "detailed/0_alloc.csv",
            "instances/0/0.csv",
            "instances/0/1.csv",
            "lifecycle/0.csv",
            "lifecycle/0_servers.csv",
            "not_completed.csv",
            "request_nodes.csv",
            "requests/0.csv",
            "run.json",
            "scaling/0.csv",
            "scaling/0_events.csv",
            "scenario.yaml",
            "simulator.csv",
            "summary.csv",
        ]
    );
}

#[test]
fn files_that_have_no_subject_are_left_out() {
    let mut results = samples::results();
    results.applications[0].has_scaling_manager = false;
    let files = written(&results, false);
    assert!(!files.keys().any(|name| name.starts_with("scaling/") || name.starts_with("instances/")));
}

#[test]
fn completed_requests_are_listed_in_order_of_completion() {
    assert_eq!(
        file("detailed/0.csv"),
        "request_ids,response_times,queue_times,ttft_times,tbt_times,nth_token_overheads,prompt_sizes,token_sizes\n\
         16,4,0.5,1,0.3333333333333333,0.3,500,9\n\
         2,2.125,0,2.125,0,0,500,1\n"
    );
}

#[test]
fn removed_instances_stay_in_the_utilisation_file() {
    assert_eq!(file("detailed/0_alloc.csv"), "instance_names,utilizations\nh100-80gb,0.25\na100-80gb,0.25\n");
}

#[test]
fn an_instance_that_existed_for_no_time_was_not_busy() {
    let mut results = samples::results();
    let created_at_the_end = &mut results.applications[0].instances[0];
    created_at_the_end.created = results.end;
    assert!(written(&results, false)["detailed/0_alloc.csv"].contains("h100-80gb,0\n"));
}

#[test]
fn tasks_and_transfers_of_completed_requests_are_listed() {
    assert_eq!(
        file("request_nodes.csv"),
        "request_id,request_type,node_id,node_type,runner,start_timestamp,completion_timestamp\n\
         16,2,0,PROMPT,h100-80gb_0,1.5,2.0\n\
         16,2,1,TOKEN,a100-80gb_1,2.3,5.0\n\
         16,2,2,KVCacheTransfer,DummyLink,2.0,2.25\n\
         2,2,0,PROMPT,h100-80gb_0,4.0,6.125\n"
    );
}

#[test]
fn requests_of_several_applications_are_listed_by_completion() {
    let mut results = samples::results();
    let mut other = results.applications[0].clone();
    other.requests.remove(0);
    results.applications.insert(0, other);
    let nodes = &written(&results, false)["request_nodes.csv"];
    let ids: Vec<&str> = nodes.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    assert_eq!(ids, ["16", "16", "16", "2", "2"]);
}

#[test]
fn requests_that_were_not_completed_are_listed_with_the_reason() {
    assert_eq!(
        file("not_completed.csv"),
        "request_id,application_id,arrival_timestamp,prompt_size,token_size,outcome,reason_or_stage\n\
         3,0,4.5,500,7,rejected,too_large\n\
         4,0,99.0,500,7,unfinished,decode\n"
    );
}

#[test]
fn the_scaling_log_has_the_users_form() {
    assert_eq!(
        file("scaling/0.csv"),
        "time,action,target,status\n45.37,scale_up_start,instance_1,scaling_up\n"
    );
}

#[test]
fn reasons_with_commas_quotes_and_newlines_stay_one_field() {
    assert_eq!(
        file("scaling/0_events.csv"),
        "time,event,target,detail\n\
         50.0,refused,instance_0,\"draining it, or \"\"scaling it down\"\",\nwould leave 0 of 1 prompt instances\"\n"
    );
}

#[test]
fn the_life_of_every_instance_is_told() {
    assert_eq!(
        file("lifecycle/0.csv"),
        "id,server,sku,gpu,gpus,processors,tag,created_s,active_s,draining_s,removed_s,busy_s,tasks_completed,\
         prefill_s,decode_s,prefill_j,decode_j\n\
         0,0,dgx-h100,h100-80gb,8,0 1 2 3 4 5 6 7,prompt,0.0,0.0,,,25.0,2,5.0,20.0,5000,20000\n\
         1,1,dgx-h100,a100-80gb,8,0 1 2 3 4 5 6 7,,10.0,20.0,70.0,90.0,20.0,2,0.0,20.0,0,20000\n"
    );
}

#[test]
fn iterations_are_logged_per_instance() {
    let row = "h100-80gb_0,None,1.5,2.0,1,1,332500277760,1,0,0,0,16,2,1,500,0";
    let log = file("instances/0/0.csv");
    assert_eq!(log.lines().nth(1), Some(row));
    assert_eq!(file("instances/0/1.csv").lines().count(), 1);
}

#[test]
fn the_simulator_file_tells_the_end() {
    assert_eq!(file("simulator.csv"), "time,event\n100.0,end\n");
}

#[test]
fn the_summary_has_every_statistic_of_every_column() {
    let summary = file("summary.csv");
    let mut lines = summary.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let (header, row) = (lines.next().unwrap(), lines.next().unwrap());
    assert_eq!((header.len(), row.len()), (89, 89));
    assert_eq!(header[..3], ["application_id", "request_ids_mean", "request_ids_std"]);
    assert_eq!(header[88], "token_sizes_geomean");
    let value = |name: &str| row[header.iter().position(|column| *column == name).unwrap()];
    assert_eq!(value("response_times_mean"), "3.0625");
    assert_eq!(value("queue_times_geomean"), "0");
    assert_eq!(value("token_sizes_p90"), "8.2");
}

#[test]
fn a_summary_without_completed_requests_has_empty_fields() {
    let mut results = samples::results();
    samples::forget_requests(&mut results);
    let summary = &written(&results, false)["summary.csv"];
    assert_eq!(summary.lines().nth(1), Some(format!("0{}", ",".repeat(88)).as_str()));
}

#[test]
fn only_the_run_file_knows_how_long_the_run_took() {
    let (first, mut second) = (samples::results(), samples::results());
    second.wall_s = 99.0;
    let (mut first, mut second) = (written(&first, true), written(&second, true));
    assert_ne!(first.remove("run.json"), second.remove("run.json"));
    assert_eq!(first, second);
}

/// The ancestor's summaries, recomputed from its own detailed rows.
#[test]
fn statistics_agree_with_the_ancestors_summaries() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/golden");
    let Ok(cases) = fs::read_dir(&golden) else {
        println!("skipped: {} is not there", golden.display());
        return;
    };
    let mut compared = 0;
    for case in cases.map(|case| case.unwrap().path()).filter(|case| case.join("summary.csv").is_file()) {
        let summary = read(&case.join("summary.csv"));
        for (name, values) in read(&case.join("detailed/0.csv")) {
            let statistics = Statistics::of(values).unwrap();
            for (statistic, value) in Statistics::NAMES.iter().zip(statistics.values()) {
                let expected = summary[&format!("{name}_{statistic}")][0];
                assert!((value - expected).abs() <= 1e-9 * expected.abs(), "{case:?} {name} {statistic}");
                compared += 1;
            }
        }
    }
    assert!(compared > 0, "{} holds no case", golden.display());
}

/// The numeric columns of a CSV file.
fn read(path: &Path) -> BTreeMap<String, Vec<f64>> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let names: Vec<String> = reader.headers().unwrap().iter().map(String::from).collect();
    let mut columns: BTreeMap<String, Vec<f64>> =
        names.iter().map(|name| (name.clone(), Vec::new())).collect();
    for row in reader.records().map(Result::unwrap) {
        for (name, field) in names.iter().zip(&row) {
            columns.get_mut(name).unwrap().push(field.parse().unwrap());
        }
    }
    columns
}

#[test]
fn a_run_reads_back_as_it_was_written() {
    let mut results = samples::results();
    results.applications[0].decisions = vec![samples::decision(), samples::held()];
    results.applications[0].scaling_events[0].detail.push_str(" \"really\", it would");
    let home = tempfile::tempdir().unwrap();
    let report = Report::new(&results, &samples::scenario());
    write_all(home.path(), &results, &report, "seed: 7", true).unwrap();
    let (read, summary) = super::read(home.path()).unwrap();
    let (read_one, one) = (&read.applications[0], &results.applications[0]);
    assert_eq!(read_one.requests, one.requests);
    assert_eq!(read_one.instances, one.instances);
    assert_eq!(read_one.servers, one.servers);
    assert_eq!(read_one.scaling_log, one.scaling_log);
    assert_eq!(read_one.scaling_events, one.scaling_events);
    assert_eq!(read_one.decisions, one.decisions);
    assert_eq!(read_one.iterations, one.iterations);
    assert_eq!((read_one.scaling, &read_one.tally), (one.scaling, &one.tally));
    assert_eq!((read.end, read.digest, read.arrived), (results.end, results.digest, results.arrived));
    assert_eq!((read.stats, &read.incomplete), (results.stats, &results.incomplete));
    assert_eq!(summary["name"], "sample");
}

#[test]
fn a_directory_that_is_no_run_is_said_to_be_none() {
    let home = tempfile::tempdir().unwrap();
    let error = super::read(home.path()).unwrap_err().to_string();
    assert!(error.contains("run.json") && error.contains("`ebbflow run`"), "{error}");
}
