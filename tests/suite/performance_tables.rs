//! Performance tables: the built-in one agrees with the measurements it is derived from.
//!
//! The measurements are not part of the repository; the tests say so when they are absent.

use ebbflow::performance::{BatchShape, DecodeKey, LookupKey, LookupTable, PerformanceModel, splitwise_2023};

use crate::support::reference;

/// Relative distance.
fn apart(left: f64, right: f64) -> f64 {
    (left - right).abs() / right.abs()
}

#[test]
fn the_built_in_table_agrees_with_the_published_measurements() {
    let Some(data) = reference("data") else { return };
    let measured = LookupTable::read(&data.join("splitwise/perf_model.csv")).unwrap();
    assert!(measured.keys().eq(splitwise_2023().keys()));
    for key in measured.keys() {
        for decode_key in [DecodeKey::BatchSize, DecodeKey::BatchTokens] {
            let (theirs, ours) = (measured.lookup(key, decode_key), splitwise_2023().lookup(key, decode_key));
            let (theirs, ours) = (theirs.unwrap(), ours.unwrap());
            for n in (0..15).map(|power| 1u32 << power) {
                for batch in [
                    BatchShape { prompts: 1, prompt_tokens: u64::from(n), decodes: 0 },
                    BatchShape { prompts: 0, prompt_tokens: 0, decodes: n },
                    BatchShape { prompts: 1, prompt_tokens: u64::from(n), decodes: 7 },
                ] {
                    let distance = apart(ours.iteration_s(batch), theirs.iteration_s(batch));
                    assert!(distance < 1e-9, "{key} {batch:?}: {distance}");
                }
            }
        }
    }
}

#[test]
fn the_built_in_table_agrees_with_the_golden_samples() {
    let Some(golden) = reference("golden") else { return };
    let path = golden.join("perf_db/samples.csv");
    let Ok(mut samples) = csv::Reader::from_path(&path) else {
        println!("skipped: {} is absent", path.display());
        return;
    };
    for sample in samples.records() {
        let sample = sample.unwrap();
        let number = |column: usize| sample[column].parse::<f64>().unwrap();
        let key = LookupKey::new(&sample[0], &sample[1], number(2) as u32);
        let model = splitwise_2023().lookup(&key, DecodeKey::BatchTokens).unwrap();
        let tokens = number(3) as u32;
        let prompt = BatchShape { prompts: 1, prompt_tokens: u64::from(tokens), decodes: 0 };
        let decode = BatchShape { prompts: 0, prompt_tokens: 0, decodes: tokens };
        for (batch, expected) in [(prompt, number(4)), (decode, number(5))] {
            // Where the ancestor's line falls below 0, it has no time at all.
            if expected > 0.0 {
                assert!(apart(model.iteration_s(batch), expected) < 1e-9, "{key} {batch:?} {expected}");
            }
        }
    }
}
