//! The Azure LLM inference traces of 2023 and 2024: CSV with dates and lengths in tokens. Source:
//! Azure/AzurePublicDataset.

use super::columns::{Arrivals, Columns, NoOutput};

pub(super) const FORMAT: Columns = Columns {
    name: "Azure LLM inference trace",
    first_line: "TIMESTAMP,ContextTokens,GeneratedTokens",
    columns: ["TIMESTAMP", "ContextTokens", "GeneratedTokens"],
    arrivals: Arrivals::Dates,
    no_output: NoOutput::Refused,
    sessions: None,
};
