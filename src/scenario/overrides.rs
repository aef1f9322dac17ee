//! Command-line overrides in the ancestor's form: `cluster.servers.0.count=4 applications.0.scheduler=jsq`.
//!
//! The value is YAML. Keys that are not in the file are added; whether they are known is decided by the same
//! readers that read the file. A leading `+` is accepted and means nothing.

use std::ops::Range;
use std::sync::Arc;

use super::problem::{Place, Problem};
use super::tree::{Entry, Node, Value, parse};

/// Changes `root` as `given` says, or records why it cannot.
pub(super) fn apply(root: &mut Node, given: &str, problems: &mut Vec<Problem>) {
    let given: Arc<str> = given.into();
    let place = |range: Range<usize>| Place::Override {
        given: Arc::clone(&given),
        offset: range.start,
        length: range.len(),
    };
    let plus = given.len() - given.trim_start_matches('+').len();
    let Some((path, text)) = given[plus..].split_once('=') else {
        let message = "an override is KEY=VALUE, e.g. cluster.servers.0.count=4".to_owned();
        problems.push(Problem { place: place(0..given.len()), path: String::new(), message, help: None });
        return;
    };
    let Some(mut value) = parse(text, Some(&given), problems) else {
        return;
    };
    value.place = place(given.len() - text.len()..given.len());
    let place = |key: Range<usize>| place(plus + key.start..plus + key.end);
    match slot(root, path, &place) {
        Ok(slot) => *slot = value,
        Err((key, message)) => {
            problems.push(Problem { place: place(key), path: path.to_owned(), message, help: None });
        }
    }
}

/// The node at `path`, made where mappings allow it; or the key of the path that leads nowhere, and why.
fn slot<'n>(
    root: &'n mut Node,
    path: &str,
    place: &impl Fn(Range<usize>) -> Place,
) -> Result<&'n mut Node, (Range<usize>, String)> {
    let (mut node, mut begin) = (root, 0);
    for key in path.split('.') {
        let at = begin..begin + key.len();
        begin = at.end + 1;
        if key.is_empty() {
            return Err((at, "a key of the path is empty".to_owned()));
        }
        if node.is_null() {
            *node = Node { place: place(at.clone()), value: Value::Map(Vec::new()) };
        }
        node = match &mut node.value {
            Value::Map(entries) => entry(entries, key, &place(at)),
            Value::List(items) => item(items, key).map_err(|message| (at, message))?,
            Value::Scalar { text, .. } => {
                return Err((at, format!("there is no `{key}` here: the file has the value `{text}`")));
            }
        };
    }
    Ok(node)
}

fn entry<'n>(entries: &'n mut Vec<Entry>, key: &str, place: &Place) -> &'n mut Node {
    let index = entries.iter().position(|entry| entry.key == key).unwrap_or_else(|| {
        let value = Node::null(place.clone());
        entries.push(Entry { key: key.to_owned(), key_place: place.clone(), value });
        entries.len() - 1
    });
    &mut entries[index].value
}

fn item<'n>(items: &'n mut [Node], key: &str) -> Result<&'n mut Node, String> {
    let count = items.len();
    let index: usize = key
        .parse()
        .map_err(|_| format!("`{key}` does not name an entry of a list; write its number, counted from 0"))?;
    items
        .get_mut(index)
        .ok_or_else(|| format!("there is no entry {index}: the list has {count}, counted from 0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overridden(text: &str, given: &str) -> Result<String, String> {
        let mut problems = Vec::new();
        let mut root = parse(text, None, &mut problems).expect("the test text is YAML");
        apply(&mut root, given, &mut problems);
        problems.pop().map_or_else(|| Ok(shown(&root)), |problem| Err(problem.message))
    }

    fn shown(node: &Node) -> String {
        let list = |parts: Vec<String>| parts.join(", ");
        match &node.value {
            Value::Scalar { text, .. } => text.clone(),
            Value::List(items) => format!("[{}]", list(items.iter().map(shown).collect())),
            Value::Map(entries) => {
                let entries = entries.iter().map(|entry| format!("{}: {}", entry.key, shown(&entry.value)));
                format!("{{{}}}", list(entries.collect()))
            }
        }
    }

    #[test]
    fn values_are_replaced_and_missing_keys_made() {
        assert_eq!(overridden("a: [{b: 1}]", "a.0.b=2"), Ok("{a: [{b: 2}]}".to_owned()));
        assert_eq!(overridden("a: 1", "c.d=[x, {y: z}]"), Ok("{a: 1, c: {d: [x, {y: z}]}}".to_owned()));
        assert_eq!(overridden("", "seed=1"), Ok("{seed: 1}".to_owned()));
    }

    #[test]
    fn what_cannot_be_reached_is_said() {
        assert!(overridden("a: [1]", "a.3=2").unwrap_err().contains("the list has 1"));
        assert!(overridden("a: [1]", "a.x=2").unwrap_err().contains("counted from 0"));
        assert!(overridden("a: b", "a.x=2").unwrap_err().contains("the value `b`"));
        assert!(overridden("a: b", "a").unwrap_err().contains("KEY=VALUE"));
        assert!(overridden("a: b", "a..b=1").unwrap_err().contains("empty"));
        assert!(overridden("a: b", "a=[1").unwrap_err().contains("not YAML"));
    }
}
