//! The last instance: from what the decider wants to what is really asked for.
//!
//! Nothing may be lost on the way to zero. A service must have been active for a stable window before it may
//! become inactive; then requests must take the way through a buffer that can hold them (the activator; here
//! the scheduler always is) for a grace period; only then does the last instance go.

use ebbflow_actors::{SimDuration, SimTime};

/// What a service is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Activity {
    /// It should serve, but has too few ready instances for that.
    Activating,
    /// It serves.
    Active,
    /// Nobody asks anything of it.
    Inactive,
}

/// Where a service stands on the way to zero or back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// What it is doing.
    pub activity: Activity,
    /// For how long.
    pub age: SimDuration,
    /// For how long requests have gone through the buffer; none: they do not.
    pub proxied: Option<SimDuration>,
    /// Whether it ever had as many instances as it was to begin with.
    pub initialized: bool,
}

/// What the way to zero is like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ZeroRules {
    /// Whether it may lead to zero at all.
    pub enabled: bool,
    /// At least so long active before it may become inactive.
    pub stable_window: SimDuration,
    /// At least so long through the buffer before the last instance goes.
    pub grace: SimDuration,
    /// At least so long inactive before the last instance goes.
    pub retention: SimDuration,
    /// An activation that takes longer has failed.
    pub activation_timeout: SimDuration,
    /// Instances that always stay, unless nobody can reach them.
    pub min: u32,
    /// Instances at most; none: any number.
    pub max: Option<u32>,
    /// Instances to begin with.
    pub initial_scale: u32,
    /// Whether requests can reach it at all.
    pub reachable: bool,
    /// Whether requests always go through the buffer, so that nobody need look.
    pub always_buffered: bool,
}

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scale {
    /// Nobody knows yet; the fleet stays as it is.
    Unknown,
    /// None is wanted, but the last instance has to stay for now.
    Idle,
    /// So many.
    To(u32),
}

impl Scale {
    /// So many are wanted, if that is known.
    pub fn wanted(self) -> Option<u32> {
        match self {
            Scale::Unknown => None,
            Scale::Idle => Some(0),
            Scale::To(instances) => Some(instances),
        }
    }
}

impl ZeroRules {
    /// Knative lets an activation take longer than the progress deadline by this much.
    pub const ACTIVATION_BUFFER: SimDuration = SimDuration::from_secs(30);

    /// What to ask for, given what the decider wants; none: it has no data. `buffered` looks whether requests
    /// do go through the buffer, and is only called when that matters.
    pub fn scale(&self, desired: Option<u32>, standing: &Standing, buffered: impl FnOnce() -> bool) -> Scale {
        let least = self.least(standing.initialized);
        let desired = match desired {
            Some(desired) => desired,
            None if standing.activity == Activity::Activating => least,
            None => return Scale::Unknown,
        };
        let bounded = if desired < least { least } else { desired.min(self.max.unwrap_or(u32::MAX)) };
        match bounded {
            0 if !self.enabled => Scale::To(1),
            0 => self.last_one(standing, buffered),
            some => Scale::To(some),
        }
    }

    /// The smallest fleet allowed now.
    fn least(&self, initialized: bool) -> u32 {
        let min = if self.reachable { self.min } else { 0 };
        if initialized || self.initial_scale <= 1 { min } else { min.max(self.initial_scale) }
    }

    fn last_one(&self, standing: &Standing, buffered: impl FnOnce() -> bool) -> Scale {
        match standing.activity {
            Activity::Activating if standing.age >= self.activation_timeout => Scale::To(0),
            Activity::Activating => Scale::Unknown,
            Activity::Active if standing.age >= self.stable_window => Scale::Idle,
            Activity::Active => Scale::To(1),
            Activity::Inactive if !(self.always_buffered || buffered()) => Scale::Idle,
            Activity::Inactive if self.may_let_go(standing) => Scale::To(0),
            Activity::Inactive => Scale::Idle,
        }
    }

    fn may_let_go(&self, standing: &Standing) -> bool {
        let retention = if self.reachable { self.retention } else { SimDuration::ZERO };
        let buffered_for_long = standing.proxied.is_some_and(|proxied| proxied >= self.grace);
        standing.age >= retention && (standing.age >= self.grace || buffered_for_long)
    }
}

/// Keeps account of where a service stands, from one decision to the next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Account {
    activity: Activity,
    since: SimTime,
    proxied_since: Option<SimTime>,
    initialized: bool,
}

impl Account {
    /// A service with so many ready instances that is to begin with so many.
    pub fn open(now: SimTime, ready: u32, rules: &ZeroRules) -> Self {
        let initialized = ready >= rules.initial_scale;
        let activity = match (initialized, ready) {
            (false, _) => Activity::Activating,
            (true, 0) => Activity::Inactive,
            (true, _) => Activity::Active,
        };
        Account { activity, since: now, proxied_since: None, initialized }
    }

    /// Where it stands.
    pub fn standing(&self, now: SimTime) -> Standing {
        Standing {
            activity: self.activity,
            age: now - self.since,
            proxied: self.proxied_since.map(|since| now - since),
            initialized: self.initialized,
        }
    }

