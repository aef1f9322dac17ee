//! `requests/{app}.csv`: the journal of every request, one row each, in the order in which they ended;
//! unfinished ones last. Times are seconds of the run. A field is empty where a request never got so far:
//! that it has a prefill without an end says where the run ended.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ebbflow_actors::SimDuration;

use super::rows::{Quoted, Rows};
use super::scanner::{CellError, Row, Scanner};
use super::{ReadError, WriteError};
use crate::ids::{ApplicationId, GpuName, InstanceId, RequestId, SessionId};
use crate::request::{Attributes, Fate, Journal, Leg, Rejection, Request, Stage};
use crate::results::EndedRequest;

const HEADER: [&str; 27] = [
    "request_id",
    "request_type",
    "arrival_s",
    "sequences",
    "prompt_tokens",
    "output_tokens",
    "outcome",
    "reason_or_stage",
    "first_refusal_s",
    "scheduled_s",
    "prefill_instance",
    "prefill_start_s",
    "prefill_end_s",
    "transfer_to",
    "transfer_start_s",
    "transfer_end_s",
    "decode_instance",
    "decode_start_s",
    "decode_end_s",
    "recomputed",
    "requeued",
    "cached_tokens",
    "longest_gap_s",
    "session",
    "class",
    "tenant",
    "priority",
];

/// The open file of one application.
#[derive(Debug)]
pub struct Journals(Rows);

fn path(directory: &Path, application: ApplicationId) -> PathBuf {
    directory.join(format!("requests/{application}.csv"))
}

impl Journals {
    pub fn create(directory: &Path, application: ApplicationId) -> Result<Self, WriteError> {
        Ok(Journals(Rows::create(&path(directory, application), &HEADER)?))
    }

    /// The row of a request.
    pub fn row(&mut self, request: &Request, fate: &Fate) -> Result<(), WriteError> {
        let Request { id, request_type, arrival, batch_size, prompt_tokens, output_tokens, journal, .. } =
            request;
        let (outcome, reason) = words(fate);
        self.0.cell(id.0);
        self.0.cell(request_type);
        self.0.cell(arrival);
        self.0.cell(batch_size);
        self.0.cell(prompt_tokens);
        self.0.cell(output_tokens);
        self.0.cell(outcome);
        self.0.cell(reason);
        self.0.cell(journal.first_refusal);
        self.0.cell(journal.scheduled);
        self.leg(journal.prefill.as_ref());
        self.leg(journal.transfer.as_ref());
        self.leg(journal.decode.as_ref());
        self.0.cell(journal.recomputed);
        self.0.cell(journal.requeued);
        self.0.cell(journal.cached_tokens);
        self.0.cell(Some(journal.longest_gap).filter(|gap| !gap.is_zero()));
        self.attributes(request.attributes());
        self.0.end_row()
    }

    fn attributes(&mut self, attributes: &Attributes) {
        self.0.cell(attributes.session.map(|session| session.0));
        self.0.cell(attributes.class.as_deref().map(Quoted));
        self.0.cell(attributes.tenant.as_deref().map(Quoted));
        self.0.cell(Some(attributes.priority).filter(|priority| *priority != 0));
    }

    fn leg(&mut self, leg: Option<&Leg>) {
        self.0.cell(leg.map(|leg| leg.instance.0));
        self.0.cell(leg.map(|leg| leg.start));
        self.0.cell(leg.and_then(|leg| leg.end));
    }

    pub fn finish(self) -> Result<(), WriteError> {
        self.0.finish()
    }
}

/// `outcome` and `reason_or_stage`.
pub fn words(fate: &Fate) -> (&'static str, &'static str) {
    match fate {
        Fate::Completed => ("completed", ""),
        Fate::Rejected(reason) => ("rejected", reason.name()),
        Fate::Unfinished(stage) => ("unfinished", stage.name()),
    }
}

fn fate(outcome: &str, reason: &str) -> Option<Fate> {
    match outcome {
        "completed" => Some(Fate::Completed),
        "rejected" => Rejection::parse(reason).map(Fate::Rejected),
        "unfinished" => Stage::parse(reason).map(Fate::Unfinished),
        _ => None,
    }
}

/// Reads the file back; none if the run kept no rows of requests. `gpu` tells the GPU of an instance.
pub fn read(
    directory: &Path,
    application: ApplicationId,
    gpu: impl Fn(InstanceId) -> GpuName,
) -> Result<Option<Vec<EndedRequest>>, ReadError> {
    let path = path(directory, application);
    if !path.exists() {
        return Ok(None);
    }
    let mut requests = Vec::new();
    Scanner::open(&path, &HEADER)?.each(|row| {
        requests.push(read_row(row, application, &gpu)?);
        Ok(())
    })?;
    Ok(Some(requests))
}

fn read_row(
    row: &mut Row<'_>,
    application: ApplicationId,
    gpu: &impl Fn(InstanceId) -> GpuName,
) -> Result<EndedRequest, CellError> {
    let (id, request_type, arrival) = (RequestId(row.next()?), row.next()?, row.next()?);
    let (batch_size, prompt_tokens, output_tokens) = (row.next()?, row.next()?, row.next()?);
    let outcome = row.text()?;
    let fate = row.read_with("what became of a request", |reason| fate(outcome, reason))?;
    let journal = Journal {
        first_refusal: row.next()?,
        scheduled: row.next()?,
        prefill: read_leg(row, gpu)?,
        transfer: read_leg(row, gpu)?,
        decode: read_leg(row, gpu)?,
        recomputed: row.next()?,
        requeued: row.next()?,
        cached_tokens: row.next()?,
        longest_gap: row.next::<Option<SimDuration>>()?.unwrap_or_default(),
    };
    let attributes = read_attributes(row)?;
    let request = Request {
        id,
        request_type,
        application,
        arrival,
        batch_size,
        prompt_tokens,
        output_tokens,
        attributes,
        journal,
    };
    Ok(EndedRequest { request: Box::new(request), fate })
}

/// What a request says of itself, but for its adapter and its prefix, which no file has.
fn read_attributes(row: &mut Row<'_>) -> Result<Option<Arc<Attributes>>, CellError> {
    let name = |text: Option<String>| text.map(Arc::from);
    let attributes = Attributes {
        session: row.next::<Option<u64>>()?.map(SessionId),
        class: name(row.next()?),
        tenant: name(row.next()?),
        priority: row.next::<Option<i32>>()?.unwrap_or(0),
        ..Attributes::NONE
    };
    Ok((attributes != Attributes::NONE).then(|| Arc::new(attributes)))
}

fn read_leg(row: &mut Row<'_>, gpu: &impl Fn(InstanceId) -> GpuName) -> Result<Option<Leg>, CellError> {
    let (instance, start, end) = (row.next::<Option<u32>>()?, row.next::<Option<_>>()?, row.next()?);
    let leg = |(instance, start)| {
        let instance = InstanceId(instance);
        Leg { instance, gpu: gpu(instance), start, end }
    };
    Ok(instance.zip(start).map(leg))
}
