//! The run directory: there completely or not at all.
//!
//! Files are written into a hidden directory, beside or above, which is renamed when all of them are there, so
//! whoever sees a run directory sees a finished one. An existing result is replaced only on request, and
//! nothing is ever replaced that is not a run directory (one that holds a `run.json`). Leaves out
//! `fsync`: a result can be computed again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::files::WriteError;

/// The file that makes a directory a run directory.
pub const RUN_FILE: &str = "run.json";

/// A directory that cannot become the run directory.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// There is a result already.
    #[error("{} already holds a result; --force replaces it, --out DIR writes elsewhere", .0.display())]
    Exists(PathBuf),
    /// There is something else.
    #[error("{} exists and is not a run directory (it holds no {RUN_FILE}), so it is left alone; name another with --out DIR", .0.display())]
    NotARun(PathBuf),
    /// The operating system says no.
    #[error("cannot {action} {}: {source}; name a writable directory with --out DIR, or write nothing with --no-files", .path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which path.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file of the result could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl DirectoryError {
    /// Whether the user's choice of directory is at fault, rather than the disk.
    pub fn is_refusal(&self) -> bool {
        matches!(self, DirectoryError::Exists(_) | DirectoryError::NotARun(_))
    }
}

/// Where a run will put its files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunDirectory {
    place: Place,
    force: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Place {
    /// This one and no other.
    Exact(PathBuf),
    /// This one, or the first of `…-2`, `…-3`, … that is free.
    Numbered(PathBuf),
}

impl RunDirectory {
    /// Exactly this directory. With `force`, a result that is there is replaced.
    pub fn exactly(path: impl Into<PathBuf>, force: bool) -> Self {
        RunDirectory { place: Place::Exact(path.into()), force }
    }

    /// `results/{name}-{seed}`, or with a number behind it when that is taken. With `force` the first
    /// name is used and replaced.
    pub fn named_after(scenario_name: &str, seed: u64, force: bool) -> Self {
        let base = Path::new("results").join(format!("{}-{seed}", plain_name(scenario_name)));
        let place = if force { Place::Exact(base) } else { Place::Numbered(base) };
        RunDirectory { place, force }
    }

    /// Opens a hidden directory to be filled, on the file system of the directory to be: to be asked before
    /// a long run, since it also checks that the directory may be written.
    pub fn stage(&self) -> Result<Staging, DirectoryError> {
        let target = self.target();
        self.may_replace(&target)?;
        let parent = parent_of(&target);
        let existing = parent
            .ancestors()
            .map(|path| if path.as_os_str().is_empty() { Path::new(".") } else { path })
            .find(|path| path.exists())
            .unwrap_or(Path::new("."));
        let hidden = hidden_directory(existing)?;
        let filled = hidden.path().join("result");
        fs::create_dir(&filled).map_err(io_error("create", &filled))?;
        Ok(Staging { directory: self.clone(), hidden, filled })
    }

    /// Lets `write` fill a directory, then puts it in place under its name, which is returned.
    pub fn publish(
        &self,
        write: impl FnOnce(&Path) -> Result<(), WriteError>,
    ) -> Result<PathBuf, DirectoryError> {
        let staging = self.stage()?;
        write(staging.path())?;
        staging.publish()
    }

    /// The directory as things stand now.
    fn target(&self) -> PathBuf {
        match &self.place {
            Place::Exact(path) => without_detours(path),
            Place::Numbered(base) => first_free(base),
        }
    }

    fn may_replace(&self, target: &Path) -> Result<(), DirectoryError> {
        if !target.exists() || is_empty_directory(target) {
            Ok(())
        } else if !target.join(RUN_FILE).is_file() {
            Err(DirectoryError::NotARun(target.to_owned()))
        } else if !self.force {
            Err(DirectoryError::Exists(target.to_owned()))
        } else {
            Ok(())
        }
    }
}

/// A directory that becomes the run directory once it is filled. Dropped before, it leaves nothing behind.
#[derive(Debug)]
pub struct Staging {
    directory: RunDirectory,
    hidden: tempfile::TempDir,
    filled: PathBuf,
}

impl Staging {
    /// Where to write.
    pub fn path(&self) -> &Path {
        &self.filled
    }

    /// What a process that cannot wait for the end has to remove.
    pub fn hidden(&self) -> &Path {
        self.hidden.path()
    }

    /// Puts it in place under its name, which is returned.
    pub fn publish(self) -> Result<PathBuf, DirectoryError> {
        let Staging { directory, hidden, filled } = self;
        loop {
            let target = directory.target();
            directory.may_replace(&target)?;
            let parent = parent_of(&target);
            fs::create_dir_all(&parent).map_err(io_error("create", &parent))?;
            match put_in_place(&filled, &target, hidden.path()) {
                Ok(()) => return Ok(target),
                // Another run took the name in the meantime: take the next one.
                Err(_) if matches!(directory.place, Place::Numbered(_)) && target.exists() => {}
                Err(source) => return Err(io_error("create", &target)(source)),
            }
        }
    }
}

/// The path that a rename has to act on: behind a symbolic link, and with a name (`.` and `..` have none).
fn without_detours(path: &Path) -> PathBuf {
    if path.is_symlink() || path.file_name().is_none() {
        fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
    } else {
        path.to_owned()
    }
}

/// Renames `filled` to `target`; what was there moves into `staging`, to vanish with it, or back if the
/// second rename fails.
fn put_in_place(filled: &Path, target: &Path, staging: &Path) -> io::Result<()> {
    if !target.exists() {
        return fs::rename(filled, target);
    }
    let old = staging.join("replaced");
    fs::rename(target, &old)?;
    fs::rename(filled, target).or_else(|error| fs::rename(&old, target).and(Err(error)))
}

