//! The built-in GPUs.
//!
//! Data sheets: NVIDIA, as collected in `systems/*.yaml` of NVIDIA AIConfigurator (Apache-2.0, commit 095f58a)
//! unless said otherwise. Shares: least-squares fits to the kernels measured in the same repository
//! (`systems/data`, vLLM 0.24.0; A100: 0.14.0; RTX PRO 6000: 0.19.0), matrices of 1024 to 65,536 by 1024 to
//! 32,768, 1 to 32,768 tokens. All-reduce: vLLM's own within a CUDA graph where there is NVLink, otherwise NCCL.
//! Each share stands with the mean relative error of its fit.

use super::gpu::{Collective, Evidence, ExpertShare, Gpu, Kernels, Share};

const COLLECTED: &str = "systems/*.yaml of NVIDIA AIConfigurator, commit 095f58a";
const MEASURED: &str = "fits to the kernels in NVIDIA AIConfigurator, commit 095f58a";
const GB_S: f64 = 1e9;
const TFLOPS: f64 = 1e12;

const fn share(compute: f64, memory: f64, mean_error: f64) -> Share {
    Share { compute, memory, mean_error: Some(mean_error) }
}

const fn experts(compute: f64, memory: f64, start_us: f64, mean_error: f64) -> ExpertShare {
    ExpertShare { compute, memory, start_s: start_us * 1e-6, mean_error: Some(mean_error) }
}

const fn collective(share: f64, start_us: f64, mean_error: f64) -> Collective {
    Collective { share, start_s: start_us * 1e-6, mean_error: Some(mean_error) }
}

const fn assumed_collective(share: f64, start_us: f64) -> Collective {
    Collective { share, start_s: start_us * 1e-6, mean_error: None }
}

/// Weights of 4 bits with 16-bit activations in plain matrices were not measured: the share of the arithmetic
/// is that of bf16, that of the bandwidth the one of fp8.
const fn plain_4_bit(bf16: Share, fp8: Share) -> Share {
    Share { compute: bf16.compute, memory: fp8.memory, mean_error: None }
}

/// All built-in GPUs.
pub fn builtin_gpus() -> Vec<Gpu> {
    vec![a100(), h100(), h200(), b200(), l40s(), rtx_pro_6000(), rtx_4090(), mi300x()]
}

fn a100() -> Gpu {
    // Attention: prefill 17 %, decode 15 % mean error. No fp8 arithmetic: 8-bit weights as in bf16, assumed.
    let bf16 = share(0.76, 0.72, 0.11);
    let moe = experts(0.285, 0.789, 38.0, 0.22);
    let assumed = ExpertShare { mean_error: None, ..moe };
    Gpu {
        name: "A100".to_owned(),
        memory_bytes: 80e9,
        bandwidth_bytes_s: 2039.0 * GB_S,
        bf16_flops: 312.0 * TFLOPS,
        fp8_flops: None,
        fp4_flops: None,
        link_bytes_s: 300.0 * GB_S,
        gemm: Kernels { bf16, fp8: plain_4_bit(bf16, bf16), fp4: bf16, fp4_bf16: plain_4_bit(bf16, bf16) },
        prefill_attention: 0.49,
        decode_attention: 0.70,
        all_reduce: [
            collective(0.60, 5.0, 0.07),
            collective(0.595, 5.65, 0.13),
            collective(0.61, 6.66, 0.19),
        ],
        experts: Kernels { bf16: moe, fp8: assumed, fp4: assumed, fp4_bf16: assumed },
        evidence: Evidence::Kernels,
        sheet: COLLECTED.to_owned(),
        kernels: MEASURED.to_owned(),
    }
}

fn h100() -> Gpu {
    // Attention: prefill 16 %, decode 10 % mean error. Experts in fp8: block-scaled.
    let (bf16, fp8) = (share(0.80, 0.85, 0.07), share(0.44, 0.84, 0.18));
    let mxfp4 = experts(0.43, 0.77, 38.0, 0.16);
    Gpu {
        name: "H100".to_owned(),
        memory_bytes: 80e9,
        bandwidth_bytes_s: 3350.0 * GB_S,
        bf16_flops: 989.0 * TFLOPS,
        fp8_flops: Some(1979.0 * TFLOPS),
        fp4_flops: None,
        link_bytes_s: 450.0 * GB_S,
        gemm: Kernels { bf16, fp8, fp4: fp8, fp4_bf16: plain_4_bit(bf16, fp8) },
        prefill_attention: 0.54,
        decode_attention: 0.86,
        all_reduce: [
            collective(0.582, 4.29, 0.07),
            collective(0.64, 4.82, 0.10),
            collective(0.78, 5.42, 0.16),
        ],
        experts: Kernels {
            bf16: experts(0.47, 0.95, 32.0, 0.15),
            fp8: experts(0.25, 0.90, 45.0, 0.15),
            fp4: mxfp4,
            fp4_bf16: mxfp4,
        },
        evidence: Evidence::EndToEnd,
        sheet: COLLECTED.to_owned(),
        kernels: MEASURED.to_owned(),
    }
}

