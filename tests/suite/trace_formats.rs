//! Traces of other people's formats: what is read of each.
//!
//! Real traces are not part of the repository; the tests that use them say so when they are absent.

use std::path::Path;

use ebbflow::ids::ApplicationId;
use ebbflow::request::Request;
use ebbflow::scenario::{Arrivals, Transform, WorkloadSource, WorkloadSpec};
use ebbflow::workload::{Workload, open};
use ebbflow_actors::SimTime;

use crate::support::reference;

fn replayed(path: &Path, arrivals: Option<Arrivals>) -> Workload {
    let source = WorkloadSource::Trace { path: path.to_owned(), skip_bad_rows: false, arrivals };
    let spec = WorkloadSpec { source, transform: Transform::default(), classes: Vec::new() };
    open(&spec, &[ApplicationId(0)], 0).unwrap_or_else(|error| panic!("{error}"))
}

/// A trace with this content.
fn content(text: &str, arrivals: Option<Arrivals>) -> Workload {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trace");
    std::fs::write(&path, text).unwrap();
    replayed(&path, arrivals)
}

/// (id, arrival in ms, prompt, output) of each.
fn facts(workload: Workload) -> Vec<(u64, u64, u32, u32)> {
    let fact = |r: Request| (r.id.0, r.arrival.as_nanos() / 1_000_000, r.prompt_tokens, r.output_tokens);
    workload.requests.map(fact).collect()
}

fn sessions(workload: Workload) -> Vec<Option<u64>> {
    workload.requests.map(|request| request.attributes().session.map(|session| session.0)).collect()
}

#[test]
fn burstgpt_begins_at_its_first_request_and_leaves_failures_out() {
    let text = "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n\
        5,ChatGPT,472,18,490,Conversation log\n45.5,ChatGPT,1087,0,1087,API log\n\
        46,GPT-4,0,0,0,API log\n118,GPT-4,417,276,693,Conversation log\n";
    let workload = content(text, None);
    assert_eq!(workload.notes, ["2 rows of the trace hold no request to serve and were left out"]);
    assert_eq!(facts(workload), [(0, 0, 472, 18), (3, 113_000, 417, 276)]);
}

#[test]
fn later_releases_of_burstgpt_have_sessions() {
    let header =
        "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type";
    let row =
        |second: u32, session: &str, kind: &str| format!("{second}.0,{session},4,GPT-4,9,4,13,{kind}\n");
    let rows = [
        row(19_440_110, "aa-1", "Conversation log"),
        row(19_440_111, "bb-2", "Conversation log"),
        row(19_440_112, "", "API log"),
        row(19_440_113, "aa-1", "Conversation log"),
    ];
    let text = format!("{header}\n{}", rows.concat());
    assert_eq!(sessions(content(&text, None)), [Some(0), Some(1), None, Some(0)]);
    assert_eq!(facts(content(&text, None))[3], (3, 3_000, 9, 4));
}

#[test]
fn chats_of_bailian_are_sessions_with_chained_prefixes_of_16_tokens() {
    let text = "{\"chat_id\": 7, \"parent_chat_id\": -1, \"timestamp\": 1.5, \"input_length\": 40, \"output_length\": 5, \
         \"type\": \"text\", \"turn\": 1, \"hash_ids\": [3, 4, 5]}\n\
         {\"chat_id\": 9, \"parent_chat_id\": 7, \"timestamp\": 2, \"input_length\": 60, \"output_length\": 5, \
         \"turn\": 2, \"hash_ids\": [3, 4, 6]}\n\
         {\"chat_id\": 11, \"parent_chat_id\": 8, \"timestamp\": 2.5, \"input_length\": 60, \"output_length\": 5, \
         \"hash_ids\": [4, 5]}\n";
    let workload = content(text, None);
    assert_eq!(workload.prefix_block_tokens, 16);
    let read: Vec<Request> = workload.requests.collect();
    let prefix = |index: usize| &read[index].attributes().prefix;
    assert_eq!(prefix(0)[..2], prefix(1)[..2]);
    assert_ne!(prefix(0)[2], prefix(1)[2]);
    assert!(prefix(2).iter().all(|name| !prefix(0).contains(name)), "other tokens stand before them");
    assert_eq!(sessions(content(text, None)), [Some(7), Some(7), Some(11)]);
    assert_eq!(facts(content(text, None))[1], (1, 2_000, 60, 5));
}

#[test]
fn blocks_of_mooncake_are_prefixes_of_512_tokens() {
    let text = "{\"timestamp\": 27000, \"input_length\": 700, \"output_length\": 5, \"hash_ids\": [0, 18]}\n";
    let workload = content(text, None);
    assert_eq!(workload.prefix_block_tokens, 512);
    let read: Vec<Request> = workload.requests.collect();
    assert_eq!(read[0].attributes().prefix, [0, 18]);
}

