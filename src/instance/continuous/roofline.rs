//! The times of [`Roofline`] as the engine asks for them.
//!
//! A draft token of speculative decoding is costed like a sequence of its own, but for the context, which a
//! sequence's tokens read together. The model that drafts is left out.

use ebbflow_actors::SimDuration;

use super::time::{Chunk, DecodeLine, IterationTime, MakeUp};
use crate::performance::roofline::{IterationSums, PrefillChunk, Roofline};

impl IterationTime for Roofline {
    fn mixed(&self, MakeUp { chunks, decodes }: &MakeUp) -> SimDuration {
        let mut sums = IterationSums {
            decodes: u64::from(decodes.sequences) * u64::from(decodes.tokens_each),
            decode_context: decodes.context,
            windowed_decode_context: decodes.windowed_context,
            growing_in_window: decodes.growing_in_window.into(),
            ..IterationSums::default()
        };
        for &Chunk { tokens, context } in chunks {
            sums.add_chunk(PrefillChunk { tokens, context }, self.window());
        }
        SimDuration::from_nanos(self.iteration_ns(&sums))
    }

    fn decode_line(&self, sequences: u32, tokens_each: u32) -> DecodeLine {
        let decodes = u64::from(sequences) * u64::from(tokens_each);
        let alone = IterationSums { decodes, ..IterationSums::default() };
        let [per_context_fs, per_windowed_context_fs] = self.context_token_fs(decodes);
        DecodeLine { base_fs: self.decode_run(&alone).first_fs, per_context_fs, per_windowed_context_fs }
    }

    fn engines(&self) -> u32 {
        self.deployment().parallelism.data
    }

    fn active_share(&self) -> f64 {
        let model = &self.deployment().model;
        model.active_parameters() / model.parameters()
    }

    fn window_tokens(&self) -> Option<u32> {
        self.window().map(|window| window.tokens)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::{self, Precision};
    use crate::performance::roofline::{Backend, Deployment, Parallelism, find_gpu};

    #[test]
    fn a_decode_lies_on_the_line_whatever_its_context() {
        for (model, data) in [("llama-3.1-8b", 1), ("gpt-oss-20b", 1), ("gpt-oss-20b", 4)] {
            let roofline = Roofline::new(Deployment {
                model: models::find(model).unwrap(),
                gpu: find_gpu("H100").unwrap(),
                backend: Backend::Vllm,
                parallelism: Parallelism { data, ..Parallelism::tensor(1) },
                precision: Precision::Bf16,
                cache: None,
            });
            let roofline = roofline.unwrap();
            for contexts in [vec![1], vec![50, 127, 128, 129], vec![9_000; 64]] {
                let sums = IterationSums::of(&[], &contexts, roofline.window());
                let line = roofline.decode_line(contexts.len() as u32, 1);
                let fs = line.base_fs
                    + line.per_context_fs * sums.decode_context
                    + line.per_windowed_context_fs * sums.windowed_decode_context;
                assert_eq!(roofline.decode_run(&sums).first_fs, fs, "{model}, {contexts:?}");
            }
        }
    }
}
