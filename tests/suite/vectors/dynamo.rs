//! Dynamo's `tests/planner`.

use ebbflow::scaling::policies::dynamo::moves::{by_limit, decode_limit, prefill_limit};
use ebbflow::scaling::policies::dynamo::regression::{Line, Regression};
use ebbflow::scaling::policies::dynamo::sizing::{
    Engine, Sizes, Traffic, decode_needed, prefill_needed, within_budget,
};
use serde_json::Value;

use super::{Verdict, replay};

#[test]
fn dynamos_planner_decides_as_its_own_tests_expect() {
    replay("dynamo_planner.json", run);
}

fn number(case: &Value, name: &str) -> f64 {
    case[name].as_f64().unwrap_or_else(|| panic!("no number {name} in {case}"))
}

fn run(case: &Value) -> Verdict {
    match case["fn"].as_str().unwrap() {
        "replica_calculation" => replica_calculation(case),
        "regression_inverse" => {
            let line = Line { slope: number(case, "slope"), intercept: number(case, "intercept") };
            Verdict::of(line.inverse(number(case, "y")), case["expect_x"].as_f64())
        }
        "regression_window" => regression_window(case),
        "load_prefill" => {
            let line = Line { slope: number(case, "ttft_slope"), intercept: number(case, "ttft_intercept") };
            by_loads(case, prefill_limit(line, number(case, "ttft_sla_ms"), number(case, "isl")))
        }
        "load_decode" => {
            let line = Line { slope: number(case, "itl_slope"), intercept: number(case, "itl_intercept") };
            by_loads(case, decode_limit(line, number(case, "itl_sla_ms")))
        }
        _ => Verdict::LeftOut("a function that is not known here"),
    }
}

fn sizes(case: &Value) -> (Sizes, Sizes) {
    let count = |name| number(case, name) as u32;
    let traffic = Traffic {
        requests: number(case, "num_req"),
        prompt_tokens: number(case, "isl"),
        output_tokens: number(case, "osl"),
        interval_s: number(case, "interval_s"),
    };
    let gpus = Sizes { prefill: count("prefill_gpus"), decode: count("decode_gpus") };
    let engine = |name, gpus| Engine { tokens_per_s_per_gpu: number(case, name), gpus };
    let wanted = Sizes {
        prefill: prefill_needed(
            &traffic,
            engine("prefill_thpt_per_gpu", gpus.prefill),
            number(case, "p_correction"),
        ),
        decode: decode_needed(&traffic, engine("decode_thpt_per_gpu", gpus.decode)),
    };
    (within_budget(wanted, gpus, count("min_endpoint"), count("max_gpu_budget")), gpus)
}

/// Every expectation that the case has.
fn replica_calculation(case: &Value) -> Verdict {
    let (sizes, gpus) = sizes(case);
    let total = sizes.prefill * gpus.prefill + sizes.decode * gpus.decode;
    let least = u64::from(sizes.prefill.min(sizes.decode));
    let mut checked = 0;
    let mut holds = |name: &str, holds: &dyn Fn(u64) -> bool| {
        let expected = case[name].as_u64();
        checked += i32::from(expected.is_some());
        expected.is_none_or(holds)
    };
    let all = [
        holds("expect_prefill", &|prefill| prefill == u64::from(sizes.prefill)),
        holds("expect_decode", &|decode| decode == u64::from(sizes.decode)),
        holds("expect_total_gpus", &|gpus| gpus == u64::from(total)),
        holds("expect_total_gpus_max", &|most| u64::from(total) <= most),
        holds("expect_min_each", &|each| least >= each),
        holds("expect_prefill_min", &|prefill| u64::from(sizes.prefill) >= prefill),
        holds("expect_decode_min", &|decode| u64::from(sizes.decode) >= decode),
    ];
    match checked {
        0 => Verdict::LeftOut("no expectation that is known here"),
        _ if all.iter().all(|&holds| holds) => Verdict::Passed,
        _ => Verdict::Failed(format!("{sizes:?} with {total} GPUs")),
    }
}

fn by_loads(case: &Value, limit: Option<f64>) -> Verdict {
    let loads: Vec<f64> =
        case["worker_loads"].as_array().unwrap().iter().map(|load| load.as_f64().unwrap()).collect();
    let sensitivity = number(case, "sensitivity_pct") / 100.0;
    let found = limit.and_then(|limit| by_limit(&loads, limit, sensitivity));
    Verdict::of(found.map(u64::from), case["expect_replicas"].as_u64())
}

/// A window of so many that was shown more.
fn regression_window(case: &Value) -> Verdict {
    let first = |names: &[&str]| names.iter().find_map(|name| case[name].as_u64());
    let window = first(&["window", "window_size"]);
    let shown = first(&["added", "adds", "n", "points", "observations"]);
    let kept = first(&["expect_kept", "expect_size", "expect_observations", "expect_len", "expect"]);
    let (Some(window), Some(shown), Some(kept)) = (window, shown, kept) else {
        return Verdict::LeftOut("its columns are not known here");
    };
    let mut regression = Regression::new(window as usize, 5);
    (0..shown).for_each(|x| regression.observe(x as f64, x as f64));
    Verdict::of(regression.len() as u64, kept)
}
