//! What a request says of itself beyond its lengths.

use std::sync::Arc;

use crate::ids::SessionId;

/// What a request says of itself beyond its lengths. Most traces say nothing.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Attributes {
    /// The conversation it belongs to.
    pub session: Option<SessionId>,
    /// Its SLO class, by the name the scenario gives it.
    pub class: Option<Arc<str>>,
    /// Who pays for it.
    pub tenant: Option<Arc<str>>,
    /// Lower goes first, at engines and schedulers that mind.
    pub priority: i32,
    /// The LoRA adapter it needs.
    pub adapter: Option<u32>,
    /// Names of the blocks of its tokens from the first on, each standing for the workload's
    /// [`prefix_block_tokens`](crate::workload::Workload) tokens *and all before them*. They may end early, and may
    /// go on into the output; a last one that is not full is never used.
    pub prefix: Vec<u64>,
}

impl Attributes {
    /// Of a request that says nothing.
    pub const NONE: Attributes = Attributes {
        session: None,
        class: None,
        tenant: None,
        priority: 0,
        adapter: None,
        prefix: Vec::new(),
    };
}

impl Default for Attributes {
    fn default() -> Self {
        Attributes::NONE
    }
}
