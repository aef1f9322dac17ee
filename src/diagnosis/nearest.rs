//! The known name that a misspelt one most likely stands for.

use std::path::{Path, PathBuf};

/// From here on two names are alike.
const ALIKE: f64 = 0.5;
/// Names of files often end alike.
const ALIKE_FILES: f64 = 0.7;

/// `did you mean …? accepted: …` for a word that is none of `known` nor of their `aliases`.
pub(crate) fn suggestion(word: &str, known: &[&str], aliases: &[&str]) -> String {
    let accepted = match known {
        [] => "there are none".to_owned(),
        known => format!("accepted: {}", known.join(", ")),
    };
    match nearest(word, [known, aliases].concat()) {
        Some(name) => format!("did you mean `{name}`? {accepted}"),
        None => accepted,
    }
}

/// The known name that `word` most likely stands for.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    most_like(word, known, ALIKE)
}

fn most_like<'a>(word: &str, known: impl IntoIterator<Item = &'a str>, least: f64) -> Option<&'a str> {
    let known = known.into_iter().map(|name| (likeness(word, name), name));
    known
        .filter(|(likeness, _)| *likeness >= least)
        .reduce(|best, next| if next.0 > best.0 { next } else { best })
        .map(|(_, name)| name)
}

/// From 0 (nothing in common) to 1 (equal but for the case).
pub(super) fn likeness(left: &str, right: &str) -> f64 {
    strsim::normalized_damerau_levenshtein(&left.to_lowercase(), &right.to_lowercase())
}

/// The file beside the missing one at `path` whose name is most like its.
pub(crate) fn nearest_file(path: &Path) -> Option<PathBuf> {
    let wanted = path.file_name()?.to_str()?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let files = folder.read_dir().ok()?.filter_map(Result::ok).filter(|entry| entry.path().is_file());
    let mut names: Vec<String> = files.filter_map(|file| file.file_name().into_string().ok()).collect();
    names.sort();
    most_like(wanted, names.iter().map(String::as_str), ALIKE_FILES).map(|name| path.with_file_name(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested_and_a_far_one_is_not() {
        assert_eq!(nearest("schedular", ["seed", "scheduler", "debug"]), Some("scheduler"));
        assert_eq!(nearest("DGX-H10", ["dgx-a100", "dgx-h100"]), Some("dgx-h100"));
        assert_eq!(nearest("banana", ["seed", "scheduler"]), None);
    }

    #[test]
    fn the_nearest_file_is_looked_for_where_the_missing_one_was() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("example.yaml"), "").unwrap();
        std::fs::create_dir(folder.path().join("exmaple")).unwrap();
        let found = nearest_file(&folder.path().join("exmaple.yaml"));
        assert_eq!(found, Some(folder.path().join("example.yaml")));
        assert_eq!(nearest_file(&folder.path().join("trace.csv")), None);
        assert_eq!(nearest_file(Path::new("no/such/folder/example.yaml")), None);
    }
}
