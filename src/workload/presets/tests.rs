//! What presets generate against what is published.

use super::*;
use crate::ids::ApplicationId;
use crate::request::Request;
use crate::scenario::{Arrivals, Lengths, SyntheticSpec, Transform, WorkloadSource, WorkloadSpec};
use crate::workload::{PrefixCounts, PrefixStatistics, Workload, open};

fn generated(name: &str, requests: u64, seed: u64) -> Workload {
    let preset = preset(name).unwrap();
    let source = WorkloadSource::Synthetic(SyntheticSpec {
        application: ApplicationId(0),
        shares: Vec::new(),
        arrivals: Arrivals::Gamma { shape: preset.gamma_shape, rate: preset.rate(preset.mean_rate) },
        prompt: Lengths::Quantiles(preset.kinds[0].prompt.to_vec()),
        output: Lengths::Quantiles(preset.kinds[0].output.to_vec()),
        preset: Some(preset).filter(|preset| preset.is_structured()),
        sessions: None,
        prefix_groups: None,
        requests: Some(requests),
        until: None,
    });
    open(
        &WorkloadSpec { source, transform: Transform::default(), classes: Vec::new() },
        &[ApplicationId(0)],
        seed,
    )
    .unwrap()
}

fn facts(seed: u64) -> Vec<(u64, u32, u32)> {
    let requests = generated("azure-conv", 3, seed).requests;
    requests.map(|r| (r.arrival.as_nanos(), r.prompt_tokens, r.output_tokens)).collect()
}

/// Infinite, and of so many blocks.
fn hits(requests: &[Request], capacity: Option<usize>) -> PrefixCounts {
    let mut statistics = PrefixStatistics::new(PRESET_BLOCK_TOKENS, capacity);
    requests.iter().for_each(|request| statistics.add(request));
    statistics.counts().clone()
}

#[test]
fn presets_have_the_means_published_for_their_traces() {
    const REQUESTS: u64 = 200_000;
    // Rate and tokens; how near they have to be: the figures of 2024 and of ServeGen are read off or incomplete.
    let published = [
        ("azure-code", 2.567, 2047.85, 27.88, 0.03),
        ("azure-conv", 5.530, 1154.70, 211.13, 0.03),
        ("azure24-code", 27.78, 2511.0, 23.0, 0.06),
        ("azure24-conv", 45.15, 1632.0, 106.0, 0.05),
        ("mooncake-conv", 3.401, 12_035.0, 342.6, 0.03),
        ("mooncake-agent", 6.558, 8596.0, 182.0, 0.04),
        ("servegen-chat", 195.8, 914.0, 155.0, 0.04),
    ];
    for (name, rate, prompt, output, within) in published {
        let near = |found: f64, expected: f64| (found / expected - 1.0).abs() < within;
        let workload = generated(name, REQUESTS, 1);
        assert_eq!(workload.expected, Some(REQUESTS));
        let (mut prompts, mut outputs, mut last) = (0, 0, SimTime::ZERO);
        for request in workload.requests {
            prompts += u64::from(request.prompt_tokens);
            outputs += u64::from(request.output_tokens);
            last = request.arrival;
        }
        let mean = |sum: u64| sum as f64 / REQUESTS as f64;
        assert!(near(mean(prompts), prompt), "{name} prompt: {}", mean(prompts));
        assert!(near(mean(outputs), output), "{name} output: {}", mean(outputs));
        if preset(name).unwrap().profile == Profile::Constant {
            assert!(near(REQUESTS as f64 / last.as_secs_f64(), rate), "{name}: {last}");
        }
    }
    assert_eq!(published.len(), preset_names().count());
}

