//! Whole pools, made up: what arrives, when, from whom, and what is refused.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use ebbflow_actors::SimDuration;
use proptest::prelude::*;

use super::*;
use crate::request::Request;
use crate::scenario::{Lengths, WorkloadSource, WorkloadSpec};
use crate::workload::Workload;

/// A pool of the files of these clients: windows, and a dataset if there is one.
fn pool(clients: &[(u32, &str, Option<&str>)]) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    for (number, rows, dataset) in clients {
        fs::write(home.path().join(format!("chunk-{number}-trace.csv")), rows).unwrap();
        if let Some(dataset) = dataset {
            fs::write(home.path().join(format!("chunk-{number}-dataset.json")), dataset).unwrap();
        }
    }
    home
}

/// Prompts of 10 and 20 tokens, outputs of 3; from 600 s on prompts of 100.
const CHAT: &str = r#"{"0": {"input_tokens": "{10: 0.5, 20: 0.5}", "output_tokens": "{3: 1.0}"},
                       "600": {"input_tokens": "{100: 1.0}", "output_tokens": "{4: 1.0}"}}"#;
const STEADY: &str = "0,1,1,Gamma,1,1\n600,2,1,Gamma,1,0.5\n1200,0,0,,0,0\n1800,1,1,Gamma,1,1\n";
const BURSTY: &str = "0,0,0,,0,0\n600,5,4,Gamma,0.0625,3.2\n1200,1,3,Weibull,0.4,0.3\n1800,0,0,,0,0\n";

fn three() -> tempfile::TempDir {
    pool(&[(0, STEADY, Some(CHAT)), (2, BURSTY, Some(CHAT)), (11, "0,0,0,,0,0\n600,0,0,,0,0\n", None)])
}

fn spec(folder: &Path) -> ClientPoolSpec {
    let folder = folder.to_owned();
    ClientPoolSpec {
        folder,
        clients: PoolClients::All,
        lengths: None,
        rate: None,
        application: ApplicationId(0),
    }
}

fn seconds(seconds: u64) -> Option<SimDuration> {
    Some(SimDuration::from_secs(seconds))
}

fn opened(spec: &ClientPoolSpec, transform: Transform, seed: u64) -> Result<Workload, WorkloadError> {
    let source = WorkloadSource::ClientPool(spec.clone());
    let spec = WorkloadSpec { source, transform, classes: Vec::new() };
    crate::workload::open(&spec, &[ApplicationId(0)], seed)
}

fn all(spec: &ClientPoolSpec, transform: Transform, seed: u64) -> Vec<Request> {
    opened(spec, transform, seed).unwrap().requests.collect()
}

fn tenant(request: &Request) -> &str {
    request.attributes.as_ref().and_then(|attributes| attributes.tenant.as_deref()).unwrap()
}

/// How many requests each tenant sends.
fn by_tenant(requests: &[Request]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    requests.iter().for_each(|request| *counts.entry(tenant(request)).or_default() += 1);
    counts
}

/// Arrivals within [from, to) seconds.
fn count(requests: &[Request], from: f64, to: f64) -> usize {
    requests.iter().filter(|request| (from..to).contains(&request.arrival.as_secs_f64())).count()
}

#[test]
fn as_many_requests_arrive_in_each_window_as_the_pool_counted_each_its_clients_own() {
    let home = three();
    let workload = opened(&spec(home.path()), Transform::default(), 1).unwrap();
    assert_eq!(workload.expected, Some(6000));
    assert_eq!(workload.arrivals_end.unwrap().as_secs_f64(), 2400.0);
    let requests: Vec<Request> = workload.requests.collect();
    let windows = [(0.0, 600.0), (600.0, 1200.0), (1200.0, 1800.0), (1800.0, 2400.0)];
    assert_eq!(windows.map(|(from, to)| count(&requests, from, to)), [600, 4200, 600, 600]);
    assert_eq!(by_tenant(&requests), BTreeMap::from([("client-0", 2400), ("client-2", 3600)]));
    assert!(requests.iter().zip(0..).all(|(request, id)| request.id.0 == id));
}

#[test]
fn lengths_are_those_of_the_last_dataset_that_has_begun() {
    let home = three();
    for request in all(&spec(home.path()), Transform::default(), 1) {
        let early = request.arrival.as_secs_f64() < 600.0;
        let (prompts, output): (&[u32], u32) = if early { (&[10, 20], 3) } else { (&[100], 4) };
        assert!(prompts.contains(&request.prompt_tokens) && request.output_tokens == output);
    }
}

