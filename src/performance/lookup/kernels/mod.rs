//! Times of kernels one by one, as NVIDIA AIConfigurator measures and publishes them: matrix multiplications, attention
//! of prompts and of decoding sequences, experts, all-reduce. [`Roofline`](crate::performance::roofline::Roofline)
//! takes them for its formulas where they cover a deployment.
//!
//! A set of tables is some files, or everything below some folders; CSV, or Parquet in a build with that feature, with
//! the columns of AIConfigurator. A row counts for the GPU its `device` names and the engine its `framework` names
//! (NCCL's for all engines), or for every one where the table does not say. Rows of the same kernel and sizes count as
//! their median: keep tables of several versions of an engine apart.
//!
//! Leaves out other operators' tables and attention kernels with a latent cache. Units: files are in milliseconds and
//! elements, points in seconds.

mod folder;
mod kernel;
mod read;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub use kernel::{Experts, Format, Heads, Kernel, Way};

use super::LookupError;
use super::read::median;
use crate::performance::roofline::{Backend, gpu_letters};

/// Seconds at sizes that vary with the iteration: one size and 0, or two.
pub type Points = BTreeMap<[u64; 2], f64>;

/// Times of kernels of some GPUs under some engines.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct KernelTables {
    measured: BTreeMap<Origin, BTreeMap<Kernel, Series>>,
    files: Vec<PathBuf>,
    passed_over: Vec<PathBuf>,
}

/// What was measured of a kernel.
#[derive(Clone, PartialEq, Debug)]
struct Series {
    points: Points,
    shortest_s: f64,
}

/// Where rows were measured; empty: the table does not say.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
struct Origin {
    gpu: String,
    engine: String,
}

/// Everything that was read so far.
type Collected = BTreeMap<Origin, BTreeMap<Kernel, BTreeMap<[u64; 2], Vec<f64>>>>;

impl KernelTables {
    /// Reads these files, and everything below these folders that is a table of kernels.
    pub fn read(paths: &[PathBuf]) -> Result<Self, LookupError> {
        let mut collected = Collected::new();
        let (mut files, mut passed_over) = (BTreeSet::new(), BTreeSet::new());
        for path in paths {
            let found = folder::tables(path)?;
            let whole_folder = path.is_dir();
            for file in found {
                let text = super::text::of(&file)?;
                if read::rows(&file, &text, whole_folder, &mut collected)? {
                    files.insert(file);
                } else {
                    passed_over.insert(file);
                }
            }
        }
        let measured: BTreeMap<_, _> =
            collected.into_iter().map(|(origin, kernels)| (origin, medians(kernels))).collect();
        if measured.values().all(BTreeMap::is_empty) {
            return Err(LookupError::NoKernels { paths: paths.to_owned() });
        }
        let [files, passed_over] = [files, passed_over].map(|files| files.into_iter().collect());
        Ok(KernelTables { measured, files, passed_over })
    }

    /// The files that were read, in order of their paths.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Tables in the folders that are of no known kernel.
    pub fn passed_over(&self) -> &[PathBuf] {
        &self.passed_over
    }

    /// What was measured of a kernel on this GPU under this engine.
    pub fn points(&self, gpu: &str, engine: Backend, kernel: &Kernel) -> Option<&Points> {
        self.origins(gpu, engine).find_map(|kernels| kernels.get(kernel)).map(|series| &series.points)
    }

    /// Every kernel that counts for this GPU and engine, with the shortest time it ever took.
    pub(crate) fn kernels(&self, gpu: &str, engine: Backend) -> impl Iterator<Item = (&Kernel, f64)> {
        self.origins(gpu, engine).flatten().map(|(kernel, series)| (kernel, series.shortest_s))
    }

    /// What counts for this GPU and engine; what says so first.
    fn origins(&self, gpu: &str, engine: Backend) -> impl Iterator<Item = &BTreeMap<Kernel, Series>> {
        let gpu = gpu_letters(gpu);
        let engine = engine.name();
        let of = |gpu: &str, engine: &str| Origin { gpu: gpu.to_owned(), engine: engine.to_owned() };
        let origins = [of(&gpu, engine), of(&gpu, ""), of("", engine), of("", "")];
        origins.into_iter().filter_map(|origin| self.measured.get(&origin))
    }
}

fn medians(kernels: BTreeMap<Kernel, BTreeMap<[u64; 2], Vec<f64>>>) -> BTreeMap<Kernel, Series> {
    let series = |sizes: BTreeMap<[u64; 2], Vec<f64>>| {
        let points: Points = sizes.into_iter().map(|(sizes, values)| (sizes, median(values))).collect();
        let shortest_s = points.values().copied().fold(f64::INFINITY, f64::min);
        Series { points, shortest_s }
    };
    kernels.into_iter().map(|(kernel, sizes)| (kernel, series(sizes))).collect()
}

/// Whether this is the path of something that may be a table.
fn may_be_table(path: &Path) -> bool {
    super::text::is_parquet(path)
        || path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"))
}

#[cfg(test)]
mod tests;
