//! Client pools in ServeGen's form: a run splits by client and repeats; published pools come out as they were measured.
//!
//! Real pools are not part of the repository; the tests that use them say so when they are absent.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ebbflow::ids::ApplicationId;
use ebbflow::request::Request;
use ebbflow::scenario::{ClientPoolSpec, Lengths, PoolClients, Transform, WorkloadSource, WorkloadSpec};
use ebbflow::workload::{Workload, open};
use ebbflow_actors::SimDuration;
use serde_json::Value;

use crate::support::desk::{Desk, code, json, stderr, stdout};
use crate::support::reference;
use crate::support::scenarios::scenario;
use crate::support::schema::Schema;

const SCENARIO: &str = "
cluster: {servers: [{sku: dgx-h100, count: 2}]}
applications: [{model_architecture: llama2-70b, model_size: llama2-70b-fp16, scheduler: jsq}]
start_state: {state_type: baseline}
workload:
  client_pool: {path: pool, top: 2}
  start: 10min
  duration: 10min
  rate: 0.5
";
const LENGTHS: &str =
    r#"{"0": {"input_tokens": "{200: 0.5, 900: 0.5}", "output_tokens": "{5: 0.9, 40: 0.1}"}}"#;

/// A desk with the scenario and a pool of three clients, of whom two send twice and four times what the last one does.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("s.yaml", SCENARIO);
    fs::create_dir(desk.path("pool")).unwrap();
    for (client, rate) in [(0, 2.0), (1, 1.0), (20, 4.0)] {
        let rows = format!("0,1,1,Gamma,1,1\n600,{rate},2,Gamma,0.25,{}\n1200,0,0,,0,0\n", 4.0 / rate);
        desk.write(&format!("pool/chunk-{client}-trace.csv"), &rows);
        desk.write(&format!("pool/chunk-{client}-dataset.json"), LENGTHS);
    }
    desk
}

#[test]
fn a_run_splits_by_client_and_repeats_until_a_file_of_the_pool_changes() {
    let desk = desk();
    let run = desk.ebbflow(&["run", "s.yaml", "--out", "run", "--quiet"]);
    assert_eq!(code(&run), 0, "{}", stderr(&run));
    let report = json(&desk.path("run/run.json"));
    let tenants = report["tenants"].as_array().unwrap().iter();
    let sent: Vec<_> =
        tenants.map(|one| (one["tenant"].as_str(), one["requests"]["completed"].as_u64())).collect();
    assert_eq!(sent, [(Some("client-0"), Some(100)), (Some("client-20"), Some(200))]);
    assert_eq!(report["inputs"][0]["kind"], "client_pool");
    let again = desk.ebbflow(&["rerun", "run"]);
    assert!(code(&again) == 0 && stdout(&again).contains("same"), "{}", stderr(&again));
    desk.write("pool/chunk-1-trace.csv", "0,0,0,,0,0\n");
    let changed = desk.ebbflow(&["rerun", "run"]);
    assert_eq!(code(&changed), 2, "{}", stdout(&changed));
    assert!(stderr(&changed).contains("client pool"), "{}", stderr(&changed));
}

#[test]
fn a_pool_is_read_in_every_way_that_it_may_be_written_and_resolves_to_itself() {
    let desk = desk();
    let pool = desk.path("pool").display().to_string();
    for (workload, clients) in [
        (format!("client_pool: {pool}"), PoolClients::All),
        (format!("client_pool: {{path: {pool}, top: 7}}\n  application: 0"), PoolClients::Top(7)),
        (
            format!(
                "client_pool: {{path: {pool}, clients: [20, 1], prompt: {{lognormal: {{mu: 5, sigma: 1, max: 900}}}}, output: 7}}\n  rate: 3"
            ),
            PoolClients::These(vec![20, 1]),
        ),
    ] {
        let text =
            SCENARIO.split("workload:").next().unwrap().to_owned() + "workload:\n  " + &workload + "\n";
        Schema::of_scenarios().check(&text).unwrap();
        let first = scenario(&text);
        let WorkloadSource::ClientPool(spec) = &first.workload.source else { panic!("it is a pool") };
        assert_eq!((&spec.folder, &spec.clients), (&desk.path("pool"), &clients));
        assert_eq!(scenario(&first.resolved).workload, first.workload);
    }
}

