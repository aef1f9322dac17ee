//! What a policy wants, and the row of the decision log that says what came of it.

use ebbflow_actors::SimTime;

use super::policy::PoolCount;
use crate::ids::Tag;

/// How many instances a policy wants.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Decision {
    /// Per pool; pools not named stay as they are.
    pub targets: Vec<Target>,
    /// Why, for the log.
    pub reason: String,
}

/// How many instances of a pool a policy wants, and how it came to that number.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Target {
    /// The pool.
    pub tag: Option<Tag>,
    /// So many.
    pub wanted: u32,
    /// Whom `wanted` counts.
    pub counting: Counting,
    /// The number before rounding, damping and bounds.
    pub raw: Option<f64>,
    /// What kept `wanted` from being `raw`, if anything did.
    pub limited_by: Option<Limiter>,
}

/// Which instances count as current, the oldest question of autoscaling: with a slow start, a policy
/// that counts only the ready ones orders the same capacity again and again.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Counting {
    /// Those that serve and those that start.
    #[default]
    Asked,
    /// Only those that serve.
    Ready,
}

/// What may hold a decision back.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Limiter {
    /// Too small a change to act on.
    Tolerance,
    /// Earlier recommendations still count.
    Stabilisation,
    /// So many instances at a time.
    RateLimit,
    /// The direction has not held long enough.
    Delay,
    /// Too soon after the operation before.
    Cooldown,
    /// The smallest or largest fleet allowed.
    Bounds,
    /// The data are missing, or do not agree with the fleet.
    Data,
}

impl Limiter {
    /// All of them.
    pub const ALL: [Limiter; 7] = [
        Limiter::Tolerance,
        Limiter::Stabilisation,
        Limiter::RateLimit,
        Limiter::Delay,
        Limiter::Cooldown,
        Limiter::Bounds,
        Limiter::Data,
    ];

    /// Reads the word used in result files.
    pub fn parse(word: &str) -> Option<Self> {
        Limiter::ALL.into_iter().find(|limiter| limiter.name() == word)
    }

    /// The word used in result files.
    pub const fn name(self) -> &'static str {
        match self {
            Limiter::Tolerance => "tolerance",
            Limiter::Stabilisation => "stabilisation",
            Limiter::RateLimit => "rate_limit",
            Limiter::Delay => "delay",
            Limiter::Cooldown => "cooldown",
            Limiter::Bounds => "bounds",
            Limiter::Data => "data",
        }
    }
}

impl Decision {
    /// So many with this tag, starting ones included.
    pub fn to(tag: Option<Tag>, instances: u32, reason: impl Into<String>) -> Self {
        Decision { targets: vec![Target::new(tag, instances)], reason: reason.into() }
    }

    /// These.
    pub fn of(targets: impl Into<Vec<Target>>, reason: impl Into<String>) -> Self {
        Decision { targets: targets.into(), reason: reason.into() }
    }

    /// No change.
    pub fn hold(reason: impl Into<String>) -> Self {
        Decision { targets: Vec::new(), reason: reason.into() }
    }
}

impl Target {
    /// So many with this tag, starting ones included.
    pub const fn new(tag: Option<Tag>, wanted: u32) -> Self {
        Target { tag, wanted, counting: Counting::Asked, raw: None, limited_by: None }
    }

    /// The same, computed from this number.
    pub const fn from_raw(mut self, raw: f64) -> Self {
        self.raw = Some(raw);
        self
    }

    /// The same, held back by this.
    pub const fn limited_by(mut self, limiter: Option<Limiter>) -> Self {
        self.limited_by = limiter;
        self
    }

    /// The same, counting these.
    pub const fn counting(mut self, counting: Counting) -> Self {
        self.counting = counting;
        self
    }
}

/// A row of `scaling/{application}_decisions.csv`.
#[derive(Clone, PartialEq, Debug)]
pub struct DecisionRow {
    /// When.
    pub time: SimTime,
    /// The policy.
    pub policy: &'static str,
    /// The pool as it was then; none: the policy named no pool.
    pub pool: Option<PoolCount>,
    /// What it saw, as `name=value@age` with ages in seconds.
    pub inputs: String,
    /// The number before rounding, damping and bounds.
    pub raw: Option<f64>,
    /// What held it back.
    pub limited_by: Option<Limiter>,
    /// So many it wanted.
    pub wanted: Option<u32>,
    /// Why.
    pub reason: String,
    /// What came of it: `held`, `started 7 8`, `drains 3`, `refused: …`.
    pub outcome: String,
}

impl Eq for DecisionRow {}

impl std::hash::Hash for DecisionRow {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        let DecisionRow { time, policy, pool, inputs, raw, limited_by, wanted, reason, outcome } = self;
        (time, policy, pool, inputs, raw.map(f64::to_bits)).hash(state);
        (limited_by, wanted, reason, outcome).hash(state);
    }
}
