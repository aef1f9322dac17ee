//! `not_completed.csv`: every request that was rejected, with the reason, or stood somewhere in the
//! fleet when the run ended, with the place; by application. The header alone when all requests completed.

use std::path::{Path, PathBuf};

use ebbflow_actors::SimTime;

use super::WriteError;
use super::journal::words;
use super::rows::Rows;
use crate::ids::ApplicationId;
use crate::request::{Fate, Request};

const HEADER: [&str; 7] = [
    "request_id",
    "application_id",
    "arrival_timestamp",
    "prompt_size",
    "token_size",
    "outcome",
    "reason_or_stage",
];

/// The file to be. Rows of one application stand together, so they wait for each other.
#[derive(Debug)]
pub struct NotCompleted {
    path: PathBuf,
    applications: Vec<(ApplicationId, Vec<Row>)>,
}

#[derive(Debug)]
struct Row {
    id: u64,
    arrival: SimTime,
    prompt_tokens: u32,
    output_tokens: u32,
    fate: Fate,
}

impl NotCompleted {
    pub fn new(directory: &Path, applications: &[ApplicationId]) -> Self {
        let applications = applications.iter().map(|id| (*id, Vec::new())).collect();
        NotCompleted { path: directory.join("not_completed.csv"), applications }
    }

    /// The row of a request that was not completed.
    pub fn row(&mut self, request: &Request, fate: &Fate) {
        let Request { id, arrival, prompt_tokens, output_tokens, .. } = *request;
        let row = Row { id: id.0, arrival, prompt_tokens, output_tokens, fate: fate.clone() };
        let own = self.applications.iter_mut().find(|(id, _)| *id == request.application);
        own.expect("requests belong to an application of the run").1.push(row);
    }

    /// Writes the file.
    pub fn finish(self) -> Result<(), WriteError> {
        let mut rows = Rows::create(&self.path, &HEADER)?;
        for (application, row) in
            self.applications.iter().flat_map(|(id, rows)| rows.iter().map(move |row| (id, row)))
        {
            let (outcome, why) = words(&row.fate);
            rows.cell(row.id);
            rows.cell(application.0);
            rows.cell(row.arrival);
            rows.cell(row.prompt_tokens);
            rows.cell(row.output_tokens);
            rows.cell(outcome);
            rows.cell(why);
            rows.end_row()?;
        }
        rows.finish()
    }
}
