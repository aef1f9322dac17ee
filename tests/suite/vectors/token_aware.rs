//! The worked examples of llm-d's token-aware guide.

use ebbflow::scaling::policies::token_aware::PeakPrefill;
use serde_json::Value;

use super::{Verdict, replay};

#[test]
fn the_token_aware_recipe_counts_as_its_guide_does() {
    replay("llmd_token_aware.json", run);
}

fn number(case: &Value, name: &str) -> f64 {
    case[name].as_f64().unwrap_or_else(|| panic!("no number {name} in {case}"))
}

fn run(case: &Value) -> Verdict {
    let peak = PeakPrefill(number(case, "peak_prefill_tok_s"));
    match case["fn"].as_str().unwrap() {
        "prefill_threshold" => threshold(case, peak),
        "offered_load_to_replicas" => replicas(case, peak),
        _ => Verdict::LeftOut("a function that is not known here"),
    }
}

fn threshold(case: &Value, peak: PeakPrefill) -> Verdict {
    let (prompt, tolerance) = (number(case, "isl_uncached"), number(case, "tolerance"));
    let found = (peak.idle_floor_s(prompt), peak.threshold_s(number(case, "ttft_slo_s"), prompt));
    let near = |name: &str, found: f64| {
        case[name].as_f64().is_none_or(|expected| (found - expected).abs() <= tolerance)
    };
    if near("expect_idle_floor_s", found.0) && near("expect_threshold_s", found.1) {
        Verdict::Passed
    } else {
        Verdict::Failed(format!("floor and threshold are {found:?} s"))
    }
}

/// Where the case says that the guide's own formula does not give its number of replicas, only the load is
/// compared.
fn replicas(case: &Value, peak: PeakPrefill) -> Verdict {
    let tokens_per_s = number(case, "rate_rps") * number(case, "isl");
    let equivalents = peak.work_s(tokens_per_s);
    let most = case["max"].as_u64().unwrap() as u32;
    let found = peak.replicas(tokens_per_s, number(case, "threshold_s")).clamp(1, most);
    let shown = |name: &str, found: f64, digits: f64| {
        case[name].as_f64().is_none_or(|expected| (found - expected).abs() <= 0.5 * digits + 1e-9)
    };
    let load_is_right =
        shown("expect_tokens_s", tokens_per_s, 1.0) && shown("expect_replica_equivalents", equivalents, 0.01);
    if !load_is_right {
        return Verdict::Failed(format!("{tokens_per_s} tokens/s are {equivalents} replicas"));
    }
    if case["formula_reproduces"].as_bool() == Some(false) {
        println!("{}: replicas are not compared: the guide's formula does not give them", case["id"]);
        return Verdict::Passed;
    }
    Verdict::of(u64::from(found), case["expect_replicas"].as_u64().unwrap())
}