#[test]
fn a_week_has_its_mean_and_the_published_hours() {
    let code = preset("azure24-code").unwrap();
    let rate = code.rate(10.0);
    let hours: Vec<f64> = rate.iter().map(|piece| piece.1).collect();
    assert_eq!((hours.len(), hours[168]), (169, 10.0));
    assert!((hours[..168].iter().sum::<f64>() / 168.0 - 10.0).abs() < 1e-9);
    let (most, least) = (
        |hours: &[f64]| hours.iter().copied().fold(0.0, f64::max),
        |hours: &[f64]| hours.iter().copied().fold(f64::INFINITY, f64::min),
    );
    // Published: the busiest hour of a workday has ten times the load of the quietest, of a weekend 6.4 times.
    assert!((most(&hours[..24]) / least(&hours[..24]) / 10.0 - 1.0).abs() < 0.05);
    assert!((most(&hours[120..144]) / least(&hours[120..144]) / 6.4 - 1.0).abs() < 0.25);
    assert_eq!(hours[15], hours[4 * 24 + 15]);
    assert_eq!(rate[168].0, SimTime::ZERO + SimDuration::from_secs(7 * 86_400));
    assert_eq!(preset("azure-code").unwrap().rate(2.0), [(SimTime::ZERO, 2.0)]);
}

#[test]
fn the_conversations_of_mooncake_share_as_much_as_the_trace() {
    let requests: Vec<Request> = generated("mooncake-conv", 12_031, 1).requests.collect();
    let all = hits(&requests, None);
    let share = |count: u64| count as f64 / all.requests as f64;
    // Published figure, and how near it has to be.
    let mut wrong = Vec::new();
    let mut near = |what: &str, found: f64, expected: f64, within: f64| {
        println!("{what}: {found:.4}, published {expected}");
        if (found - expected).abs() > within {
            wrong.push(format!("{what}: {found}"));
        }
    };
    near("tokens of an infinite cache", all.token_hit_rate(), 0.374, 0.02);
    near("mean share", all.mean_share(), 0.41, 0.03);
    near("nothing", share(all.without_hit), 0.0, 0.001);
    for (capacity, expected) in [(500, 0.042), (2000, 0.054), (5000, 0.110), (10_000, 0.211), (30_000, 0.326)]
    {
        // Published for blocks; of tokens it is a little more.
        let found = hits(&requests, Some(capacity)).token_hit_rate();
        near(&format!("{capacity} blocks"), found, expected * 1.02, 0.02);
    }
    let mut sessions = std::collections::BTreeMap::new();
    for request in &requests {
        *sessions.entry(request.attributes().session.unwrap().0).or_insert(0u32) += 1;
    }
    near("follow-ups", 1.0 - sessions.len() as f64 / 12_031.0, 0.387, 0.04);
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn the_tools_of_mooncake_share_all_but_their_ends() {
    let requests: Vec<Request> = generated("mooncake-agent", 20_000, 1).requests.collect();
    let common = |a: &Request, b: &Request| {
        let (a, b) = (&a.attributes().prefix, &b.attributes().prefix);
        a.iter().zip(b).take_while(|(a, b)| a == b).count()
    };
    let (mut tools, mut chats) = ([0, 0], 0);
    let alone: Vec<&Request> =
        requests.iter().filter(|request| request.attributes().session.is_none()).collect();
    for request in &alone {
        let kind = usize::from(request.prompt_tokens < 6000);
        tools[kind] += 1;
        let other = alone
            .iter()
            .find(|other| other.id != request.id && usize::from(other.prompt_tokens < 6000) == kind);
        assert_eq!(common(request, other.unwrap()), [12, 5][kind]);
    }
    chats += requests.len() - alone.len();
    for (count, share) in [(chats, 0.48), (tools[0], 0.38), (tools[1], 0.14)] {
        assert!((count as f64 / 20_000.0 - share).abs() < 0.02, "{chats} chats, {tools:?}");
    }
}

#[test]
fn the_same_seed_draws_the_same_on_every_platform() {
    assert_eq!(facts(42), [(65_059_096, 1129, 55), (77_475_161, 783, 26), (220_891_376, 59, 93)]);
    assert_ne!(facts(42), facts(43));
    let drawn = |seed| generated("mooncake-agent", 500, seed).requests.collect::<Vec<_>>();
    assert_eq!(drawn(3), drawn(3));
    assert_ne!(drawn(3), drawn(4));
}

#[test]
fn presets_are_found_by_name() {
    let names = [
        "azure-code",
        "azure-conv",
        "azure24-code",
        "azure24-conv",
        "mooncake-conv",
        "mooncake-agent",
        "servegen-chat",
    ];
    assert_eq!(preset_names().collect::<Vec<_>>(), names);
    assert!(preset("azure").is_none());
}
