//! What a user reads after a mistake: the very text of every kind of error, in `errors/NAME.txt`.
//!
//! A text that changes is to be read again as a stranger would: is the place plain, and what to do? Renew the
//! files with `EBBFLOW_RENEW=1 cargo test --test suite error_texts`, and look at the difference.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use crate::support::desk::{Desk, code, stderr, stdout};

const GOOD: &str = "\
seed: 1
cluster:
  servers:
    - {sku: dgx-h100, count: 2}
applications:
  - application_id: 0
    model_architecture: llama2-70b
    model_size: llama2-70b-fp16
    scheduler: jsq
    scaling_manager: {}
start_state: {state_type: baseline}
workload:
  preset: azure-conv
  requests: 10
";
const AZURE: &str = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.6805900,374,44\n";
const SPLITWISE: &str =
    "request_id,request_type,application_id,arrival_timestamp,batch_size,prompt_size,token_size\n";
const TABLE: &str = "model,hardware,prompt_size,batch_size,prompt_time,token_time,tensor_parallel\n\
                     llama2-70b,h100-80gb,128,1,50,20,8\n";

/// A mistake.
struct Case {
    /// Of the golden file.
    name: &'static str,
    files: Vec<(&'static str, Vec<u8>)>,
    arguments: Vec<&'static str>,
}

fn case(name: &'static str, arguments: &[&'static str]) -> Case {
    Case { name, files: vec![("good.yaml", GOOD.into())], arguments: arguments.to_vec() }
}

/// A check of `bad.yaml`, which is the good scenario with something replaced.
fn scenario(name: &'static str, from: &str, to: &str) -> Case {
    assert!(GOOD.contains(from), "{from}");
    written(name, GOOD.replace(from, to))
}

/// The same with these instances packed on its servers.
fn packed(name: &'static str, instances: &str) -> Case {
    let state = format!("{{state_type: packed, instances: {instances}}}");
    scenario(name, "{state_type: baseline}", &state)
}

fn written(name: &'static str, text: impl Into<Vec<u8>>) -> Case {
    Case { name, files: vec![("bad.yaml", text.into())], arguments: vec!["check", "bad.yaml"] }
}

/// A run of the good scenario with this trace.
fn trace(name: &'static str, text: impl Into<Vec<u8>>) -> Case {
    case(name, &["run", "good.yaml", "--trace", "t.csv"]).with("t.csv", text)
}

/// A check of the good scenario with this performance table.
fn table(name: &'static str, text: impl Into<Vec<u8>>) -> Case {
    case(name, &["check", "good.yaml", "performance_model={db: {path: table.csv}}"]).with("table.csv", text)
}

/// An estimate of these points.
fn points(name: &'static str, rows: &str) -> Case {
    let header = "model,gpu,engine,precision,tensor_parallel,isl,osl,concurrency";
    case(name, &["estimate", "points.csv"]).with("points.csv", format!("{header}\n{rows}"))
}

impl Case {
    fn with(mut self, file: &'static str, text: impl Into<Vec<u8>>) -> Self {
        self.files.push((file, text.into()));
        self
    }

    /// The command and what it answers.
    fn answer(&self) -> String {
        let desk = Desk::new();
        for (file, bytes) in &self.files {
            fs::write(desk.path(file), bytes).unwrap();
        }
        let before = desk.entries();
        let run = desk.command(&self.arguments).env("NO_COLOR", "1").output().unwrap();
        assert_eq!(code(&run), 2, "{}: {}", self.name, stderr(&run));
        assert_eq!(stdout(&run), "", "{}", self.name);
        assert_eq!(desk.entries(), before, "{}: something was written", self.name);
        let quoted = |argument: &&str| match argument.contains([' ', '<', '"']) {
            true => format!("'{argument}'"),
            false => (*argument).to_owned(),
        };
        let command: Vec<String> = self.arguments.iter().map(quoted).collect();
        format!("$ ebbflow {}\n{}", command.join(" "), stderr(&run))
    }
}