#[test]
fn a_trace_given_on_the_command_line_replaces_the_pool() {
    let desk = desk();
    desk.write("t.csv", "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.6805900,374,44\n");
    let run = desk.ebbflow(&["run", "s.yaml", "--trace", "t.csv", "--out", "run", "workload.start=0"]);
    assert_eq!(code(&run), 0, "{}", stderr(&run));
    assert_eq!(json(&desk.path("run/run.json"))["inputs"][0]["kind"], "trace");
}

/// A published pool, unpacked; none, and a line that says so, if it is not at hand.
fn published(model: &str) -> Option<(tempfile::TempDir, PathBuf, PathBuf)> {
    let facts = reference("data")?.join("servegen");
    let archives = fs::read_dir(facts.join("raw")).into_iter().flatten().flatten().map(|entry| entry.path());
    let archive = archives.into_iter().find(|path| path.to_string_lossy().ends_with(".tar.gz"));
    let Some(archive) = archive else {
        println!("skipped: no archive in {}", facts.join("raw").display());
        return None;
    };
    let home = tempfile::tempdir().unwrap();
    let mut tar = Command::new("tar");
    tar.arg("-xzf").arg(&archive).arg("-C").arg(home.path()).arg(format!("data/{model}"));
    match tar.output() {
        Ok(output) if output.status.success() => {
            let pool = home.path().join("data").join(model);
            Some((home, pool, facts))
        }
        other => {
            println!("skipped: tar cannot unpack {}: {other:?}", archive.display());
            None
        }
    }
}

fn opened(pool: &Path, lengths: Option<(Lengths, Lengths)>, transform: Transform) -> Workload {
    let (folder, application) = (pool.to_owned(), ApplicationId(0));
    let pool = ClientPoolSpec { folder, clients: PoolClients::All, lengths, rate: None, application };
    let source = WorkloadSource::ClientPool(pool);
    let spec = WorkloadSpec { source, transform, classes: Vec::new() };
    open(&spec, &[application], 7).unwrap_or_else(|error| panic!("{error}"))
}

/// (requests, clients) of every ten minutes, as published.
fn published_windows(facts: &Path, name: &str) -> Vec<(u64, usize)> {
    let text = fs::read_to_string(facts.join(format!("{name}_rate_10min.csv"))).unwrap();
    let row = |line: &str| {
        let fields: Vec<f64> = line.split(',').map(|field| field.parse().unwrap()).collect();
        ((fields[1] * 600.0).round() as u64, fields[2] as usize)
    };
    text.lines().skip(1).map(row).collect()
}

/// What was drawn: requests of every ten minutes and whose; requests, prompt and output tokens of every client.
#[derive(Default)]
struct Seen {
    windows: Vec<(u64, BTreeSet<usize>)>,
    clients: Vec<[f64; 3]>,
}

impl Seen {
    fn of(workload: Workload) -> Self {
        let mut seen = Seen::default();
        workload.requests.for_each(|request| seen.note(&request));
        seen
    }

    fn note(&mut self, request: &Request) {
        let tenant = request.attributes().tenant.as_deref().unwrap();
        let client: usize = tenant.strip_prefix("client-").unwrap().parse().unwrap();
        let window = (request.arrival.as_nanos() / 600_000_000_000) as usize;
        self.windows.resize(self.windows.len().max(window + 1), (0, BTreeSet::new()));
        self.windows[window].0 += 1;
        self.windows[window].1.insert(client);
        self.clients.resize(self.clients.len().max(client + 1), [0.0; 3]);
        self.clients[client][0] += 1.0;
        self.clients[client][1] += f64::from(request.prompt_tokens);
        self.clients[client][2] += f64::from(request.output_tokens);
    }

    /// (requests, clients) of every ten minutes.
    fn windows(&self) -> Vec<(u64, usize)> {
        self.windows.iter().map(|(sent, who)| (*sent, who.len())).collect()
    }

    /// Everybody who sent something, with sums.
    fn clients(&self) -> impl Iterator<Item = (String, [f64; 3])> {
        let all = self.clients.iter().zip(0..).map(|(sums, client)| (format!("{client}"), *sums));
        all.filter(|(_, sums)| sums[0] > 0.0)
    }

    /// Mean prompt and output of all requests.
    fn means(&self) -> [f64; 2] {
        let sum = |column: usize| self.clients.iter().map(|sums| sums[column]).sum::<f64>();
        [sum(1) / sum(0), sum(2) / sum(0)]
    }
}

