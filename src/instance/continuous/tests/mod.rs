//! The engine as a whole: what it schedules, what must always hold, and that fast-forward changes nothing.

mod differential;
mod fleet;
mod invariants;
mod prefix_rates;
mod scheduling;
