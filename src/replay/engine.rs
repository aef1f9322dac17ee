//! The simulated engine that measured requests are asked of.

use std::sync::Arc;

use ebbflow_actors::SimTime;

use super::{Log, Measured, ReplayError};
use crate::ids::{ApplicationId, GpuName, InstanceId, RequestId};
use crate::instance::Timesheet;
use crate::instance::batcher::Finished;
use crate::instance::continuous::{BLOCK_TOKENS, ContinuousBatcher, GpuMemory, IterationTime, Settings};
use crate::instance::residents::Work;
use crate::performance::roofline::Roofline;
use crate::request::{Journal, Request};

/// The engine as it was when the requests were measured.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Model, GPU, engine and their times.
    pub roofline: Roofline,
    /// Its settings.
    pub settings: Settings,
    /// Tokens its KV cache holds, as vLLM reports them; a block of them it keeps for itself.
    pub kv_tokens: u64,
}

/// The times of a simulated request, seconds.
#[derive(Clone, Copy, PartialEq, Default, Debug)]
pub struct Latency {
    /// To its first token.
    pub ttft_s: f64,
    /// From a token to the next, on average; 0 for an answer of one token.
    pub tpot_s: f64,
    /// To its last token.
    pub e2e_s: f64,
}

/// What came of a replay.
#[derive(Clone, PartialEq, Debug)]
pub struct Replayed {
    /// In the order of the log.
    pub latencies: Vec<Latency>,
    /// Times a sequence lost its cache for want of memory.
    pub preemptions: u64,
}

impl Setup {
    /// Asks all requests of the log again.
    ///
    /// # Errors
    /// Settings that do not make sense; a request that never fits the KV cache.
    pub fn replay(&self, log: &Log) -> Result<Replayed, ReplayError> {
        let mut running = Running { engine: self.engine()?, latencies: vec![Latency::default(); log.len()] };
        for (measured, id) in log.requests().iter().zip(0..) {
            let request = self.request(measured, id)?;
            if !running.engine.could_ever_hold(&request, Work::Whole) {
                return Err(self.too_large(measured, id));
            }
            running.finish_until(request.arrival);
            running.engine.arrive(request.arrival, Box::new(request), Work::Whole, 0);
        }
        running.finish_until(SimTime::MAX);
        let preemptions = running.engine.statistics().preemptions;
        Ok(Replayed { latencies: running.latencies, preemptions })
    }

    fn engine(&self) -> Result<ContinuousBatcher, ReplayError> {
        let blocks = (self.kv_tokens / BLOCK_TOKENS).saturating_sub(1);
        let memory =
            GpuMemory { weights_bytes: 0, capacity_bytes: blocks * BLOCK_TOKENS, kv_bytes_per_token: 1 };
        let timesheet = Timesheet::new((InstanceId(0), GpuName::of(&self.roofline.deployment().gpu.name)));
        let times: Arc<dyn IterationTime> = Arc::new(self.roofline.clone());
        Ok(ContinuousBatcher::new(timesheet, memory, self.settings, times)?)
    }

    fn request(&self, measured: &Measured, id: u64) -> Result<Request, ReplayError> {
        let arrival = SimTime::from_secs_f64(measured.arrival_s)
            .map_err(|_| ReplayError::Arrival { nth: id + 1, arrival_s: measured.arrival_s })?;
        Ok(Request {
            id: RequestId(id),
            request_type: 2,
            application: ApplicationId(0),
            arrival,
            batch_size: 1,
            prompt_tokens: measured.prompt_tokens,
            output_tokens: measured.output_tokens,
            attributes: None,
            journal: Journal::default(),
        })
    }

    fn too_large(&self, measured: &Measured, id: u64) -> ReplayError {
        ReplayError::TooLarge {
            nth: id + 1,
            prompt_tokens: measured.prompt_tokens,
            output_tokens: measured.output_tokens,
            kv_tokens: self.kv_tokens,
        }
    }
}

/// A replay in progress.
struct Running {
    engine: ContinuousBatcher,
    latencies: Vec<Latency>,
}

impl Running {
    /// Lets everything end that ends by then.
    fn finish_until(&mut self, until: SimTime) {
        let Running { engine, latencies } = self;
        while let Some(end) = engine.run_end().filter(|&end| end <= until) {
            engine.finish_run(end, |finished, _| {
                if let Finished::Completed { request, .. } = finished {
                    latencies[request.id.0 as usize] = latency(&request, end);
                }
            });
        }
    }
}

fn latency(request: &Request, end: SimTime) -> Latency {
    let first = request.journal.prefill.and_then(|leg| leg.end).unwrap_or(end);
    let gaps = f64::from(request.output_tokens.max(2) - 1);
    Latency {
        ttft_s: (first - request.arrival).as_secs_f64(),
        tpot_s: (end - first).as_secs_f64() / gaps,
        e2e_s: (end - request.arrival).as_secs_f64(),
    }
}
