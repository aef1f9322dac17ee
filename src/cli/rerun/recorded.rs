//! What a run directory says of its run, and where the files lie that it read.
//!
//! A directory may have been moved, or sent to somebody: a file is looked for in the directory itself, where it
//! lay then, and in the working directory, by its name; what counts is that it holds the same.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::cli::input::Input;
use crate::results::{InputError, InputFile, InputKind, RUN_FILE, SCENARIO_FILE};

/// A run as its directory tells it.
#[derive(Debug)]
pub struct Recorded {
    directory: PathBuf,
    /// Its `run.json`.
    pub summary: Value,
    /// The files it read; empty also for a run from before they were recorded.
    inputs: Vec<InputFile>,
}

/// Why a run cannot be repeated.
#[derive(Debug, thiserror::Error)]
pub enum CannotRepeat {
    /// Not a directory of a run.
    #[error("{} is not the directory of a run: {problem}; name one that `ebbflow run` has written", directory.display())]
    NotARun {
        /// What was named.
        directory: PathBuf,
        /// What is missing or wrong.
        problem: String,
    },
    /// A file it read is nowhere.
    #[error(
        "the {} of the run is gone; looked at {}. Put the file beside {SCENARIO_FILE} in the directory of the run{}",
        file.kind, list(looked_at), or_name_it(file.kind)
    )]
    Gone {
        /// The file as it was.
        file: Box<InputFile>,
        /// Where it is not.
        looked_at: Vec<PathBuf>,
    },
    /// A file it read is another one now.
    #[error(
        "the {} has changed since the run: {} then, but {} holds {found} now, so the run cannot be repeated. Put the \
         file as it was beside {SCENARIO_FILE} in the directory of the run{}",
        file.kind, file, found.path.display(), or_name_it(file.kind)
    )]
    Changed {
        /// The file as it was.
        file: Box<InputFile>,
        /// The file that was found.
        found: Box<InputFile>,
    },
    /// A file that was found cannot be read.
    #[error(transparent)]
    Unreadable(#[from] InputError),
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// An override that names a file.
fn given(key: &str, path: &Path) -> String {
    format!("{key}={}", Value::from(path.to_string_lossy()))
}

fn or_name_it(kind: InputKind) -> &'static str {
    match kind {
        InputKind::Trace => ", or name it with --trace FILE",
        InputKind::ClientPool
        | InputKind::PerformanceTable
        | InputKind::Calibration
        | InputKind::KernelTable => "",
    }
}

impl Recorded {
    /// Reads `run.json`.
    pub fn open(directory: &Path) -> Result<Self, CannotRepeat> {
        let not_a_run = |problem: String| CannotRepeat::NotARun { directory: directory.to_owned(), problem };
        let path = directory.join(RUN_FILE);
        let text = fs::read_to_string(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => not_a_run(format!("it holds no {RUN_FILE}")),
            _ => not_a_run(format!("{} cannot be read: {error}", path.display())),
        })?;
        let wrong = |error: serde_json::Error| not_a_run(format!("{}: {error}", path.display()));
        let summary: Value = serde_json::from_str(&text).map_err(wrong)?;
        if !summary["digest"].is_string() {
            return Err(not_a_run(format!("{} has no `digest`", path.display())));
        }
        let inputs = match summary.get("inputs") {
            Some(inputs) => serde_json::from_value(inputs.clone()).map_err(wrong)?,
            None => Vec::new(),
        };
        Ok(Recorded { directory: directory.to_owned(), summary, inputs })
    }

    /// Why it ended before its time, if it did.
    pub fn incomplete(&self) -> Option<&str> {
        self.summary["incomplete"].as_str()
    }

    /// What to run, with every file it needs found; the trace lies where `trace` says, if it does.
    pub fn input(&self, trace: Option<&Path>) -> Result<Input, CannotRepeat> {
        let scenario = Some(self.directory.join(SCENARIO_FILE));
        let mut input = Input::new(scenario, Vec::new());
        if let (Some(trace), true) = (trace, self.inputs.is_empty()) {
            input.replay(trace);
        }
        let mut kernels = Vec::new();
        for file in &self.inputs {
            let path = self.find(file, trace)?;
            match file.kind {
                InputKind::Trace => input.replay(&path),
                InputKind::ClientPool => input.overrides.push(given("workload.client_pool.path", &path)),
                InputKind::PerformanceTable => {
                    input.overrides.push(given("performance_model.db.path", &path))
                }
                InputKind::Calibration => {
                    input.overrides.push(given("performance_model.roofline.calibration", &path));
                }
                InputKind::KernelTable => kernels.push(path),
            }
        }
        if !kernels.is_empty() {
            let paths: Vec<_> = kernels.iter().map(|path| path.to_string_lossy()).collect();
            input.overrides.push(format!("performance_model.roofline.kernels={}", Value::from(paths)));
        }
        Ok(input)
    }

    /// Where a file lies now.
    fn find(&self, file: &InputFile, trace: Option<&Path>) -> Result<PathBuf, CannotRepeat> {
        let candidates = match (file.kind, trace) {
            (InputKind::Trace, Some(given)) => vec![given.to_owned()],
            _ => self.candidates(file),
        };
        let mut changed = None;
        for path in candidates.iter().filter(|path| file.kind.is_there(path)) {
            let found = InputFile::read(file.kind, path)?;
            if found.holds_the_same(file) {
                return Ok(path.clone());
            }
            changed.get_or_insert(found);
        }
        let file = Box::new(file.clone());
        Err(match changed {
            Some(found) => CannotRepeat::Changed { file, found: Box::new(found) },
            None => CannotRepeat::Gone { file, looked_at: candidates },
        })
    }

    fn candidates(&self, file: &InputFile) -> Vec<PathBuf> {
        let name = file.path.file_name().map(PathBuf::from);
        let beside = name.as_ref().map(|name| self.directory.join(name));
        beside.into_iter().chain([file.path.clone()]).chain(name).collect()
    }
}
