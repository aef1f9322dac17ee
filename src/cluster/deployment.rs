//! An instance as `roofline` sees it: which GPUs compute, and what their memory holds.

use super::DoesNotFit;
use crate::instance::continuous::{CacheSpace, GpuMemory};
use crate::performance::roofline::{Deployment, KvMemory, Parallelism, Roofline, RooflineError};
use crate::scenario::{EngineSpec, GpuSpec, InstanceConfig, KnownModel, ModelSpec, RooflineSpec};

/// Widest split that is tried when none fits that was asked for.
const WIDEST: u32 = 64;

/// The times of a model on GPUs of this kind; none when it is not timed by `roofline`.
///
/// # Errors
/// A GPU without data sheet, a split that cannot be, weights that leave no room for a cache, or a cache that leaves
/// none for the weights.
pub fn deploy(
    model: &ModelSpec,
    gpu: &GpuSpec,
    instance: InstanceConfig,
) -> Option<Result<Roofline, DoesNotFit>> {
    let (known, spec) = (model.known.as_deref()?, model.roofline.as_ref()?);
    Some(Deploying { known, spec, gpu, space: instance.engine.cache_space() }.to_fit(instance.parallelism))
}

/// The same with measured times of kernels, where the scenario names tables of them.
pub fn with_kernels(roofline: Roofline, model: &ModelSpec) -> Roofline {
    match model.roofline.as_ref().and_then(|spec| spec.kernels.as_ref()) {
        Some(kernels) => roofline.with_kernels(&kernels.tables),
        None => roofline,
    }
}

/// The memory of such an instance: what is not cache counts as weights. Tokens of cache are counted as they move
/// between instances, not as often as they are kept where several GPUs hold the same heads.
pub fn memory_of(roofline: &Roofline, model: &ModelSpec, engine: EngineSpec) -> GpuMemory {
    let deployment = roofline.deployment();
    let gpus = u64::from(deployment.parallelism.gpus());
    let capacity_bytes = deployment.gpu.memory_bytes as u64 * gpus;
    let tokens =
        own_tokens(engine.cache_space(), roofline).unwrap_or_else(|| roofline.kv_memory().capacity_tokens());
    let cache_bytes = tokens * model.kv_bytes_per_token;
    GpuMemory {
        weights_bytes: capacity_bytes.saturating_sub(cache_bytes),
        capacity_bytes,
        kv_bytes_per_token: model.kv_bytes_per_token,
    }
}

/// Tokens of a cache whose size was said, of each engine.
fn own_tokens(space: CacheSpace, roofline: &Roofline) -> Option<u64> {
    let engines = u64::from(roofline.deployment().parallelism.data);
    space.tokens().map(|tokens| tokens.saturating_mul(engines))
}

#[derive(Clone, Copy)]
struct Deploying<'a> {
    known: &'a KnownModel,
    spec: &'a RooflineSpec,
    gpu: &'a GpuSpec,
    space: CacheSpace,
}

