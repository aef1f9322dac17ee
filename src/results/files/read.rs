//! A run read back from its directory.
//!
//! The inverse of writing it: records equal those of the run, to the nanosecond. Leaves out what no file
//! holds, a manager's last [`status`](ApplicationResults::status), and `requests` where the run kept none.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ebbflow_actors::{Digest, SimTime, Stats};
use serde_json::Value;

use super::{iterations, journal, lifecycle, links, scaling, servers, simulator};
use crate::ids::{ApplicationId, GpuName, ServerId};
use crate::results::{ApplicationResults, Incomplete, InstanceRecord, RUN_FILE, RunResults, ScalingCounts};
use crate::scaling::time_by_tag;

/// A run directory that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A file that should be there.
    #[error("cannot read {}: {source}{}", .path.display(), hint(.path))]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file that is no table.
    #[error("{}: {source}", .path.display())]
    Csv {
        /// The file.
        path: PathBuf,
        /// Where, and what is wrong.
        source: csv::Error,
    },
    /// A table of another version of Ebbflow, or of something else.
    #[error("{}: the columns are {found}; this version of Ebbflow writes {expected}: run the scenario again", .path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// Its columns.
        found: String,
        /// Those it should have.
        expected: String,
    },
    /// A cell that does not say what it should.
    #[error("{}:{line}: {column} is `{found}`; expected {expected}", .path.display())]
    Cell {
        /// The file.
        path: PathBuf,
        /// Its line.
        line: u64,
        /// The column.
        column: &'static str,
        /// What it says.
        found: String,
        /// What it should say.
        expected: &'static str,
    },
    /// `run.json` that is none.
    #[error("{}: {problem}", .path.display())]
    Summary {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
}

fn hint(path: &Path) -> &'static str {
    if path.ends_with(RUN_FILE) { "; name a directory that `ebbflow run` has written" } else { "" }
}

impl ReadError {
    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        ReadError::Io { path: path.to_owned(), source }
    }

    pub(super) fn csv(path: &Path, source: csv::Error) -> Self {
        ReadError::Csv { path: path.to_owned(), source }
    }

    fn summary(path: &Path, problem: impl Into<String>) -> Self {
        ReadError::Summary { path: path.to_owned(), problem: problem.into() }
    }
}

/// The run in `directory`, and its `run.json`.
///
/// # Errors
/// A file that is missing, damaged, or of another version.
pub fn read(directory: &Path) -> Result<(RunResults, Value), ReadError> {
    let summary = Summary::read(directory)?;
    let end = simulator::read(directory)?;
    let applications = summary
        .applications()?
        .into_iter()
        .map(|(id, counts)| application(directory, id, counts, end))
        .collect::<Result<Vec<_>, _>>()?;
    let results = RunResults {
        servers: standing(&applications),
        links: links::read(directory)?,
        applications,
        arrived: summary.count(&["requests", "arrived"])?,
        end,
        digest: summary.digest()?,
        stats: summary.stats()?,
        reached_end_time: summary.reached_end_time()?,
        incomplete: summary.value["incomplete"].as_str().map(incomplete),
        wall_s: summary.value["wall_s"].as_f64().unwrap_or(0.0),
    };
    Ok((results, summary.value))
}

/// `run.json`, and where it is.
struct Summary {
    path: PathBuf,
    value: Value,
}

impl Summary {
    fn read(directory: &Path) -> Result<Self, ReadError> {
        let path = directory.join(RUN_FILE);
        let text = fs::read_to_string(&path).map_err(|source| ReadError::io(&path, source))?;
        let value =
            serde_json::from_str(&text).map_err(|error| ReadError::summary(&path, error.to_string()))?;
        Ok(Summary { path, value })
    }

    /// The applications with what became of their scaling operations.
    fn applications(&self) -> Result<Vec<(ApplicationId, ScalingCounts)>, ReadError> {
        let listed = self.value["applications"].as_array().ok_or_else(|| self.lacks("applications"))?;
        let read = |listed: &Value| {
            let id = listed["application_id"].as_u64().and_then(|id| u32::try_from(id).ok());
            let count = |key: &str| listed["scaling"][key].as_u64();
            let (scale_ups, scale_downs, refused) =
                (count("scale_ups")?, count("scale_downs")?, count("refused")?);
            Some((ApplicationId(id?), ScalingCounts { scale_ups, scale_downs, refused }))
        };
        let read =
            listed.iter().map(|listed| read(listed).ok_or_else(|| self.lacks("application_id and scaling")));
        read.collect()
    }

    fn reached_end_time(&self) -> Result<bool, ReadError> {
        let reached = self.value["reached_end_time"].as_bool();
        reached.ok_or_else(|| self.lacks("reached_end_time"))
    }

    fn digest(&self) -> Result<Digest, ReadError> {
        let digest = self.value["digest"].as_str().and_then(|text| u64::from_str_radix(text, 16).ok());
        digest.map(Digest).ok_or_else(|| self.lacks("digest"))
    }

    fn stats(&self) -> Result<Stats, ReadError> {
        Ok(Stats {
            events: self.count(&["events"])?,
            messages: self.count(&["messages"])?,
            envelopes: self.count(&["envelopes"])?,
            windows: self.count(&["windows"])?,
            arbiters: self.count(&["arbiters"])? as usize,
        })
    }

    fn count(&self, keys: &[&str]) -> Result<u64, ReadError> {
        let value = keys.iter().fold(&self.value, |value, key| &value[key]);
        value.as_u64().ok_or_else(|| self.lacks(&keys.join(".")))
    }

    fn lacks(&self, key: &str) -> ReadError {
        ReadError::summary(
            &self.path,
            format!("`{key}` is missing, or not what this version of Ebbflow writes"),
        )
    }
}

/// Servers that did not leave, by id.
fn standing(applications: &[ApplicationResults]) -> Vec<ServerId> {
    let servers = applications.iter().flat_map(|application| &application.servers);
    let mut standing: Vec<_> =
        servers.filter(|server| server.removed.is_none()).map(|server| server.id).collect();
    standing.sort_unstable();
    standing
}

fn incomplete(text: &str) -> Incomplete {
    if text == Incomplete::Interrupted.to_string() {
        Incomplete::Interrupted
    } else {
        Incomplete::Fault(text.to_owned())
    }
}

fn application(
    directory: &Path,
    id: ApplicationId,
    scaling: ScalingCounts,
    end: SimTime,
) -> Result<ApplicationResults, ReadError> {
    let instances = lifecycle::read(directory, id)?;
    let gpus: Vec<GpuName> = instances.iter().map(|instance| GpuName::of(&instance.gpu)).collect();
    let gpu = |wanted| match instances.binary_search_by_key(&wanted, |instance| instance.id) {
        Ok(place) => gpus[place],
        Err(_) => GpuName::of("unknown"),
    };
    let requests = journal::read(directory, id, gpu)?.unwrap_or_default();
    Ok(ApplicationResults {
        id,
        tally: requests.iter().collect(),
        requests,
        servers: servers::read(directory, id)?,
        has_scaling_manager: scaling::exists(directory, id),
        scaling_log: scaling::read_log(directory, id)?,
        scaling_events: scaling::read_events(directory, id)?,
        decisions: scaling::read_decisions(directory, id)?,
        scaling,
        status: None,
        time: time_by_tag(instances.iter().map(InstanceRecord::life), end),
        iterations: iterations::read(directory, id, instances.iter().map(|instance| instance.id))?,
        instances,
    })
}
