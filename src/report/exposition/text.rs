//! OpenMetrics 1.0 text: families one after the other, each with its type, unit and help, then `# EOF`.

use std::fmt::Display;
use std::io::{self, Write};

use ebbflow_actors::SimTime;

/// What a family of metrics is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Family {
    /// Its name, without `_total` and the like; it ends with the unit if there is one.
    pub name: &'static str,
    /// Its unit; empty: none.
    pub unit: &'static str,
    /// One sentence.
    pub help: &'static str,
}

/// What its values may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Go up and down.
    Gauge,
    /// Go up.
    Counter,
    /// Count observations by size.
    Histogram,
}

/// The text.
pub struct Text<'a, W: Write> {
    out: &'a mut W,
}

impl<'a, W: Write> Text<'a, W> {
    /// Nothing yet.
    pub fn new(out: &'a mut W) -> Self {
        Text { out }
    }

    /// Begins a family; all its samples follow.
    pub fn family(&mut self, kind: Kind, family: &Family) -> io::Result<()> {
        let Family { name, unit, help } = family;
        let kind = match kind {
            Kind::Gauge => "gauge",
            Kind::Counter => "counter",
            Kind::Histogram => "histogram",
        };
        writeln!(self.out, "# TYPE {name} {kind}")?;
        if !unit.is_empty() {
            writeln!(self.out, "# UNIT {name} {unit}")?;
        }
        writeln!(self.out, "# HELP {name} {}", escaped(help))
    }

    /// A sample; `suffix` comes behind the family's name, `labels` are as [`labels`] makes them.
    pub fn sample(
        &mut self,
        (name, suffix): (&str, &str),
        labels: &str,
        value: impl Display,
        time: SimTime,
    ) -> io::Result<()> {
        writeln!(self.out, "{name}{suffix}{{{labels}}} {value} {}", time.as_secs_f64())
    }

    /// Ends the text.
    pub fn finish(self) -> io::Result<()> {
        writeln!(self.out, "# EOF")?;
        self.out.flush()
    }
}

/// Labels as text, without braces.
pub fn labels(pairs: &[(&str, &dyn Display)]) -> String {
    let pairs: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(&value.to_string()))).collect();
    pairs.join(",")
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_announced_and_its_samples_have_times() {
        let mut out = Vec::new();
        let mut text = Text::new(&mut out);
        let family = Family { name: "paid_seconds", unit: "seconds", help: "Time." };
        text.family(Kind::Counter, &family).unwrap();
        let labels = labels(&[("sku", &"a \"b\" \\ c"), ("n", &3)]);
        text.sample((family.name, "_total"), &labels, 0.25, SimTime::from_nanos(1_500_000_000)).unwrap();
        text.finish().unwrap();
        let expected = "# TYPE paid_seconds counter\n# UNIT paid_seconds seconds\n# HELP paid_seconds Time.\n\
             paid_seconds_total{sku=\"a \\\"b\\\" \\\\ c\",n=\"3\"} 0.25 1.5\n# EOF\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
