//! The three ways to move events. They share the hosts, and so cannot differ in what a handler sees.

pub(crate) mod actors;
pub(crate) mod naive;
pub(crate) mod sequential;
