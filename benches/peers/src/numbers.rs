//! The numbers of the load for the peers: those of `ebbflow::throughput`, in nanoseconds.
//!
//! The random numbers are plain SplitMix64, about half the work of Ebbflow's counter-based ones.

use serde::{Deserialize, Serialize};

pub const MESSAGE_NS: u64 = 1_000_000;
pub const SAMPLE_NS: u64 = 100_000_000;
const PERIOD_NS: u64 = 30_000_000;
const JOBS_PER_WORKER_S: f64 = 2.0;
const MIN_TICKS: u64 = 8;
const MAX_TICKS: u64 = 24;

#[derive(Clone, Serialize, Deserialize)]
pub struct Numbers(u64);

impl Numbers {
    /// A stream of its own for each `owner`.
    pub fn new(owner: u64) -> Self {
        Numbers(mix(owner))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(n)) >> 64) as u64
    }

    /// Until a worker's first tick.
    pub fn first_gap_ns(&mut self) -> u64 {
        self.below(PERIOD_NS) + 1
    }

    /// Between two ticks of a worker.
    pub fn gap_ns(&mut self) -> u64 {
        PERIOD_NS * 9 / 10 + self.below(PERIOD_NS / 5)
    }

    /// Ticks of a job.
    pub fn job_ticks(&mut self) -> u64 {
        MIN_TICKS + self.below(MAX_TICKS - MIN_TICKS + 1)
    }

    /// Ticks left of the job every worker holds at the start.
    pub fn rest_of_a_job(&mut self) -> u64 {
        loop {
            let left = 1 + self.below(MAX_TICKS);
            if left <= self.job_ticks() {
                return left;
            }
        }
    }

    /// Until the next job of anyone.
    pub fn arrival_ns(&mut self, workers: u32) -> u64 {
        let unit = ((self.next() >> 12) as f64 + 0.5) / (1u64 << 52) as f64;
        (-unit.ln() * 1e9 / (JOBS_PER_WORKER_S * f64::from(workers))) as u64 + 1
    }
}

fn mix(bits: u64) -> u64 {
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

/// A worker's queue: the tick with which each job ends, the next to end last.
#[derive(Default, Serialize, Deserialize)]
pub struct Queue {
    ticks: u64,
    ends: Vec<u64>,
}

impl Queue {
    pub fn take(&mut self, ticks: u64) {
        let end = self.ticks + ticks;
        let place = self.ends.partition_point(|other| *other > end);
        self.ends.insert(place, end);
    }

    /// Counts a tick, and gives the number of jobs that end with it.
    pub fn tick(&mut self) -> usize {
        self.ticks += 1;
        let before = self.ends.len();
        while self.ends.pop_if(|end| *end <= self.ticks).is_some() {}
        before - self.ends.len()
    }
}

/// The dispatcher's books: jobs in hand by worker.
#[derive(Default, Serialize, Deserialize)]
pub struct Books {
    in_hand: Vec<u32>,
    total: u64,
}

impl Books {
    /// Every worker starts with one job.
    pub fn new(workers: u32) -> Self {
        Books { in_hand: vec![1; workers as usize], total: u64::from(workers) }
    }

    /// The less loaded of two workers drawn at random gets one more.
    pub fn choose(&mut self, numbers: &mut Numbers) -> usize {
        let workers = self.in_hand.len() as u64;
        let (one, other) = (numbers.below(workers) as usize, numbers.below(workers) as usize);
        let chosen = if self.in_hand[one] <= self.in_hand[other] { one } else { other };
        self.in_hand[chosen] += 1;
        self.total += 1;
        chosen
    }

    pub fn done(&mut self, worker: u32) {
        self.in_hand[worker as usize] -= 1;
        self.total -= 1;
    }

    pub fn total(&self) -> u64 {
        self.total
    }
}
