//! What a vLLM server exposes, under its names.
//!
//! Names, labels and meanings are those of vLLM's `PrometheusStatLogger` (`vllm/v1/metrics/loggers.py`) since
//! v0.11, which called `time_per_output_token_seconds` `inter_token_latency_seconds`; the bounds of histograms are
//! those of `vllm/v1/metrics/buckets.py` in 2026, which are the same. `pool` is ours.
//!
//! Where they differ from vLLM's: a request that changes its instance between prefill and decode is told of by
//! both, its waiting and its first token by the one, the rest by the other, as two vLLM servers would, but
//! its end-to-end latency is that of the whole. Single tokens are not recorded: the tokens of a decode come evenly
//! from its start to its end, and the latency between them is their mean. A decode that the run's end broke off has
//! none. Leaves out what is not modelled (prefix caches, LoRA, speculation), and preemptions, whose times
//! are not kept.

use std::io::{self, Write};

use ebbflow_actors::SimTime;

use super::scrapes::Scrapes;
use super::series::{Observations, Series, Source};
use super::text::{Family, Kind, Text, labels};
use super::{ApplicationResults, ApplicationSpec, View};
use crate::ids::InstanceId;
use crate::report::journey::{Phase, stays};
use crate::report::{kv, memory};
use crate::request::Request;
use crate::results::{EndedRequest, InstanceRecord};

const TTFT_BOUNDS: [f64; 22] = [
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0,
    80.0, 160.0, 640.0, 2560.0,
];
const TOKEN_BOUNDS: [f64; 19] = [
    0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0,
];
const REQUEST_BOUNDS: [f64; 21] = [
    0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0, 120.0, 240.0, 480.0,
    960.0, 1920.0, 7680.0,
];

const fn family(name: &'static str, unit: &'static str, help: &'static str) -> Family {
    Family { name, unit, help }
}

const RUNNING: Family =
    family("vllm:num_requests_running", "", "Requests whose prompt or output is computed.");
const WAITING: Family =
    family("vllm:num_requests_waiting", "", "Requests that wait, their KV transfer included.");
const KV_USAGE: Family = family("vllm:kv_cache_usage_perc", "", "KV cache in use; 1 is all of it.");
const PROMPT_TOKENS: Family = family("vllm:prompt_tokens", "", "Prompt tokens computed.");
const GENERATION_TOKENS: Family = family("vllm:generation_tokens", "", "Output tokens produced.");
const SUCCESS: Family = family("vllm:request_success", "", "Requests served in full.");

/// Something that is measured of a request: where, when, how large, and how often.
type Measure = fn(&Request) -> Option<(InstanceId, SimTime, Observations)>;

/// A histogram of requests.
struct Histogram {
    family: Family,
    bounds: &'static [f64],
    measure: Measure,
}

const HISTOGRAMS: [Histogram; 7] = [
    histogram(
        "vllm:time_to_first_token_seconds",
        "From arrival to the first output token.",
        &TTFT_BOUNDS,
        |r| prefilled(r, r.ttft_s()?),
    ),
    histogram(
        "vllm:inter_token_latency_seconds",
        "Between two output tokens, on average.",
        &TOKEN_BOUNDS,
        |r| {
            let (instance, time, (size, _)) = completed(r, r.tpot_s()?)?;
            Some((instance, time, (size, u64::from(r.output_tokens) - 1)))
        },
    ),
    histogram(
        "vllm:request_time_per_output_token_seconds",
        "Mean time of an output token after the first, per request.",
        &TOKEN_BOUNDS,
        |r| completed(r, r.tpot_s()?),
    ),
    histogram("vllm:e2e_request_latency_seconds", "From arrival to the last token.", &REQUEST_BOUNDS, |r| {
        completed(r, r.e2e_s()?)
    }),
    histogram("vllm:request_queue_time_seconds", "Waiting for the prefill.", &REQUEST_BOUNDS, |r| {
        prefilled(r, r.queue_s()?)
    }),
    histogram(
        "vllm:request_prefill_time_seconds",
        "From the prefill's start to its end.",
        &REQUEST_BOUNDS,
        |r| {
            let prefill = r.journal.prefill?;
            prefilled(r, (prefill.end? - prefill.start).as_secs_f64())
        },
    ),
    histogram(
        "vllm:request_decode_time_seconds",
        "From the first token to the last.",
        &REQUEST_BOUNDS,
        |r| completed(r, r.e2e_s()? - r.ttft_s()?),
    ),
];

const fn histogram(
    name: &'static str,
    help: &'static str,
    bounds: &'static [f64],
    measure: Measure,
) -> Histogram {
    Histogram { family: family(name, "seconds", help), bounds, measure }
}

/// Observed when the prompt is computed, where it is.
fn prefilled(request: &Request, size: f64) -> Option<(InstanceId, SimTime, Observations)> {
    let prefill = request.journal.prefill?;
    Some((prefill.instance, prefill.end?, (size, 1)))
}

/// Observed when all is done, where it is.
fn completed(request: &Request, size: f64) -> Option<(InstanceId, SimTime, Observations)> {
    let journal = &request.journal;
    Some((journal.decode.or(journal.prefill)?.instance, request.completion()?, (size, 1)))
}

/// Writes all families.
pub fn write<W: Write>(view: &View<'_>, text: &mut Text<'_, W>) -> io::Result<()> {
    let engines = Engines::of(view);
    engines.write_gauges(text)?;
    engines.write_counters(text)?;
    for Histogram { family, bounds, measure } in &HISTOGRAMS {
        let mut series = Series::of(&engines.sources);
        for (request, at) in engines.requests() {
            if let Some((instance, time, observations)) = measure(&request.request)
                && let Some(engine) = engines.place(at, instance)
            {
                series.note(engine, time, observations);
            }
        }
        series.write(text, family, bounds)?;
    }
    Ok(())
}

