//! Writes the rows of requests on a thread of its own while the run goes on.
//!
//! Requests come in batches over a channel that holds few of them: a slow disk slows the run down instead
//! of filling memory (one that stalls for as long as the run's watchdog ends it). When a file cannot be written the thread ends and raises a flag that ends the run;
//! [`RequestWriter::finish`] tells what happened.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::EndedRequest;
use super::files::{RequestFiles, WriteError};
use crate::ids::ApplicationId;
use crate::request::{Fate, Request};

/// Requests of a batch; the writer is woken once for each.
const BATCH: usize = 1024;

/// Batches on their way, of about 190 KB each.
const IN_FLIGHT: usize = 8;

/// Out of their boxes, which are freed where they came from: the rows are written from one piece of memory.
type Batch = Vec<(Request, Fate)>;

enum Parcel {
    Batch(Batch),
    End,
}

/// The thread that writes.
#[derive(Debug)]
pub struct RequestWriter {
    feed: Feed,
    thread: JoinHandle<Result<(), WriteError>>,
}

/// Where requests are handed in.
#[derive(Debug)]
pub struct Feed {
    batch: Batch,
    limit: usize,
    parcels: Sender<Parcel>,
    written: Receiver<Batch>,
}

impl RequestWriter {
    /// Creates the files of these applications in a run directory and waits for requests. `failed` turns
    /// true when a file cannot be written: it should be what interrupts the run.
    ///
    /// # Errors
    /// A file that cannot be created.
    pub fn start(
        directory: &Path,
        applications: &[ApplicationId],
        failed: Arc<AtomicBool>,
    ) -> Result<Self, WriteError> {
        let files = RequestFiles::create(directory, applications)?;
        let (parcels, arriving) = bounded(IN_FLIGHT);
        let (emptied, written) = bounded(IN_FLIGHT);
        let write = move || {
            let result = write(files, &arriving, &emptied);
            if result.is_err() {
                failed.store(true, Ordering::Relaxed);
            }
            result
        };
        let thread = thread::Builder::new().name("results".to_owned()).spawn(write);
        let thread = thread.map_err(|source| WriteError::new(directory, source))?;
        let feed = Feed { batch: Vec::new(), limit: BATCH, parcels, written };
        Ok(RequestWriter { feed, thread })
    }

    /// Another place to hand requests in.
    pub fn feed(&self) -> Feed {
        self.feed.clone()
    }

    /// Waits until everything handed in is written. Feeds that still exist lead nowhere from now on.
    ///
    /// # Errors
    /// The first file that could not be written.
    pub fn finish(self) -> Result<(), WriteError> {
        // If the thread has ended already, it says why.
        let _ = self.feed.parcels.send(Parcel::End);
        drop(self.feed);
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl Feed {
    /// Hands in a request that has ended.
    pub(super) fn push(&mut self, ended: EndedRequest) {
        self.batch.push((*ended.request, ended.fate));
        if self.batch.len() >= self.limit {
            self.flush();
        }
    }

    /// Hands in what is left. What comes now, until the next time, is one batch: within it requests of
    /// several applications need not be in order of completion.
    pub(super) fn flush_and_gather(&mut self) {
        self.flush();
        self.limit = usize::MAX;
    }

    /// Hands in what is left.
    pub(super) fn flush(&mut self) {
        self.limit = BATCH;
        if self.batch.is_empty() {
            return;
        }
        let next = self.written.try_recv().unwrap_or_else(|_| Vec::with_capacity(BATCH));
        let batch = std::mem::replace(&mut self.batch, next);
        // A writer that is gone has failed and interrupted the run; its error is told at the end.
        let _ = self.parcels.send(Parcel::Batch(batch));
    }
}

impl Clone for Feed {
    /// With nothing handed in yet.
    fn clone(&self) -> Self {
        let (parcels, written) = (self.parcels.clone(), self.written.clone());
        Feed { batch: Vec::new(), limit: BATCH, parcels, written }
    }
}

fn write(
    mut files: RequestFiles,
    arriving: &Receiver<Parcel>,
    emptied: &Sender<Batch>,
) -> Result<(), WriteError> {
    for parcel in arriving {
        let mut batch = match parcel {
            Parcel::Batch(batch) => batch,
            Parcel::End => return files.finish(),
        };
        files.write(batch.iter().map(|(request, fate)| (request, fate)))?;
        batch.clear();
        // If nobody needs it again it is freed.
        let _ = emptied.try_send(batch);
    }
    // Nobody wants the files any more.
    Ok(())
}
