//! Traces: what is read, and what is refused how.
//!
//! Real traces are not part of the repository; the tests that use them say so when they
//! are absent.

use std::path::Path;

use ebbflow::ids::ApplicationId;
use ebbflow::request::Request;
use ebbflow::scenario::{Transform, WorkloadSource, WorkloadSpec};
use ebbflow::workload::{Workload, WorkloadError, open};
use ebbflow_actors::SimDuration;
use proptest::prelude::*;

use crate::support::reference;

const APPLICATIONS: [ApplicationId; 2] = [ApplicationId(0), ApplicationId(3)];
const SPLITWISE: &str =
    "request_id,request_type,application_id,arrival_timestamp,batch_size,prompt_size,token_size\n";
const AZURE: &str = "TIMESTAMP,ContextTokens,GeneratedTokens\n";

fn trace(path: &Path, skip_bad_rows: bool) -> Result<Workload, WorkloadError> {
    let source = WorkloadSource::Trace { path: path.to_owned(), skip_bad_rows, arrivals: None };
    open(&WorkloadSpec { source, transform: Transform::default(), classes: Vec::new() }, &APPLICATIONS, 0)
}

/// Opens a trace with this content.
fn content(bytes: impl AsRef<[u8]>, skip_bad_rows: bool) -> Result<Workload, WorkloadError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trace");
    std::fs::write(&path, bytes).unwrap();
    trace(&path, skip_bad_rows)
}

fn requests(text: impl AsRef<[u8]>) -> Vec<Request> {
    content(text, false).unwrap_or_else(|error| panic!("{error}")).requests.collect()
}

fn refusal(text: impl AsRef<[u8]>) -> String {
    content(text, false).err().expect("the trace is bad").to_string()
}

/// (arrival in ns, prompt, output) of each.
fn facts(requests: &[Request]) -> Vec<(u64, u32, u32)> {
    requests.iter().map(|r| (r.arrival.as_nanos(), r.prompt_tokens, r.output_tokens)).collect()
}

#[test]
fn a_splitwise_trace_is_read_sorted_with_extra_columns_and_floats() {
    let text = "request_id,request_type,application_id,arrival_timestamp,batch_size,prompt_size,token_size,workload_type\n\
        7.0,2.0,3.0,1.0963134765625,2.0,1779.0,75.0,conv\n\
        8,2,0,0.25,1,404,53,code\n\
        9,2,0,0.25,1,1,1,code\n";
    let read = requests(text);
    assert_eq!(facts(&read), [(250_000_000, 404, 53), (250_000_000, 1, 1), (1_096_313_477, 1779, 75)]);
    let last = &read[2];
    assert_eq!(
        (last.id.0, last.application, last.batch_size, last.request_type),
        (7, ApplicationId(3), 2, 2)
    );
    assert_eq!([read[0].id.0, read[1].id.0], [8, 9]);
}

#[test]
fn an_azure_trace_begins_at_its_first_arrival() {
    let text = format!(
        "{AZURE}2023-11-16 18:17:03.9799600,4808,10\n2023-11-16 18:17:04.0319600,3180,8\n\
         2023-11-16 18:17:03,1,2\n2024-05-12 00:00:00.001163+00:00,5,6"
    );
    let expected =
        [(0, 1, 2), (979_960_000, 4808, 10), (1_031_960_000, 3180, 8), (15_313_377_001_163_000, 5, 6)];
    let read = requests(text);
    assert_eq!(facts(&read), expected);
    assert_eq!(read[0].id.0, 2);
}

#[test]
fn a_mooncake_trace_is_in_milliseconds() {
    let text = "{\"timestamp\": 0, \"input_length\": 6758, \"output_length\": 500, \"hash_ids\": [0, 1]}\n\
        {\"output_length\": 4, \"timestamp\": 27482.000001, \"input_length\": 7e1}\n";
    assert_eq!(facts(&requests(text)), [(0, 6758, 500), (27_482_000_001, 70, 4)]);
}