fn scenarios() -> Vec<Case> {
    vec![
        scenario("misspelt_key", "scheduler: jsq", "schedular: jsq"),
        scenario("wrong_type", "count: 2", "count: [2]"),
        scenario("negative_count", "count: 2", "count: -2"),
        scenario("bad_unit", "seed: 1", "end_time: 10 minuts"),
        scenario("duplicate_key", "workload:\n", "seed: 2\nworkload:\n"),
        scenario("missing_key", "sku: dgx-h100, ", ""),
        scenario("missing_section", "applications:", "application:"),
        scenario("unknown_sku", "dgx-h100", "dgx-h10"),
        scenario(
            "unknown_link",
            "{sku: dgx-h100, count: 2}",
            "{sku: dgx-h100, count: 2}\n  network: {nic: {rmda: {gb_per_s: 50}}}",
        ),
        packed("packed_without_room", "[{tensor_parallelism: 2, count: 7}, {count: 2}]"),
        packed("packed_on_too_few_gpus", "[{tensor_parallelism: 1}]"),
        packed("packed_with_a_misspelt_key", "[{tensor_parallelism: 2, tagg: prompt}]"),
        packed("memory_share_beyond_all", "[{tensor_parallelism: 2, gpu_memory_utilization: 90}]"),
        packed(
            "memory_share_below_the_weights",
            "[{tensor_parallelism: 2, instance_type: vllm, gpu_memory_utilization: 0.5}]",
        ),
        packed("more_kv_blocks_than_memory", "[{tensor_parallelism: 2, num_gpu_blocks_override: 100000}]"),
        scenario("packed_without_instances", "{state_type: baseline}", "packed"),
        scenario("unknown_place", "scaling_manager: {}", "scaling_manager: {place: sharde}"),
        scenario(
            "unknown_application_in_shares",
            "preset: azure-conv",
            "preset: azure-conv\n  applications: [{application: 0, share: 2}, {application: 4}]",
        ),
        scenario("unknown_model", "llama2-70b\n", "llama3-70b\n"),
        scenario("unknown_scheduler", "jsq", "jqs"),
        scenario("unknown_preset", "azure-conv", "azure_conv"),
        scenario("unknown_policy", "scaling_manager: {}", "scaling_manager: {autoscaling_policy: hpaa}"),
        scenario(
            "unknown_policy_parameter",
            "scaling_manager: {}",
            "scaling_manager: {autoscaling_policy: {hpa: {target_utilisation: 0.5}}}",
        ),
        scenario("objective_in_a_scenario", "seed: 1", "slo: \"ttft.p99<2s, tbt.p99<100\""),
        scenario(
            "objective_on_gaps_of_a_class",
            "  requests: 10\n",
            "  requests: 10\n  classes:\n    - {name: chat, slo: \"ttft.p99<2s, token_gap.p99<50ms\"}\n    - {name: batch, slo: longest_gap.p99<1s}\n",
        ),
        scenario("unclosed_bracket", "count: 2}", "count: 2"),
        scenario("unclosed_quote", "preset: azure-conv", "preset: \"azure-conv"),
        scenario("text_behind_a_quotation", "preset: azure-conv", "preset: \"azure-conv\", requests: 5"),
        scenario("tab_for_indentation", "  preset", "\tpreset"),
        scenario("missing_space_after_colon", "preset: azure-conv", "preset:azure-conv"),
        scenario("wrong_indentation", "    scheduler", "   scheduler"),
        scenario("carriage_returns_and_byte_order_mark", "seed: 1\n", "sed: 1\r\n").marked(),
        written(
            "many_problems",
            GOOD.replace("seed: 1", "sed: 1").replace("count: 2", "count: two").replace("jsq", "jqs"),
        ),
        scenario("rate_beside_clients", "  requests: 10\n", "  requests: 10\n  clients: 5\n  rate: 3\n"),
        scenario(
            "cut_of_what_depends_on_answers",
            "  requests: 10\n",
            "  requests: 10\n  sessions: {turns: 3, think_times: 5s}\n  limit: 5\n  duration: 60\n",
        ),
        scenario(
            "system_prompt_that_fills_the_context",
            "  requests: 10\n",
            "  requests: 10\n  prefix_groups: {count: 5, tokens: 4095}\n  sessions: {turns: 3, think_time: 5s, max_context_tokens: 4096}\n",
        ),
        scenario(
            "classes_that_make_no_sense",
            "  requests: 10\n",
            "  requests: 10\n  classes:\n    - {name: chat, share: 0, priority: 0.5}\n    - {name: batch, slo: ttft.p99<1}\n    - {name: api}\n    - {name: api}\n",
        ),
        scenario(
            "client_pool_beside_other_keys",
            "  preset: azure-conv\n",
            "  client_pool: {path: data/reason, top: 0, prompt: 100}\n  clients: 5\n  rate: [{at: 0, rate: 5}]\n",
        ),
        written("empty_scenario", "# nothing yet\n"),
        written("binary_scenario", b"\x7fELF\x02\x01\x01\0\0\xff\xfe".to_vec()),
        written("huge_line", format!("{}, sku: dgx-h10}}\n", "x".repeat(100_000))),
        written("scenario_is_a_list", "- cluster\n- applications\n"),
    ]
}

