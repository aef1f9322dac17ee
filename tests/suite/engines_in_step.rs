//! Scenarios with data parallelism: engines with requests of their own that share the experts.

use ebbflow::request::Fate;
use ebbflow::results::RunResults;

use crate::support::run::{application, run};
use crate::support::scenarios::{read, scenario};

fn mixture(split: &str) -> String {
    format!(
        "cluster:\n  skus: [{{name: pair, gpu: h100-80gb, gpus: 2}}]\n  servers: [{{sku: pair, count: 2}}]\n\
         applications: [{{model: qwen3-30b-a3b, scheduler: jsq}}]\n\
         start_state: {{state_type: baseline, instance: {{tensor_parallelism: 1, {split}}}}}\n\
         workload: {{rate: 20, requests: 200, synthetic: {{prompt: 800, output: 60}}}}\n"
    )
}

#[test]
fn engines_in_step_serve_as_one_instance_on_all_their_gpus() {
    let text = mixture("data_parallelism: 2, expert_parallelism: 2");
    let together = run(&text);
    let resolved = scenario(&text).resolved;
    assert!(resolved.contains("data_parallelism: 2"), "{resolved}");
    assert_eq!(run(&resolved).digest, together.digest);
    // Half of the experts are read by each GPU; alone, one reads them all and the other stands idle.
    let e2e_s = |results: &RunResults| -> f64 {
        let requests = &application(results).requests;
        assert!(requests.len() == 200 && requests.iter().all(|ended| ended.fate == Fate::Completed));
        requests.iter().filter_map(|ended| ended.request.e2e_s()).sum()
    };
    let alone = run(&mixture("data_parallelism: 1"));
    assert!(e2e_s(&together) < e2e_s(&alone), "{} against {}", e2e_s(&together), e2e_s(&alone));
}

#[test]
fn engines_without_experts_to_share_are_refused() {
    let text = mixture("data_parallelism: 2").replace("qwen3-30b-a3b", "llama-3.1-8b");
    let error = read(&text, &[]).unwrap_err().to_string();
    assert!(error.contains("data parallelism 2") && error.contains("no experts to share"), "{error}");
}
