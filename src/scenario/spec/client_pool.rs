//! Load as it was measured, client by client.

use std::path::PathBuf;

use super::Lengths;
use crate::ids::ApplicationId;

/// Requests of the clients of a pool, as ServeGen publishes it.
#[derive(Clone, PartialEq, Debug)]
pub struct ClientPoolSpec {
    /// The folder with two files a client.
    pub folder: PathBuf,
    /// Whose requests arrive.
    pub clients: PoolClients,
    /// Lengths of prompts and outputs of all clients instead of those of the pool.
    pub lengths: Option<(Lengths, Lengths)>,
    /// Requests per second on average over the time that is used, shared as in the pool; none: the pool's own.
    pub rate: Option<f64>,
    /// The application asked.
    pub application: ApplicationId,
}

/// Whose requests of a pool arrive.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PoolClients {
    /// Everybody's.
    All,
    /// Those of these, by the numbers of their files.
    These(Vec<u32>),
    /// Those of so many, who send most in the time that is used.
    Top(u32),
}
