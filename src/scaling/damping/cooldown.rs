//! No operation too soon after the one before in the same direction.

use ebbflow_actors::{SimDuration, SimTime};

/// Separate rests after scaling out and after scaling in: one does not hold up the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cooldown {
    out: SimDuration,
    in_: SimDuration,
    last_out: Option<SimTime>,
    last_in: Option<SimTime>,
}

impl Cooldown {
    /// So long after scaling out, and so long after scaling in.
    pub const fn new(out: SimDuration, in_: SimDuration) -> Self {
        Cooldown { out, in_, last_out: None, last_in: None }
    }

    /// Whether it may scale out now.
    pub fn may_scale_out(&self, now: SimTime) -> bool {
        self.last_out.is_none_or(|last| now - last >= self.out)
    }

    /// Whether it may scale in now.
    pub fn may_scale_in(&self, now: SimTime) -> bool {
        self.last_in.is_none_or(|last| now - last >= self.in_)
    }

    /// It scaled out.
    pub fn scaled_out(&mut self, now: SimTime) {
        self.last_out = Some(now);
    }

    /// It scaled in.
    pub fn scaled_in(&mut self, now: SimTime) {
        self.last_in = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_direction_rests_by_itself_and_the_end_of_the_rest_counts() {
        let at = |seconds| SimTime::ZERO + SimDuration::from_secs(seconds);
        let mut cooldown = Cooldown::new(SimDuration::from_secs(10), SimDuration::from_secs(60));
        assert!(cooldown.may_scale_out(at(0)) && cooldown.may_scale_in(at(0)));
        cooldown.scaled_out(at(5));
        cooldown.scaled_in(at(6));
        assert!(!cooldown.may_scale_out(at(14)));
        assert!(cooldown.may_scale_out(at(15)));
        assert!(!cooldown.may_scale_in(at(65)));
        assert!(cooldown.may_scale_in(at(66)));
    }
}
