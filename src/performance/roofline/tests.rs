//! What holds whatever the constants are.

use proptest::prelude::*;

use super::*;
use crate::models::find;

fn roofline(model: &str, gpu: &str, precision: Precision, parallelism: Parallelism) -> Roofline {
    let (model, gpu) = (find(model).unwrap(), find_gpu(gpu).unwrap());
    let backend = Backend::Vllm;
    Roofline::new(Deployment { model, gpu, backend, parallelism, precision, cache: None }).unwrap()
}

fn llama(gpu: &str, tensor: u32) -> Roofline {
    roofline("Llama-3.1-70B", gpu, Precision::Fp8, Parallelism::tensor(tensor))
}

fn decodes(count: u64, context: u64) -> IterationSums {
    IterationSums { decodes: count, decode_context: count * context, ..IterationSums::default() }
}

fn prompt(tokens: u64, context: u64) -> IterationSums {
    IterationSums::of(&[PrefillChunk { tokens, context }], &[], None)
}

#[test]
fn decoding_alone_is_bound_by_reading_the_weights() {
    let one = llama("H200", 1);
    let at = |count| one.breakdown(&decodes(count, 100)).operators.get(Operator::FeedForward);
    let read_s = one.constants().memory_scale * 80.0 * 3.0 * 8192.0 * 28_672.0 / (4.8e12 * 0.83);
    assert!((at(1) / read_s - 1.0).abs() < 0.03, "{} against {read_s}", at(1));
    assert!(at(64) < 1.15 * at(1));
}

#[test]
fn a_long_prompt_is_bound_by_arithmetic() {
    let at = |tokens| llama("H100", 2).breakdown(&prompt(tokens, 0)).operators.get(Operator::FeedForward);
    assert!((at(8192) / at(4096) / 2.0 - 1.0).abs() < 0.02);
}

#[test]
fn more_gpus_are_faster_but_never_by_more_than_their_number() {
    let at = |tensor| llama("B200", tensor).breakdown(&decodes(32, 2000)).total_s();
    assert!(at(2) < at(1) && at(4) < at(2) && at(8) < at(4));
    assert!(at(1) < 8.0 * at(8));
}

#[test]
fn a_stage_boundary_costs_a_transfer_and_nothing_else() {
    let split = |pipeline| {
        let parallelism = Parallelism { pipeline, ..Parallelism::tensor(1) };
        roofline("Llama-3.1-8B", "H100", Precision::Bf16, parallelism).breakdown(&prompt(1000, 0))
    };
    let (whole, split) = (split(1), split(2));
    let transfer = split.operators.get(Operator::SendReceive);
    assert!(transfer > 0.0);
    assert!((split.total_s() - whole.total_s() - transfer).abs() < 1e-12);
}

#[test]
fn experts_are_read_as_tokens_find_them() {
    let sparse = roofline("Qwen3-30B-A3B", "H100", Precision::Bf16, Parallelism::tensor(1));
    let at = |count| sparse.breakdown(&decodes(count, 0)).operators.get(Operator::Experts);
    assert!(at(8) > 3.0 * at(1) && at(8) < 8.0 * at(1));
    assert!(at(512) < 1.3 * at(128));
}

#[test]
fn a_breakdown_adds_up_to_the_iteration() {
    let one = roofline("gpt-oss-120b", "H100", Precision::Mxfp4, Parallelism::tensor(2));
    let chunk = PrefillChunk { tokens: 500, context: 100 };
    let sums = IterationSums::of(&[chunk], &[10, 2000, 700], one.window());
    let breakdown = one.breakdown(&sums);
    let shares: f64 = breakdown.shares().iter().map(|(_, share)| share).sum();
    assert!((shares - 1.0).abs() < 1e-9);
    assert_eq!(one.iteration_ns(&sums), (breakdown.total_s() * 1e9).round() as u64);
    assert!((one.terms(&sums).total_s(one.constants()) / breakdown.total_s() - 1.0).abs() < 1e-12);
}

fn engines(data: u32, expert: u32) -> Roofline {
    let parallelism = Parallelism { data, expert, ..Parallelism::tensor(1) };
    roofline("Qwen3-30B-A3B", "H100", Precision::Bf16, parallelism)
}

