//! Which process and thread of the timeline stands for what, and what they are called.
//!
//! Applications come first, then servers; thread numbers are unique over the file, as viewers expect. The
//! first thread of a process has its number: viewers put it on top.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::json;

use super::View;
use super::event::{Event, Sink, Track};
use crate::ids::{ApplicationId, InstanceId, ServerId};
use crate::results::{ApplicationResults, InstanceRecord, RunResults};

/// The numbers of processes and threads.
pub struct Tracks {
    applications: u64,
    /// SKUs of all servers, by id.
    servers: BTreeMap<ServerId, String>,
    /// Threads of the applications before each.
    before: BTreeMap<ApplicationId, u64>,
}

impl Tracks {
    /// Those of this run.
    pub fn of(results: &RunResults) -> Self {
        let (mut servers, mut before, mut threads) = (BTreeMap::new(), BTreeMap::new(), 0);
        for application in &results.applications {
            before.insert(application.id, threads);
            threads += application.instances.last().map_or(0, |last| u64::from(last.id.0) + 1);
            let of_instances = application.instances.iter().map(|found| (found.server, found.sku.clone()));
            let own = application.servers.iter().map(|server| (server.id, server.sku.name.clone()));
            servers.extend(of_instances.chain(own));
        }
        Tracks { applications: results.applications.len() as u64, servers, before }
    }

    /// The track of the application in this place of the scenario.
    pub fn of_application(&self, place: usize) -> Track {
        let number = place as u64 + 1;
        Track { pid: number, tid: number }
    }

    /// The track of a server.
    pub fn of_server(&self, server: ServerId) -> Track {
        let number = self.applications + 1 + u64::from(server.0);
        Track { pid: number, tid: number }
    }

    /// The track of an instance.
    pub fn of_record(&self, application: ApplicationId, instance: &InstanceRecord) -> Track {
        let last = self.servers.last_key_value().map_or(0, |(id, _)| u64::from(id.0));
        let before = self.before.get(&application).copied().unwrap_or_default();
        let first = self.applications + last + 2 + before;
        Track { pid: self.of_server(instance.server).pid, tid: first + u64::from(instance.id.0) }
    }

    /// The track of the instance with this number.
    pub fn of_instance(&self, application: &ApplicationResults, id: InstanceId) -> Track {
        let place = application.instances.binary_search_by_key(&id, |instance| instance.id);
        place.map(|place| self.of_record(application.id, &application.instances[place])).unwrap_or_default()
    }

    /// Writes all names and ranks.
    pub fn write<W: Write>(&self, view: &View<'_>, sink: &mut Sink<'_, W>) -> io::Result<()> {
        for (place, application) in view.results.applications.iter().enumerate() {
            let track = self.of_application(place);
            let model = view.scenario.applications.get(place).map_or("", |spec| spec.model.name.as_str());
            name(sink, "process", track, &format!("application {}: {model}", application.id), track.pid)?;
            name(sink, "thread", track, "scaling", 0)?;
        }
        for (&server, sku) in &self.servers {
            let track = self.of_server(server);
            name(sink, "process", track, &format!("server {server}: {sku}"), track.pid)?;
            name(sink, "thread", track, "server", 0)?;
        }
        for application in &view.results.applications {
            // Servers may be shared, and each application counts its instances from 0.
            let whose = match self.applications {
                1 => String::new(),
                _ => format!(" of application {}", application.id),
            };
            for instance in &application.instances {
                let pool = instance.tag.map(|tag| format!(": {tag}")).unwrap_or_default();
                let title = format!("instance {}{whose}{pool}", instance.id);
                let track = self.of_record(application.id, instance);
                name(sink, "thread", track, &title, 1 + u64::from(instance.id.0))?;
            }
        }
        Ok(())
    }
}

fn name<W: Write>(sink: &mut Sink<'_, W>, what: &str, track: Track, name: &str, rank: u64) -> io::Result<()> {
    sink.event(&Event::metadata(&format!("{what}_name"), track, json!({ "name": name })))?;
    sink.event(&Event::metadata(&format!("{what}_sort_index"), track, json!({ "sort_index": rank })))
}
