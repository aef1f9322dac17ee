//! What the readers of all sections share: the registry of names, where files are looked for, and whether the
//! scenario is one of the ancestor's.

use std::path::{Path, PathBuf};

use super::reader::{At, Keys, Log, Named};
use super::spec::SchedulerSpec;
use super::tree::{Node, Value};
use crate::diagnosis::nearest_file;
use crate::registry::{Accepts, Kind, Parameter, Registry, Setting, Settings};

/// Shared by all readers.
pub(super) struct Context<'a> {
    pub registry: &'a Registry,
    /// Folder of the scenario file: relative paths start here, then in the working directory.
    pub folder: &'a Path,
    /// Files named need not be there: nothing will be read from them.
    pub files_may_be_gone: bool,
    /// The scenario is a configuration of the ancestor, recognised by its keys; see [`is_ancestor`].
    pub ancestor: bool,
    pub log: &'a Log,
}

/// Top-level keys that only the ancestor's resolved configurations have.
const ANCESTOR_KEYS: [&str; 7] =
    ["hardware_repo", "model_repo", "orchestrator_repo", "router", "arbiter", "power_model", "rl_enable"];

/// Whether the scenario is a configuration of the ancestor: it has sections or class names of its.
pub(super) fn is_ancestor(root: &Node) -> bool {
    let section = match &root.value {
        Value::Map(entries) => entries.iter().any(|entry| ANCESTOR_KEYS.contains(&entry.key.as_str())),
        _ => false,
    };
    section || root.mentions("_target_")
}

impl Context<'_> {
    /// The existing file that `text` names; the places looked at if there is none. An override is typed in a
    /// shell, so its paths start in the working directory.
    pub(super) fn find_file(&self, at: &At<'_>, text: &str) -> Result<PathBuf, Vec<PathBuf>> {
        self.find(at, text, Path::is_file)
    }

    /// The existing file or folder named here, or a problem.
    pub(super) fn file_or_folder(&self, at: &At<'_>, text: &str) -> Option<PathBuf> {
        match self.find(at, text, Path::exists) {
            Ok(path) => Some(path),
            // Neither is there.
            Err(_) => self.file(at, text),
        }
    }

    fn find(&self, at: &At<'_>, text: &str, is_there: fn(&Path) -> bool) -> Result<PathBuf, Vec<PathBuf>> {
        let mut candidates = vec![self.folder.join(text)];
        if self.files_may_be_gone {
            return Ok(candidates.swap_remove(0));
        }
        if !candidates.contains(&PathBuf::from(text)) {
            candidates.push(PathBuf::from(text));
        }
        if at.is_override() {
            candidates.reverse();
        }
        match candidates.iter().position(|path| is_there(path)) {
            Some(index) => Ok(candidates.swap_remove(index)),
            None => Err(candidates),
        }
    }

    /// The existing file named here, or a problem.
    pub(super) fn file(&self, at: &At<'_>, text: &str) -> Option<PathBuf> {
        let looked_at = match self.find_file(at, text) {
            Ok(path) => return Some(path),
            Err(looked_at) => looked_at,
        };
        if looked_at.iter().any(|path| path.is_dir()) {
            at.refuse(format!("`{text}` is a directory; expected a file"), None);
            return None;
        }
        at.refuse(format!("the file `{text}` does not exist"), Some(help_to_find(&looked_at)));
        None
    }

    /// The existing folder named here, or a problem.
    pub(super) fn folder(&self, at: &At<'_>, text: &str) -> Option<PathBuf> {
        let looked_at = match self.find(at, text, Path::is_dir) {
            Ok(path) => return Some(path),
            Err(looked_at) => looked_at,
        };
        if looked_at.iter().any(|path| path.is_file()) {
            at.refuse(format!("`{text}` is a file; expected a folder"), None);
            return None;
        }
        at.refuse(format!("the folder `{text}` does not exist"), Some(help_to_find(&looked_at)));
        None
    }

    /// The scheduler named here, with all its parameters.
    pub(super) fn scheduler(&self, named: &Named<'_>) -> Option<SchedulerSpec> {
        let kinds: Vec<_> = self.registry.schedulers().collect();
        let Some(kind) = find_kind(&kinds, named.name) else {
            return unknown_kind(&named.at, "scheduler", named.name, &kinds);
        };
        let keys = match &named.body {
            Some(body) => Some(body.keys()?),
            None => None,
        };
        let settings = settings(kind.parameters, keys.as_ref());
        if let Some(keys) = keys {
            keys.finish();
        }
        Some(SchedulerSpec { name: kind.name.to_owned(), settings })
    }
}

