//! The files with rows for every request: `detailed/{app}.csv`, `request_nodes.csv`, `not_completed.csv`.
//!
//! They can be written while a run goes on, and are the same as if they were written after it.

use std::path::Path;

use super::detailed::Detailed;
use super::not_completed::NotCompleted;
use super::request_nodes::RequestNodes;
use super::{WriteError, create_folder};
use crate::ids::ApplicationId;
use crate::request::{Fate, Request};
use crate::results::Served;

/// The open files.
#[derive(Debug)]
pub struct RequestFiles {
    detailed: Vec<(ApplicationId, Detailed)>,
    nodes: RequestNodes,
    not_completed: NotCompleted,
}

impl RequestFiles {
    /// Creates them in a run directory.
    pub fn create(directory: &Path, applications: &[ApplicationId]) -> Result<Self, WriteError> {
        create_folder(&directory.join("detailed"))?;
        let detailed = applications.iter().map(|id| Ok((*id, Detailed::create(directory, *id)?)));
        Ok(RequestFiles {
            detailed: detailed.collect::<Result<_, _>>()?,
            nodes: RequestNodes::create(directory)?,
            not_completed: NotCompleted::new(directory, applications),
        })
    }

    /// Writes the rows of requests in the order in which they ended. The next batch has ended later.
    pub fn write<'a>(
        &mut self,
        batch: impl Iterator<Item = (&'a Request, &'a Fate)>,
    ) -> Result<(), WriteError> {
        let several = self.detailed.len() > 1;
        let mut served = Vec::new();
        for (request, fate) in batch {
            if *fate != Fate::Completed {
                self.not_completed.row(request, fate);
                continue;
            }
            self.detail(request)?;
            if several {
                served.push(request);
            } else {
                self.nodes.rows(request)?;
            }
        }
        // What several applications still had on the way when the run ended is listed one after the
        // other; the file goes by time.
        served.sort_by_key(|request| request.completion());
        served.into_iter().try_for_each(|request| self.nodes.rows(request))
    }

    fn detail(&mut self, request: &Request) -> Result<(), WriteError> {
        let own = self.detailed.iter_mut().find(|(id, _)| *id == request.application);
        let (_, file) = own.expect("requests belong to an application of the run");
        Served::of(request).map_or(Ok(()), |served| file.row(&served))
    }

    /// Completes the files.
    pub fn finish(self) -> Result<(), WriteError> {
        self.detailed.into_iter().try_for_each(|(_, file)| file.finish())?;
        self.nodes.finish()?;
        self.not_completed.finish()
    }
}
