//! Lines of an input with marks under what is wrong in one of them.
//!
//! Lines may be of any length and hold anything: they are shortened around the first mark, and characters that
//! would do something to a terminal are replaced.

use std::ops::Range;

use miette::{LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

/// What an excerpt keeps of a line, in characters: more than any terminal shows.
const KEPT: usize = 500;
/// What a tabulator is wide at most, as `miette` shows it.
const TAB: usize = 4;
/// Stands for what was left out.
const LEFT_OUT: &str = "...";

/// Where in the input the lines stand.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Origin {
    File(String),
    CommandLine,
}

/// A few lines of an input, one of them with marks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Excerpt {
    origin: Origin,
    before: Option<String>,
    marked: Line,
    after: Option<String>,
    /// Of the marked line, from 1.
    line: u64,
    /// Of the first mark, in characters from 1.
    column: usize,
}

/// A part of a line that is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mark {
    /// Its bytes in the line.
    pub range: Range<usize>,
    /// What to say right there.
    pub label: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Line {
    text: String,
    marks: Vec<Mark>,
}

impl From<Range<usize>> for Mark {
    fn from(range: Range<usize>) -> Self {
        Mark { range, label: None }
    }
}

impl Excerpt {
    /// The line of `text` in which `range` begins, which is marked as far as it stands there, and its neighbours.
    pub fn of_text(file: &str, text: &str, range: Range<usize>) -> Self {
        let mark_of_order = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let text = &text[mark_of_order..];
        let range = range.start.saturating_sub(mark_of_order)..range.end.saturating_sub(mark_of_order);
        let begin = text[..range.start].rfind('\n').map_or(0, |at| at + 1);
        let end = text[begin..].find('\n').map_or(text.len(), |length| begin + length);
        let marked = text[begin..end].trim_end_matches('\r');
        let mark = range.start - begin..range.end.min(begin + marked.len()).max(range.start) - begin;
        let line = text[..begin].matches('\n').count() as u64 + 1;
        let neighbour = |text: Option<&str>| text.map(|text| shortened(text.trim_end(), KEPT));
        let before = begin.checked_sub(1).and_then(|end| text[..end].rsplit('\n').next());
        let after =
            text.get(end + 1..).and_then(|rest| rest.split('\n').next()).filter(|after| !after.is_empty());
        Excerpt {
            before: neighbour(before),
            after: neighbour(after),
            ..Excerpt::of_line(file, line, marked, vec![Mark::from(mark)])
        }
    }

    /// A line alone, with at least one mark.
    pub fn of_line(file: &str, number: u64, line: &str, marks: Vec<Mark>) -> Self {
        let first = marks.first().map_or(0, |mark| mark.range.start);
        Excerpt {
            origin: Origin::File(file.to_owned()),
            before: None,
            after: None,
            line: number,
            column: line[..first].chars().count() + 1,
            marked: Line { text: line.to_owned(), marks }.fitted(KEPT),
        }
    }

    /// An argument as it was given on the command line.
    pub fn of_argument(argument: &str, range: Range<usize>) -> Self {
        Excerpt { origin: Origin::CommandLine, ..Excerpt::of_line("", 1, argument, vec![range.into()]) }
    }

    /// `file:line:column` of the first mark.
    pub fn place(&self) -> String {
        match &self.origin {
            Origin::File(file) => format!("{file}:{}:{}", self.line, self.column),
            Origin::CommandLine => "command line".to_owned(),
        }
    }

    /// Number of the marked line, from 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    pub(super) fn fitted(&self, width: usize) -> Shown {
        let before = self.before.as_ref().map(|line| shortened(line, width));
        let marked = self.marked.fitted(width);
        let after = self.after.as_ref().map(|line| shortened(line, width));
        let offset = before.as_ref().map_or(0, |line| line.len() + 1);
        let lines: Vec<&str> =
            [before.as_deref(), Some(&marked.text), after.as_deref()].into_iter().flatten().collect();
        let at =
            |mark: &Mark| Mark { range: offset + mark.range.start..offset + mark.range.end, ..mark.clone() };
        Shown {
            place: self.place(),
            text: lines.join("\n"),
            first_line: self.line as usize - usize::from(before.is_some()),
            marks: marked.marks.iter().map(at).collect(),
        }
    }
}

impl Line {
    /// The line on at most `width` columns, around its first mark.
    fn fitted(&self, width: usize) -> Line {
        let focus = self.marks.first().map_or(0, |mark| mark.range.start);
        let window = window(&self.text, focus, width);
        let mut text = if window.start > 0 { LEFT_OUT.to_owned() } else { String::new() };
        // Where each character of the window stands in the line, and where in the new text.
        let mut offsets = Vec::new();
        for (at, character) in self.text[window.clone()].char_indices() {
            offsets.push((window.start + at, text.len()));
            text.push(if character.is_control() && character != '\t' { '\u{fffd}' } else { character });
        }
        let end = text.len();
        if window.end == self.text.len() {
            // Room for a caret behind the end.
            text.extend(self.marks.iter().filter(|mark| mark.range.start == window.end).map(|_| ' ').take(1));
        }
        let new = |old: usize| offsets.iter().find(|(at, _)| *at >= old).map_or(end, |(_, new)| *new);
        let inside = |mark: &&Mark| mark.range.start <= window.end && mark.range.end >= window.start;
        let moved = |mark: &Mark| {
            let start = new(mark.range.start);
            Mark { range: start..new(mark.range.end).max(start + 1), ..mark.clone() }
        };
        let marks = self.marks.iter().filter(inside).map(moved).collect();
        if window.end < self.text.len() {
            text.push_str(LEFT_OUT);
        }
        Line { text, marks }
    }
}

