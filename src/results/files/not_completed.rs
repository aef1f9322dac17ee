//! `not_completed.csv`: every request that was rejected, with the reason, or stood somewhere in the
//! fleet when the run ended, with the place. The header alone when all requests completed.

use std::path::Path;

use super::table::Table;
use super::{ApplicationResults, WriteError};
use crate::request::Fate;
use crate::results::format::Seconds;

const HEADER: [&str; 7] = [
    "request_id",
    "application_id",
    "arrival_timestamp",
    "prompt_size",
    "token_size",
    "outcome",
    "reason_or_stage",
];

pub fn write(directory: &Path, applications: &[ApplicationResults]) -> Result<(), WriteError> {
    let mut table = Table::create(&directory.join("not_completed.csv"), HEADER)?;
    for application in applications {
        for ended in &application.requests {
            let (outcome, why) = match ended.fate {
                Fate::Completed => continue,
                Fate::Rejected(reason) => ("rejected", reason.name()),
                Fate::Unfinished(stage) => ("unfinished", stage.name()),
            };
            let request = &ended.request;
            let arrival = Seconds::from(request.arrival);
            table.row(&[
                &request.id,
                &request.application,
                &arrival,
                &request.prompt_tokens,
                &request.output_tokens,
                &outcome,
                &why,
            ])?;
        }
    }
    table.finish()
}
