//! What a scheduler or policy can be told: one table that the scenario reader, `ebbflow list` and the
//! policy itself share.

/// A parameter of a scheduler or policy.
///
/// ```
/// use ebbflow::registry::Parameter;
///
/// const TARGET: Parameter =
///     Parameter::number("target", 5.0, "waiting requests per instance").at_least(0.1).unit("requests");
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Parameter {
    /// Key in the scenario file.
    pub name: &'static str,
    /// What it means.
    pub about: &'static str,
    /// Unit of a number; empty for a bare one. Numbers in `s` may be written with a unit (`5min`).
    pub unit: &'static str,
    /// Where the default comes from; empty when it is ours.
    pub source: &'static str,
    /// What may stand there, and what holds when nothing does.
    pub accepts: Accepts,
}

/// What may stand as the value of a parameter.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Accepts {
    /// A number within bounds.
    Number {
        /// Used when the scenario does not say; none: then it is absent.
        default: Option<f64>,
        /// Smallest value accepted.
        minimum: f64,
        /// Largest value accepted.
        maximum: f64,
    },
    /// `true` or `false`.
    Flag(bool),
    /// One of some words.
    Word {
        /// Used when the scenario does not say.
        default: &'static str,
        /// All that are accepted.
        of: &'static [&'static str],
    },
    /// Any text.
    Text(&'static str),
    /// A map of parameters of its own; with `optional`, nothing holds when it is not there.
    Group {
        /// What is inside.
        of: &'static [Parameter],
        /// Whether it is absent unless given.
        optional: bool,
    },
    /// A list of maps, empty unless given.
    Rows(&'static [Parameter]),
}

impl Parameter {
    const fn new(name: &'static str, accepts: Accepts, about: &'static str) -> Self {
        Parameter { name, about, unit: "", source: "", accepts }
    }

    /// A number of at least zero.
    pub const fn number(name: &'static str, default: f64, about: &'static str) -> Self {
        let accepts = Accepts::Number { default: Some(default), minimum: 0.0, maximum: f64::INFINITY };
        Self::new(name, accepts, about)
    }

    /// A time in seconds, at least zero.
    pub const fn seconds(name: &'static str, default_s: f64, about: &'static str) -> Self {
        Self::number(name, default_s, about).unit("s")
    }

    /// A number that is absent unless given.
    pub const fn optional(name: &'static str, about: &'static str) -> Self {
        let accepts = Accepts::Number { default: None, minimum: 0.0, maximum: f64::INFINITY };
        Self::new(name, accepts, about)
    }

    /// A flag.
    pub const fn flag(name: &'static str, default: bool, about: &'static str) -> Self {
        Self::new(name, Accepts::Flag(default), about)
    }

    /// One of the words in `of`.
    pub const fn word(
        name: &'static str,
        default: &'static str,
        of: &'static [&'static str],
        about: &'static str,
    ) -> Self {
        Self::new(name, Accepts::Word { default, of }, about)
    }

    /// Any text.
    pub const fn text(name: &'static str, default: &'static str, about: &'static str) -> Self {
        Self::new(name, Accepts::Text(default), about)
    }

    /// A map of parameters that is always there, with defaults.
    pub const fn group(name: &'static str, of: &'static [Parameter], about: &'static str) -> Self {
        Self::new(name, Accepts::Group { of, optional: false }, about)
    }

    /// A map of parameters that is absent unless given.
    pub const fn optional_group(name: &'static str, of: &'static [Parameter], about: &'static str) -> Self {
        Self::new(name, Accepts::Group { of, optional: true }, about)
    }

    /// A list of maps.
    pub const fn rows(name: &'static str, of: &'static [Parameter], about: &'static str) -> Self {
        Self::new(name, Accepts::Rows(of), about)
    }

    /// The same number with another smallest value.
    pub const fn at_least(mut self, least: f64) -> Self {
        if let Accepts::Number { minimum, .. } = &mut self.accepts {
            *minimum = least;
        }
        self
    }

    /// The same number with another largest value.
    pub const fn at_most(mut self, most: f64) -> Self {
        if let Accepts::Number { maximum, .. } = &mut self.accepts {
            *maximum = most;
        }
        self
    }

    /// The same number with another default.
    pub const fn with_default(mut self, value: f64) -> Self {
        if let Accepts::Number { default, .. } = &mut self.accepts {
            *default = Some(value);
        }
        self
    }

    /// The same parameter in this unit.
    pub const fn unit(mut self, unit: &'static str) -> Self {
        self.unit = unit;
        self
    }

    /// The same parameter, whose default is from this source.
    pub const fn from(mut self, source: &'static str) -> Self {
        self.source = source;
        self
    }
}