fn help_to_find(looked_at: &[PathBuf]) -> String {
    let shown: Vec<_> = looked_at.iter().map(|path| path.display().to_string()).collect();
    let nearest = looked_at.iter().find_map(|path| nearest_file(path));
    let nearest = nearest.map_or(String::new(), |file| format!("did you mean `{}`? ", file.display()));
    format!("{nearest}looked at {}", shown.join(" and "))
}

/// Records that `word` is none of these kinds.
pub(super) fn unknown_kind<T>(at: &At<'_>, what: &str, word: &str, kinds: &[&Kind]) -> Option<T> {
    let names: Vec<&str> = kinds.iter().map(|kind| kind.name).collect();
    let aliases: Vec<&str> = kinds.iter().flat_map(|kind| kind.aliases.iter().copied()).collect();
    at.unknown_alias(what, word, &names, &aliases)
}

/// The kind that `word` names.
pub(super) fn find_kind<'r>(kinds: &[&'r Kind], word: &str) -> Option<&'r Kind> {
    kinds.iter().copied().find(|kind| kind.is_named(word))
}

/// Every parameter of a table, from `keys` or by default.
pub(super) fn settings(table: &[Parameter], keys: Option<&Keys<'_>>) -> Settings {
    Settings::new(table, |parameter| {
        let given = keys.and_then(|keys| keys.get(parameter.name)).and_then(|at| setting(parameter, &at));
        given.unwrap_or_else(|| Setting::default_of(parameter))
    })
}

/// What stands here, as the parameter accepts it.
fn setting(parameter: &Parameter, at: &At<'_>) -> Option<Setting> {
    match parameter.accepts {
        Accepts::Number { minimum, maximum, .. } => {
            let value = match parameter.unit {
                "s" => at.duration()?.as_secs_f64(),
                _ => at.number_or_flag()?,
            };
            if (minimum..=maximum).contains(&value) {
                return Some(Setting::Number(value));
            }
            let most = if maximum.is_finite() { format!(" and at most {maximum}") } else { String::new() };
            at.expected(&format!("at least {minimum}{most} ({})", parameter.about))
        }
        Accepts::Flag(_) => at.flag().map(Setting::Flag),
        Accepts::Text(_) => at.text().map(Setting::from),
        Accepts::Word { of, .. } => match at.text()? {
            word if of.contains(&word) => Some(Setting::from(word)),
            word => at.unknown(parameter.name, word, of),
        },
        Accepts::Group { of, .. } => group(of, at).map(Setting::Group),
        Accepts::Rows(columns) => {
            let rows = at.list()?.iter().map(|given| row(columns, given)).collect::<Option<Vec<_>>>()?;
            Some(Setting::Rows(rows))
        }
    }
}

fn group(table: &[Parameter], at: &At<'_>) -> Option<Settings> {
    let keys = at.keys()?;
    let group = settings(table, Some(&keys));
    keys.finish();
    Some(group)
}

/// A row of a list: a map, or its values in the order of the columns. Lists inside are read through: the
/// ancestor writes times of day as `[hour, minute]`.
fn row(columns: &[Parameter], at: &At<'_>) -> Option<Settings> {
    if !at.is_list() {
        return group(columns, at);
    }
    let values = leaves(at);
    if values.len() > columns.len() {
        let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
        return at.expected(&format!("at most {} values: {}", columns.len(), names.join(", ")));
    }
    let mut values = values.iter();
    Some(Settings::new(columns, |column| {
        let given = values.next().and_then(|at| setting(column, at));
        given.unwrap_or_else(|| Setting::default_of(column))
    }))
}

fn leaves<'t>(at: &At<'t>) -> Vec<At<'t>> {
    let inside = if at.is_list() { at.list() } else { None };
    inside.map_or_else(|| vec![at.clone()], |items| items.iter().flat_map(leaves).collect())
}