#[test]
fn engines_in_step_take_a_batch_each_in_the_time_of_one_and_share_the_experts() {
    let of = |engines: &Roofline, batch| engines.breakdown(&decodes(batch, 500)).operators;
    let (one, two) = (of(&engines(1, 1), 64), of(&engines(2, 1), 128));
    for own in [Operator::Projections, Operator::DecodeAttention, Operator::LmHead, Operator::Elementwise] {
        assert!((one.get(own) / two.get(own) - 1.0).abs() < 1e-9, "{own:?}");
    }
    // Half of every expert, though more of them are visited.
    assert!(two.get(Operator::Experts) < one.get(Operator::Experts));
    assert!(two.get(Operator::AllReduce) > 0.0 && one.get(Operator::AllReduce) == 0.0);
}

#[test]
fn every_engine_in_step_has_a_cache_and_all_the_weights_but_experts() {
    let (one, two) = (engines(1, 1).kv_memory(), engines(2, 2).kv_memory());
    assert!(two.weight_bytes > one.weight_bytes && two.weight_bytes < 1.1 * one.weight_bytes);
    assert!(two.capacity_tokens() > 3 * one.capacity_tokens(), "the experts stand once");
    assert_eq!(two.token_bytes, one.token_bytes);
}

#[test]
fn the_cache_takes_what_the_weights_leave() {
    // vLLM 0.19 reports 41,408 tokens for Llama-3.1-8B in bf16 on an RTX 4090 (LLMServingSim, commit 5daddb2).
    let small = roofline("Llama-3.1-8B", "RTX-4090", Precision::Bf16, Parallelism::tensor(1));
    let tokens = small.kv_memory().capacity_tokens() as f64;
    assert!((tokens / 41_408.0 - 1.0).abs() < 0.02, "{tokens}");
    let none = roofline("Llama-3.1-70B", "H100", Precision::Bf16, Parallelism::tensor(1));
    assert_eq!(none.kv_memory().capacity_tokens(), 0);
    assert!(none.closed_loop(load(1)).is_none());
}

#[test]
fn clients_beyond_the_cache_wait() {
    let one = llama("H100", 2);
    let of = |concurrency| one.closed_loop(load(concurrency)).unwrap();
    let most = one.kv_memory().sequences(2048);
    let (full, over) = (of(most), of(most + 100));
    assert_eq!((over.running, over.tpot_s), (most, full.tpot_s));
    assert!(over.ttft_s > full.ttft_s);
    assert_eq!(over.output_tokens_per_s, full.output_tokens_per_s);
}

fn load(concurrency: u64) -> Load {
    Load { prompt_tokens: 1024, output_tokens: 1024, concurrency, token_budget: None }
}

proptest! {
    #[test]
    fn more_work_never_takes_less_time(
        tokens in 1u64..5000, context in 0u64..20_000, count in 0u64..300, more in 1u64..500
    ) {
        for model in ["Llama-3.1-8B", "gpt-oss-120b", "Qwen3-235B-A22B"] {
            let one = roofline(model, "H200", Precision::Fp8, Parallelism::tensor(4));
            let window = one.window();
            let at = |tokens, context, count: u64| {
                let mut sums = IterationSums::of(&[PrefillChunk { tokens, context }], &[], window);
                (0..count).for_each(|_| sums.add_decode(context + 1, window));
                one.iteration_ns(&sums)
            };
            let base = at(tokens, context, count);
            prop_assert!(base > 0);
            prop_assert!(at(tokens + more, context, count) >= base);
            prop_assert!(at(tokens, context + more, count) >= base);
            prop_assert!(at(tokens, context, count + more) >= base);
        }
    }

    #[test]
    fn a_decode_run_is_its_iterations_one_by_one(
        contexts in proptest::collection::vec(1u64..5000, 1..40), iterations in 1u64..100
    ) {
        let one = roofline("gpt-oss-20b", "H100", Precision::Mxfp4, Parallelism::tensor(1));
        let at = |grown: u64| {
            let contexts: Vec<u64> = contexts.iter().map(|context| context + grown).collect();
            one.decode_run(&IterationSums::of(&[], &contexts, one.window()))
        };
        let leaving = contexts.iter().filter(|&&context| context < 128).map(|context| 128 - context);
        let iterations = leaving.min().map_or(iterations, |least| least.min(iterations));
        let by_hand: u128 = (0..iterations).map(|nth| u128::from(at(nth).first_fs)).sum();
        prop_assert_eq!(at(0).elapsed_fs(iterations), by_hand);
    }
}
