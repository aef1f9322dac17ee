//! Where iteration times come from: what `performance_model` of a scenario names, made once for a run.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::SimulationError;
use crate::performance::{
    Constant, DecodeKey, LookupError, LookupKey, LookupTable, PerformanceModel, Timing, splitwise_2023,
};
use crate::scaling::PerformanceOf;
use crate::scenario::PerformanceSpec;

/// Where iteration times come from.
#[derive(Clone)]
pub(super) enum Timings {
    Constant(Timing),
    Lookup { table: Arc<LookupTable>, decode_key: DecodeKey, models: Arc<Models> },
}

/// The models of a table, made once: thousands of instances read the same few curves.
type Models = BTreeMap<LookupKey, Timing>;

impl Timings {
    pub(super) fn open(spec: &PerformanceSpec) -> Result<Self, SimulationError> {
        match spec {
            PerformanceSpec::Constant { prompt_s, token_s } => {
                Ok(Timings::Constant(Timing::of_batches(Arc::new(Constant::new(*prompt_s, *token_s)?))))
            }
            PerformanceSpec::Lookup { path, decode_key } => {
                let table = match path {
                    Some(path) => LookupTable::from_csv(path)?,
                    None => splitwise_2023().clone(),
                };
                let decode_key = *decode_key;
                let model = |key: &LookupKey| {
                    let model = table.lookup(key, decode_key).ok()?;
                    Some((key.clone(), Timing::of_batches(Arc::new(model))))
                };
                let models = Arc::new(table.keys().filter_map(model).collect());
                Ok(Timings::Lookup { table: Arc::new(table), decode_key, models })
            }
        }
    }

    pub(super) fn find(
        &self,
        model: &str,
        gpu: &str,
        tensor_parallelism: u32,
    ) -> Result<Timing, LookupError> {
        match self {
            Timings::Constant(constant) => Ok(constant.clone()),
            Timings::Lookup { table, decode_key, models } => {
                let key = LookupKey::new(model, gpu, tensor_parallelism);
                match models.get(&key) {
                    Some(model) => Ok(model.clone()),
                    // Asked again for the reason why there is none.
                    None => Ok(Timing::of_batches(Arc::new(table.lookup(&key, *decode_key)?))),
                }
            }
        }
    }

    pub(super) fn finder(&self, model: &str) -> PerformanceOf {
        let (timings, model) = (self.clone(), model.to_owned());
        Arc::new(move |gpu, tensor_parallelism| timings.find(&model, gpu, tensor_parallelism))
    }

    /// The ancestor's reference machine, a lone request on which normalises latencies.
    pub(super) fn baseline(&self) -> Result<Arc<dyn PerformanceModel>, SimulationError> {
        match self {
            Timings::Constant(constant) => Ok(Arc::clone(&constant.batches)),
            Timings::Lookup { .. } => {
                let key = LookupKey::new("bloom-176b", "a100-80gb", 8);
                Ok(Arc::new(splitwise_2023().lookup(&key, DecodeKey::BatchTokens)?))
            }
        }
    }
}
