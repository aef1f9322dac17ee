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

/// Tables made up for Llama-3.1-8B on one H100, in the columns of kernel tables.
fn kernels(files: &[(&str, &str)]) -> KernelTables {
    let home = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(home.path().join(name), text).unwrap();
    }
    KernelTables::read(&[home.path().to_owned()]).unwrap()
}

const GEMM: &str = "gemm_dtype,m,n,k,latency\n\
    bfloat16,1,4096,4096,0.030\nbfloat16,1024,4096,4096,0.300\n\
    bfloat16,1,8192,4096,0.060\nbfloat16,1024,8192,4096,0.600\nbfloat16,1,32,32,0.002\n";
const DECODE: &str = "op_name,batch_size,isl,step,num_heads,num_key_value_heads,head_dim,kv_cache_dtype,latency\n\
    generation_attention,1,1,0,32,8,128,bfloat16,0.005\n\
    generation_attention,8,1,255,32,8,128,bfloat16,0.020\n\
    generation_attention,8,1,511,32,8,128,bfloat16,0.030\n\
    generation_attention,8,1,1023,32,8,128,bfloat16,0.050\n";

fn small() -> Roofline {
    roofline("Llama-3.1-8B", "H100", Precision::Bf16, Parallelism::tensor(1))
}

#[test]
fn a_measured_matrix_takes_its_measured_time_and_another_lies_between() {
    let measured = small().with_kernels(&kernels(&[("gemm.csv", GEMM)]));
    // Queries, keys and values: n 6144, between 4096 and 8192; the output: n 4096, as measured. Both k 4096.
    let at = |tokens| measured.terms(&decodes(tokens, 0));
    let found =
        |terms: &Terms| terms.memory.get(Operator::Projections) + terms.compute.get(Operator::Projections);
    for (tokens, output_s) in [(1, 30e-6), (1024, 300e-6)] {
        let inputs_s = found(&at(tokens)) / 32.0 - output_s;
        assert!(inputs_s > 1.3 * output_s && inputs_s < 1.7 * output_s, "{inputs_s} at {tokens}");
    }
    let formula = small().terms(&decodes(1, 0));
    let same = [Operator::FeedForward, Operator::LmHead, Operator::DecodeAttention, Operator::Elementwise];
    assert!(same.iter().all(|&operator| at(1).memory.get(operator) == formula.memory.get(operator)));
    assert_eq!(measured.breakdown(&decodes(1, 0)).host_s, small().breakdown(&decodes(1, 0)).host_s);
}

#[test]
fn decode_attention_as_measured_is_a_line_that_runs_of_iterations_follow_exactly() {
    let measured = small().with_kernels(&kernels(&[("attention.csv", DECODE)]));
    // 8 sequences: 10 µs and 4.88 ns a token of context; the formula's start is that of the shortest kernel.
    let layer_s = measured.terms(&decodes(8, 512)).memory.get(Operator::DecodeAttention) / 32.0;
    assert!((layer_s / 30e-6 - 1.0).abs() < 0.01, "{layer_s}");
    let run = measured.decode_run(&decodes(8, 512));
    let next = measured.decode_run(&decodes(8, 513));
    assert_eq!(run.first_fs + run.growth_fs, next.first_fs);
    assert!(measured.context_token_fs(1)[0] < measured.context_token_fs(8)[0]);
    assert_eq!(measured.iteration_ns(&decodes(8, 512)), run.elapsed_ns(1));
}

#[test]
fn what_tables_cover_is_said() {
    let measured = small().with_kernels(&kernels(&[("gemm.csv", GEMM), ("attention.csv", DECODE)]));
    let text = measured.coverage().unwrap().to_string();
    for part in [
        "measured: projections (GEMM n 4096, k 4096 in bf16), decode_attention (generation attention 32/8 heads of 128",
        "between measured sizes: projections (GEMM n 6144, k 4096 in bf16)",
        "by formula: feed_forward (GEMM n 28672, k 4096 in bf16), feed_forward (GEMM n 4096, k 14336 in bf16)",
        "lm_head (GEMM n 128256, k 4096 in bf16)",
        "prefill_attention (context attention 32/8 heads of 128, cache in bf16)",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    assert!(small().coverage().is_none());
    let elsewhere =
        GEMM.replace("gemm_dtype", "device,gemm_dtype").replace("bfloat16", "NVIDIA H200,bfloat16");
    let nothing = small().with_kernels(&kernels(&[("gemm.csv", &elsewhere)]));
    assert!(nothing.coverage().unwrap().is_empty());
    assert_eq!(nothing.terms(&decodes(7, 99)), small().terms(&decodes(7, 99)));
}

#[test]
fn multiplications_bound_by_the_host_keep_the_formula() {
    let slow = GEMM.replace("bfloat16,1,32,32,0.002\n", "");
    let measured = small().with_kernels(&kernels(&[("gemm.csv", &slow)]));
    assert!(measured.coverage().unwrap().is_empty());
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