impl Deploying<'_> {
    fn to_fit(self, parallelism: Parallelism) -> Result<Roofline, DoesNotFit> {
        let roofline = match self.split(parallelism)? {
            Ok(roofline) => roofline,
            Err(error) => {
                return Err(DoesNotFit::Split { problem: error.to_string(), fits: self.narrowest() });
            }
        };
        let memory = roofline.kv_memory();
        if self.has_room(&roofline, &memory) { Ok(roofline) } else { Err(self.too_small(&roofline, &memory)) }
    }

    /// The split, whether or not it has room; an inner error says why the model cannot be split so.
    fn split(self, parallelism: Parallelism) -> Result<Result<Roofline, RooflineError>, DoesNotFit> {
        let sheet = self.gpu.data_sheet().ok_or_else(|| DoesNotFit::NoSheet(self.gpu.name.clone()))?;
        let roofline = Roofline::new(Deployment {
            model: self.known.model.clone(),
            gpu: (*sheet).clone(),
            backend: self.spec.backend,
            parallelism,
            precision: self.known.precision,
            cache: Some(self.known.cache),
        });
        let roofline = match roofline {
            Ok(roofline) => roofline,
            Err(error) => return Ok(Err(error)),
        };
        let fitted = match &self.spec.calibration {
            Some(file) => file
                .calibration
                .constants_for(roofline.deployment())
                .map_err(|error| DoesNotFit::Uncalibrated(error.to_string()))?,
            None => *roofline.constants(),
        };
        let memory_share = self.space.gpu_memory_utilization.unwrap_or(roofline.memory_share());
        Ok(Ok(roofline.with_constants(self.spec.constants.over(fitted)).with_memory_share(memory_share)))
    }

    /// A cache of a size of one's own takes what it needs, reserves or not.
    fn has_room(self, roofline: &Roofline, memory: &KvMemory) -> bool {
        let Some(tokens) = own_tokens(self.space, roofline) else { return memory.fits() };
        let Deployment { gpu, parallelism, .. } = roofline.deployment();
        let all_bytes = f64::from(parallelism.gpus()) * gpu.memory_bytes;
        memory.weight_bytes + tokens as f64 * memory.token_bytes <= all_bytes
    }

    fn too_small(self, roofline: &Roofline, memory: &KvMemory) -> DoesNotFit {
        if let (Some(blocks), Some(tokens)) =
            (self.space.num_gpu_blocks_override, own_tokens(self.space, roofline))
        {
            let Deployment { gpu, parallelism, .. } = roofline.deployment();
            return DoesNotFit::Blocks {
                blocks,
                model: self.known.model.name.clone(),
                cache_gb: tokens as f64 * memory.token_bytes / 1e9,
                weights_gb: memory.weight_bytes / 1e9,
                place: format!("{} × {} have", parallelism.gpus(), self.gpu.name),
                memory_gb: f64::from(parallelism.gpus()) * gpu.memory_bytes / 1e9,
            };
        }
        DoesNotFit::NoRoom {
            model: self.known.model.name.clone(),
            precision: roofline.weights(),
            weights_gb: memory.weight_bytes / 1e9,
            gpus: roofline.deployment().parallelism.gpus(),
            gpu: self.gpu.name.clone(),
            room_gb: memory.room_bytes() / 1e9,
            fits: self.narrowest(),
        }
    }

    /// The smallest tensor parallelism with room for a cache.
    fn narrowest(self) -> Option<u32> {
        let fits = |tensor: &u32| match self.split(Parallelism::tensor(*tensor)) {
            Ok(Ok(roofline)) => self.has_room(&roofline, &roofline.kv_memory()),
            _ => false,
        };
        (1..=WIDEST).find(fits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::known_gpu;
    use crate::instance::continuous::Settings;
    use crate::models::{Precision, find};
    use crate::performance::roofline::{Backend, OwnConstants, find_gpu};

    fn served(name: &str, precision: Precision) -> ModelSpec {
        let released = KnownModel::as_released(find(name).unwrap(), None);
        let spec = RooflineSpec {
            backend: Backend::Vllm,
            calibration: None,
            kernels: None,
            constants: OwnConstants::default(),
            precision: None,
            cache: None,
        };
        ModelSpec { roofline: Some(spec), ..KnownModel { precision, ..released }.into() }
    }

    fn under(engine: EngineSpec, tensor: u32) -> InstanceConfig {
        InstanceConfig { engine, parallelism: Parallelism::tensor(tensor) }
    }

    fn on(gpu: &str, model: &ModelSpec, tensor: u32) -> Result<Roofline, DoesNotFit> {
        deploy(model, &known_gpu(gpu).unwrap(), under(EngineSpec::Default, tensor)).unwrap()
    }

    #[test]
    fn what_is_left_of_the_memory_holds_the_tokens_that_the_roofline_says() {
        for (gpu, name, tensor) in [
            ("h100-80gb", "Llama-3.1-8B", 1),
            ("h100-80gb", "Llama-3.1-70B", 4),
            ("b200-180gb", "Qwen3-30B-A3B", 8),
        ] {
            let model = served(name, Precision::Bf16);
            let roofline = on(gpu, &model, tensor).unwrap();
            let GpuMemory { weights_bytes, capacity_bytes, kv_bytes_per_token } =
                memory_of(&roofline, &model, EngineSpec::Default);
            let tokens = (capacity_bytes - weights_bytes) / kv_bytes_per_token;
            assert_eq!(tokens, roofline.kv_memory().capacity_tokens(), "{name}");
            assert_eq!(capacity_bytes, find_gpu(gpu).unwrap().memory_bytes as u64 * u64::from(tensor));
        }
    }

    #[test]
    fn what_does_not_fit_is_answered_with_what_would() {
        let llama = served("Llama-3.1-70B", Precision::Bf16);
        let error = on("h100-80gb", &llama, 2).unwrap_err().to_string();
        assert!(error.contains("takes 141.1 GB") && error.contains("2 × h100-80gb have 137.9 GB"), "{error}");
        assert!(error.ends_with("the smallest tensor parallelism that fits is 4"), "{error}");
        assert!(on("h100-80gb", &served("Llama-3.1-70B", Precision::Fp8), 2).is_ok());
        let error = on("h100-80gb", &served("Qwen2.5-7B", Precision::Bf16), 8).unwrap_err().to_string();
        assert!(
            error.contains("its 28 heads must divide evenly") && error.ends_with("that fits is 1"),
            "{error}"
        );
        let error = on("h100-80gb-pcap", &llama, 4).unwrap_err().to_string();
        assert!(error.contains("no data sheet of the GPU `h100-80gb-pcap`"), "{error}");
    }

    #[test]
    fn memory_of_ones_own_makes_room() {
        let llama = served("Llama-3.1-70B", Precision::Fp8);
        let larger = GpuSpec { memory_bytes: 94 << 30, ..known_gpu("h100-80gb").unwrap() };
        let two = under(EngineSpec::Default, 2);
        let of = |gpu| deploy(&llama, gpu, two).unwrap().unwrap().kv_memory().available_bytes;
        assert!(of(&larger) > of(&known_gpu("h100-80gb").unwrap()) + 20e9);
    }

    fn vllm(gpu_memory_utilization: Option<f64>, num_gpu_blocks_override: Option<u64>) -> EngineSpec {
        let cache_space = CacheSpace { gpu_memory_utilization, num_gpu_blocks_override };
        EngineSpec::Vllm(Settings { cache_space, ..Settings::default() })
    }

    #[test]
    fn an_engine_that_takes_more_of_the_memory_has_that_much_more_cache() {
        let model = served("Llama-3.1-8B", Precision::Bf16);
        let gpu = known_gpu("h100-80gb").unwrap();
        let tokens = |engine| {
            let roofline = deploy(&model, &gpu, under(engine, 1)).unwrap().unwrap();
            memory_of(&roofline, &model, engine).kv_tokens()
        };
        assert_eq!(tokens(vllm(Some(0.9), None)), tokens(vllm(None, None)));
        let more_bytes =
            (tokens(vllm(Some(0.95), None)) - tokens(vllm(None, None))) * model.kv_bytes_per_token;
        assert!(
            (more_bytes as f64 - 0.05 * find_gpu("h100-80gb").unwrap().memory_bytes).abs() < 1e6,
            "{more_bytes}"
        );
        assert_eq!(tokens(vllm(Some(0.5), Some(1000))), 16_000);
        let less = deploy(&model, &gpu, under(vllm(Some(0.2), None), 1)).unwrap().unwrap_err();
        assert!(less.to_string().contains("the smallest tensor parallelism that fits is 2"), "{less}");
    }

    #[test]
    fn blocks_that_the_gpus_cannot_hold_are_refused_with_what_they_take() {
        let model = served("Llama-3.1-8B", Precision::Bf16);
        let gpu = known_gpu("h100-80gb").unwrap();
        let error = deploy(&model, &gpu, under(vllm(None, Some(50_000)), 1)).unwrap().unwrap_err();
        let expected =
            "50000 KV blocks of Llama-3.1-8B take 104.9 GB beside 16.1 GB of weights, but 1 × h100-80gb";
        assert!(error.to_string().starts_with(expected), "{error}");
    }
}
