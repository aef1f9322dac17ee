//! What is said about a point.

use serde_json::{Map, Value, json};

use super::point::Point;
use crate::performance::roofline::{ClosedLoop, Evidence, KvMemory, Load, Roofline};

const GB: f64 = 1e9;

/// The answer to a point.
pub struct Answer<'a> {
    pub roofline: &'a Roofline,
    pub load: Load,
    pub memory: KvMemory,
    /// None: nothing can run.
    pub served: Option<ClosedLoop>,
}

impl<'a> Answer<'a> {
    /// Asks the model.
    pub fn to(point: &'a Point) -> Self {
        let Point { roofline, load } = point;
        Answer { roofline, load: *load, memory: roofline.kv_memory(), served: roofline.closed_loop(*load) }
    }

    /// Whether the weights and at least one whole request find room.
    pub fn fits(&self) -> bool {
        self.served.is_some()
    }

    /// Why it fits or not, and who waits.
    pub fn why(&self) -> String {
        let gpus = self.gpus();
        let weights_gb = self.memory.weight_bytes / GB;
        let request = self.load.prompt_tokens + self.load.output_tokens;
        let capacity = self.memory.capacity_tokens();
        if self.memory.available_bytes <= 0.0 {
            let room_gb = weights_gb + self.memory.available_bytes / GB;
            return format!(
                "the weights take {weights_gb:.1} GB and {gpus} GPU{} {} room for {:.1} GB",
                if gpus == 1 { "" } else { "s" },
                if gpus == 1 { "has" } else { "have" },
                room_gb.max(0.0)
            );
        }
        let Some(served) = &self.served else {
            return format!(
                "a request of {request} tokens does not fit into a KV cache of {capacity} tokens"
            );
        };
        let waiting = self.load.concurrency - served.running;
        let wait = if waiting > 0 {
            format!("; the cache holds {} requests, {waiting} wait", served.running)
        } else {
            String::new()
        };
        format!("the weights take {weights_gb:.1} GB, the KV cache holds {capacity} tokens{wait}")
    }

    pub fn gpus(&self) -> u32 {
        self.roofline.deployment().parallelism.gpus()
    }

    /// How far the times can be trusted.
    pub fn evidence(&self) -> &'static str {
        match self.roofline.deployment().gpu.evidence {
            Evidence::EndToEnd => "engines on this GPU were held against the model",
            Evidence::Kernels => "kernels measured on this GPU, engines on it not: expect 10 to 15 %",
            Evidence::Assumed => "only the data sheet of this GPU is known: expect 15 to 25 %",
        }
    }

    /// Everything, under the names of the CSV's columns where it has them.
    pub fn json(&self) -> Value {
        let deployment = self.roofline.deployment();
        let mut fields = json!({
            "model": deployment.model.name,
            "gpu": deployment.gpu.name,
            "engine": deployment.backend.name(),
            "precision": self.roofline.weights().name(),
            "kv_dtype": self.roofline.cache().name(),
            "tensor_parallel": deployment.parallelism.tensor,
            "pipeline_parallel": deployment.parallelism.pipeline,
            "data_parallel": deployment.parallelism.data,
            "expert_parallel": deployment.parallelism.expert,
            "gpu_memory_utilization": self.roofline.memory_share(),
            "isl": self.load.prompt_tokens,
            "osl": self.load.output_tokens,
            "concurrency": self.load.concurrency,
            "fits": self.fits(),
            "why": self.why(),
            "weights_gb": self.memory.weight_bytes / GB,
            "kv_capacity_tokens": self.memory.capacity_tokens(),
            "evidence": self.evidence(),
            "warnings": deployment.model.warnings,
        });
        if let Some(coverage) = self.roofline.coverage() {
            fields["kernels"] = coverage.to_string().into();
        }
        if let (Some(served), Value::Object(fields)) = (&self.served, &mut fields) {
            self.times(served, fields);
        }
        fields
    }

    fn times(&self, served: &ClosedLoop, fields: &mut Map<String, Value>) {
        let shares: Map<String, Value> = served
            .breakdown
            .shares()
            .into_iter()
            .map(|(name, share)| (name.to_owned(), share.into()))
            .collect();
        fields.extend([
            ("running".to_owned(), served.running.into()),
            ("ttft_ms".to_owned(), (served.ttft_s * 1e3).into()),
            ("tpot_ms".to_owned(), (served.tpot_s * 1e3).into()),
            ("output_tokens_per_s".to_owned(), served.output_tokens_per_s.into()),
            ("output_tokens_per_s_per_gpu".to_owned(), self.tokens_a_gpu(served).into()),
            ("shares".to_owned(), Value::Object(shares)),
        ]);
    }

    pub fn tokens_a_gpu(&self, served: &ClosedLoop) -> f64 {
        served.output_tokens_per_s / f64::from(self.gpus())
    }
}
