//! The fleet of an application, what scaling did to it, and what it cost.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::io::{self, Write};

use ebbflow_actors::SimTime;

use super::View;
use super::series::{Series, Source};
use super::text::{Family, Kind, Text, labels};
use crate::ids::{ApplicationId, Tag};
use crate::results::statuses::{Status, stretches};
use crate::results::{ApplicationResults, ServerRecord};

const INSTANCES: Family = Family { name: "ebbflow_instances", unit: "", help: "Instances by status." };
const OPERATIONS: Family =
    Family { name: "ebbflow_scaling_operations", unit: "", help: "Lines of the scaling log by action." };
const EVENTS: Family = Family {
    name: "ebbflow_scaling_events",
    unit: "",
    help: "Refusals, time-outs and the like by what they are.",
};
const SERVERS: Family = Family { name: "ebbflow_servers", unit: "", help: "Servers that are paid for." };
const GPUS: Family = Family { name: "ebbflow_gpus_paid", unit: "", help: "GPUs that are paid for." };
const GPU_SECONDS: Family =
    Family { name: "ebbflow_gpu_paid_seconds", unit: "seconds", help: "GPU time paid for." };
const DOLLARS: Family =
    Family { name: "ebbflow_cost_dollars", unit: "dollars", help: "Rent of the servers in US dollars." };

/// Writes all families.
pub fn write<W: Write>(view: &View<'_>, text: &mut Text<'_, W>) -> io::Result<()> {
    write_instances(view, text)?;
    let logs = |application: &ApplicationResults| -> Vec<(SimTime, &'static str)> {
        application.scaling_log.iter().map(|line| (line.time, line.action)).collect()
    };
    write_counts(view, text, &OPERATIONS, "action", logs)?;
    let events = |application: &ApplicationResults| -> Vec<(SimTime, &'static str)> {
        application.scaling_events.iter().map(|fact| (fact.time, fact.event)).collect()
    };
    write_counts(view, text, &EVENTS, "event", events)?;
    write_servers(view, text)
}

fn source(view: &View<'_>, application: ApplicationId, more: &[(&str, &dyn Display)]) -> Source {
    let mut all: Vec<(&str, &dyn Display)> = vec![("application", &application)];
    all.extend(more);
    Source { labels: labels(&all), scrapes: view.scrapes() }
}

fn write_instances<W: Write>(view: &View<'_>, text: &mut Text<'_, W>) -> io::Result<()> {
    let (mut sources, mut pools) = (Vec::new(), Vec::new());
    for application in &view.results.applications {
        let tags: BTreeSet<Option<Tag>> = application.instances.iter().map(|instance| instance.tag).collect();
        for tag in tags {
            pools.push((application, tag));
            let pool = tag.map_or("", Tag::name);
            for status in Status::ALL {
                sources.push(source(view, application.id, &[("pool", &pool), ("status", &status.name())]));
            }
        }
    }
    let mut series = Series::of(&sources);
    for (place, (application, tag)) in pools.iter().enumerate() {
        for instance in application.instances.iter().filter(|instance| instance.tag == *tag) {
            for stretch in stretches(instance) {
                let source = place * Status::ALL.len() + stretch.status as usize;
                series.add(source, stretch.from, stretch.to, 1);
            }
        }
    }
    series.write(text, Kind::Gauge, &INSTANCES, |_, sum| sum as f64)
}

/// How often each word was written.
fn write_counts<W: Write>(
    view: &View<'_>,
    text: &mut Text<'_, W>,
    family: &Family,
    label: &str,
    of: impl Fn(&ApplicationResults) -> Vec<(SimTime, &'static str)>,
) -> io::Result<()> {
    let logs: Vec<_> =
        view.results.applications.iter().map(|application| (application.id, of(application))).collect();
    let words: BTreeSet<(ApplicationId, &str)> =
        logs.iter().flat_map(|(id, log)| log.iter().map(move |(_, word)| (*id, *word))).collect();
    if words.is_empty() {
        return Ok(());
    }
    let words: Vec<_> = words.into_iter().collect();
    let sources: Vec<Source> = words.iter().map(|(id, word)| source(view, *id, &[(label, word)])).collect();
    let mut series = Series::of(&sources);
    for (id, log) in &logs {
        for (time, word) in log {
            if let Ok(place) = words.binary_search(&(*id, *word)) {
                series.note(place, *time, 1);
            }
        }
    }
    series.write(text, Kind::Counter, family, |_, sum| sum as f64)
}

/// Servers of one SKU of an application.
struct Group<'a> {
    source: Source,
    servers: Vec<&'a ServerRecord>,
}

fn write_servers<W: Write>(view: &View<'_>, text: &mut Text<'_, W>) -> io::Result<()> {
    let mut groups = Vec::new();
    for application in &view.results.applications {
        let skus: BTreeSet<&str> =
            application.servers.iter().map(|server| server.sku.name.as_str()).collect();
        for sku in skus {
            let servers = application.servers.iter().filter(|server| server.sku.name == sku).collect();
            groups.push(Group { source: source(view, application.id, &[("sku", &sku)]), servers });
        }
    }
    let sources: Vec<Source> = groups.iter().map(|group| group.source.clone()).collect();
    for (family, of) in [(&SERVERS, (|_| 1) as fn(&ServerRecord) -> i64), (&GPUS, |s| i64::from(s.sku.gpus))]
    {
        let mut series = Series::of(&sources);
        for (place, group) in groups.iter().enumerate() {
            for server in &group.servers {
                series.add(place, server.created, server.removed, of(server));
            }
        }
        series.write(text, Kind::Gauge, family, |_, sum| sum as f64)?;
    }
    write_spent(text, &GPU_SECONDS, &groups, |_| Some(1.0))?;
    write_spent(text, &DOLLARS, &groups, |server| Some(server.sku.usd_per_gpu_h? / 3600.0))
}

/// What was spent up to each scrape, at so much a GPU-second; groups whose price is not known have none.
fn write_spent<W: Write>(
    text: &mut Text<'_, W>,
    family: &Family,
    groups: &[Group<'_>],
    price: impl Fn(&ServerRecord) -> Option<f64>,
) -> io::Result<()> {
    let priced = |group: &&Group<'_>| group.servers.iter().all(|server| price(server).is_some());
    if groups.iter().filter(priced).count() == 0 {
        return Ok(());
    }
    text.family(Kind::Counter, family)?;
    for Group { source, servers } in groups.iter().filter(priced) {
        for scrape in 0..source.scrapes.count() {
            let time = source.scrapes.time(scrape);
            let spent = servers.iter().map(|server| {
                let gone = server.removed.unwrap_or(time).min(time);
                let paid_s = gone.saturating_sub(server.created).as_secs_f64() * f64::from(server.sku.gpus);
                paid_s * price(server).unwrap_or(0.0)
            });
            text.sample((family.name, "_total"), &source.labels, spent.sum::<f64>(), time)?;
        }
    }
    Ok(())
}
