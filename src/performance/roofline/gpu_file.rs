//! Reads a GPU that is not built in from its data sheet in YAML.
//!
//! ```yaml
//! name: H20
//! memory_gb: 96
//! bandwidth_gb_s: 4000
//! bf16_tflops: 148
//! fp8_tflops: 296          # leave out what the GPU cannot do
//! link_gb_s: 450           # to its neighbours, one direction
//! ```
//!
//! Peaks are dense. What kernels reach of them is assumed (0.75 of the arithmetic, 0.80 of the bandwidth) unless
//! said with `compute_share`, `memory_share`, `prefill_attention_share`, `decode_attention_share`, `link_share`.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::RooflineError;
use super::gpu::{Evidence, ExpertShare, Gpu, Kernels, Share};
use super::gpus::{assumed_collectives, assumed_shares};

/// A data sheet, and what is known of the shares that kernels reach; what is not is assumed.
#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct GpuSheet {
    /// Name of the GPU.
    pub name: String,
    /// Gigabytes of memory.
    pub memory_gb: f64,
    /// Gigabytes read from it a second.
    pub bandwidth_gb_s: f64,
    /// 10^12 floating-point operations a second in bf16, dense.
    pub bf16_tflops: f64,
    /// The same in fp8; none: 8-bit weights are multiplied in bf16.
    pub fp8_tflops: Option<f64>,
    /// The same in fp4; none: 4-bit weights are multiplied in bf16.
    pub fp4_tflops: Option<f64>,
    /// Gigabytes a second to the other GPUs of the server, one direction.
    pub link_gb_s: f64,
    /// Share of the arithmetic peak that matrix multiplications reach.
    pub compute_share: Option<f64>,
    /// Share of the bandwidth that they reach.
    pub memory_share: Option<f64>,
    /// Share of the arithmetic peak that attention among a prompt's tokens reaches.
    pub prefill_attention_share: Option<f64>,
    /// Share of the bandwidth that attention of decodes reaches.
    pub decode_attention_share: Option<f64>,
    /// Share of the link that an all-reduce reaches.
    pub link_share: Option<f64>,
}

/// Reads a data sheet in YAML.
pub fn read_gpu(path: &Path) -> Result<Gpu, RooflineError> {
    let text = fs::read_to_string(path)
        .map_err(|source| RooflineError::Unreadable { path: path.to_owned(), source })?;
    parse_gpu(path, &text)
}

/// The GPU described by `text`, the contents of the file `path`.
pub fn parse_gpu(path: &Path, text: &str) -> Result<Gpu, RooflineError> {
    let sheet: GpuSheet = serde_yaml::from_str(text)
        .map_err(|source| RooflineError::Sheet { path: path.to_owned(), problem: source.to_string() })?;
    sheet.check().map_err(|problem| RooflineError::Sheet { path: path.to_owned(), problem })?;
    Ok(sheet.gpu(&path.display().to_string()))
}

impl GpuSheet {
    fn check(&self) -> Result<(), String> {
        let rates = [
            ("memory_gb", Some(self.memory_gb)),
            ("bandwidth_gb_s", Some(self.bandwidth_gb_s)),
            ("bf16_tflops", Some(self.bf16_tflops)),
            ("fp8_tflops", self.fp8_tflops),
            ("fp4_tflops", self.fp4_tflops),
            ("link_gb_s", Some(self.link_gb_s)),
        ];
        for (key, value) in rates {
            if let Some(value) = value.filter(|value| !(value.is_finite() && *value > 0.0)) {
                return Err(format!("`{key}` is {value}; expected a number above 0"));
            }
        }
        let shares = [
            ("compute_share", self.compute_share),
            ("memory_share", self.memory_share),
            ("prefill_attention_share", self.prefill_attention_share),
            ("decode_attention_share", self.decode_attention_share),
            ("link_share", self.link_share),
        ];
        for (key, value) in shares {
            if let Some(value) = value.filter(|value| !(*value > 0.0 && *value <= 1.0)) {
                return Err(format!("`{key}` is {value}; expected a share of the peak above 0, at most 1"));
            }
        }
        Ok(())
    }

    /// The GPU; `origin` says where the figures are from.
    pub fn gpu(&self, origin: &str) -> Gpu {
        let (gemm, experts) = assumed_shares();
        let plain = |share: Share| Share {
            compute: self.compute_share.unwrap_or(share.compute),
            memory: self.memory_share.unwrap_or(share.memory),
            mean_error: None,
        };
        let expert =
            |share: ExpertShare| ExpertShare { memory: self.memory_share.unwrap_or(share.memory), ..share };
        Gpu {
            name: self.name.clone(),
            memory_bytes: self.memory_gb * 1e9,
            bandwidth_bytes_s: self.bandwidth_gb_s * 1e9,
            bf16_flops: self.bf16_tflops * 1e12,
            fp8_flops: self.fp8_tflops.map(|peak| peak * 1e12),
            fp4_flops: self.fp4_tflops.map(|peak| peak * 1e12),
            link_bytes_s: self.link_gb_s * 1e9,
            gemm: Kernels {
                bf16: plain(gemm.bf16),
                fp8: plain(gemm.fp8),
                fp4: plain(gemm.fp4),
                fp4_bf16: plain(gemm.fp4_bf16),
            },
            prefill_attention: self.prefill_attention_share.unwrap_or(0.50),
            decode_attention: self.decode_attention_share.unwrap_or(0.80),
            all_reduce: assumed_collectives(self.link_share.unwrap_or(0.60)),
            experts: Kernels {
                bf16: expert(experts.bf16),
                fp8: expert(experts.fp8),
                fp4: expert(experts.fp4),
                fp4_bf16: expert(experts.fp4_bf16),
            },
            evidence: Evidence::Assumed,
            sheet: origin.to_owned(),
            kernels: "assumed, or as the sheet says".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const H20: &str = "name: H20\nmemory_gb: 96\nbandwidth_gb_s: 4000\nbf16_tflops: 148\nlink_gb_s: 450\n";

    fn parse(text: &str) -> Result<Gpu, RooflineError> {
        parse_gpu(Path::new("h20.yaml"), text)
    }

    #[test]
    fn a_sheet_gives_a_gpu_with_assumed_shares() {
        let gpu = parse(H20).unwrap();
        assert_eq!((gpu.memory_bytes, gpu.fp8_flops), (96e9, None));
        assert_eq!((gpu.gemm.bf16.compute, gpu.evidence), (0.75, Evidence::Assumed));
        assert_eq!(parse(&format!("{H20}compute_share: 0.6\n")).unwrap().gemm.bf16.compute, 0.6);
    }

    #[test]
    fn wrong_keys_and_values_are_named() {
        let typo = parse(&format!("{H20}fp16_tflops: 3\n")).unwrap_err().to_string();
        assert!(typo.contains("h20.yaml") && typo.contains("fp16_tflops"), "{typo}");
        let negative = parse(&H20.replace("148", "-1")).unwrap_err().to_string();
        assert!(negative.contains("`bf16_tflops` is -1; expected a number above 0"), "{negative}");
        let share = parse(&format!("{H20}memory_share: 80\n")).unwrap_err().to_string();
        assert!(share.contains("`memory_share` is 80"), "{share}");
    }
}
