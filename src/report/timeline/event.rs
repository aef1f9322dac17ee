//! Trace events, and the JSON array they are written to, one a line.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;

/// Where an event is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Track {
    /// Number of the process.
    pub pid: u64,
    /// Number of the thread, unique over all processes.
    pub tid: u64,
}

/// A trace event; which fields matter depends on `ph`.
#[derive(Clone, Serialize, Debug, Default)]
pub struct Event<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    cat: &'static str,
    ph: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ts: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dur: Option<u64>,
    pid: u64,
    tid: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bp: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    s: Option<&'static str>,
    #[serde(skip_serializing_if = "Value::is_null")]
    args: Value,
}

impl<'a> Event<'a> {
    fn new(ph: &'static str, name: &'a str, Track { pid, tid }: Track) -> Self {
        Event { name, ph, pid, tid, ..Event::default() }
    }

    /// A name or rank of a process or thread.
    pub fn metadata(name: &'a str, track: Track, args: Value) -> Self {
        Event { args, ..Event::new("M", name, track) }
    }

    /// Something that takes time; on its track it lies within another one or beside it.
    pub fn slice(
        cat: &'static str,
        name: &'a str,
        track: Track,
        (from, to): (u64, u64),
        args: Value,
    ) -> Self {
        Event { cat, ts: Some(from), dur: Some(to - from), args, ..Event::new("X", name, track) }
    }

    /// Something that happens at once.
    pub fn instant(cat: &'static str, name: &'a str, track: Track, at: u64, args: Value) -> Self {
        Event { cat, ts: Some(at), s: Some("t"), args, ..Event::new("i", name, track) }
    }

    /// The value of a counter from then on.
    pub fn counter(name: &'a str, track: Track, at: u64, args: Value) -> Self {
        Event { ts: Some(at), args, ..Event::new("C", name, track) }
    }

    /// An end of an arrow; it is bound to the slice that encloses it.
    pub fn arrow(name: &'a str, track: Track, at: u64, id: u64, head: bool, args: Value) -> Self {
        let (ph, bp) = if head { ("f", Some("e")) } else { ("s", None) };
        Event {
            cat: "kv_transfer",
            ts: Some(at),
            id: Some(id.to_string()),
            bp,
            args,
            ..Event::new(ph, name, track)
        }
    }

    /// Begin or end of something that may overlap others on its process; what has the same `id` nests.
    pub fn span(cat: &'static str, name: &'a str, track: Track, at: u64, (id, begins): (&str, bool)) -> Self {
        let ph = if begins { "b" } else { "e" };
        Event { cat, ts: Some(at), id: Some(id.to_owned()), ..Event::new(ph, name, track) }
    }

    /// The same with these details.
    pub fn with(self, args: Value) -> Self {
        Event { args, ..self }
    }
}

/// The file.
pub struct Sink<'a, W: Write> {
    out: &'a mut W,
    first: bool,
}

impl<'a, W: Write> Sink<'a, W> {
    /// Begins the file, with facts about the whole.
    pub fn open(out: &'a mut W, about: &Value) -> io::Result<Self> {
        write!(out, "{{\"displayTimeUnit\":\"ms\",\"otherData\":{about},\"traceEvents\":[")?;
        Ok(Sink { out, first: true })
    }

    /// Writes an event.
    pub fn event(&mut self, event: &Event<'_>) -> io::Result<()> {
        self.out.write_all(if std::mem::take(&mut self.first) { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *self.out, event)?;
        Ok(())
    }

    /// Ends the file.
    pub fn close(self) -> io::Result<()> {
        self.out.write_all(b"\n]}\n")?;
        self.out.flush()
    }
}