#[test]
fn a_rate_is_the_mean_of_the_time_used_and_keeps_who_sends_how_much_and_when() {
    let home = three();
    let twice = ClientPoolSpec { rate: Some(5.0), ..spec(home.path()) };
    let requests = all(&twice, Transform::default(), 1);
    // 6,000 requests in 2,400 s are 2.5 a second.
    assert_eq!(requests.len(), 12_000);
    assert_eq!(by_tenant(&requests), BTreeMap::from([("client-0", 4800), ("client-2", 7200)]));
    assert_eq!(count(&requests, 1200.0, 1800.0), 1200);
    let middle = Transform { start: seconds(600), duration: seconds(600), ..Transform::default() };
    assert_eq!(all(&ClientPoolSpec { rate: Some(0.7), ..twice }, middle, 1).len(), 420);
}

#[test]
fn a_part_of_the_time_holds_what_the_whole_has_there() {
    let home = three();
    let part = Transform { start: seconds(700), duration: seconds(600), ..Transform::default() };
    let whole = all(&spec(home.path()), Transform::default(), 3);
    let whole = whole.into_iter().filter(|request| (700.0..1300.0).contains(&request.arrival.as_secs_f64()));
    let workload = opened(&spec(home.path()), part, 3).unwrap();
    assert_eq!((workload.expected, workload.arrivals_end.map(SimTime::as_secs_f64)), (None, Some(600.0)));
    let told = |request: Request, shift: u64| {
        let at = request.arrival.as_nanos() - shift;
        (at, request.prompt_tokens, request.output_tokens, request.attributes)
    };
    let found: Vec<_> = workload.requests.map(|request| told(request, 0)).collect();
    let expected: Vec<_> = whole.map(|request| told(request, 700_000_000_000)).collect();
    assert!(found.len() > 1000 && found == expected, "{} {}", found.len(), expected.len());
}

#[test]
fn clients_are_chosen_by_number_or_by_how_much_they_send_and_none_changes_another() {
    let home = three();
    let only = |clients| ClientPoolSpec { clients, ..spec(home.path()) };
    let of_two = |requests: Vec<Request>| -> Vec<_> {
        let own = requests.into_iter().filter(|request| tenant(request) == "client-2");
        own.map(|request| (request.arrival, request.prompt_tokens)).collect()
    };
    let whole = of_two(all(&spec(home.path()), Transform::default(), 9));
    for clients in [PoolClients::These(vec![2]), PoolClients::Top(1)] {
        let requests = all(&only(clients), Transform::default(), 9);
        assert_eq!(requests.len(), 3600);
        assert_eq!(of_two(requests), whole);
    }
    // In the first ten minutes it is the other one who sends most.
    let beginning = Transform { duration: seconds(600), ..Transform::default() };
    let requests = all(&only(PoolClients::Top(1)), beginning, 9);
    assert_eq!(by_tenant(&requests), BTreeMap::from([("client-0", 600)]));
}

#[test]
fn requests_of_the_same_moment_come_in_the_order_of_the_clients() {
    // A single request in each window of a nanosecond.
    let rows = "0,1000000,1,Gamma,1,1\n0.000001,0,0,,0,0\n";
    let home = pool(&[(3, rows, Some(CHAT)), (20, rows, Some(CHAT)), (100, rows, Some(CHAT))]);
    for seed in 0..2000 {
        let requests = all(&spec(home.path()), Transform::default(), seed);
        let place = |request: &Request| (request.arrival, tenant(request)[7..].parse::<u32>().unwrap());
        assert_eq!(requests.len(), 3);
        assert!(requests.is_sorted_by_key(place));
    }
}

