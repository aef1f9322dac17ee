//! YAML with positions: text becomes a tree in which every key and value knows where it stands.
//!
//! Syntax errors and duplicate keys are recorded as problems. Anchors and aliases work; explicit tags, several
//! documents, nesting deeper than [`MAX_DEPTH`] and alias bombs (more than [`MAX_NODES`] values) are refused.
//! Scalars stay text: what they mean is decided by whoever reads them.

use std::collections::BTreeMap;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::problem::{Place, Problem};
use super::syntax;

/// Lists and mappings inside each other.
const MAX_DEPTH: usize = 64;
/// Values in a scenario after aliases are filled in.
const MAX_NODES: usize = 200_000;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub place: Place,
    pub value: Value,
}

/// What a node holds.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// Text; `plain` when it was written without quotes and may thus be a number, a flag or null.
    Scalar {
        text: String,
        plain: bool,
    },
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key of a mapping with its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub key: String,
    pub key_place: Place,
    pub value: Node,
}

impl Node {
    pub(super) fn null(place: Place) -> Node {
        Node { place, value: Value::Scalar { text: String::new(), plain: true } }
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar { text, plain: true }
            if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// For messages: what is here.
    pub(super) fn describe(&self) -> String {
        match &self.value {
            _ if self.is_null() => "nothing".to_owned(),
            Value::Scalar { text, plain: true } => format!("`{text}`"),
            Value::Scalar { text, .. } => format!("the text \"{text}\""),
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "a mapping".to_owned(),
        }
    }

    /// Whether `key` is anywhere in here.
    pub(super) fn mentions(&self, key: &str) -> bool {
        match &self.value {
            Value::Scalar { .. } => false,
            Value::List(items) => items.iter().any(|item| item.mentions(key)),
            Value::Map(entries) => entries.iter().any(|entry| entry.key == key || entry.value.mentions(key)),
        }
    }

    fn size(&self) -> usize {
        match &self.value {
            Value::Scalar { .. } => 1,
            Value::List(items) => 1 + items.iter().map(Node::size).sum::<usize>(),
            Value::Map(entries) => 1 + entries.iter().map(|entry| entry.value.size()).sum::<usize>(),
        }
    }
}

/// Reads the one document of `text`. An override gives the whole of itself, of which `text` is the end, as `quoted`.
pub(super) fn parse(text: &str, quoted: Option<&Arc<str>>, problems: &mut Vec<Problem>) -> Option<Node> {
    let mut builder = Builder {
        positions: Positions::new(text, quoted),
        open: Vec::new(),
        anchors: BTreeMap::new(),
        root: None,
        nodes: 0,
        problems,
    };
    for event in Parser::new_from_str(text) {
        let step = match event {
            Ok((event, span)) => builder.take(event, span),
            Err(error) => {
                let span = Span::empty(*error.marker());
                let help = syntax::help(text, builder.positions.byte(span.start.index()), error.info());
                Err(Problem { help, ..builder.problem(span, format!("this is not YAML: {}", error.info())) })
            }
        };
        if let Err(problem) = step {
            builder.problems.push(problem);
            return None;
        }
    }
    Some(builder.root.unwrap_or_else(|| Node::null(Place::Whole)))
}

/// Turns spans of characters into places.
struct Positions<'a> {
    text: &'a str,
    /// Byte offset of every character.
    offsets: Vec<usize>,
    quoted: Option<&'a Arc<str>>,
}

impl<'a> Positions<'a> {
    fn new(text: &'a str, quoted: Option<&'a Arc<str>>) -> Self {
        Positions { text, offsets: text.char_indices().map(|(offset, _)| offset).collect(), quoted }
    }

    /// Bytes before the character with this index.
    fn byte(&self, index: usize) -> usize {
        self.offsets.get(index).copied().unwrap_or(self.text.len())
    }

    fn place(&self, span: Span) -> Place {
        let (offset, end) = (self.byte(span.start.index()), self.byte(span.end.index()));
        let first_line = self.text[offset..end.max(offset)].lines().next().unwrap_or("");
        let length = first_line.trim_end().len();
        if let Some(given) = self.quoted {
            let offset = given.len() - self.text.len() + offset;
            return Place::Override { given: Arc::clone(given), offset, length };
        }
        Place::Text { offset, length, line: span.start.line(), column: span.start.col() + 1 }
    }
}

/// A list or mapping whose end has not been reached.
struct Open {
    node: Node,
    anchor: usize,
    /// In a mapping: the key that waits for its value.
    key: Option<(String, Place)>,
}