/// A line without marks, on at most `width` columns.
fn shortened(line: &str, width: usize) -> String {
    Line { text: line.to_owned(), marks: Vec::new() }.fitted(width).text
}

/// The part of `line` around the byte `focus` that fits on `width` columns.
fn window(line: &str, focus: usize, width: usize) -> Range<usize> {
    let columns = |text: &str| text.chars().map(|c| if c == '\t' { TAB } else { 1 }).sum::<usize>();
    if columns(line) <= width {
        return 0..line.len();
    }
    let room = width.saturating_sub(2 * LEFT_OUT.len()).max(1);
    // Backwards from the focus for a third of the room, or more if little follows; then onwards.
    let before = (room / 3).max(room.saturating_sub(columns(&line[focus..])));
    let mut left = before;
    let fits = |left: &mut usize, c: char| {
        let columns = if c == '\t' { TAB } else { 1 };
        let fits = columns <= *left;
        *left = left.saturating_sub(columns);
        fits
    };
    let back =
        line[..focus].chars().rev().take_while(|c| fits(&mut left, *c)).map(char::len_utf8).sum::<usize>();
    // What the sign of something left out would take, can as well be shown.
    let start = if columns(&line[..focus - back]) <= LEFT_OUT.len() { 0 } else { focus - back };
    let mut left = room;
    let length = line[start..].chars().take_while(|c| fits(&mut left, *c)).map(char::len_utf8).sum::<usize>();
    start..start + length
}

/// An excerpt that fits a terminal.
#[derive(Debug)]
pub(super) struct Shown {
    place: String,
    text: String,
    first_line: usize,
    marks: Vec<Mark>,
}

impl Shown {
    pub(super) fn labels(&self) -> impl Iterator<Item = LabeledSpan> + '_ {
        self.marks.iter().map(|mark| LabeledSpan::new(mark.label.clone(), mark.range.start, mark.range.len()))
    }
}

impl SourceCode for Shown {
    /// All of it, whatever is asked for: it is an excerpt already. Its name says the place in the whole input.
    fn read_span<'a>(
        &'a self,
        _: &SourceSpan,
        _: usize,
        _: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let span = SourceSpan::from((0, self.text.len()));
        let (text, lines) = (self.text.as_bytes(), self.text.split('\n').count());
        let (name, first) = (self.place.clone(), self.first_line - 1);
        Ok(Box::new(MietteSpanContents::new_named(name, text, span, first, 0, lines)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn marked(line: &str, range: Range<usize>, width: usize) -> (String, String) {
        let line = Line { text: line.to_owned(), marks: vec![range.into()] }.fitted(width);
        let under = line.text[line.marks[0].range.clone()].to_owned();
        (line.text, under)
    }

    #[test]
    fn a_long_line_is_shortened_around_its_mark() {
        let line = format!("{}wrong{}", "a".repeat(100), "b".repeat(100));
        let (text, under) = marked(&line, 100..105, 40);
        assert_eq!((text.len(), under.as_str()), (40, "wrong"));
        assert!(text.starts_with("...aaa") && text.ends_with("bbb..."), "{text}");
        let (text, under) = marked(&line, 204..205, 40);
        assert!(text.ends_with('b') && under == "b", "{text}");
        assert_eq!(marked("short", 1..3, 40), ("short".to_owned(), "ho".to_owned()));
    }

    #[test]
    fn what_a_terminal_would_obey_is_replaced() {
        assert_eq!(marked("a\u{1b}[31mb\t", 1..2, 40).0, "a\u{fffd}[31mb\t");
    }

    #[test]
    fn the_lines_around_are_shown_with_their_numbers() {
        let excerpt = Excerpt::of_text("x.yaml", "one\r\ntwo ö3\r\nfour\r\nfive", 11..12);
        let shown = excerpt.fitted(80);
        assert_eq!((shown.text.as_str(), shown.first_line), ("one\ntwo ö3\nfour", 1));
        assert_eq!(excerpt.place(), "x.yaml:2:6");
        assert_eq!(&shown.text[shown.marks[0].range.clone()], "3");
        let end = Excerpt::of_text("x.yaml", "one\n", 4..4);
        assert_eq!(end.place(), "x.yaml:2:1");
    }

    proptest! {
        #[test]
        fn any_line_can_be_shortened(line in "\\PC{0,60}[\t\u{1b}é漢]{0,9}\\PC{0,60}", at: usize, width in 20usize..90) {
            let boundaries: Vec<usize> = line.char_indices().map(|(at, _)| at).chain([line.len()]).collect();
            let begin = boundaries[at % boundaries.len()];
            let (text, _) = marked(&line, begin..line.len(), width);
            // One more for a caret behind the end.
            prop_assert!(text.chars().count() <= width + 1);
        }
    }
}