#[test]
fn logged_requests_are_read_with_the_names_of_their_first_row() {
    let seconds = "{\"request_id\": \"a\", \"input_toks\": 9, \"output_toks\": 4, \"arrival_time\": 1787267980.25}\n\
        {\"arrival_time\": 1787267981.5, \"input_toks\": 3, \"output_toks\": 2, \"queued_ts\": 5.5}\n";
    assert_eq!(facts(content(seconds, None)), [(0, 0, 9, 4), (1, 1_250, 3, 2)]);
    let nanoseconds =
        "{\"input_toks\": 9, \"output_toks\": 4, \"arrival_time_ns\": 5000000, \"input_tok_ids\": [1]}\n";
    assert_eq!(facts(content(nanoseconds, None)), [(0, 0, 9, 4)]);
    let none = "[{\"prompt_tokens\": 9, \"completion_tokens\": 4},\n{\"prompt_tokens\": 8, \"completion_tokens\": 3}]";
    assert_eq!(facts(content(none, None)), [(0, 0, 9, 4), (1, 0, 8, 3)]);
}

#[test]
fn a_conversation_is_its_first_question_and_answer_at_four_characters_a_token() {
    let text = "[\n {\"id\": \"x\", \"conversations\": [\n  {\"from\": \"system\", \"value\": \"1234\"},\n\
         {\"from\": \"human\", \"value\": \"12345\"}, {\"from\": \"gpt\", \"value\": \"äöüß{[\\\"]}\"},\n\
         {\"from\": \"human\", \"value\": \"more\"}]},\n\
         {\"id\": \"y\", \"conversations\": []},\n {\"conversations\": [{\"from\": \"gpt\", \"value\": \"hello\"}]},\n\
         {\"conversations\": [{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"assistant\", \"content\": \"b\"}]}]\n";
    let workload = content(text, None);
    assert_eq!(workload.notes.len(), 2, "{:?}", workload.notes);
    assert!(workload.notes[1].contains("does not say when its requests arrived"));
    assert_eq!(facts(workload), [(0, 0, 3, 3), (3, 0, 1, 1)]);
}

#[test]
fn a_rate_lets_the_requests_of_a_trace_arrive_in_their_order() {
    let rows: String = (1..=1000).map(|row| format!("{row},{row},7\n")).collect();
    let text = format!("arrived_at,num_prefill_tokens,num_decode_tokens\n{rows}");
    let arrivals = Arrivals::Poisson(vec![(SimTime::ZERO, 20.0)]);
    let workload = content(&text, Some(arrivals));
    assert_eq!((workload.notes.len(), workload.expected), (0, Some(1000)));
    let read = facts(workload);
    assert!(read.iter().zip(1..).all(|(fact, row)| fact.2 == row));
    let last_s = read[999].1 as f64 / 1e3;
    assert!((last_s / 50.0 - 1.0).abs() < 0.15, "{last_s}");
}

#[test]
fn real_traces_have_the_counts_and_means_published_for_them() {
    let Some(data) = reference("data") else { return };
    let logs = "llmservingsim/bench/examples";
    // Rows, mean prompt, mean output, seconds from the first to the last arrival.
    for (file, rows, prompt, output, span_s) in [
        ("azure-llm-2023/AzureLLMInferenceTrace_code.csv", 8_819, 2047.8483, 27.8825, 57.3 * 60.0),
        ("azure-llm-2023/AzureLLMInferenceTrace_conv.csv", 19_366, 1154.6974, 211.1259, 58.4 * 60.0),
        ("mooncake/conversation_trace.jsonl", 12_031, 12_035.061_3, 342.6189, 58.9 * 60.0),
        ("mooncake/synthetic_trace.jsonl", 3_993, 15_325.476_6, 149.119, 17.0 * 60.0),
        ("vidur/processed_traces/splitwise_code.csv", 8_819, 2047.8483, 27.8825, 57.3 * 60.0),
        ("vidur/processed_traces/splitwise_conv.csv", 19_366, 1154.6974, 211.1259, 58.4 * 60.0),
        (
            "vidur/processed_traces/arxiv_summarization_stats_llama2_tokenizer_filtered_v2.csv",
            28_257,
            2588.078,
            291.4304,
            0.0,
        ),
        (&format!("{logs}/RTX4090/Llama-3.1-8B/vllm/requests.jsonl"), 300, 857.4633, 652.51, 29.1),
        (&format!("{logs}/RTXPRO6000/Llama-3.1-8B/vllm/requests.jsonl"), 300, 857.4633, 652.51, 29.1),
    ] {
        let read: Vec<Request> = replayed(&data.join(file), None).requests.collect();
        assert_eq!(read.len(), rows, "{file}");
        assert!(read.is_sorted_by_key(|request| request.arrival), "{file}");
        assert_eq!(read[0].arrival, SimTime::ZERO, "{file}");
        let mean = |tokens: fn(&Request) -> u32| {
            read.iter().map(|request| f64::from(tokens(request))).sum::<f64>() / rows as f64
        };
        assert!((mean(|request| request.prompt_tokens) - prompt).abs() < 0.01, "{file}");
        assert!((mean(|request| request.output_tokens) - output).abs() < 0.01, "{file}");
        let last_s = read[rows - 1].arrival.as_secs_f64();
        assert!((last_s - span_s).abs() <= 4.0, "{file}: {last_s} s");
    }
}