fn arguments() -> Vec<Case> {
    vec![
        case("no_such_scenario", &["run", "god.yaml"]),
        case("a_directory_for_a_scenario", &["check", "."]),
        case("two_scenarios", &["run", "good.yaml", "other.yaml"]),
        case("override_of_an_unknown_key", &["check", "good.yaml", "applications.0.schedular=jsq"]),
        case("override_with_a_wrong_value", &["check", "good.yaml", "cluster.servers.0.count=four"]),
        case("override_of_an_entry_that_is_not_there", &["check", "good.yaml", "cluster.servers.3.count=1"]),
        case("override_inside_a_value", &["check", "good.yaml", "workload={preset: azure-conf, requets: 5}"]),
        case("override_that_is_no_yaml", &["check", "good.yaml", "cluster.servers=[{sku: dgx-h100"]),
        case("problems_of_file_and_override", &["check", "bad.yaml", "sed=1"])
            .with("bad.yaml", GOOD.replace("jsq", "jqs")),
        case("objectives", &["run", "good.yaml", "--slo", "ttft.p99<2, tbd.p99<1s, e2e.mean<2sec"]),
        case(
            "objective_on_gaps_that_no_engine_tells",
            &["run", "good.yaml", "--slo", "ttft.p99<2s, itl.p99<50ms"],
        ),
        case("no_such_trace", &["run", "good.yaml", "--trace", "traces.csv"]).with("trace.csv", AZURE),
        case("a_directory_for_a_trace", &["run", "good.yaml", "--trace", "."]),
        case("policy_to_compare", &["compare", "good.yaml", "--policies", "hpa,kpaa"]),
        case("no_such_name", &["list", "policy"]),
        case("estimate_of_a_split_that_cannot_be", &["estimate", "--model", "Llama-3.1-8B", "--gpu", "H100"])
            .and(&["--tp", "3", "--isl", "100", "--osl", "10"]),
        points(
            "bad_rows_of_points",
            "Lama-3.1-8B,H100,vllm,bf16,1,100,10,4\n\nLlama-3.1-8B,H100,vllm,bf16,1,100,ten,4\nLlama-3.1-8B,H100\n",
        ),
        points("points_without_a_column", "").with("points.csv", "model,gpus,engine,precision,tp,isl,osl\n"),
    ]
}

