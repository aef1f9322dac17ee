//! The traces that vidur has processed: CSV with lengths in tokens and, where the source had any, arrivals in seconds.
//! Source: microsoft/vidur, `data/processed_traces`.

use super::columns::{Arrivals, Columns, NoOutput};

pub(super) const FORMAT: Columns = Columns {
    name: "vidur processed trace",
    first_line: "arrived_at,num_prefill_tokens,num_decode_tokens",
    columns: ["arrived_at", "num_prefill_tokens", "num_decode_tokens"],
    arrivals: Arrivals::SecondsIfAny,
    no_output: NoOutput::Refused,
    sessions: None,
};
