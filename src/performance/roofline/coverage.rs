//! What of a deployment tables of kernels cover.

use std::fmt;

use super::operators::Operator;

/// Where a kernel's time comes from.
#[derive(Clone, PartialEq, Debug)]
pub enum Cover {
    /// This kernel was measured.
    Measured,
    /// Kernels of the next smaller and larger sizes were.
    Between,
    /// A line fitted to measurements, with its mean relative error.
    Line(f64),
    /// Nothing of it was: the formula.
    Formula,
}

/// Where the time of every kernel of a deployment comes from that there are tables of.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Coverage {
    kernels: Vec<(Operator, String, Cover)>,
}

impl Coverage {
    /// Notes where a kernel's time comes from.
    pub(super) fn note(&mut self, operator: Operator, kernel: String, cover: Cover) {
        self.kernels.push((operator, kernel, cover));
    }

    /// Every kernel with its operator, in the order of a layer.
    pub fn kernels(&self) -> impl Iterator<Item = (Operator, &str, &Cover)> {
        self.kernels.iter().map(|(operator, kernel, cover)| (*operator, kernel.as_str(), cover))
    }

    /// Whether the tables say anything of this deployment.
    pub fn is_empty(&self) -> bool {
        self.kernels().all(|(_, _, cover)| *cover == Cover::Formula)
    }

    /// The kernels with such a time, as a list; nothing if there are none.
    fn list(&self, of: fn(&Cover) -> bool) -> Option<String> {
        let mut names: Vec<String> = Vec::new();
        for (operator, kernel, cover) in self.kernels().filter(|(_, _, cover)| of(cover)) {
            let lines = match cover {
                Cover::Line(error) => format!("; lines {:.0} % off", 100.0 * error),
                _ => String::new(),
            };
            let name = format!("{} ({kernel}{lines})", operator.name());
            if !names.contains(&name) {
                names.push(name);
            }
        }
        if names.is_empty() { None } else { Some(names.join(", ")) }
    }
}

/// `measured: projections (GEMM …), …; between measured sizes: …; by formula: …`.
impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            ("measured", self.list(|cover| matches!(cover, Cover::Measured | Cover::Line(_)))),
            ("between measured sizes", self.list(|cover| matches!(cover, Cover::Between))),
            ("by formula", self.list(|cover| matches!(cover, Cover::Formula))),
        ];
        let parts = parts.into_iter().filter_map(|(how, list)| Some(format!("{how}: {}", list?)));
        f.write_str(&parts.collect::<Vec<_>>().join("; "))
    }
}