fn traces() -> Vec<Case> {
    let date = "2023-11-16 18:17:03.9799600";
    let rows: String = (0..251).map(|row| format!("{row},2,0,soon,1,100,10\n")).collect();
    vec![
        trace("trace_of_unknown_format", "arrived at;length\n0;5\n"),
        trace("trace_with_misspelt_columns", "timestamp,ContextToken,GeneratedTokens\n"),
        trace("trace_without_a_column", SPLITWISE.replace(",batch_size", "")),
        trace("trace_without_a_header", format!("{date},374,44\n")),
        trace("trace_with_semicolons", AZURE.replace(',', ";")),
        trace(
            "bad_rows_of_azure",
            format!(
                "{AZURE}{date},x,44\n{date},1,2\n2023-13-01 00:00:00,374,44\n{date},374\n{date},1,2,3,4\n"
            ),
        ),
        trace(
            "bad_rows_of_splitwise",
            format!(
                "{SPLITWISE}0,2,0,0.5,1,100,10\n0,2,0,0.5,1,100,10\n1,1,0,0.5,1,100,10\n2,2,7,-0.5,1,1,1\n3,2,7,0.5,1,1,1\n"
            ),
        ),
        trace(
            "bad_rows_of_mooncake",
            "{\"timestamp\": 0, \"input_length\": 0, \"output_length\": 5}\n\
             {\"timestamp\": \"now\", \"input_length\": 9, \"output_length\": 5}\n\
             {\"timestamp\": 0, \"input_len\": 9, \"output_length\": 5}\n\
             {\"timestamp\": 0, \"input_length\": 9, \"output_length\": 5\n\
             {\"timestamp\": 0, \"input_length\": 9 \"output_length\": 5}\n",
        ),
        trace(
            "bad_rows_of_burstgpt",
            "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n\
             5,GPT-4,472,18,490,Conversation log\nsoon,GPT-4,472,18,490,API log\n\
             6,ChatGPT,0,18,18,API log\n7,ChatGPT,5,-1,4,API log\n",
        ),
        trace(
            "bad_rows_of_bailian",
            "{\"chat_id\": 1, \"timestamp\": 61.1, \"input_length\": 1, \"output_length\": 5, \"hash_ids\": [\"a\"]}\n\
             {\"chat_id\": -1, \"timestamp\": 61.1, \"input_length\": 1, \"output_length\": 5}\n",
        ),
        trace(
            "bad_rows_of_logged_requests",
            "{\"input_toks\": 5, \"output_toks\": 2, \"arrival_time\": 0.5}\n\
             {\"input_toks\": 5, \"output_toks\": null, \"arrival_time\": 0.5}\n\
             {\"input_toks\": 5, \"output_toks\": 2}\n",
        ),
        trace(
            "bad_elements_of_an_array",
            "[\n  {\n    \"conversations\": [\n      {\"from\": \"human\", \"value\": \"Why?\"}\n    ]\n  },\n  \
             {\n    \"id\": 5,\n    \"conversations\": \"none\"\n  },\n  {\"conversations\" []}\n]\n",
        ),
        trace(
            "requests_that_wait_for_others",
            "{\"session_id\": 1, \"arrival_time_ns\": 0, \"sub_requests\": [{\"input_toks\": 5, \"output_toks\": 2}]}\n",
        ),
        trace("vidur_with_misspelt_columns", "arrived_at,num_prefill_token,num_decode_tokens\n0,5,5\n"),
        trace("very_many_bad_rows", format!("{SPLITWISE}{rows}")),
        trace(
            "bad_row_that_is_very_long",
            format!("{AZURE}{date},{}x{},44\n", "1".repeat(5000), "2".repeat(5000)),
        ),
        trace(
            "bad_row_that_is_no_text",
            [AZURE.as_bytes(), date.as_bytes(), b",\xff\xfe,\x1b[31m4\n"].concat(),
        ),
        trace("trace_that_is_compressed", b"\x1f\x8b\x08\0\0\0\0\0\0\xff".to_vec()),
        trace("bad_row_with_quotes_and_white_space", format!("{AZURE}  {date} ,\t\"x, y\",44\r\n")),
        trace("empty_trace", ""),
        trace("trace_of_bad_rows_that_are_skipped", format!("{AZURE}x,y,z\n").replace("46.6805900", "x"))
            .and(&["--skip-bad-rows"]),
    ]
}