/// A directory that removes itself.
fn hidden_directory(parent: &Path) -> Result<tempfile::TempDir, DirectoryError> {
    tempfile::Builder::new().prefix(".ebbflow-").tempdir_in(parent).map_err(io_error("write in", parent))
}

fn parent_of(target: &Path) -> PathBuf {
    match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn first_free(base: &Path) -> PathBuf {
    let numbered = |n: u32| {
        let mut name = base.as_os_str().to_owned();
        name.push(format!("-{n}"));
        PathBuf::from(name)
    };
    std::iter::once(base.to_owned())
        .chain((2..).map(numbered))
        .find(|path| !path.exists())
        .expect("the numbers do not end before the free names begin")
}

fn is_empty_directory(path: &Path) -> bool {
    fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none())
}

/// The scenario's name as a directory name: of a path its file name without `.yaml`, anything unusual
/// as `-`.
fn plain_name(name: &str) -> String {
    let file = Path::new(name).file_name().map_or_else(|| name.into(), |file| file.to_string_lossy());
    let stem = file.strip_suffix(".yaml").or(file.strip_suffix(".yml")).unwrap_or(&file);
    let plain: String =
        stem.chars().map(|c| if c.is_alphanumeric() || "._-".contains(c) { c } else { '-' }).collect();
    let plain = plain.trim_matches(['-', '.']);
    if plain.is_empty() { "run".to_owned() } else { plain.to_owned() }
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DirectoryError {
    let path = path.to_owned();
    move |source| DirectoryError::Io { action, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write_run(text: &'static str) -> impl FnOnce(&Path) -> Result<(), WriteError> {
        move |path| {
            fs::write(path.join(RUN_FILE), text).unwrap();
            Ok(())
        }
    }

    fn entries(path: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_published_directory_stands_alone_beside_nothing() {
        let home = tempfile::tempdir().unwrap();
        let target = home.path().join("deep/er/run");
        let directory = RunDirectory::exactly(&target, false);
        drop(directory.stage().unwrap());
        assert!(entries(home.path()).is_empty(), "a stage that is left leaves nothing behind");
        assert_eq!(directory.publish(write_run("{}")).unwrap(), target);
        assert_eq!(entries(target.parent().unwrap()), ["run"]);
        assert_eq!(entries(&target), [RUN_FILE]);
    }

    #[test]
    fn a_failed_write_leaves_no_directory() {
        let home = tempfile::tempdir().unwrap();
        let target = home.path().join("run");
        let failed = RunDirectory::exactly(&target, false).publish(|path| {
            fs::write(path.join("summary.csv"), "half").unwrap();
            Err(WriteError::new(path, io::Error::other("disk full")))
        });
        assert!(matches!(failed, Err(DirectoryError::Write(_))));
        assert!(entries(home.path()).is_empty());
    }

    #[test]
    fn an_existing_result_is_replaced_only_by_force() {
        let home = tempfile::tempdir().unwrap();
        let target = home.path().join("run");
        RunDirectory::exactly(&target, false).publish(write_run("first")).unwrap();
        let again = RunDirectory::exactly(&target, false);
        assert!(matches!(again.stage(), Err(DirectoryError::Exists(_))));
        assert!(matches!(again.publish(write_run("second")), Err(DirectoryError::Exists(_))));
        assert_eq!(fs::read_to_string(target.join(RUN_FILE)).unwrap(), "first");

        let forced = RunDirectory::exactly(&target, true);
        drop(forced.stage().unwrap());
        forced.publish(write_run("second")).unwrap();
        assert_eq!(fs::read_to_string(target.join(RUN_FILE)).unwrap(), "second");
        assert_eq!(entries(home.path()), ["run"]);
    }

    #[test]
    fn what_is_not_a_run_directory_is_left_alone_even_by_force() {
        let home = tempfile::tempdir().unwrap();
        let target = home.path().join("thesis");
        fs::create_dir(&target).unwrap();
        fs::write(target.join("chapter1.tex"), "dear").unwrap();
        let directory = RunDirectory::exactly(&target, true);
        assert!(matches!(directory.stage(), Err(DirectoryError::NotARun(_))));
        assert!(matches!(directory.publish(write_run("{}")), Err(DirectoryError::NotARun(_))));
        assert_eq!(entries(&target), ["chapter1.tex"]);

        let file = home.path().join("file");
        fs::write(&file, "not a directory").unwrap();
        assert!(matches!(RunDirectory::exactly(&file, true).stage(), Err(DirectoryError::NotARun(_))));
    }

    #[test]
    fn an_empty_directory_is_taken() {
        let home = tempfile::tempdir().unwrap();
        let target = home.path().join("run");
        fs::create_dir(&target).unwrap();
        RunDirectory::exactly(&target, false).publish(write_run("{}")).unwrap();
        assert_eq!(entries(&target), [RUN_FILE]);
    }

    #[test]
    fn numbered_directories_count_on_when_a_name_is_taken() {
        let home = tempfile::tempdir().unwrap();
        let base = home.path().join("azure-1");
        let directory = RunDirectory { place: Place::Numbered(base), force: false };
        for expected in ["azure-1", "azure-1-2", "azure-1-3"] {
            assert_eq!(directory.publish(write_run("{}")).unwrap(), home.path().join(expected));
        }
    }

    #[test]
    fn scenario_names_become_directory_names() {
        assert_eq!(plain_name("configs/ramp up.yaml"), "ramp-up");
        assert_eq!(plain_name("built-in"), "built-in");
        assert_eq!(plain_name("llama2.70b"), "llama2.70b");
        assert_eq!(plain_name(".."), "run");
    }
}
