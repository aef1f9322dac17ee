//! The built-in table `splitwise-2023`.
//!
//! Medians derived from the measurements published with splitwise-sim; source, licence and known defects
//! are named in the head of the file itself, `configs/performance/splitwise-2023.csv`.

use std::path::Path;
use std::sync::OnceLock;

use super::LookupTable;

const NAME: &str = "configs/performance/splitwise-2023.csv";
const TEXT: &str = include_str!("../../configs/performance/splitwise-2023.csv");

/// Llama2-70B (tensor parallelism 2, 4, 8) and BLOOM-176B (8) on A100-80GB, H100-80GB and power-capped
/// H100-80GB, as measured in 2023.
pub fn splitwise_2023() -> &'static LookupTable {
    static TABLE: OnceLock<LookupTable> = OnceLock::new();
    TABLE.get_or_init(|| {
        LookupTable::parse(Path::new(NAME), TEXT).expect("the embedded table is fixed and read by a test")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::performance::{BatchShape, DecodeKey, LookupKey, PerformanceModel};

    #[test]
    fn the_embedded_table_has_the_twelve_measured_configurations() {
        let keys: Vec<_> = splitwise_2023().keys().collect();
        assert_eq!(keys.len(), 12);
        assert_eq!(keys.iter().filter(|key| key.model == "llama2-70b").count(), 9);
        assert!(splitwise_2023().has(&LookupKey::new("bloom-176b", "h100-80gb-pcap", 8)));
    }

    #[test]
    fn a_power_cap_slows_prompts_by_thirty_percent_and_decodes_not_at_all() {
        let of = |gpu| splitwise_2023().lookup(&LookupKey::new("bloom-176b", gpu, 8), DecodeKey::BatchSize);
        let (free, capped) = (of("h100-80gb").unwrap(), of("h100-80gb-pcap").unwrap());
        let prompt = BatchShape { prompts: 1, prompt_tokens: 1500, decodes: 0 };
        let decode = BatchShape { prompts: 0, prompt_tokens: 0, decodes: 20 };
        assert!((capped.iteration_s(prompt) / free.iteration_s(prompt) - 1.3).abs() < 1e-9);
        assert_eq!(capped.iteration_s(decode), free.iteration_s(decode));
    }

    #[test]
    fn decode_time_grows_with_the_batch_only_when_keyed_by_batch_size() {
        let key = LookupKey::new("llama2-70b", "a100-80gb", 8);
        let decode = |decodes| BatchShape { prompts: 0, prompt_tokens: 0, decodes };
        let growth = |decode_key| {
            let model = splitwise_2023().lookup(&key, decode_key).unwrap();
            model.iteration_s(decode(64)) / model.iteration_s(decode(1))
        };
        assert!(growth(DecodeKey::BatchSize) > 1.5);
        assert!(growth(DecodeKey::BatchTokens) < 1.05);
    }

    #[test]
    fn the_batch_that_did_not_run_does_not_make_large_decodes_fast() {
        for gpu in ["a100-80gb", "h100-80gb"] {
            let key = LookupKey::new("llama2-70b", gpu, 2);
            let model = splitwise_2023().lookup(&key, DecodeKey::BatchSize).unwrap();
            let decode = |decodes| model.iteration_s(BatchShape { prompts: 0, prompt_tokens: 0, decodes });
            assert!(decode(512) > decode(64) && decode(64) > decode(32));
        }
    }
}