/// Pools of one client in the folder itself.
fn client_pools() -> Vec<Case> {
    let pool = |name| case(name, &["check", "good.yaml", "workload={client_pool: .}"]);
    let asks = "0,1.5,1,Gamma,1,0.6\n";
    vec![
        pool("client_pool_without_clients"),
        pool("client_pool_with_bad_rows").with(
            "chunk-3-trace.csv",
            "0,0,0,,0,0\n600,1.5,1,gamma,1,0.6\n600,-1,1,Gamma,1,0.6\n1200,1.5,1,Gamma,1\nstart,rate,cv,pattern,shape,scale\n",
        ),
        pool("client_pool_without_lengths").with("chunk-3-trace.csv", asks),
        pool("client_pool_with_bad_lengths").with("chunk-3-trace.csv", asks).with(
            "chunk-3-dataset.json",
            r#"{"0": {"input_tokens": "{45: 0.5, 46.5: 0.5}", "output_tokens": "{7: 1.0}"}}"#,
        ),
        pool("client_pool_with_other_json").with("chunk-3-trace.csv", asks).with("chunk-3-dataset.json", "{\n \"0\": [45, 46]\n}\n"),
    ]
}

fn tables() -> Vec<Case> {
    vec![
        table(
            "bad_rows_of_a_table",
            format!(
                "{TABLE}llama2-70b,h100-80gb,128,0,50,20,8\n# a comment\nllama2-70b,h100-80gb,128,2,-50,20,8\nllama2-70b,h100-80gb\n"
            ),
        ),
        table(
            "table_of_unknown_columns",
            TABLE.replace("prompt_time", "promt_time").replace("hardware", "gpu"),
        ),
        table("table_without_rows", TABLE.lines().next().unwrap()),
        table("table_that_is_no_text", b"model,\xff\n".to_vec()),
        table("table_without_the_model", TABLE.replace("llama2-70b", "opt-66b")),
    ]
}

impl Case {
    fn and(mut self, more: &[&'static str]) -> Self {
        self.arguments.extend(more);
        self
    }

    /// The last file with a byte order mark.
    fn marked(mut self) -> Self {
        let (_, text) = self.files.last_mut().unwrap();
        text.splice(0..0, *b"\xEF\xBB\xBF");
        self
    }
}

#[test]
fn every_error_reads_as_it_was_found_good() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/suite/errors");
    let cases: Vec<Case> =
        [scenarios(), arguments(), traces(), client_pools(), tables()].into_iter().flatten().collect();
    let renew = std::env::var_os("EBBFLOW_RENEW").is_some();
    let mut differences = String::new();
    for case in &cases {
        let (file, found) = (folder.join(format!("{}.txt", case.name)), case.answer());
        let expected = fs::read_to_string(&file).unwrap_or_default();
        if renew {
            fs::write(&file, &found).unwrap();
        } else if found != expected {
            let _ = writeln!(differences, "--- {}.txt\n{}", case.name, difference(&expected, &found));
        }
    }
    assert!(differences.is_empty(), "\n{differences}\n(EBBFLOW_RENEW=1 takes the new texts)");
    let known = |name: &str| cases.iter().any(|case| name == format!("{}.txt", case.name));
    for file in fs::read_dir(&folder).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        assert!(known(&name), "errors/{name} belongs to no case");
    }
}

/// Both texts, line by line, common lines once.
fn difference(expected: &str, found: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), found.lines().collect());
    let same = |(a, b): &(&&str, &&str)| a == b;
    let before = old.iter().zip(&new).take_while(same).count();
    let after = old[before..].iter().rev().zip(new[before..].iter().rev()).take_while(same).count();
    let part =
        |mark: &str, lines: &[&str]| lines.iter().map(|line| format!("{mark} {line}\n")).collect::<String>();
    part(" ", &old[..before])
        + &part("-", &old[before..old.len() - after])
        + &part("+", &new[before..new.len() - after])
        + &part(" ", &new[new.len() - after..])
}