/// The instances that were ever ACTIVE.
struct Engines<'a> {
    applications: Vec<(&'a ApplicationResults, &'a ApplicationSpec)>,
    sources: Vec<Source>,
    /// Bytes for KV caches, by source.
    kv_bytes: Vec<u64>,
    /// Per application, per instance: its place among the sources.
    places: Vec<Vec<Option<usize>>>,
}

impl<'a> Engines<'a> {
    fn of(view: &'a View<'a>) -> Self {
        let applications: Vec<_> = view.applications().collect();
        let (mut sources, mut kv_bytes, mut places) = (Vec::new(), Vec::new(), Vec::new());
        for (application, spec) in &applications {
            let mut here = Vec::new();
            for instance in &application.instances {
                here.push(instance.active.map(|active| {
                    sources.push(source(view, spec, instance, active));
                    kv_bytes.push(kv_capacity(view, spec, instance));
                    sources.len() - 1
                }));
            }
            places.push(here);
        }
        Engines { applications, sources, kv_bytes, places }
    }

    /// All requests, with the place of their application.
    fn requests(&self) -> impl Iterator<Item = (&'a EndedRequest, usize)> {
        let applications = self.applications.iter().enumerate();
        applications
            .flat_map(|(at, (application, _))| application.requests.iter().map(move |ended| (ended, at)))
    }

    fn place(&self, application: usize, instance: InstanceId) -> Option<usize> {
        let instances = &self.applications[application].0.instances;
        let place = instances.binary_search_by_key(&instance, |instance| instance.id).ok()?;
        self.places[application][place]
    }

    fn write_gauges<W: Write>(&self, text: &mut Text<'_, W>) -> io::Result<()> {
        let (mut running, mut waiting) = (Series::of(&self.sources), Series::of(&self.sources));
        for (ended, at) in self.requests() {
            for stay in stays(ended) {
                let Some(engine) = stay.instance.and_then(|instance| self.place(at, instance)) else {
                    continue;
                };
                let series = match stay.phase {
                    Phase::Prefill | Phase::Decode => &mut running,
                    _ => &mut waiting,
                };
                series.add(engine, stay.from, stay.to, 1);
            }
        }
        running.write(text, Kind::Gauge, &RUNNING, |_, sum| sum as f64)?;
        waiting.write(text, Kind::Gauge, &WAITING, |_, sum| sum as f64)?;
        let mut used = Series::of(&self.sources);
        for (at, (application, spec)) in self.applications.iter().enumerate() {
            for (place, held) in kv::held(application, &spec.model) {
                let Some(engine) = self.places[at][place] else { continue };
                used.add(engine, held.from, held.to, i64::try_from(held.bytes).unwrap_or(i64::MAX));
            }
        }
        used.write(text, Kind::Gauge, &KV_USAGE, |engine, bytes| match self.kv_bytes[engine] {
            0 => 0.0,
            all => (bytes as f64 / all as f64).min(1.0),
        })
    }

    fn write_counters<W: Write>(&self, text: &mut Text<'_, W>) -> io::Result<()> {
        let [mut prompts, mut outputs, mut served] = [(); 3].map(|()| Series::of(&self.sources));
        for (ended, at) in self.requests() {
            let request = &ended.request;
            if let Some((instance, time, _)) = prefilled(request, 0.0)
                && let Some(engine) = self.place(at, instance)
            {
                prompts.note(engine, time, i64::from(request.prompt_tokens));
                outputs.note(engine, time, 1);
            }
            if let Some((instance, time, _)) = completed(request, 0.0)
                && let Some(engine) = self.place(at, instance)
            {
                served.note(engine, time, 1);
                self.note_decode(&mut outputs, engine, request);
            }
        }
        prompts.write(text, Kind::Counter, &PROMPT_TOKENS, |_, sum| sum as f64)?;
        outputs.write(text, Kind::Counter, &GENERATION_TOKENS, |_, sum| sum as f64)?;
        served.write(text, Kind::Counter, &SUCCESS, |_, sum| sum as f64)
    }

    /// The tokens of a decode come evenly from its start to its end.
    fn note_decode(&self, outputs: &mut Series<'_, i64>, engine: usize, request: &Request) {
        let Some(decode) = request.journal.decode else { return };
        let Some(end) = decode.end else { return };
        let scrapes = &self.sources[engine].scrapes;
        let tokens = u128::from(request.output_tokens.saturating_sub(1));
        let span = u128::from((end - decode.start).as_nanos()).max(1);
        let mut told = 0;
        for scrape in scrapes.index(decode.start)..=scrapes.index(end) {
            let time = scrapes.time(scrape).min(end);
            let last = scrape == scrapes.index(end);
            let so_far = u128::from(time.saturating_sub(decode.start).as_nanos());
            let produced = if last { tokens } else { tokens * so_far / span } as i64;
            if produced > told {
                outputs.note(engine, time, produced - told);
                told = produced;
            }
        }
    }
}

fn source(view: &View<'_>, spec: &ApplicationSpec, instance: &InstanceRecord, active: SimTime) -> Source {
    let pool = instance.tag.map_or("", |tag| tag.name());
    let labels = labels(&[("model_name", &spec.model.name), ("engine", &instance.id), ("pool", &pool)]);
    let gone = instance.removed.unwrap_or(view.results.end);
    Source { labels, scrapes: Scrapes::new(active, gone, view.interval) }
}

/// Bytes of the instance's GPUs beside what is no cache.
fn kv_capacity(view: &View<'_>, spec: &ApplicationSpec, instance: &InstanceRecord) -> u64 {
    memory::of(view.scenario, spec, instance).map_or(0, |memory| memory.cache_bytes())
}
