//! The BurstGPT traces: CSV with arrivals in seconds and lengths in tokens.
//!
//! Later parts of the trace count from the start of the first. Conversations of releases with a `Session ID` are
//! sessions; calls of the API are none. Source: HPMLL/BurstGPT.

use super::columns::{Arrivals, Columns, NoOutput, Sessions};

pub(super) const FORMAT: Columns = Columns {
    name: "BurstGPT trace",
    first_line: "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type",
    columns: ["Timestamp", "Request tokens", "Response tokens"],
    arrivals: Arrivals::Seconds,
    no_output: NoOutput::Failed,
    sessions: Some(Sessions { column: "Session ID", kinds: "Log Type", kind: "Conversation log" }),
};
