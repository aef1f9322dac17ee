//! What ServeGen generates (`save_requests_to_csv`): CSV with arrivals in seconds and lengths in tokens.
//!
//! A log with timestamps since 1970 in the same columns is read, too. Its workloads of several modalities have no one
//! input length; they are not read. Source: alibaba/ServeGen.

use super::columns::{Arrivals, Columns, NoOutput};

pub(super) const FORMAT: Columns = Columns {
    name: "ServeGen workload",
    first_line: "request_id,timestamp,input_tokens,output_tokens",
    columns: ["timestamp", "input_tokens", "output_tokens"],
    arrivals: Arrivals::Seconds,
    no_output: NoOutput::LeftOut,
    sessions: None,
};