/// Means of each client from its published ones; `prompt` says how those are told.
fn check_means(seen: &Seen, facts: &Path, name: &str, prompt: fn(&Value) -> f64, bound: f64) {
    let text = fs::read_to_string(facts.join(format!("{name}_clients.json"))).unwrap();
    let published: Value = serde_json::from_str(&text).unwrap();
    let (mut all, mut expected, mut worst) = (0.0, [0.0; 2], 0f64);
    for (client, [sent, prompts, outputs]) in seen.clients() {
        let client = client.as_str();
        let told = [prompt(&published[client]), published[client]["output_tokens"].as_f64().unwrap()];
        all += sent;
        for (place, (drawn, told)) in [prompts, outputs].into_iter().zip(told).enumerate() {
            expected[place] += told * sent;
            // A few requests with a long tail have no mean to speak of.
            if sent > 20_000.0 {
                worst = worst.max((drawn / sent / told - 1.0).abs());
            }
        }
    }
    let [prompts, outputs] = seen.means();
    let [expected_prompts, expected_outputs] = expected.map(|sum| sum / all);
    println!(
        "{name}: {all} requests, mean prompt {prompts:.1} (published {expected_prompts:.1}), output {outputs:.1} ({expected_outputs:.1}); worst client of many requests off by {:.2} %",
        worst * 100.0
    );
    assert!(
        (prompts / expected_prompts - 1.0).abs() < bound && (outputs / expected_outputs - 1.0).abs() < bound
    );
    assert!(worst < 0.05, "{worst}");
}

#[test]
fn a_published_pool_of_a_reasoning_model_sends_what_was_measured() {
    let Some((_home, pool, facts)) = published("reason/deepseek-r1") else { return };
    let expected = published_windows(&facts, "reason_deepseek-r1");
    let workload = opened(&pool, None, Transform::default());
    let total: u64 = expected.iter().map(|(sent, _)| sent).sum();
    assert_eq!(workload.expected, Some(total));
    let seen = Seen::of(workload);
    // Every ten minutes to the request, and by as many clients.
    assert_eq!(seen.windows(), expected);
    let inputs = |client: &Value| client["input_tokens"].as_f64().unwrap();
    check_means(&seen, &facts, "reason_deepseek-r1", inputs, 0.01);
}

#[test]
fn prompts_of_a_published_multimodal_pool_are_texts_and_all_their_images() {
    let Some((_home, pool, facts)) = published("multimodal/mm-image") else { return };
    let expected = published_windows(&facts, "multimodal_mm-image");
    let hours = Transform {
        start: Some(SimDuration::from_secs(6 * 3600)),
        duration: Some(SimDuration::from_secs(6 * 3600)),
        ..Transform::default()
    };
    let seen = Seen::of(opened(&pool, None, hours));
    assert_eq!(seen.windows(), expected[36..72]);
    // Those figures are of the whole day, this is a quarter of it.
    let tokens = |client: &Value| {
        let mean = |name: &str| client[name].as_f64().unwrap();
        mean("text_tokens") + mean("image_tokens") * mean("image_count")
    };
    let text = fs::read_to_string(facts.join("multimodal_mm-image_clients.json")).unwrap();
    let published: Value = serde_json::from_str(&text).unwrap();
    let (mut sent, mut told) = (0.0, 0.0);
    for (client, sums) in seen.clients() {
        sent += sums[0];
        told += tokens(&published[client.as_str()]) * sums[0];
    }
    let [prompts, _] = seen.means();
    println!("mm-image: mean prompt {prompts:.1}, by the means of the day {:.1}", told / sent);
    assert!((prompts / (told / sent) - 1.0).abs() < 0.1);
}

#[test]
fn a_published_language_pool_without_datasets_takes_lengths_from_the_scenario() {
    let Some((_home, pool, facts)) = published("language/m-large") else { return };
    let expected = published_windows(&facts, "language_m-large");
    // The first twenty minutes of the fourth of fourteen days.
    let start = 3 * 144;
    let part = Transform {
        start: Some(SimDuration::from_secs(start * 600)),
        duration: Some(SimDuration::from_secs(1200)),
        ..Transform::default()
    };
    let seen = Seen::of(opened(&pool, Some((Lengths::Constant(500), Lengths::Constant(50))), part));
    assert_eq!(seen.windows(), expected[start as usize..start as usize + 2]);
    assert_eq!(seen.means(), [500.0, 50.0]);
}