#[test]
fn byte_order_marks_carriage_returns_blank_lines_and_a_missing_last_newline_do_not_matter() {
    let text = format!("\u{feff}\n{SPLITWISE}\n1,2,0,1,1,5,6\n  \n2,2,0,\"2\",1,5,6").replace('\n', "\r\n");
    assert_eq!(facts(&requests(text)), [(1_000_000_000, 5, 6), (2_000_000_000, 5, 6)]);
}

#[test]
fn every_malformed_row_is_refused_with_its_line_and_counted_on_request() {
    let good = "1,2,0,0.5,1,100,10";
    for (row, problem) in [
        ("2,2,0,0.5,1,100", "the number of fields is `6`; expected 7, as in the header"),
        ("2,2,0,0.5,1,100,10,9", "the number of fields is `8`"),
        ("1,2,0,0.7,1,100,10", "request_id is `1`; expected an id of its own; line 2 has the same"),
        ("-2,2,0,0.5,1,100,10", "request_id is `-2`"),
        ("2,1,0,0.5,1,100,10", "request_type is `1`; expected 2"),
        ("2,2,9,0.5,1,100,10", "application_id is `9`; expected an application of the scenario: 0, 3"),
        ("2,2,0,-0.5,1,100,10", "arrival_timestamp is `-0.5`; expected seconds"),
        ("2,2,0,nan,1,100,10", "arrival_timestamp is `nan`"),
        ("2,2,0,inf,1,100,10", "arrival_timestamp is `inf`"),
        ("2,2,0,1e30,1,100,10", "arrival_timestamp is `1e30`"),
        ("2,2,0,,1,100,10", "arrival_timestamp is missing; expected seconds"),
        ("2,2,0,0.5,0,100,10", "batch_size is `0`"),
        ("2,2,0,0.5,1,0,10", "prompt_size is `0`; expected a whole number from 1 to 10000000"),
        ("2,2,0,0.5,1,1.5,10", "prompt_size is `1.5`"),
        ("2,2,0,0.5,1,100,0", "token_size is `0`"),
        ("2,2,0,0.5,1,100,many", "token_size is `many`"),
        ("2,2,0,0.5,1,100,99999999999999999999", "token_size is"),
    ] {
        let text = format!("{SPLITWISE}{good}\n{row}\n3,2,0,0.9,1,100,10\n");
        let error = refusal(&text);
        assert!(error.contains("trace:3:") && error.contains(&format!(": {problem}")), "{error}");
        let workload = content(&text, true).unwrap();
        assert_eq!((workload.skipped_rows, workload.expected), (1, Some(2)), "{row}");
    }
}

#[test]
fn malformed_rows_of_the_other_formats_are_refused_alike() {
    for (text, problem) in [
        (format!("{AZURE}yesterday,1,2"), ":2:1: TIMESTAMP is `yesterday`; expected a date"),
        (format!("{AZURE}2023-11-16 18:17:03,0,2"), ":2:21: ContextTokens is `0`"),
        (format!("{AZURE}2023-11-16 18:17:03,1,-2"), ":2:23: GeneratedTokens is `-2`"),
        (
            "{\"timestamp\": 0, \"input_length\": 0, \"output_length\": 5}".to_owned(),
            ":1:34: input_length is `0`",
        ),
        (
            "{\"timestamp\": -1, \"input_length\": 1, \"output_length\": 5}".to_owned(),
            ":1:15: timestamp is `-1`; expected milliseconds",
        ),
        (
            "{\"timestamp\": 1, \"input_length\": 1, \"output_length\": 5}\n{\"timestamp\": 1}".to_owned(),
            ":2:16: input_length is missing; expected a number",
        ),
        (
            "{\"timestamp\": 1, \"input_length\": 1, \"output_length\": 5}\n{\"timestamp\": 1".to_owned(),
            ":2:16: the line is no JSON object (EOF",
        ),
    ] {
        let error = refusal(&text);
        assert!(error.contains(problem), "{error}");
    }
    let error = refusal([SPLITWISE.as_bytes(), b"1,2,0,0.5,1,\xff,10\n"].concat());
    assert!(error.contains(":2:13: the line is not text; expected UTF-8"), "{error}");
}