fn h200() -> Gpu {
    // Attention: prefill 15 %, decode 10 % mean error. Experts in fp8: block-scaled.
    let (bf16, fp8) = (share(0.80, 0.82, 0.07), share(0.47, 0.83, 0.21));
    let mxfp4 = experts(0.43, 0.56, 37.0, 0.17);
    Gpu {
        name: "H200".to_owned(),
        memory_bytes: 141e9,
        bandwidth_bytes_s: 4800.0 * GB_S,
        gemm: Kernels { bf16, fp8, fp4: fp8, fp4_bf16: plain_4_bit(bf16, fp8) },
        prefill_attention: 0.53,
        decode_attention: 0.81,
        all_reduce: [
            collective(0.598, 4.46, 0.06),
            collective(0.666, 4.80, 0.10),
            collective(0.83, 5.31, 0.14),
        ],
        experts: Kernels {
            bf16: experts(0.54, 0.95, 34.0, 0.15),
            fp8: experts(0.25, 0.87, 45.0, 0.16),
            fp4: mxfp4,
            fp4_bf16: mxfp4,
        },
        ..h100()
    }
}

fn b200() -> Gpu {
    // Attention: prefill 18 %, decode 11 % mean error. Experts in fp4: NVFP4; MXFP4 with 8-bit activations
    // reaches the same 0.8 of the bandwidth. With 16-bit activations MXFP4 reaches half of that.
    let (bf16, fp8) = (share(0.71, 0.76, 0.09), share(0.40, 0.81, 0.23));
    Gpu {
        name: "B200".to_owned(),
        memory_bytes: 180e9,
        // The sheet says 8.0 TB/s, the collection 7.7; the fits are to 8.0.
        bandwidth_bytes_s: 8000.0 * GB_S,
        bf16_flops: 2250.0 * TFLOPS,
        fp8_flops: Some(4500.0 * TFLOPS),
        fp4_flops: Some(9000.0 * TFLOPS),
        link_bytes_s: 900.0 * GB_S,
        gemm: Kernels { bf16, fp8, fp4: share(0.40, 0.78, 0.12), fp4_bf16: plain_4_bit(bf16, fp8) },
        prefill_attention: 0.45,
        decode_attention: 0.86,
        all_reduce: [
            collective(0.50, 7.12, 0.14),
            collective(0.581, 7.41, 0.16),
            collective(0.62, 8.34, 0.16),
        ],
        experts: Kernels {
            bf16: experts(0.36, 0.91, 17.0, 0.17),
            fp8: experts(0.17, 0.89, 34.0, 0.15),
            fp4: experts(0.34, 0.79, 17.0, 0.19),
            fp4_bf16: experts(0.21, 0.40, 19.0, 0.20),
        },
        evidence: Evidence::EndToEnd,
        sheet: COLLECTED.to_owned(),
        kernels: MEASURED.to_owned(),
    }
}

fn l40s() -> Gpu {
    // Attention: prefill 18 %, decode 41 % mean error: its cache of 96 MB holds small KV caches whole. No
    // NVLink: the measured all-reduce over PCIe 4.0 collapses from four GPUs on.
    let (bf16, fp8) = (share(0.60, 0.76, 0.13), share(0.41, 0.70, 0.21));
    let moe = experts(0.44, 0.787, 0.1, 0.22);
    let assumed = ExpertShare { mean_error: None, ..moe };
    Gpu {
        name: "L40S".to_owned(),
        memory_bytes: 48.3e9,
        bandwidth_bytes_s: 864.0 * GB_S,
        bf16_flops: 362.0 * TFLOPS,
        fp8_flops: Some(733.0 * TFLOPS),
        fp4_flops: None,
        link_bytes_s: 32.0 * GB_S,
        gemm: Kernels { bf16, fp8, fp4: fp8, fp4_bf16: plain_4_bit(bf16, fp8) },
        prefill_attention: 0.45,
        decode_attention: 0.87,
        all_reduce: [
            collective(0.596, 7.18, 0.11),
            collective(0.16, 11.5, 0.04),
            collective(0.045, 21.9, 0.13),
        ],
        experts: Kernels {
            bf16: moe,
            fp8: experts(0.293, 0.766, 2.2, 0.24),
            fp4: assumed,
            fp4_bf16: assumed,
        },
        evidence: Evidence::Kernels,
        sheet: COLLECTED.to_owned(),
        kernels: MEASURED.to_owned(),
    }
}

