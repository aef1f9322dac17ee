//! `vllm`: continuous batching as vLLM v1 does it, with exact fast-forward.
//!
//! Modelled after the scheduler of vLLM v1 as of 0.19 (`vllm/v1/core/sched/scheduler.py`, `kv_cache_manager.py`,
//! `block_pool.py`). Every iteration is formed anew, under `max_num_batched_tokens` and `max_num_seqs`:
//!
//! 1. Decoding sequences, one token each (and the draft with speculation). The settings make sure that all fit.
//! 2. Prompts in progress in the order they were admitted, each as much as the budget and
//!    `long_prefill_token_threshold` leave it: the first admitted gets its first token first. vLLM goes through both
//!    in one list by admission; only with a threshold can a prompt stand before a decode there, and then decodes
//!    first keeps its output from stalling.
//! 3. Sequences whose KV cache came from elsewhere; then those that wait, first come first served or by priority. A
//!    sequence is admitted when blocks for all its tokens, and the watermark beside others, can be had, less what
//!    the prefix cache has; it takes the blocks of its first chunk. A sequence that waits for a LoRA slot is passed
//!    by, one that waits for blocks is not. Nobody is admitted in an iteration that preempts.
//!
//! A running sequence that finds no block preempts the last admitted (with priorities: the lowest), which may be
//! itself: its blocks are freed, it keeps its output and computes everything anew from the front of the queue.
//!
//! *Fast-forward.* While a batch only decodes and nobody can join, nothing changes but the contexts, by the same
//! number every iteration. Such a [`Stretch`] is one event; it ends with the first sequence to finish, the last
//! block, or a sequence that outgrows the attention window, and an arrival that could join cuts it at the end of the
//! iteration in progress. Results equal those of single iterations to the nanosecond, because an iteration's time is
//! rounded by itself and their sum is a [floor sum](floor_sum()). An event at the very moment an iteration ends finds it over.
//!
//! Differs from vLLM: computed blocks can be shared once they are computed, not when they are scheduled, those of
//! the output when the sequence leaves; free blocks are taken before cached ones; speculation goes by its
//! [expectation](Pace). Leaves out: several sequences of one request (`batch_size` is taken as 1), encoders,
//! structured output, asynchronous scheduling, sliding-window block recycling, KV offload to the host.
//!
//! Units: tokens, blocks of 16 tokens, femtoseconds where a name ends so, else [`SimTime`](ebbflow_actors::SimTime).

mod batcher;
mod blocks;
mod cache_space;
mod decoding;
mod floor_sum;
mod formation;
mod gaps;
mod holdings;
mod pace;
mod peaks;
mod prefix_cache;
mod progress;
mod roofline;
mod sequence;
mod settings;
mod statistics;
mod stretch;
#[cfg(test)]
mod tests;
mod time;
mod view;
mod waiting;

pub use batcher::{ContinuousBatcher, Evicted, GpuMemory};
pub use cache_space::CacheSpace;
pub use floor_sum::floor_sum;
pub use gaps::GapHistogram;
pub use pace::Pace;
pub use sequence::Passage;
pub use settings::{BLOCK_TOKENS, QueueOrder, Settings, SettingsError, Speculation};
pub use statistics::Statistics;
pub use stretch::Stretch;
pub use time::{Chunk, DecodeLine, Decodes, FS_IN_NS, IterationTime, MakeUp};