#[test]
fn named_lengths_stand_for_those_of_the_pool_and_without_either_it_is_told_whose_are_missing() {
    let home = pool(&[(0, STEADY, None), (1, STEADY, Some("{}")), (2, STEADY, Some(CHAT))]);
    let error = opened(&spec(home.path()), Transform::default(), 1).err().unwrap();
    let told = error.to_string();
    assert!(told.starts_with("2 of 3 clients") && told.ends_with("for N = 0, 1"), "{told}");
    let help = error.findings().list[0].help.clone().unwrap();
    assert!(help.contains("client_pool: {path: …, prompt: 500, output:"), "{help}");
    // Who is silent for the time used need not say anything.
    let home = pool(&[(0, "0,0,0,,0,0\n600,1,1,Gamma,1,1\n", None), (2, STEADY, Some(CHAT))]);
    let beginning = Transform { duration: seconds(600), ..Transform::default() };
    assert_eq!(all(&spec(home.path()), beginning, 1).len(), 600);
    let lengths = Some((Lengths::Constant(77), Lengths::Constant(5)));
    let named = ClientPoolSpec { lengths, ..spec(home.path()) };
    let requests = all(&named, Transform::default(), 1);
    assert!(requests.iter().all(|request| (request.prompt_tokens, request.output_tokens) == (77, 5)));
}

#[test]
fn what_cannot_be_used_is_refused_by_name() {
    let home = three();
    let refused = |spec: ClientPoolSpec, transform| opened(&spec, transform, 1).err().unwrap().to_string();
    let whole = || spec(home.path());
    let error =
        refused(ClientPoolSpec { clients: PoolClients::These(vec![2, 4]), ..whole() }, Transform::default());
    assert!(error.ends_with("has no client 4; it has 0, 2, 11"), "{error}");
    let late = Transform { start: seconds(2400), ..Transform::default() };
    assert!(refused(whole(), late).starts_with("no request arrives"));
    assert!(
        refused(ClientPoolSpec { clients: PoolClients::These(vec![11]), ..whole() }, Transform::default())
            .contains("silent")
    );
    for rate in [0.0, f64::NAN, 2e6] {
        assert!(
            refused(ClientPoolSpec { rate: Some(rate), ..whole() }, Transform::default())
                .starts_with("rate of")
        );
    }
    let stranger = ClientPoolSpec { application: ApplicationId(3), ..whole() };
    assert!(refused(stranger, Transform::default()).contains("application 3"));
}

fn window() -> impl Strategy<Value = String> {
    let family = prop_oneof![Just("Gamma"), Just("Weibull"), Just("Exponential"), Just("")];
    (family, 0u32..200, 0.01f64..20.0, 0.001f64..100.0).prop_map(|(family, count, shape, scale)| {
        let rate = if family.is_empty() { 0.0 } else { f64::from(count) / 60.0 };
        format!("{rate},1,{family},{shape},{scale}\n")
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_pool_gives_the_same_requests_again_in_order_within_the_part_at_the_rate(
        clients in prop::collection::vec(prop::collection::vec(window(), 1..6), 1..5),
        seed: u64, start in 0u64..200, duration in 1u64..200, factor in 0.2f64..3.0,
    ) {
        let rows = |windows: &[String]| -> String {
            windows.iter().zip(0..).map(|(row, number)| format!("{},{row}", number * 60)).collect()
        };
        let rows: Vec<String> = clients.iter().map(|windows| rows(windows)).collect();
        let files: Vec<_> = rows.iter().zip(0..).map(|(rows, number)| (number, rows.as_str(), Some(CHAT))).collect();
        let home = pool(&files);
        let transform = Transform { start: seconds(start), duration: seconds(duration), ..Transform::default() };
        let Ok(own) = opened(&spec(home.path()), transform, seed) else { return Ok(()) };
        let end = own.arrivals_end.unwrap();
        let mean = own.requests.count() as f64 / end.as_secs_f64();
        prop_assume!(mean > 0.0);
        let scaled = ClientPoolSpec { rate: Some(mean * factor), ..spec(home.path()) };
        let requests = all(&scaled, transform, seed);
        prop_assert_eq!(&requests, &all(&scaled, transform, seed));
        prop_assert!(requests.is_sorted_by_key(|request| request.arrival));
        prop_assert!(requests.iter().all(|request| request.arrival < end));
        if let Some(expected) = opened(&scaled, transform, seed).unwrap().expected {
            prop_assert_eq!(expected, requests.len() as u64);
            // Windows of the part are whole: at most one request in each is a matter of rounding.
            let wanted = mean * factor * end.as_secs_f64();
            let rounded = (clients.iter().map(Vec::len).sum::<usize>() + 1) as f64;
            prop_assert!((requests.len() as f64 - wanted).abs() <= rounded, "{} {wanted}", requests.len());
        }
    }
}
