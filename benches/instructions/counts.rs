//! The committed file: what the counts were taken with, and one line a path.

use std::fmt;
use std::str::FromStr;

const HEAD: &str = "\
# Instructions per unit of each hot path.
# Written by `cargo bench --bench instructions -- --save`; commit it with the change that moved a count.
";
const TOOLCHAIN: &str = "toolchain";

/// Counts, and the toolchain for which they hold.
#[derive(Clone, PartialEq, Debug)]
pub struct Counts {
    pub toolchain: String,
    /// Name, instructions per unit; in the order of the paths.
    pub paths: Vec<(String, f64)>,
}

impl Counts {
    /// The count of a path.
    pub fn of(&self, name: &str) -> Option<f64> {
        self.paths.iter().find(|(known, _)| known == name).map(|(_, count)| *count)
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEAD}{TOOLCHAIN} = {}", self.toolchain)?;
        self.paths.iter().try_for_each(|(name, count)| writeln!(f, "{name} = {count:.1}"))
    }
}

impl FromStr for Counts {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut counts = Counts { toolchain: String::new(), paths: Vec::new() };
        let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.starts_with('#') && !line.is_empty());
        for (number, line) in lines {
            let wrong = || {
                format!(
                    "line {number} of the committed counts: expected `name = instructions`, found `{line}`; write the file anew with --save"
                )
            };
            match line.rsplit_once(" = ").ok_or_else(wrong)? {
                (TOOLCHAIN, toolchain) => counts.toolchain = toolchain.to_owned(),
                (name, count) => counts.paths.push((name.to_owned(), count.parse().map_err(|_| wrong())?)),
            }
        }
        Ok(counts)
    }
}
