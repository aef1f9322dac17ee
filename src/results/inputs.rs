//! The files a run read besides its scenario: which they were, how long, and a fingerprint of what was in them,
//! so that whoever repeats the run knows whether they are still the same, wherever they lie by then.
//!
//! The fingerprint is FNV-1a with 64 bits, which any language can compute in five lines: meant to notice an edit
//! or a truncated copy, not an adversary. Source: Fowler, Noll and Vo,
//! draft-eastlake-fnv at the IETF.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::scenario::{PerformanceSpec, Scenario, WorkloadSource};
use crate::workload::client_pool_files;

/// What a file was read for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputKind {
    /// The trace that is replayed.
    Trace,
    /// The client pool that sends the requests: a folder, of whose files all are looked at.
    ClientPool,
    /// The table of the `db` performance model.
    PerformanceTable,
    /// The constants of the `roofline` performance model.
    Calibration,
    /// A table of kernels of the `roofline` performance model.
    KernelTable,
}

/// A file as it was when it was read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct InputFile {
    /// What it was read for.
    pub kind: InputKind,
    /// Where it lay.
    pub path: PathBuf,
    /// Its length in bytes.
    pub bytes: u64,
    /// FNV-1a of its bytes, 16 hexadecimal digits.
    pub fingerprint: String,
}

/// A file that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the {kind} {}: {source}", path.display())]
pub struct InputError {
    kind: InputKind,
    path: PathBuf,
    source: io::Error,
}

impl InputFile {
    /// Looks at a file.
    pub fn read(kind: InputKind, path: &Path) -> Result<Self, InputError> {
        let failed = |source| InputError { kind, path: path.to_owned(), source };
        let files = match kind {
            InputKind::ClientPool => client_pool_files(path).map_err(failed)?,
            _ => vec![path.to_owned()],
        };
        let all = files.iter().try_fold(NOTHING, |read, file| fnv1a(File::open(file)?, read));
        let (bytes, hash) = all.map_err(failed)?;
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Ok(InputFile { kind, path, bytes, fingerprint: format!("{hash:016x}") })
    }

    /// Looks at all files that a scenario names.
    pub fn of(scenario: &Scenario) -> Result<Vec<Self>, InputError> {
        let trace = match &scenario.workload.source {
            WorkloadSource::Trace { path, .. } => Some((InputKind::Trace, path)),
            WorkloadSource::ClientPool(pool) => Some((InputKind::ClientPool, &pool.folder)),
            WorkloadSource::Synthetic(_) => None,
        };
        let tables: Vec<(InputKind, &PathBuf)> = match &scenario.performance {
            PerformanceSpec::Lookup { path, .. } => {
                path.iter().map(|path| (InputKind::PerformanceTable, path)).collect()
            }
            PerformanceSpec::Roofline(spec) => {
                let calibration = spec.calibration.iter().map(|file| (InputKind::Calibration, &file.path));
                let kernels = spec.kernels.iter().flat_map(|kernels| kernels.tables.files());
                calibration.chain(kernels.map(|path| (InputKind::KernelTable, path))).collect()
            }
            PerformanceSpec::Constant { .. } | PerformanceSpec::Pwl(_) => Vec::new(),
        };
        trace.into_iter().chain(tables).map(|(kind, path)| InputFile::read(kind, path)).collect()
    }

    /// Whether both hold the same, wherever they lie.
    pub fn holds_the_same(&self, other: &InputFile) -> bool {
        (self.bytes, &self.fingerprint) == (other.bytes, &other.fingerprint)
    }
}

/// The fingerprint of what is in memory already.
pub fn fingerprint(bytes: &[u8]) -> String {
    let (_, hash) = fnv1a(bytes, NOTHING).expect("memory can be read");
    format!("{hash:016x}")
}

/// Length and hash of no bytes.
const NOTHING: (u64, u64) = (0, 0xcbf2_9ce4_8422_2325);

/// Length and hash of what was read before and of everything a reader has.
fn fnv1a(mut file: impl Read, (mut length, mut hash): (u64, u64)) -> io::Result<(u64, u64)> {
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok((length, hash));
        }
        length += read as u64;
        hash = buffer[..read].iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME));
    }
}

impl InputKind {
    /// Whether something of this kind lies here: a file, or a folder of them.
    pub fn is_there(self, path: &Path) -> bool {
        match self {
            InputKind::ClientPool => path.is_dir(),
            InputKind::Trace
            | InputKind::PerformanceTable
            | InputKind::Calibration
            | InputKind::KernelTable => path.is_file(),
        }
    }
}

impl fmt::Display for InputKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            InputKind::Trace => "trace",
            InputKind::ClientPool => "client pool",
            InputKind::PerformanceTable => "performance table",
            InputKind::Calibration => "calibration",
            InputKind::KernelTable => "table of kernels",
        })
    }
}

/// `1234 bytes, fingerprint 85944171f73967e8`.
impl fmt::Display for InputFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes, fingerprint {}", self.bytes, self.fingerprint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_gives_the_values_that_its_authors_publish() {
        for (text, hash) in [("", 0xcbf2_9ce4_8422_2325), ("a", 0xaf63_dc4c_8601_ec8c)] {
            assert_eq!(fnv1a(text.as_bytes(), NOTHING).unwrap(), (text.len() as u64, hash));
        }
        assert_eq!(fnv1a(&b"foobar"[..], NOTHING).unwrap().1, 0x8594_4171_f739_67e8);
    }

    #[test]
    fn a_copy_holds_the_same_and_an_edit_does_not() {
        let home = tempfile::tempdir().unwrap();
        let look = |name: &str, text: &str| {
            std::fs::write(home.path().join(name), text).unwrap();
            InputFile::read(InputKind::Trace, &home.path().join(name)).unwrap()
        };
        let original = look("a.csv", "1,2,3");
        assert!(original.holds_the_same(&look("b.csv", "1,2,3")));
        assert!(!original.holds_the_same(&look("c.csv", "1,2,4")));
    }
}
