//! What to do about text that is not YAML: the parser says what it did not expect, rarely what was forgotten.

/// What was probably meant, for the parser's `complaint` at the byte `offset`.
pub(super) fn help(text: &str, offset: usize, complaint: &str) -> Option<String> {
    let indentation = "keys of one mapping begin in the same column, and so do the `-` of one list";
    let help = match complaint {
        tab if tab.contains("tab") => "indent with spaces: YAML takes no tabulators for that".to_owned(),
        behind if behind.contains("trailing content") => {
            "nothing may follow a quotation mark that closes, in its line".to_owned()
        }
        quote if quote.contains("quoted scalar") => "is a quotation mark not closed?".to_owned(),
        _ => match open_bracket(text.get(..offset)?) {
            Some((bracket, line)) => format!("is the `{bracket}` in line {line} not closed?"),
            None if complaint.contains("mapping values") => {
                "is there a space missing behind a `:`, here or in the line above? a value that contains `: ` \
                 needs quotation marks"
                    .to_owned()
            }
            None if complaint.contains("indent") || complaint.contains("block") => indentation.to_owned(),
            None => return None,
        },
    };
    Some(help)
}

/// The innermost bracket that is open at the end of `text`, with its line.
fn open_bracket(text: &str) -> Option<(char, usize)> {
    let (mut open, mut line, mut quote, mut comment) = (Vec::new(), 1, None, false);
    let mut before = ' ';
    for character in text.chars() {
        match (character, quote) {
            ('\n', _) => (line, comment) = (line + 1, false),
            _ if comment => {}
            (_, Some(mark)) if character == mark => quote = None,
            (_, Some(_)) => {}
            ('#', None) if before.is_whitespace() => comment = true,
            ('"' | '\'', None) if !before.is_alphanumeric() => quote = Some(character),
            ('[' | '{', None) => open.push((character, line)),
            (']' | '}', None) => drop(open.pop()),
            _ => {}
        }
        before = character;
    }
    open.pop()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bracket_that_is_still_open_is_found_in_spite_of_comments_and_quotes() {
        assert_eq!(open_bracket("a: [1]\nb: {c: 1 # }\nd: '}'\n"), Some(('{', 2)));
        assert_eq!(open_bracket("a: [1, {b: \"[\"}]\nit's: 1 # ["), None);
    }
}
