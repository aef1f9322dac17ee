//! The files with rows for every request: `requests/{app}.csv`, `detailed/{app}.csv`, `request_nodes.csv`,
//! `not_completed.csv`.
//!
//! They can be written while a run goes on, and are the same as if they were written after it.

use std::path::Path;

use super::detailed::Detailed;
use super::journal::Journals;
use super::not_completed::NotCompleted;
use super::request_nodes::RequestNodes;
use super::{WriteError, create_folder};
use crate::ids::ApplicationId;
use crate::request::{Fate, Request};
use crate::results::Served;

/// The open files.
#[derive(Debug)]
pub struct RequestFiles {
    tables: Vec<Tables>,
    nodes: RequestNodes,
    not_completed: NotCompleted,
}

/// Those of one application.
#[derive(Debug)]
struct Tables {
    application: ApplicationId,
    journals: Journals,
    detailed: Detailed,
}

impl RequestFiles {
    /// Creates them in a run directory.
    pub fn create(directory: &Path, applications: &[ApplicationId]) -> Result<Self, WriteError> {
        for folder in ["detailed", "requests"] {
            create_folder(&directory.join(folder))?;
        }
        let tables = applications.iter().map(|&application| Tables::create(directory, application));
        Ok(RequestFiles {
            tables: tables.collect::<Result<_, _>>()?,
            nodes: RequestNodes::create(directory)?,
            not_completed: NotCompleted::new(directory, applications),
        })
    }

    /// Writes the rows of requests in the order in which they ended. The next batch has ended later.
    pub fn write<'a>(
        &mut self,
        batch: impl Iterator<Item = (&'a Request, &'a Fate)>,
    ) -> Result<(), WriteError> {
        let several = self.tables.len() > 1;
        let mut served = Vec::new();
        for (request, fate) in batch {
            self.own(request).row(request, fate)?;
            if *fate != Fate::Completed {
                self.not_completed.row(request, fate);
                continue;
            }
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

    fn own(&mut self, request: &Request) -> &mut Tables {
        let own = self.tables.iter_mut().find(|tables| tables.application == request.application);
        own.expect("requests belong to an application of the run")
    }

    /// Completes the files.
    pub fn finish(self) -> Result<(), WriteError> {
        self.tables.into_iter().try_for_each(Tables::finish)?;
        self.nodes.finish()?;
        self.not_completed.finish()
    }
}

impl Tables {
    fn create(directory: &Path, application: ApplicationId) -> Result<Self, WriteError> {
        let journals = Journals::create(directory, application)?;
        Ok(Tables { application, journals, detailed: Detailed::create(directory, application)? })
    }

    fn row(&mut self, request: &Request, fate: &Fate) -> Result<(), WriteError> {
        self.journals.row(request, fate)?;
        let served = if *fate == Fate::Completed { Served::of(request) } else { None };
        served.map_or(Ok(()), |served| self.detailed.row(&served))
    }

    fn finish(self) -> Result<(), WriteError> {
        self.journals.finish()?;
        self.detailed.finish()
    }
}
