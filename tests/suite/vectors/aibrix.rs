//! AIBrix's own expectations of its pod autoscaler.

use ebbflow::scaling::damping::Tolerance;
use ebbflow::scaling::policies::aibrix::rules::{Mood, Rates, apa, shipped_kpa};
use serde_json::Value;

use super::{Verdict, replay};

#[test]
fn apa_and_kpa_decide_as_aibrix_tests_expect() {
    replay("aibrix.json", |case| {
        let found = match case["algorithm"].as_str() {
            Some("APA") => by_ratio(case),
            Some("KPA") => by_windows(case),
            _ => return Verdict::LeftOut("an algorithm that this test does not know"),
        };
        Verdict::of(found, count(case, "expect_replicas"))
    });
}

fn number(of: &Value, key: &str) -> f64 {
    of[key].as_f64().unwrap_or_else(|| panic!("{key} of {of}"))
}

fn count(of: &Value, key: &str) -> u32 {
    number(of, key) as u32
}

fn rates(case: &Value) -> Rates {
    Rates { up: number(case, "max_up_rate"), down: number(case, "max_down_rate") }
}

fn by_ratio(case: &Value) -> u32 {
    let tolerance = Tolerance { up: number(case, "tol_up"), down: number(case, "tol_down") };
    let (current, load) = (count(case, "current"), number(case, "use_per_pod"));
    apa(current, load, number(case, "target"), tolerance, rates(case))
}

fn by_windows(case: &Value) -> u32 {
    let mood = if case["in_panic"] == Value::Bool(true) {
        Mood::Panic { at_least: count(case, "max_panic_pods") }
    } else {
        Mood::Calm
    };
    let loads = (number(case, "stable"), number(case, "panic"));
    let activation = count(case, "activation_scale");
    shipped_kpa(count(case, "current"), loads, number(case, "target"), mood, rates(case), activation)
}
