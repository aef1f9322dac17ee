//! The values of parameters, all of them: given or by default.

use ebbflow_actors::SimDuration;

use super::parameter::{Accepts, Parameter};

/// A value of a parameter.
#[derive(Clone, PartialEq, Debug)]
pub enum Setting {
    /// Nothing was given, and there is no default.
    Absent,
    /// A number.
    Number(f64),
    /// A flag.
    Flag(bool),
    /// A word or text.
    Text(String),
    /// A map.
    Group(Settings),
    /// A list of maps.
    Rows(Vec<Settings>),
}

/// A value for every parameter of a table, in the order of the table.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Settings(Vec<(&'static str, Setting)>);

impl Settings {
    /// Every parameter at the value that `value_of` names.
    pub fn new(table: &[Parameter], mut value_of: impl FnMut(&Parameter) -> Setting) -> Self {
        Settings(table.iter().map(|parameter| (parameter.name, value_of(parameter))).collect())
    }

    /// Every parameter at its default.
    pub fn defaults(table: &[Parameter]) -> Self {
        Settings::new(table, Setting::default_of)
    }

    /// The same settings with one changed: for tests and library users.
    ///
    /// # Panics
    /// As [`number`](Self::number).
    pub fn with(mut self, name: &str, value: impl Into<Setting>) -> Self {
        let entry = self.0.iter_mut().find(|(known, _)| *known == name);
        entry.unwrap_or_else(|| panic!("parameter `{name}` is not in the table")).1 = value.into();
        self
    }

    /// Names and values in the order of the table.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Setting)> {
        self.0.iter().map(|(name, value)| (*name, value))
    }

    /// A number.
    ///
    /// # Panics
    /// When the table has no number of this name that is always there: a mistake in the code of the
    /// policy that asks, never in a scenario. So for all that follow.
    pub fn number(&self, name: &str) -> f64 {
        self.optional(name).unwrap_or_else(|| panic!("parameter `{name}` has neither value nor default"))
    }

    /// A number that may be absent.
    pub fn optional(&self, name: &str) -> Option<f64> {
        match self.get(name) {
            Setting::Number(number) => Some(*number),
            Setting::Absent => None,
            other => panic!("parameter `{name}` is no number: {other:?}"),
        }
    }

    /// A whole number; fractions are cut off, what does not fit is clamped.
    pub fn count(&self, name: &str) -> u32 {
        self.number(name) as u32
    }

    /// A time given in seconds.
    pub fn seconds(&self, name: &str) -> SimDuration {
        let seconds = self.number(name);
        SimDuration::from_secs_f64(seconds).unwrap_or(SimDuration::MAX)
    }

    /// A flag.
    pub fn flag(&self, name: &str) -> bool {
        match self.get(name) {
            Setting::Flag(flag) => *flag,
            other => panic!("parameter `{name}` is no flag: {other:?}"),
        }
    }

    /// A word or text.
    pub fn text(&self, name: &str) -> &str {
        match self.get(name) {
            Setting::Text(text) => text,
            other => panic!("parameter `{name}` is no text: {other:?}"),
        }
    }

    /// A map, if it is there.
    pub fn group(&self, name: &str) -> Option<&Settings> {
        match self.get(name) {
            Setting::Group(settings) => Some(settings),
            Setting::Absent => None,
            other => panic!("parameter `{name}` is no map: {other:?}"),
        }
    }

    /// A list of maps.
    pub fn rows(&self, name: &str) -> &[Settings] {
        match self.get(name) {
            Setting::Rows(rows) => rows,
            other => panic!("parameter `{name}` is no list: {other:?}"),
        }
    }

    fn get(&self, name: &str) -> &Setting {
        let entry = self.0.iter().find(|(known, _)| *known == name);
        &entry.unwrap_or_else(|| panic!("parameter `{name}` is not in the table")).1
    }
}

impl Setting {
    /// What holds for a parameter of which a scenario says nothing.
    pub fn default_of(parameter: &Parameter) -> Self {
        match parameter.accepts {
            Accepts::Number { default, .. } => default.map_or(Setting::Absent, Setting::Number),
            Accepts::Flag(flag) => Setting::Flag(flag),
            Accepts::Word { default: text, .. } | Accepts::Text(text) => Setting::Text(text.to_owned()),
            Accepts::Group { optional: true, .. } => Setting::Absent,
            Accepts::Group { of, optional: false } => Setting::Group(Settings::defaults(of)),
            Accepts::Rows(_) => Setting::Rows(Vec::new()),
        }
    }
}

impl From<f64> for Setting {
    fn from(number: f64) -> Self {
        Setting::Number(number)
    }
}

impl From<bool> for Setting {
    fn from(flag: bool) -> Self {
        Setting::Flag(flag)
    }
}

impl From<&str> for Setting {
    fn from(text: &str) -> Self {
        Setting::Text(text.to_owned())
    }
}

impl From<Settings> for Setting {
    fn from(settings: Settings) -> Self {
        Setting::Group(settings)
    }
}

impl From<Vec<Settings>> for Setting {
    fn from(rows: Vec<Settings>) -> Self {
        Setting::Rows(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &[Parameter] = &[Parameter::number("value", 4.0, "instances")];
    const TABLE: &[Parameter] = &[
        Parameter::seconds("window", 60.0, "looked back"),
        Parameter::optional("limit", "at most"),
        Parameter::flag("faithful", false, "the original's arithmetic"),
        Parameter::word("select", "max", &["max", "min"], "which rule counts"),
        Parameter::group("rule", RULE, "a rule"),
        Parameter::optional_group("spare", RULE, "another"),
        Parameter::rows("rules", RULE, "many"),
    ];

    #[test]
    fn every_parameter_has_its_default_until_it_is_changed() {
        let settings = Settings::defaults(TABLE);
        assert_eq!(settings.seconds("window"), SimDuration::from_secs(60));
        assert_eq!(settings.optional("limit"), None);
        assert!(!settings.flag("faithful"));
        assert_eq!(settings.text("select"), "max");
        assert_eq!(settings.group("rule").map(|rule| rule.count("value")), Some(4));
        assert_eq!(settings.group("spare"), None);
        assert!(settings.rows("rules").is_empty());
        let rule = Settings::defaults(RULE).with("value", 7.0);
        let changed = settings.with("limit", 3.0).with("rules", vec![rule]);
        assert_eq!(changed.optional("limit"), Some(3.0));
        assert_eq!(changed.rows("rules")[0].count("value"), 7);
    }

    #[test]
    #[should_panic(expected = "`nonsense` is not in the table")]
    fn asking_for_what_the_table_does_not_list_is_a_mistake_of_the_code() {
        Settings::defaults(TABLE).number("nonsense");
    }
}
