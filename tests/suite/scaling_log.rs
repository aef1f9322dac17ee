//! The scaling log on disk: the user's header and line forms to the letter, and nothing else in it.

use std::fs;
use std::path::Path;

use ebbflow::registry::Registry;
use ebbflow::results::{self, Report, RunDirectory};
use ebbflow::scenario::from_yaml;

use crate::support::run::run_scenario;
use crate::support::run::sequential;
use crate::support::scaling::fleet;

/// The text of a file of the run directory of this scenario.
fn written(yaml: &str, file: &str) -> String {
    let scenario = from_yaml("log.yaml", yaml, Path::new(""), &[], &Registry::builtin()).unwrap();
    let results = run_scenario(&scenario, &sequential());
    let home = tempfile::tempdir().unwrap();
    let target = RunDirectory::exactly(home.path().join("run"), false);
    let report = Report::new(&results, &scenario);
    let folder = results::write(&target, &results, &report, &scenario).unwrap();
    fs::read_to_string(folder.join(file)).unwrap()
}

#[test]
fn every_line_has_the_form_the_user_gave() {
    let actions = [
        "{at: 10.5, scale_up_full: {}}",
        "{at: 11, scale_down_instance: {instance: 99}}",
        "{at: 12, scale_down_server: {server: 2}}",
        "{at: 31.25, scale_down_full: {instance: 4}}",
        "{at: 31.25, scale_down_full: {instance: 4}}",
    ];
    let log = written(&fleet("", 0.3, &actions), "scaling/0.csv");
    let mut lines: Vec<&str> = log.lines().collect();
    // When exactly the drain is over depends on the work; the form of the lines does not.
    let ends = lines.split_off(8);
    assert_eq!(
        lines,
        [
            "time,action,target,status",
            "10.5,scale_up_server,server_4,scaling_up",
            "10.5,scale_up_start,instance_4,scaling_up",
            "11.0,scale_down_invalid,instance_99,unknown",
            "12.0,scale_down_server_invalid,server_2,has_instances",
            "20.5,scale_up_complete,instance_4,active",
            "31.25,scale_down_start,instance_4,draining",
            "31.25,scale_down_invalid,instance_4,draining"
        ]
    );
    let [complete, server] = ends[..] else { panic!("{ends:?}") };
    let (time, rest) = complete.split_once(',').unwrap();
    assert_eq!(rest, "scale_down_complete,instance_4,scaling_down");
    assert_eq!(server, format!("{time},scale_down_server,server_4,scaling_down"));
}

#[test]
fn the_log_is_there_with_its_header_even_if_nothing_happened() {
    assert_eq!(
        written(&fleet("", 0.3, &[]).replace("actions:", ""), "scaling/0.csv"),
        "time,action,target,status\n"
    );
}

#[test]
fn reasons_stand_in_the_second_file_only_and_keep_their_commas() {
    let yaml = fleet("min_instances: 4", 0.3, &["{at: 5, scale_down_full: {instance: 0}}"]);
    let log = written(&yaml, "scaling/0.csv");
    assert_eq!(log, "time,action,target,status\n5.0,scale_down_invalid,instance_0,active\n");
    let events = written(&yaml, "scaling/0_events.csv");
    let mut reader = csv::Reader::from_reader(events.as_bytes());
    assert_eq!(reader.headers().unwrap(), ["time", "event", "target", "detail"].as_slice());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 1);
    assert_eq!((&rows[0][0], &rows[0][1], &rows[0][2]), ("5.0", "refused", "instance_0"));
    assert!(rows[0][3].contains("min_instances is 4") && rows[0][3].contains(','), "{rows:?}");
}

#[test]
fn every_row_has_four_fields_whatever_happens() {
    let actions = [
        "{at: 5, scale_up_full: {count: 3}}",
        "{at: 6, scale_down_full: {instances: [0, 4, 5, 17]}}",
        "{at: 7, scale_down_server: {server: 1}}",
        "{at: 20, scale_down_full: {instances: [6, 1]}}",
    ];
    let log = written(&fleet("drain_timeout: 0.1", 30.0, &actions), "scaling/0.csv");
    let mut reader = csv::ReaderBuilder::new().flexible(false).from_reader(log.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("four fields")).collect();
    assert!(rows.len() > 12);
    let times: Vec<f64> = rows.iter().map(|row| row[0].parse().expect("a number")).collect();
    assert!(times.is_sorted());
    for row in &rows {
        let (kind, number) = row[2].split_once('_').unwrap();
        assert!(["instance", "server"].contains(&kind) && number.parse::<u32>().is_ok(), "{row:?}");
        let statuses = ["scaling_up", "active", "draining", "scaling_down", "has_instances", "unknown"];
        assert!(statuses.contains(&&row[3]), "{row:?}");
    }
}