struct Builder<'a> {
    positions: Positions<'a>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    root: Option<Node>,
    nodes: usize,
    problems: &'a mut Vec<Problem>,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Problem> {
        if let Event::Scalar(.., Some(_))
        | Event::SequenceStart(_, Some(_))
        | Event::MappingStart(_, Some(_)) = event
        {
            return Err(self.problem(span, "explicit YAML tags (`!…`) are not supported"));
        }
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let value = Value::Scalar { text: text.into_owned(), plain: style == ScalarStyle::Plain };
                self.count(1, span)?;
                self.close(Node { place: self.positions.place(span), value }, anchor, span)
            }
            Event::SequenceStart(anchor, _) => self.start(Value::List(Vec::new()), anchor, span),
            Event::MappingStart(anchor, _) => self.start(Value::Map(Vec::new()), anchor, span),
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(open) => self.close(open.node, open.anchor, span),
                None => Ok(()),
            },
            Event::Alias(anchor) => match self.anchors.get(&anchor).cloned() {
                Some(node) => {
                    self.count(node.size(), span)?;
                    self.close(node, 0, span)
                }
                None => Err(self.problem(span, "this alias refers to something that contains it")),
            },
            Event::DocumentStart(_) if self.root.is_some() => {
                Err(self.problem(span, "a scenario is one YAML document; a second one starts here"))
            }
            _ => Ok(()),
        }
    }

    fn count(&mut self, nodes: usize, span: Span) -> Result<(), Problem> {
        self.nodes += nodes;
        if self.nodes > MAX_NODES {
            return Err(self.problem(span, format!("more than {MAX_NODES} values")));
        }
        Ok(())
    }

    fn start(&mut self, value: Value, anchor: usize, span: Span) -> Result<(), Problem> {
        if self.open.len() == MAX_DEPTH {
            return Err(self.problem(span, format!("lists and mappings are nested deeper than {MAX_DEPTH}")));
        }
        self.count(1, span)?;
        let mut place = self.positions.place(span);
        if let Place::Text { length, .. } | Place::Override { length, .. } = &mut place {
            *length = 1;
        }
        self.open.push(Open { node: Node { place, value }, anchor, key: None });
        Ok(())
    }

    /// Puts a finished node where it belongs.
    fn close(&mut self, node: Node, anchor: usize, span: Span) -> Result<(), Problem> {
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(parent) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        let entries = match &mut parent.node.value {
            Value::Map(entries) => entries,
            Value::List(items) => {
                items.push(node);
                return Ok(());
            }
            Value::Scalar { .. } => return Ok(()),
        };
        match (parent.key.take(), node.value) {
            (Some((key, key_place)), value) => {
                entries.push(Entry { key, key_place, value: Node { place: node.place, value } });
                Ok(())
            }
            (None, Value::Scalar { text, .. }) => {
                let first =
                    entries.iter().find(|entry| entry.key == text).map(|entry| entry.key_place.clone());
                if let Some(first) = first {
                    let path = self.path(&text);
                    let message = format!("the key `{text}` is given twice");
                    let help = Some(match first {
                        Place::Text { line, .. } => format!("keep one of them; the first is in line {line}"),
                        _ => "keep one of them".to_owned(),
                    });
                    self.problems.push(Problem { place: node.place.clone(), path, message, help });
                }
                if let Some(parent) = self.open.last_mut() {
                    parent.key = Some((text, node.place));
                }
                Ok(())
            }
            (None, _) => Err(self.problem(span, "a key must be a word, not a list or a mapping")),
        }
    }

    /// Path of `key` in the innermost open mapping.
    fn path(&self, key: &str) -> String {
        let outer = self.open.iter().filter_map(|open| match &open.node.value {
            Value::Map(_) => open.key.as_ref().map(|(key, _)| key.clone()),
            Value::List(items) => Some(items.len().to_string()),
            Value::Scalar { .. } => None,
        });
        outer.chain([key.to_owned()]).collect::<Vec<_>>().join(".")
    }

    fn problem(&self, span: Span, message: impl Into<String>) -> Problem {
        Problem {
            place: self.positions.place(span),
            path: String::new(),
            message: message.into(),
            help: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<Problem> {
        let mut problems = Vec::new();
        parse(text, None, &mut problems);
        problems
    }

    #[test]
    fn every_value_knows_its_line_and_column() {
        let root = parse("a: 1\nb:\n  - {é: \"x\"}\n", None, &mut Vec::new()).unwrap();
        let Value::Map(entries) = &root.value else { panic!("{root:?}") };
        let Value::List(items) = &entries[1].value.value else { panic!("{root:?}") };
        let Value::Map(inner) = &items[0].value else { panic!("{root:?}") };
        assert_eq!(inner[0].value.place, Place::Text { offset: 17, length: 3, line: 3, column: 9 });
    }

    #[test]
    fn duplicate_keys_are_problems_but_do_not_stop_the_reading() {
        let found = problems("a: 1\nb: [{c: 1, c: 2}]\na: 3\n");
        let paths: Vec<_> = found.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(paths, ["b.0.c", "a"]);
    }

    #[test]
    fn an_alias_bomb_is_refused_before_it_explodes() {
        let mut text = "a0: &a0 [x]\n".to_owned();
        for level in 1..40 {
            let twice = format!("*a{}", level - 1);
            text += &format!("a{level}: &a{level} [{twice}, {twice}]\n");
        }
        assert!(problems(&text)[0].message.starts_with("more than"));
    }

    #[test]
    fn deep_nesting_is_refused() {
        assert!(problems(&"[".repeat(100))[0].message.contains("nested deeper"));
        assert!(!problems(&"[".repeat(100_000)).is_empty());
    }
}
