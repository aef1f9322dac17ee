//! Which files a pool has.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::ClientPoolError;

/// The files of one client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct ClientFiles {
    /// As its files are numbered.
    pub(super) number: u32,
    /// When and how irregularly it asks.
    pub(super) trace: PathBuf,
    /// How long its requests are.
    pub(super) dataset: Option<PathBuf>,
}

/// All clients of a pool, by number.
pub(super) fn clients(folder: &Path) -> Result<Vec<ClientFiles>, ClientPoolError> {
    let unreadable = |source| ClientPoolError::Unreadable { path: folder.to_owned(), source };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        if let Some(number) = name.to_str().and_then(numbered) {
            let dataset = folder.join(format!("chunk-{number}-dataset.json"));
            let dataset = Some(dataset).filter(|path| path.is_file());
            found.push(ClientFiles { number, trace: folder.join(&name), dataset });
        }
    }
    if found.is_empty() {
        return Err(ClientPoolError::NoClients { folder: folder.to_owned() });
    }
    found.sort_by_key(|client| client.number);
    Ok(found)
}

/// The number in the name of a client's first file, written as it is counted.
fn numbered(name: &str) -> Option<u32> {
    let digits = name.strip_prefix("chunk-")?.strip_suffix("-trace.csv")?;
    digits.parse().ok().filter(|number: &u32| number.to_string() == digits)
}

/// Every file of a pool, in the order of its clients.
pub(crate) fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let clients = clients(folder).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(clients.into_iter().flat_map(|client| [Some(client.trace), client.dataset]).flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_counted_by_number_and_other_files_are_left_alone() {
        let home = tempfile::tempdir().unwrap();
        let names = [
            "chunk-10-trace.csv",
            "chunk-2-trace.csv",
            "chunk-2-dataset.json",
            "chunk-02-trace.csv",
            "chunk-7-dataset.json",
            "README.md",
        ];
        names.iter().for_each(|name| fs::write(home.path().join(name), "").unwrap());
        let found = clients(home.path()).unwrap();
        let told: Vec<_> = found.iter().map(|client| (client.number, client.dataset.is_some())).collect();
        assert_eq!(told, [(2, true), (10, false)]);
        let all: Vec<_> = files(home.path()).unwrap();
        assert_eq!(all, [names[1], names[2], names[0]].map(|name| home.path().join(name)));
    }

    #[test]
    fn a_folder_without_clients_is_refused_by_name() {
        let home = tempfile::tempdir().unwrap();
        let error = clients(home.path()).unwrap_err().to_string();
        assert!(error.contains("chunk-0-trace.csv"), "{error}");
        assert!(matches!(clients(&home.path().join("gone")), Err(ClientPoolError::Unreadable { .. })));
    }
}
