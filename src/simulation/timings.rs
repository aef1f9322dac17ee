//! Where iteration times come from: what `performance_model` of a scenario names, made once for a run.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::SimulationError;
use crate::cluster::{DoesNotFit, deploy, memory_of, with_kernels};
use crate::performance::{
    Constant, DecodeKey, LookupKey, LookupTable, PerformanceModel, Pwl, Timing, TimingError, splitwise_2023,
};
use crate::scaling::PerformanceOf;
use crate::scenario::{InstanceConfig, ModelSpec, PerformanceSpec, Sku};

/// Where iteration times come from.
#[derive(Clone)]
pub(super) enum Timings {
    /// The same for all models and GPUs.
    Fixed(Timing),
    Lookup {
        table: Arc<LookupTable>,
        decode_key: DecodeKey,
        models: Arc<Models>,
    },
    /// Of each model by itself.
    Roofline,
}

/// The models of a table, made once: thousands of instances read the same few curves.
type Models = BTreeMap<LookupKey, Timing>;

impl Timings {
    pub(super) fn open(spec: &PerformanceSpec) -> Result<Self, SimulationError> {
        match spec {
            PerformanceSpec::Constant { prompt_s, token_s } => {
                Ok(Timings::Fixed(Timing::of_batches(Arc::new(Constant::new(*prompt_s, *token_s)?))))
            }
            PerformanceSpec::Pwl(knots) => {
                Ok(Timings::Fixed(Timing::of_iterations(Arc::new(Pwl::new(knots)?))))
            }
            PerformanceSpec::Lookup { path, decode_key } => {
                let table = match path {
                    Some(path) => LookupTable::read(path)?,
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
            PerformanceSpec::Roofline(_) => Ok(Timings::Roofline),
        }
    }

    /// Finds the times of instances of a model. What has been worked out once is remembered.
    pub(super) fn finder(&self, model: &ModelSpec) -> PerformanceOf {
        let (timings, model) = (self.clone(), model.clone());
        // As many as there are kinds of instances: a few.
        let known: Mutex<Vec<(String, InstanceConfig, Timing)>> = Mutex::default();
        Arc::new(move |sku, instance| {
            if !matches!(timings, Timings::Roofline) {
                return timings.find(&model, sku, instance);
            }
            let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
            let same = |(name, config, _): &&(String, InstanceConfig, Timing)| {
                *name == sku.name && *config == instance
            };
            if let Some((_, _, timing)) = known.iter().find(same) {
                return Ok(timing.clone());
            }
            let timing = timings.find(&model, sku, instance)?;
            known.push((sku.name.clone(), instance, timing.clone()));
            Ok(timing)
        })
    }

    fn find(&self, model: &ModelSpec, sku: &Sku, instance: InstanceConfig) -> Result<Timing, TimingError> {
        match self {
            Timings::Fixed(timing) => Ok(timing.clone()),
            Timings::Lookup { table, decode_key, models } => {
                let key = LookupKey::new(&model.name, &sku.gpu.name, instance.parallelism.tensor);
                match models.get(&key) {
                    Some(model) => Ok(model.clone()),
                    // Asked again for the reason why there is none.
                    None => Ok(Timing::of_batches(Arc::new(table.lookup(&key, *decode_key)?))),
                }
            }
            Timings::Roofline => {
                let deployed = deploy(model, &sku.gpu, instance);
                let roofline = deployed.ok_or_else(|| DoesNotFit::NoSizes(model.name.clone()))??;
                let memory = memory_of(&roofline, model, instance.engine);
                let roofline = with_kernels(roofline, model);
                Ok(Timing::of_iterations(Arc::new(roofline)).with_memory(memory))
            }
        }
    }

    /// The ancestor's reference machine, a lone request on which normalises latencies.
    pub(super) fn baseline(&self) -> Result<Arc<dyn PerformanceModel>, SimulationError> {
        match self {
            Timings::Fixed(timing) => Ok(Arc::clone(&timing.batches)),
            Timings::Lookup { .. } | Timings::Roofline => {
                let key = LookupKey::new("bloom-176b", "a100-80gb", 8);
                Ok(Arc::new(splitwise_2023().lookup(&key, DecodeKey::BatchTokens)?))
            }
        }
    }
}
