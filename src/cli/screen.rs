//! The screen that stdout is.

use std::io::IsTerminal;

use console::Term;

use crate::results::Screen;

/// As wide as the terminal, with colours unless `NO_COLOR` or a dumb terminal forbids them; plain for others.
pub fn of_stdout() -> Screen {
    if !std::io::stdout().is_terminal() {
        return Screen::default();
    }
    let says = |variable, word: &str| std::env::var(variable).is_ok_and(|value| value == word);
    let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let columns = Term::stdout().size_checked().map_or(0, |(_, columns)| usize::from(columns));
    let columns = if columns == 0 { Screen::default().columns() } else { columns };
    Screen::new(columns, !unwanted && !says("TERM", "dumb"))
}
