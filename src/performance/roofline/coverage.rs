//! What of a deployment tables of kernels cover.

use std::collections::BTreeSet;
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
        let names: Vec<String> = self
            .kernels()
            .filter(|(_, _, cover)| of(cover))
            .map(|(operator, kernel, cover)| match cover {
                Cover::Line(error) => {
                    format!("{} ({kernel}; lines {:.0} % off)", operator.name(), 100.0 * error)
                }
                _ => format!("{} ({kernel})", operator.name()),
            })
            .collect();
        let once: BTreeSet<&String> = names.iter().collect();
        let mut names: Vec<&str> = once.into_iter().map(String::as_str).collect();
        // In the order of a layer, each once.
        names.sort_by_key(|name| {
            self.kernels.iter().position(|(_, kernel, _)| name.contains(kernel.as_str()))
        });
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
