//! The pools of a run: instances of an application that share a tag.

use crate::ids::{ApplicationId, Tag};

use super::super::FinishedRun;

/// The pools of a run in a fixed order, with the names pages show.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pools {
    keys: Vec<(ApplicationId, Option<Tag>)>,
    several_applications: bool,
}

impl Pools {
    /// Those that ever had an instance.
    pub fn of(run: &FinishedRun) -> Self {
        let applications = &run.results.applications;
        let mut keys: Vec<_> = applications
            .iter()
            .flat_map(|application| {
                application.instances.iter().map(|instance| (application.id, instance.tag))
            })
            .collect();
        keys.sort_unstable();
        keys.dedup();
        Pools { keys, several_applications: applications.len() > 1 }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.keys.len()
    }

    /// The place of a pool; none for one that never had an instance.
    pub fn place(&self, application: ApplicationId, tag: Option<Tag>) -> Option<usize> {
        self.keys.binary_search(&(application, tag)).ok()
    }

    /// Their names, e.g. `prompt`, or `application 1, prompt`.
    pub fn names(&self) -> Vec<String> {
        let name = |(application, tag): &(ApplicationId, Option<Tag>)| match (self.several_applications, tag)
        {
            (false, tag) => tag.map_or("untagged", Tag::name).to_owned(),
            (true, None) => format!("application {application}"),
            (true, Some(tag)) => format!("application {application}, {tag}"),
        };
        self.keys.iter().map(name).collect()
    }
}
