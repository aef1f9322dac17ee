//! How many instances the requests to come keep busy, over time.
//!
//! A prompt has an instance for itself as long as its iteration takes. A decode has one of the places that the KV
//! cache leaves room for, as long as its tokens take in a full batch. Leaves out: queues, transfers of KV caches,
//! prompts computed together, and that a prompt and the decodes beside it hold each other up; `load_per_instance`
//! makes up for those.

use crate::ids::Tag;
use crate::performance::BatchShape;
use crate::scaling::{FutureRequest, InstanceCapacity};

/// The load is averaged over so many seconds, unless there would be too many of them.
const BIN_S: f64 = 5.0;
const MAX_BINS: f64 = 1e6;
/// Requests decoding together, however large the memory.
const MAX_CONCURRENCY: u64 = 256;

/// Which work of a request a pool does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Duty {
    pub prefill: bool,
    pub decode: bool,
}

impl Duty {
    /// Of a pool beside others: untagged and mixed instances do what nobody else is there for.
    pub fn of(pool: Option<Tag>, pools: &[Option<Tag>]) -> Self {
        let does = |own: Tag| match pool {
            Some(Tag::Prompt | Tag::Token) => pool == Some(own),
            Some(Tag::Mixed) | None => !pools.contains(&Some(own)),
        };
        Duty { prefill: does(Tag::Prompt), decode: does(Tag::Token) }
    }
}

/// Instances kept busy, bin by bin.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Load {
    /// Width of a bin in seconds.
    pub bin_s: f64,
    /// By bin.
    pub instances: Vec<f64>,
    /// How long an instance works on a request, on average.
    pub stay_s: f64,
}

/// A stretch of time in which a request takes a share of an instance.
struct Stretch {
    from_s: f64,
    until_s: f64,
    share: f64,
}

impl Load {
    /// Of these requests on instances that can do so much.
    pub fn of(requests: &[FutureRequest], duty: Duty, capacity: &InstanceCapacity) -> Self {
        let decoding = Decoding::of(requests, capacity);
        let stretches = || requests.iter().flat_map(|request| decoding.stretches(request, duty, capacity));
        let end_s = stretches().map(|stretch| stretch.until_s).fold(0.0, f64::max);
        let bin_s = BIN_S.max(end_s / MAX_BINS);
        let mut instances = vec![0.0; (end_s / bin_s) as usize + 1];
        let mut stay_s = 0.0;
        for stretch in stretches() {
            stretch.add_to(&mut instances, bin_s);
            stay_s += stretch.until_s - stretch.from_s;
        }
        Load { bin_s, instances, stay_s: stay_s / requests.len().max(1) as f64 }
    }
}

impl Stretch {
    fn add_to(&self, instances: &mut [f64], bin_s: f64) {
        let (first, last) = ((self.from_s / bin_s) as usize, (self.until_s / bin_s) as usize);
        for (nth, load) in instances.iter_mut().enumerate().take(last + 1).skip(first) {
            let (begin_s, end_s) = (nth as f64 * bin_s, (nth + 1) as f64 * bin_s);
            let overlap_s = self.until_s.min(end_s) - self.from_s.max(begin_s);
            *load += self.share * overlap_s.max(0.0) / bin_s;
        }
    }
}

/// How an instance decodes in a full batch.
struct Decoding {
    /// Requests that decode together.
    concurrency: u64,
    /// Of an iteration.
    iteration_s: f64,
}

impl Decoding {
    fn of(requests: &[FutureRequest], capacity: &InstanceCapacity) -> Self {
        let tokens: u64 = requests.iter().map(FutureRequest::tokens).sum();
        let mean_tokens = (tokens / (requests.len() as u64).max(1)).max(1);
        let concurrency = (capacity.kv_tokens / mean_tokens).clamp(1, MAX_CONCURRENCY);
        let batch = BatchShape { decodes: concurrency as u32, ..BatchShape::default() };
        Decoding { concurrency, iteration_s: capacity.performance.iteration_s(batch) }
    }

    /// The first token comes with the prompt.
    fn stretches(
        &self,
        request: &FutureRequest,
        duty: Duty,
        capacity: &InstanceCapacity,
    ) -> impl Iterator<Item = Stretch> + use<> {
        let prompt_tokens = u64::from(request.prompt_tokens);
        let prompt = BatchShape { prompts: 1, prompt_tokens, decodes: 0 };
        let arrival_s = request.arrival.as_secs_f64();
        let first_token_s = arrival_s + capacity.performance.iteration_s(prompt);
        let end_s = first_token_s + f64::from(request.output_tokens.saturating_sub(1)) * self.iteration_s;
        let prefill = Stretch { from_s: arrival_s, until_s: first_token_s, share: 1.0 };
        let decode = Stretch { from_s: first_token_s, until_s: end_s, share: 1.0 / self.concurrency as f64 };
        [(duty.prefill, prefill), (duty.decode, decode)]
            .into_iter()
            .filter(|(is_own, _)| *is_own)
            .map(|(_, it)| it)
    }
}

impl FutureRequest {
    /// Prompt and output.
    fn tokens(&self) -> u64 {
        u64::from(self.prompt_tokens) + u64::from(self.output_tokens)
    }
}
