//! The table of `src/scenario/keys.md`, which owns what a key means and what holds without it.
//!
//! A row in bold opens a section, `….key` is a key of it. A default is taken over where a program can read it (a
//! number, a flag, a word in code); any other is said in words.

use serde_json::Value;

const KEYS: &str = include_str!("../scenario/keys.md");

/// What the table says of one key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// Keys that lead there, without the places in lists: `applications.scheduler`.
    pub path: String,
    /// What holds without it, as written.
    pub default: String,
    /// What it means, in Markdown.
    pub meaning: String,
}

/// All rows, in order.
#[derive(Clone, Debug)]
pub struct KeyTable(Vec<Row>);

impl KeyTable {
    /// Reads the table.
    pub fn read() -> Self {
        let mut section = String::new();
        let lines = KEYS.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| key |"));
        KeyTable(lines.flat_map(|line| rows(line, &mut section)).collect())
    }

    /// Every row.
    pub fn rows(&self) -> &[Row] {
        &self.0
    }

    /// The row of this key.
    pub fn row(&self, path: &str) -> Option<&Row> {
        self.0.iter().find(|row| row.path == path)
    }

    /// The number that stands behind a key which has no row of its own, in the row of what it belongs to:
    /// `` `max_batch_size` 512 ``.
    pub fn default_in_prose(&self, path: &str, key: &str) -> Option<Value> {
        let behind = self.row(path)?.meaning.split(&format!("`{key}` ")).nth(1)?;
        let end = behind.find(|c: char| !c.is_ascii_digit()).unwrap_or(behind.len());
        behind[..end].parse::<u64>().ok().map(Value::from)
    }
}

impl Row {
    /// Whether a scenario has to say it.
    pub fn is_required(&self) -> bool {
        self.default.starts_with("required")
    }

    /// The default, if a program can read it.
    pub fn value(&self) -> Option<Value> {
        let first = self.default.split(" (").next()?;
        if let Some(word) = first.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')) {
            return (!word.contains(['`', ':'])).then(|| Value::from(word));
        }
        let is_plain = !first.contains(' ') && (first == "false" || first.starts_with(char::is_numeric));
        let read = || serde_json::from_str(first).unwrap_or_else(|_| Value::from(first));
        is_plain.then(read)
    }

    /// What it means, with the default where that is only said in words.
    pub fn about(&self) -> String {
        let says_nothing = ["", "none"].contains(&self.default.as_str()) || self.is_required();
        if says_nothing || self.value().is_some() {
            return self.meaning.clone();
        }
        format!("{} (default: {})", self.meaning, self.default).trim().to_owned()
    }
}

/// The rows of a line, one for each key it names; `section` is where `….` leads.
fn rows(line: &str, section: &mut String) -> Vec<Row> {
    let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
    let [keys, default, meaning] = cells[..] else { return Vec::new() };
    let top = section.split('.').next().unwrap_or_default().to_owned();
    let (opens, keys) = match keys.strip_prefix("**").and_then(|rest| rest.strip_suffix("**")) {
        Some(keys) => (true, keys),
        None => (false, keys),
    };
    let row = |key: &str| {
        let key = key.trim_matches('`');
        let path = match key.strip_prefix("….") {
            Some(rest) if opens => format!("{top}.{rest}"),
            Some(rest) => format!("{section}.{rest}"),
            None => key.to_owned(),
        };
        Row { path, default: default.to_owned(), meaning: meaning.to_owned() }
    };
    let found: Vec<Row> = keys.split(", ").map(row).collect();
    if opens {
        section.clone_from(&found[0].path);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(path: &str) -> Row {
        KeyTable::read().row(path).cloned().unwrap_or_else(|| panic!("no row for {path}"))
    }

    #[test]
    fn rows_know_where_they_belong() {
        assert_eq!(row("seed").value(), Some(0.into()));
        assert!(row("cluster.servers").is_required());
        assert!(!row("applications.model_size").is_required());
        assert_eq!(row("applications.scaling_manager.warm_pool").value(), Some(0.into()));
        assert_eq!(row("start_state.split_type").value(), Some("homogeneous".into()));
        assert_eq!(row("workload.skip_bad_rows").value(), Some(false.into()));
        assert!(row("actions.scale_down_full").meaning.contains("instances"));
    }

    #[test]
    fn only_defaults_that_can_be_typed_are_values() {
        assert_eq!(row("dispatch_latency").value(), Some("1ms".into()));
        assert_eq!(row("applications.scaling_manager.min_instances").value(), Some(1.into()));
        let words = row("applications.scaling_manager.decision_interval");
        assert_eq!(words.value(), None);
        assert!(words.about().ends_with("(default: of the policy)"), "{}", words.about());
        assert_eq!(row("workload.requests").value(), None);
        assert_eq!(row("workload").value(), None);
        assert_eq!(KeyTable::read().default_in_prose("an instance", "max_batch_size"), Some(512.into()));
    }
}
