//! What an instance tells the log; `-vv` shows it.

use ebbflow_actors::SimTime;

use super::batcher::Run;
use super::birth::Birth;

/// A run of iterations has ended.
#[inline]
pub(super) fn batch(now: SimTime, birth: &Birth, run: &Run, batch_size: usize) {
    tracing::debug!(
        t_s = now.as_secs_f64(),
        application = birth.application.0,
        instance = birth.instance.0,
        start_s = run.start.as_secs_f64(),
        batch_size,
        prompts = run.prompts,
        iterations = run.iterations,
        "batch"
    );
}
