//! How findings look on stderr: a headline, then each with its lines, a caret under the wrong token, and help.
//!
//! On a terminal in colour and as wide as it is; otherwise, or when `NO_COLOR` is set, in plain ASCII.

use std::io::{self, IsTerminal};

use miette::{GraphicalReportHandler, GraphicalTheme, ThemeCharacters, ThemeStyles};

use crate::diagnosis::{Finding, Findings};

/// Columns where there is no terminal to ask.
const WIDTH: usize = 100;
/// Fewer cannot show a line with its number.
const LEAST_WIDTH: usize = 40;
/// Wider text is hard to read.
const MOST_WIDTH: usize = 140;
/// What `miette` puts before a line: its number, and the frame.
const FRAME: usize = 12;

/// How findings are printed.
pub struct Look {
    width: usize,
    plain: bool,
}

impl Look {
    /// What stderr can show.
    pub fn of_stderr() -> Self {
        let terminal = io::stderr().is_terminal();
        let size = terminal.then(|| terminal_size::terminal_size_of(io::stderr())).flatten();
        let width = size.map_or(WIDTH, |(width, _)| usize::from(width.0).clamp(LEAST_WIDTH, MOST_WIDTH));
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Look { width, plain: !terminal || no_colour }
    }

    /// The text to print.
    pub fn render(&self, findings: &Findings) -> String {
        let mut text = match findings.list.as_slice() {
            [Finding { message, excerpt: None, help }] => {
                let help = help.as_ref().map(|help| format!("\nhelp: {help}")).unwrap_or_default();
                self.wrapped(&format!("error: {message}{help}"), 0)
            }
            list => {
                let each = list.iter().map(|finding| format!("\n\n{}", self.finding(finding)));
                format!("error: {}{}", findings.headline, each.collect::<String>())
            }
        };
        if let Some(closing) = &findings.closing {
            text += &format!("\n\n{}", self.wrapped(closing, 0));
        }
        text
    }

    fn finding(&self, finding: &Finding) -> String {
        let finding = Finding {
            message: self.wrapped(&finding.message, "  x ".len()),
            help: finding.help.as_ref().map(|help| self.wrapped(help, "  help: ".len())),
            ..finding.clone()
        };
        let mut text = String::new();
        // Wrapped already: `miette` would also break names at their hyphens.
        let handler = GraphicalReportHandler::new_themed(self.theme()).with_wrap_lines(false);
        let handler = handler.without_primary_span_start();
        match handler.render_report(&mut text, &finding.fitted(self.width - FRAME)) {
            Ok(()) => text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n"),
            Err(_) => finding.message,
        }
    }

    fn theme(&self) -> GraphicalTheme {
        if self.plain {
            GraphicalTheme::none()
        } else {
            GraphicalTheme { characters: ThemeCharacters::unicode(), styles: ThemeStyles::ansi() }
        }
    }

    /// Lines broken at spaces, `indent` columns narrower than the whole.
    fn wrapped(&self, text: &str, indent: usize) -> String {
        let room = self.width.saturating_sub(indent);
        let lines: Vec<String> = text.lines().map(|line| wrapped(line, room)).collect();
        lines.join("\n")
    }
}

fn wrapped(line: &str, room: usize) -> String {
    let (mut text, mut used) = (String::new(), 0);
    for word in line.split(' ') {
        let length = word.chars().count();
        if !text.is_empty() {
            let full = used + 1 + length > room;
            text.push(if full { '\n' } else { ' ' });
            used = if full { 0 } else { used + 1 };
        }
        text.push_str(word);
        used += length;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_broken_at_spaces_only() {
        assert_eq!(wrapped("accepted: dgx-h100, dgx-a100", 20), "accepted: dgx-h100,\ndgx-a100");
        assert_eq!(wrapped("", 20), "");
    }
}
