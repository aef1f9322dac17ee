//! Whether the instances of a packed start state find room, and on which SKUs they stand.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Sections;
use super::fit::BLOCKS_HELP;
use super::uses::Use;
use crate::cluster::{DoesNotFit, NoRoom, Parcel, pack, shape_of_stages};
use crate::scenario::actions::unknown_application;
use crate::scenario::applications::Application;
use crate::scenario::reader::At;
use crate::scenario::spec::{PackedSpec, Sku};

/// An entry with its place and its application.
type Placed<'s, 't> = (At<'t>, &'s Application<'t>, &'s PackedSpec);

impl<'s, 't> Sections<'s, 't> {
    /// A use per entry and SKU it stands on.
    pub(super) fn uses_of_packed(&self, entries: &'s [PackedSpec]) -> Vec<Use<'s, 't>> {
        let Some(placed) = self.applications_of(entries) else {
            return Vec::new();
        };
        let groups = self.cluster.servers.iter();
        let servers: Vec<&Arc<Sku>> =
            groups.flat_map(|group| std::iter::repeat_n(&group.sku, group.count as usize)).collect();
        let parcels: Vec<Parcel<'_>> = placed.iter().map(parcel).collect();
        let spots = match pack(&servers, &parcels) {
            Ok(spots) => spots,
            Err(misfit) => {
                refuse(&placed[misfit.parcel()].0, &misfit);
                return Vec::new();
            }
        };
        let mut seen = BTreeSet::new();
        let firsts = spots.iter().filter(|spot| seen.insert((spot.parcel, &servers[spot.server].name)));
        let used = firsts.map(|spot| {
            let (at, application, entry) = &placed[spot.parcel];
            let at = at.descend(&["tensor_parallelism"]);
            let sku = servers[spot.server];
            Use { at, application, config: entry.instance, sku, shape: shape_of_stages }
        });
        used.collect()
    }

    /// Nothing when an entry names an application that is not there.
    fn applications_of(&self, entries: &'s [PackedSpec]) -> Option<Vec<Placed<'s, 't>>> {
        let places = self.top.descend(&["start_state", "instances"]).list()?;
        let placed = places.into_iter().zip(entries).map(|(at, entry)| {
            let Some(application) = self.application(entry.application) else {
                let at = at.descend(&["application"]);
                return unknown_application(&at, entry.application, self.applications);
            };
            Some((at, application, entry))
        });
        placed.collect::<Vec<_>>().into_iter().collect()
    }
}

fn parcel<'s>((_, application, entry): &Placed<'s, '_>) -> Parcel<'s> {
    Parcel { model: &application.spec.model, instance: entry.instance, count: entry.count }
}

fn refuse(at: &At<'_>, misfit: &NoRoom) {
    let (key, help) = match misfit {
        NoRoom::Never { source: DoesNotFit::Blocks { .. }, .. } => ("num_gpu_blocks_override", BLOCKS_HELP),
        NoRoom::Never { .. } => (
            "tensor_parallelism",
            "spread an instance over more GPUs, or use servers with more memory or more GPUs",
        ),
        NoRoom::Full { .. } => (
            "count",
            "give the cluster more servers, or ask for fewer instances; entries are placed in their order",
        ),
    };
    at.descend(&[key]).refuse(misfit.to_string(), Some(help.to_owned()));
}
