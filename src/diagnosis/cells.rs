//! Where the fields of a comma-separated line stand, for the marks under them.

use std::ops::Range;

/// The fields of a line, without the white space around them; separators inside quotes do not count.
pub(crate) fn cells(line: &str, separator: char) -> Vec<Range<usize>> {
    // As CSV has it, a field is quoted if it begins with the quotation mark.
    let (mut begins, mut quotable, mut quoted) = (true, false, false);
    let mut ends: Vec<usize> = Vec::new();
    for (at, character) in line.char_indices() {
        quotable = if begins { character == '"' } else { quotable };
        quoted ^= quotable && character == '"';
        begins = character == separator && !quoted;
        if begins {
            ends.push(at);
        }
    }
    ends.push(line.len());
    let begins = std::iter::once(0).chain(ends.iter().map(|end| end + separator.len_utf8()));
    begins.zip(&ends).map(|(begin, end)| trimmed(line, begin..*end)).collect()
}

/// The field with this index; the end of the line if it has fewer.
pub(crate) fn cell(line: &str, index: usize) -> Range<usize> {
    cells(line, ',').get(index).cloned().unwrap_or(line.len()..line.len())
}

fn trimmed(line: &str, range: Range<usize>) -> Range<usize> {
    let field = &line[range.clone()];
    let begin = range.start + (field.len() - field.trim_start().len());
    begin..begin + field.trim().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_between_separators_and_around_quotes() {
        let line = "a, bc ,\"d,e\",, \"f,g";
        let fields: Vec<&str> = cells(line, ',').into_iter().map(|range| &line[range]).collect();
        assert_eq!(fields, ["a", "bc", "\"d,e\"", "", "\"f", "g"]);
        assert_eq!(cell(line, 9), line.len()..line.len());
        assert_eq!(cells("", ',').len(), 1);
    }
}
