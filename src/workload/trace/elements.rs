//! The elements of a JSON array, one after the other: nothing but one of them is held.
//!
//! It only finds where an element ends; whether it is JSON is for whoever reads it to say.

use std::io::{self, BufRead};

/// Where in an element the scan is.
#[derive(Default)]
struct Scan {
    depth: u32,
    in_text: bool,
    escaped: bool,
}

/// What a byte means for the element.
enum Meaning {
    /// It belongs to it.
    Part,
    /// It belongs to it and is its last.
    Last,
    /// It comes after it.
    Behind,
}

impl Scan {
    fn meaning(&mut self, byte: u8) -> Meaning {
        if self.in_text {
            self.in_text = self.escaped || byte != b'"';
            self.escaped = !self.escaped && byte == b'\\';
            return Meaning::Part;
        }
        match byte {
            b'"' => self.in_text = true,
            b'{' | b'[' => self.depth += 1,
            b',' | b']' | b'}' if self.depth == 0 => return Meaning::Behind,
            b'}' | b']' => {
                self.depth -= 1;
                if self.depth == 0 {
                    return Meaning::Last;
                }
            }
            _ => {}
        }
        Meaning::Part
    }
}

/// Reads the next element into `element`, or what there is of it at the end of the file. `line` counts the line
/// breaks before it. False if the array is over.
pub(super) fn next(file: &mut impl BufRead, element: &mut Vec<u8>, line: &mut u64) -> io::Result<bool> {
    loop {
        match file.fill_buf()?.first() {
            None | Some(b']') => return Ok(false),
            Some(byte @ (b',' | b' ' | b'\t' | b'\r' | b'\n')) => {
                *line += u64::from(*byte == b'\n');
                file.consume(1);
            }
            Some(_) => break,
        }
    }
    let mut scan = Scan::default();
    loop {
        let buffer = file.fill_buf()?;
        if buffer.is_empty() {
            return Ok(true);
        }
        for (at, byte) in buffer.iter().enumerate() {
            let taken = match scan.meaning(*byte) {
                Meaning::Part => continue,
                Meaning::Last => at + 1,
                // What begins with such a byte is no element, but it must be gone past.
                Meaning::Behind => at.max(usize::from(element.is_empty() && at == 0)),
            };
            element.extend_from_slice(&buffer[..taken]);
            file.consume(taken);
            return Ok(true);
        }
        let all = buffer.len();
        element.extend_from_slice(buffer);
        file.consume(all);
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    /// Elements of an array behind its bracket, with the line breaks before each.
    fn elements(text: &str) -> Vec<(u64, String)> {
        // Small pieces, so that elements go beyond them.
        let mut file = BufReader::with_capacity(3, text.as_bytes());
        let (mut line, mut found) = (0, Vec::new());
        let mut element = Vec::new();
        while next(&mut file, &mut element, &mut line).unwrap() {
            let text = String::from_utf8(std::mem::take(&mut element)).unwrap();
            let breaks = text.matches('\n').count() as u64;
            found.push((line, text));
            line += breaks;
        }
        found
    }

    #[test]
    fn elements_end_where_their_brackets_do() {
        let found = elements("{\"a\": [1, {}]},\n {\"b\": \"}\\\"]\"\n},\n 5 ]");
        let expected = [(0, "{\"a\": [1, {}]}"), (1, "{\"b\": \"}\\\"]\"\n}"), (3, "5 ")];
        assert_eq!(found, expected.map(|(line, text)| (line, text.to_owned())));
        assert!(elements(" \n]").is_empty() && elements("").is_empty());
    }

    #[test]
    fn what_is_no_array_comes_to_an_end() {
        assert_eq!(elements("} {\"a\": 1"), [(0, "}".to_owned()), (0, "{\"a\": 1".to_owned())]);
    }
}
