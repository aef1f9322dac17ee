//! Counts instructions: this program runs itself under callgrind, once with a load and once with twice the load.
//!
//! The difference is what the second half cost. The start of process, threads and actors, the building of the
//! load and the reading of arguments are in both and cancel out; nothing depends on names of functions, so
//! nothing breaks when one is renamed or inlined. The processes get an empty environment, because its size
//! moves the stack.

use std::error::Error;
use std::path::{Path as FilePath, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::paths::{self, Path};

/// `--run PATH UNITS`: what this program does under callgrind.
pub const RUN: &str = "--run";

/// Why there is no count.
pub type Failure = Box<dyn Error + Send + Sync>;

/// Runs one load.
pub fn run(name: &str, units: &str) -> Result<ExitCode, Failure> {
    let units = units.parse()?;
    let path = paths::all().into_iter().find(|path| path.name == name);
    let path = path.ok_or_else(|| format!("there is no path {name:?}"))?;
    path.prepare(units)();
    Ok(ExitCode::SUCCESS)
}

/// Whether there is anything to count with.
pub fn is_there() -> bool {
    valgrind().is_some()
}

/// Instructions per unit of every counted path with `filter` in its name, in the order of the table.
pub fn count(filter: &str) -> Result<Vec<(String, f64)>, Failure> {
    let valgrind = valgrind().ok_or("valgrind is not installed")?;
    let paths = paths::all().into_iter().filter(|path| path.counted && path.name.contains(filter));
    let jobs: Vec<Job> = paths.map(|Path { name, unit, units, .. }| Job { name, unit, units }).collect();
    let places = AtomicUsize::new(0);
    let work = || -> Result<Vec<(usize, f64)>, Failure> {
        let mine = std::iter::from_fn(|| {
            let place = places.fetch_add(1, Ordering::Relaxed);
            Some((place, jobs.get(place)?))
        });
        mine.map(|(place, job)| Ok((place, job.count(&valgrind)?))).collect()
    };
    let mut counts = vec![0.0; jobs.len()];
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            for (place, count) in worker.join().map_err(|_| "a thread that counts panicked")?? {
                counts[place] = count;
            }
        }
        Ok::<_, Failure>(())
    })?;
    Ok(jobs.iter().map(|job| format!("{}, per {}", job.name, job.unit)).zip(counts).collect())
}

/// What the threads need of a path.
struct Job {
    name: String,
    unit: &'static str,
    units: u64,
}

impl Job {
    /// Per unit.
    fn count(&self, valgrind: &FilePath) -> Result<f64, Failure> {
        let once = self.instructions(valgrind, self.units)?;
        let twice = self.instructions(valgrind, 2 * self.units)?;
        Ok(twice.saturating_sub(once) as f64 / self.units as f64)
    }

    /// All instructions of a process that runs this many units.
    fn instructions(&self, valgrind: &FilePath, units: u64) -> Result<u64, Failure> {
        let output = Command::new(valgrind)
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(std::env::current_exe()?)
            .args([RUN, &self.name, &units.to_string()])
            .env_clear()
            .output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        let count = said.lines().find_map(|line| line.split_once("Collected : "));
        match count {
            Some((_, count)) if output.status.success() => Ok(count.trim().parse()?),
            _ => {
                Err(format!("{}, {units} units, under callgrind: {}\n{said}", self.name, output.status)
                    .into())
            }
        }
    }
}

/// Found here, because the search path is not handed on.
fn valgrind() -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join("valgrind")).find(|file| file.is_file())
}