#[test]
fn a_file_of_no_known_format_is_answered_with_the_known_ones() {
    for text in ["arrived_at,tokens\n1,2\n", "\n\nhello"] {
        let error = refusal(text);
        assert!(error.contains("of no known format"), "{error}");
        for known in ["token_size", "TIMESTAMP,ContextTokens", "input_length"] {
            assert!(error.contains(known), "{error}");
        }
    }
    assert!(refusal("\n\nhello").contains("trace:3:"));
    let lacking = refusal("request_id,application_id,token_size\n1,2,3\n");
    assert!(
        lacking.contains("splitwise-sim CSV, but lacks `request_type`, `arrival_timestamp`"),
        "{lacking}"
    );
}

#[test]
fn nothing_to_read_is_an_error_that_says_so() {
    assert!(refusal("").contains("holds no requests"));
    assert!(refusal(" \n\n").contains("holds no requests"));
    assert!(refusal(SPLITWISE).contains("holds no requests"));
    let only_bad = content(format!("{SPLITWISE}x\ny\n"), true).err().unwrap().to_string();
    assert!(only_bad.contains("holds no requests (2 malformed rows skipped)"), "{only_bad}");
    let missing = trace(Path::new("no/such/trace.csv"), false).err().unwrap().to_string();
    assert!(missing.contains("cannot read the trace no/such/trace.csv"), "{missing}");
    let folder = tempfile::tempdir().unwrap();
    let folder = trace(folder.path(), false).err().unwrap().to_string();
    assert!(folder.contains("it is a folder; expected a file"), "{folder}");
}

#[test]
fn a_trace_is_transformed_and_its_length_known_beforehand() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trace.csv");
    let rows: String = (0..10).map(|i| format!("{i},2,0,{i},1,100,10\n")).collect();
    std::fs::write(&path, format!("{SPLITWISE}{rows}")).unwrap();
    let transform = Transform {
        start: Some(SimDuration::from_secs(2)),
        duration: Some(SimDuration::from_secs(6)),
        rate_scale: Some(2.0),
        limit: Some(3),
        token_clip: Some(64),
    };
    let source = WorkloadSource::Trace { path, skip_bad_rows: false, arrivals: None };
    let workload = open(&WorkloadSpec { source, transform, classes: Vec::new() }, &APPLICATIONS, 0).unwrap();
    assert_eq!(workload.expected, Some(3));
    let read: Vec<Request> = workload.requests.collect();
    assert_eq!(facts(&read), [(0, 64, 10), (500_000_000, 64, 10), (1_000_000_000, 64, 10)]);
    assert_eq!(read[0].id.0, 2);
}

#[test]
fn golden_traces_are_read_to_the_last_row() {
    let Some(golden) = reference("golden") else { return };
    let mut read = 0;
    for case in std::fs::read_dir(golden).unwrap() {
        let path = case.unwrap().path().join("trace.csv");
        if let Ok(text) = std::fs::read_to_string(&path) {
            let workload = trace(&path, false).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(workload.expected, Some(text.lines().count() as u64 - 1), "{}", path.display());
            assert_eq!(workload.requests.count(), text.lines().count() - 1);
            read += 1;
        }
    }
    println!("{read} traces read");
}

proptest! {
    #[test]
    fn a_damaged_trace_is_read_or_refused_but_never_panics(
        format in 0usize..3, place in 0usize..400, byte: u8, cut in 0usize..400, skip: bool,
    ) {
        let rows: String = (0..4).map(|i| format!("{i},2,0,{i}.5,1,100,10\n")).collect();
        let mut bytes = [
            format!("{SPLITWISE}{rows}"),
            format!("{AZURE}2023-11-16 18:17:03.9799600,4808,10\n2023-11-16 18:17:04+00:00,4808,10\n"),
            "{\"timestamp\": 0, \"input_length\": 6758, \"output_length\": 500}\n".repeat(3),
        ][format].clone().into_bytes();
        let place = place % bytes.len();
        bytes[place] = byte;
        bytes.truncate(cut.max(1));
        if let Ok(workload) = content(&bytes, skip) {
            let read: Vec<Request> = workload.requests.collect();
            prop_assert!(read.is_sorted_by_key(|request| request.arrival));
            prop_assert_eq!(workload.expected, Some(read.len() as u64));
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>, skip: bool) {
        let _ = content(&bytes, skip);
    }
}