    /// Enters what was asked for, with so many ready instances. `buffered`: burst capacity is short.
    pub fn enter(&mut self, now: SimTime, asked: Scale, ready: u32, buffered: bool, rules: &ZeroRules) {
        let needed = if self.initialized { 1 } else { rules.initial_scale.max(1) }.max(rules.min);
        self.initialized |= ready >= needed;
        let wanted = asked.wanted();
        let activity = match wanted {
            Some(0) => Activity::Inactive,
            None if self.activity == Activity::Inactive => Activity::Inactive,
            _ if ready < needed => Activity::Activating,
            _ => Activity::Active,
        };
        if activity != self.activity {
            (self.activity, self.since) = (activity, now);
        }
        let proxied = buffered || wanted == Some(0);
        self.proxied_since = proxied.then(|| self.proxied_since.unwrap_or(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> SimDuration {
        SimDuration::from_secs(seconds)
    }

    const RULES: ZeroRules = ZeroRules {
        enabled: true,
        stable_window: seconds(60),
        grace: seconds(30),
        retention: SimDuration::ZERO,
        activation_timeout: seconds(200),
        min: 0,
        max: Some(8),
        initial_scale: 1,
        reachable: true,
        always_buffered: false,
    };

    fn standing(activity: Activity, age_s: u64) -> Standing {
        Standing { activity, age: seconds(age_s), proxied: None, initialized: true }
    }

    fn to_zero(rules: ZeroRules, standing: Standing) -> Scale {
        rules.scale(Some(0), &standing, || true)
    }

    #[test]
    fn an_active_service_keeps_one_until_it_was_active_for_a_stable_window() {
        assert_eq!(to_zero(RULES, standing(Activity::Active, 59)), Scale::To(1));
        assert_eq!(to_zero(RULES, standing(Activity::Active, 60)), Scale::Idle);
    }

    #[test]
    fn the_last_instance_goes_after_the_grace_of_inactivity_or_of_buffering() {
        assert_eq!(to_zero(RULES, standing(Activity::Inactive, 29)), Scale::Idle);
        assert_eq!(to_zero(RULES, standing(Activity::Inactive, 30)), Scale::To(0));
        let buffered = Standing { proxied: Some(seconds(30)), ..standing(Activity::Inactive, 1) };
        assert_eq!(to_zero(RULES, buffered), Scale::To(0));
    }

    #[test]
    fn retention_counts_from_inactivity_and_only_for_what_can_be_reached() {
        let kept = ZeroRules { retention: seconds(100), ..RULES };
        let buffered = Standing { proxied: Some(seconds(500)), ..standing(Activity::Inactive, 99) };
        assert_eq!(to_zero(kept, buffered), Scale::Idle);
        assert_eq!(to_zero(kept, standing(Activity::Inactive, 100)), Scale::To(0));
        assert_eq!(to_zero(ZeroRules { reachable: false, ..kept }, buffered), Scale::To(0));
    }

    #[test]
    fn nobody_lets_go_before_requests_can_wait_elsewhere() {
        let inactive = standing(Activity::Inactive, 500);
        assert_eq!(RULES.scale(Some(0), &inactive, || false), Scale::Idle);
        let always = ZeroRules { always_buffered: true, ..RULES };
        assert_eq!(always.scale(Some(0), &inactive, || panic!("nobody need look")), Scale::To(0));
    }

    #[test]
    fn an_activation_goes_on_until_it_has_failed() {
        assert_eq!(to_zero(RULES, standing(Activity::Activating, 199)), Scale::Unknown);
        assert_eq!(to_zero(RULES, standing(Activity::Activating, 200)), Scale::To(0));
        assert_eq!(RULES.scale(None, &standing(Activity::Activating, 1), || true), Scale::Unknown);
        assert_eq!(RULES.scale(None, &standing(Activity::Active, 1), || true), Scale::Unknown);
    }

    #[test]
    fn bounds_come_first() {
        let min = ZeroRules { min: 2, ..RULES };
        assert_eq!(to_zero(min, standing(Activity::Inactive, 500)), Scale::To(2));
        assert_eq!(
            to_zero(ZeroRules { reachable: false, ..min }, standing(Activity::Inactive, 500)),
            Scale::To(0)
        );
        assert_eq!(RULES.scale(Some(50), &standing(Activity::Active, 0), || true), Scale::To(8));
        assert_eq!(
            to_zero(ZeroRules { enabled: false, ..RULES }, standing(Activity::Inactive, 500)),
            Scale::To(1)
        );
        let initial = ZeroRules { initial_scale: 3, ..RULES };
        let young = Standing { initialized: false, ..standing(Activity::Activating, 1) };
        assert_eq!(initial.scale(Some(1), &young, || true), Scale::To(3));
        assert_eq!(initial.scale(Some(1), &standing(Activity::Active, 1), || true), Scale::To(1));
    }

    #[test]
    fn the_account_follows_a_service_to_zero_and_back() {
        let at = |second| SimTime::ZERO + seconds(second);
        let mut account = Account::open(at(0), 1, &RULES);
        let mut enter = |second, asked, ready| {
            account.enter(at(second), asked, ready, false, &RULES);
            account.standing(at(second + 1))
        };
        assert_eq!(enter(10, Scale::To(1), 1), Standing { ..standing(Activity::Active, 11) });
        let idle = Standing { proxied: Some(seconds(1)), ..standing(Activity::Inactive, 1) };
        assert_eq!(enter(70, Scale::Idle, 1), idle);
        let gone = Standing { proxied: Some(seconds(31)), ..standing(Activity::Inactive, 31) };
        assert_eq!(enter(100, Scale::To(0), 1), gone);
        let unknown = enter(110, Scale::Unknown, 0);
        assert_eq!(unknown, Standing { proxied: None, ..standing(Activity::Inactive, 41) });
        assert_eq!(enter(120, Scale::To(2), 0), standing(Activity::Activating, 1));
        assert_eq!(enter(130, Scale::To(2), 0), standing(Activity::Activating, 11));
        assert_eq!(enter(140, Scale::To(2), 1), standing(Activity::Active, 1));
    }
}