fn rtx_pro_6000() -> Gpu {
    // Server edition at 2430 MHz. Attention: prefill 17 %, decode 25 % mean error (cache of 128 MB). All-reduce over
    // PCIe 5.0: NCCL alone, with peer access, reaches 0.55, 0.39 and 0.35 of the link with 2, 4 and 8 GPUs. vLLM does
    // not: its run of Qwen3-32B on two such GPUs that LLMServingSim publishes (commit 5daddb2) is repeated with
    // 12.8 GB/s and missed by a quarter with NCCL's 35. So a fifth of the link with two, and likewise less with more.
    let (bf16, fp8) = (share(0.75, 0.76, 0.17), share(0.71, 0.64, 0.19));
    let moe = experts(0.502, 0.801, 4.4, 0.15);
    let assumed = ExpertShare { mean_error: None, ..moe };
    Gpu {
        name: "RTX-PRO-6000".to_owned(),
        memory_bytes: 102.6e9,
        bandwidth_bytes_s: 1792.0 * GB_S,
        bf16_flops: 468.0 * TFLOPS,
        fp8_flops: Some(936.0 * TFLOPS),
        fp4_flops: Some(1871.0 * TFLOPS),
        link_bytes_s: 64.0 * GB_S,
        // 4-bit weights were not measured: as 8-bit ones.
        gemm: Kernels { bf16, fp8, fp4: Share { mean_error: None, ..fp8 }, fp4_bf16: plain_4_bit(bf16, fp8) },
        prefill_attention: 0.53,
        decode_attention: 0.91,
        all_reduce: [
            assumed_collective(0.20, 6.78),
            assumed_collective(0.14, 13.5),
            assumed_collective(0.13, 26.5),
        ],
        experts: Kernels {
            bf16: moe,
            fp8: experts(0.393, 0.793, 11.4, 0.15),
            fp4: assumed,
            fp4_bf16: assumed,
        },
        evidence: Evidence::Kernels,
        sheet: COLLECTED.to_owned(),
        kernels: MEASURED.to_owned(),
    }
}

/// Shares nobody measured: what the measured GPUs reach on average.
pub(super) fn assumed_shares() -> (Kernels<Share>, Kernels<ExpertShare>) {
    let plain = Share { compute: 0.75, memory: 0.80, mean_error: None };
    let fp8 = Share { compute: 0.45, ..plain };
    let experts = ExpertShare { compute: 0.40, memory: 0.80, start_s: 30e-6, mean_error: None };
    (
        Kernels { bf16: plain, fp8, fp4: fp8, fp4_bf16: plain },
        Kernels {
            bf16: experts,
            fp8: ExpertShare { compute: 0.25, ..experts },
            fp4: experts,
            fp4_bf16: experts,
        },
    )
}

/// All-reduce nobody measured.
pub(super) fn assumed_collectives(share: f64) -> [Collective; 3] {
    [6.0, 10.0, 15.0].map(|start_us| assumed_collective(share, start_us))
}

fn rtx_4090() -> Gpu {
    // Sheet: NVIDIA Ada GPU architecture whitepaper, appendix A (tensor FP16 and FP8 with FP32 accumulate). Shares:
    // fits to the layer profile of Llama-3.1-8B in bf16 that LLMServingSim publishes (MIT, commit 5daddb2, vLLM
    // 0.19): prefill attention 25 %, decode 12 % mean error. 8-bit weights, experts, links: assumed.
    let bf16 = share(0.96, 0.96, 0.05);
    let (gemm, experts) = assumed_shares();
    Gpu {
        name: "RTX-4090".to_owned(),
        memory_bytes: 25.25e9,
        bandwidth_bytes_s: 1008.0 * GB_S,
        bf16_flops: 165.2 * TFLOPS,
        fp8_flops: Some(330.3 * TFLOPS),
        fp4_flops: None,
        link_bytes_s: 32.0 * GB_S,
        gemm: Kernels { bf16, ..gemm },
        prefill_attention: 0.70,
        decode_attention: 0.88,
        all_reduce: assumed_collectives(0.35),
        experts,
        evidence: Evidence::Kernels,
        sheet: "NVIDIA Ada GPU architecture whitepaper".to_owned(),
        kernels: "fits to the layer profile in LLMServingSim, commit 5daddb2".to_owned(),
    }
}

fn mi300x() -> Gpu {
    // Sheet: AMD Instinct MI300X data sheet (dense peaks; seven xGMI links of 64 GB/s each way).
    let (gemm, experts) = assumed_shares();
    let slower = |share: Share| Share { compute: share.compute * 0.8, memory: 0.75, mean_error: None };
    Gpu {
        name: "MI300X".to_owned(),
        memory_bytes: 192e9,
        bandwidth_bytes_s: 5300.0 * GB_S,
        bf16_flops: 1307.0 * TFLOPS,
        fp8_flops: Some(2615.0 * TFLOPS),
        fp4_flops: None,
        link_bytes_s: 448.0 * GB_S,
        gemm: Kernels {
            bf16: slower(gemm.bf16),
            fp8: slower(gemm.fp8),
            fp4: slower(gemm.fp4),
            fp4_bf16: slower(gemm.fp4_bf16),
        },
        prefill_attention: 0.40,
        decode_attention: 0.75,
        all_reduce: assumed_collectives(0.60),
        experts,
        evidence: Evidence::Assumed,
        sheet: "AMD Instinct MI300X data sheet".to_owned(),
        kernels: "assumed".to_owned(),
    }
}
