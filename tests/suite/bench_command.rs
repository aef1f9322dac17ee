//! `ebbflow bench` as a user meets it, at sizes that take no time.

use std::fs;
use std::process::{Command, Output};

use serde_json::Value;

fn bench(words: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ebbflow"));
    command.arg("bench").args(words.split_whitespace()).output().unwrap()
}

fn stdout(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

const TINY: &str = "--entities 20,50 --payload 0,64 --arbiters 1,2 --seconds 0.3 --repeat 2";

#[test]
fn every_runner_is_measured_and_all_agree_on_the_digest() {
    let report: Value = serde_json::from_str(&stdout(&bench(&format!("{TINY} --format json")))).unwrap();
    let rows = report["rows"].as_array().unwrap();
    // Naive and sequential have one arbiter, eager and lazy two choices; two sizes, two payloads.
    assert_eq!(rows.len(), 6 * 4);
    for load in rows.chunks(6) {
        for row in load {
            for same in ["entities", "payload_bytes", "digest", "events", "messages"] {
                assert_eq!(row[same], load[0][same], "{same} of {row}");
            }
            assert!(row["messages"].as_u64() < row["events"].as_u64());
            assert_eq!(row["peak_memory_bytes"].is_u64(), cfg!(target_os = "linux"));
        }
    }
    assert_ne!(rows[0]["digest"], rows[6]["digest"]);
}

#[test]
fn the_table_and_the_files_say_the_same() {
    let home = tempfile::tempdir().unwrap();
    let (csv, json) = (home.path().join("rows.csv"), home.path().join("rows.json"));
    let files = format!("--csv {} --json {}", csv.display(), json.display());
    let text = stdout(&bench(&format!("{TINY} {files}")));
    for word in ["events/s", "messages/s", "envelopes/s", "ns/event", "peak MiB", "digest", "processors"] {
        assert!(text.contains(word), "{word} is missing in\n{text}");
    }
    let report: Value = serde_json::from_str(&fs::read_to_string(json).unwrap()).unwrap();
    let mut reader = csv::Reader::from_path(csv).unwrap();
    let columns = reader.headers().unwrap().clone();
    let digest = columns.iter().position(|name| name == "digest").unwrap();
    let written: Vec<String> = reader.records().map(|record| record.unwrap()[digest].to_owned()).collect();
    let rows = report["rows"].as_array().unwrap();
    assert_eq!(written.len(), rows.len());
    for (digest, row) in written.iter().zip(rows) {
        assert_eq!(row["digest"], digest.as_str());
        assert!(text.contains(digest.as_str()));
    }
}

#[test]
fn saturation_raises_the_load_and_names_the_bottleneck() {
    let words = "--saturate --entities 20 --runners lazy,sequential --arbiters 1 --events 3000 --repeat 1";
    let report: Value = serde_json::from_str(&stdout(&bench(&format!("{words} --format json")))).unwrap();
    let found = report["saturation"].as_array().unwrap();
    assert_eq!(found.len(), 2);
    for one in found {
        let steps = one["steps"].as_array().unwrap();
        let offered = |row: &Value| row["offered_messages_per_simulated_s"].as_f64().unwrap();
        assert!(steps.windows(2).all(|pair| offered(&pair[1]) == 2.0 * offered(&pair[0])));
        assert_eq!(one["bottleneck"]["entity"], "dispatcher (entity 0)");
    }
    assert!(stdout(&bench(words)).contains("bottleneck: dispatcher"));
}

#[test]
fn senseless_arguments_are_bad_input() {
    for words in ["--entities 0", "--runners fast", "--seconds 1 --events 5", "--arbiters none"] {
        assert_eq!(bench(words).status.code(), Some(2), "{words}");
    }
}

#[test]
fn a_file_that_cannot_be_written_fails_and_is_named_but_the_table_is_printed() {
    let output =
        bench("--entities 5 --runners lazy --arbiters 1 --seconds 0.1 --repeat 1 --csv /no/such/place.csv");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/no/such/place.csv"));
    assert!(String::from_utf8_lossy(&output.stdout).contains("digest"));
}
