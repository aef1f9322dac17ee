//! The fleet over time: instances by status, GPUs and what they cost.

use serde::Serialize;

use super::bins::{Bins, Level};
use super::{Pools, Values};
use crate::report::FinishedRun;
use crate::results::statuses;

/// Instances of a pool by status, as means.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct PoolFleet {
    /// Which pool, by its place.
    pub pool: usize,
    /// Starting.
    pub starting: Values,
    /// Serving.
    pub active: Values,
    /// Draining.
    pub draining: Values,
}

/// The fleet over time.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Fleet {
    /// Per pool.
    #[serde(rename = "fleet")]
    pub pools: Vec<PoolFleet>,
    /// GPUs that are paid for.
    pub gpus: Values,
    /// Dollars spent until the end of each bin; null if a price is not known.
    pub usd: Option<Values>,
}

impl Fleet {
    /// Over these bins.
    pub fn of(run: &FinishedRun, pools: &Pools, bins: Bins) -> Self {
        let end = run.results.end;
        let mut levels = vec![[(); 3].map(|()| Level::new(bins)); pools.count()];
        for application in &run.results.applications {
            for instance in &application.instances {
                if let Some(pool) = pools.place(application.id, instance.tag) {
                    for stretch in statuses::stretches(instance) {
                        let span = (stretch.from, stretch.to.unwrap_or(end));
                        levels[pool][stretch.status as usize].add(span, 1.0);
                    }
                }
            }
        }
        let pool_fleet = |(pool, [starting, active, draining]): (usize, &[Level; 3])| PoolFleet {
            pool,
            starting: starting.values(),
            active: active.values(),
            draining: draining.values(),
        };
        let (gpus, usd) = servers(run, bins);
        Fleet { pools: levels.iter().enumerate().map(pool_fleet).collect(), gpus, usd }
    }
}

fn servers(run: &FinishedRun, bins: Bins) -> (Values, Option<Values>) {
    let end = run.results.end;
    let (mut gpus, mut rent) = (Level::new(bins), Some(Level::new(bins)));
    for server in run.results.applications.iter().flat_map(|application| &application.servers) {
        let life = (server.created, server.removed.unwrap_or(end));
        let count = f64::from(server.sku.gpus);
        gpus.add(life, count);
        match (&mut rent, server.sku.usd_per_gpu_h) {
            (Some(rent), Some(price)) => rent.add(life, count * price / 3600.0),
            _ => rent = None,
        }
    }
    let spent = |rent: Level| {
        let mut sum = 0.0;
        Values::all(rent.means().into_iter().map(|usd_per_s| {
            sum += usd_per_s * bins.width_s();
            sum
        }))
    };
    (gpus.values(), rent.map(spent))
}
