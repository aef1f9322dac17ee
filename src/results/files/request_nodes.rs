//! `request_nodes.csv`: start and end of every prompt task (node 0), token task (1) and KV-cache
//! transfer (2) of the completed requests, in order of completion. A request of one output token has no
//! token task; one that stayed on its instance has no transfer.

use std::path::Path;

use super::WriteError;
use super::rows::{Cell, Rows, quote_from};
use crate::request::{Leg, Request};

const HEADER: [&str; 7] = [
    "request_id",
    "request_type",
    "node_id",
    "node_type",
    "runner",
    "start_timestamp",
    "completion_timestamp",
];

/// The open file.
#[derive(Debug)]
pub struct RequestNodes(Rows);

/// Where a leg ran: `{gpu}_{instance}`.
struct Runner<'a>(&'a Leg);

impl RequestNodes {
    pub fn create(directory: &Path) -> Result<Self, WriteError> {
        Ok(RequestNodes(Rows::create(&directory.join("request_nodes.csv"), &HEADER)?))
    }

    /// The rows of a completed request.
    pub fn rows(&mut self, request: &Request) -> Result<(), WriteError> {
        let journal = &request.journal;
        if let Some(leg) = &journal.prefill {
            self.node(request, "0,PROMPT", Runner(leg), leg)?;
        }
        if let Some(leg) = &journal.decode {
            self.node(request, "1,TOKEN", Runner(leg), leg)?;
        }
        if let Some(leg) = &journal.transfer {
            self.node(request, "2,KVCacheTransfer", "DummyLink", leg)?;
        }
        Ok(())
    }

    /// `kind`: the cells `node_id` and `node_type`.
    fn node(
        &mut self,
        request: &Request,
        kind: &'static str,
        runner: impl Cell,
        leg: &Leg,
    ) -> Result<(), WriteError> {
        let RequestNodes(rows) = self;
        rows.cell(request.id.0);
        rows.cell(request.request_type);
        rows.cell(kind);
        rows.cell(runner);
        rows.cell(leg.start);
        rows.cell(leg.end);
        rows.end_row()
    }

    pub fn finish(self) -> Result<(), WriteError> {
        self.0.finish()
    }
}

impl Cell for Runner<'_> {
    fn put(&self, text: &mut Vec<u8>) {
        let start = text.len();
        self.0.gpu.name().put(text);
        text.push(b'_');
        self.0.instance.0.put(text);
        quote_from(start, text);
    }
}
