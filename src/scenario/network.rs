//! Reads `cluster.network`: the links that KV caches move over.

use std::sync::Arc;

use super::cluster;
use super::reader::{At, Keys};
use super::spec::{IntraKind, IntraSpec, LinksSpec, NetworkSpec, NicKind, NicSpec, ServerGroup, Sku};
use crate::transfer::wiring;

const BYTES_PER_GB: f64 = 1e9;
/// Slower than any link, and small enough that every flow still gets whole bytes per second.
const LEAST_GB_PER_S: f64 = 0.001;
/// Faster than any link, and small enough that no sum overflows.
const MOST_GB_PER_S: f64 = 1e6;
const MOST_NICS: u32 = 1024;

/// The network, or nothing when it is not told how it is.
pub(super) fn read(at: &At<'_>, catalogue: &[Arc<Sku>]) -> Option<NetworkSpec> {
    let keys = at.keys()?;
    let links = read_links(&keys);
    let overlap = keys.get("overlap").and_then(|at| at.flag()).unwrap_or(false);
    let listed = keys.get("skus").and_then(|at| at.list()).unwrap_or_default();
    keys.finish();
    let skus = listed.iter().filter_map(|at| read_sku(at, catalogue)).collect();
    Some(NetworkSpec { links, skus, overlap })
}

fn read_sku(at: &At<'_>, catalogue: &[Arc<Sku>]) -> Option<(String, LinksSpec)> {
    let keys = at.keys()?;
    let sku = keys.need("sku").and_then(|at| cluster::sku(&at, catalogue));
    let links = read_links(&keys);
    keys.finish();
    Some((sku?.name.clone(), links))
}

fn read_links(keys: &Keys<'_>) -> LinksSpec {
    LinksSpec {
        nic: keys.get("nic").and_then(|at| read_nic(&at)),
        intra: keys.get("intra").and_then(|at| read_intra(&at)),
    }
}

fn read_nic(at: &At<'_>) -> Option<NicSpec> {
    let named = at.named()?;
    let Some(kind) = NicKind::ALL.into_iter().find(|kind| kind.name() == named.name) else {
        return named.at.unknown("kind of NIC", named.name, &NicKind::ALL.map(NicKind::name));
    };
    let mut nic = NicSpec { kind, bytes_per_s: None, per_server: None, latency: None };
    if let Some(keys) = named.body.and_then(|body| body.keys()) {
        nic.bytes_per_s = bandwidth(&keys);
        nic.per_server = keys.get("per_server").and_then(|at| at.count_to(1, MOST_NICS));
        nic.latency = keys.get("latency").and_then(|at| at.duration());
        keys.finish();
    }
    Some(nic)
}

fn read_intra(at: &At<'_>) -> Option<IntraSpec> {
    let named = at.named()?;
    let Some(kind) = IntraKind::ALL.into_iter().find(|kind| kind.name() == named.name) else {
        return named.at.unknown("kind of link", named.name, &IntraKind::ALL.map(IntraKind::name));
    };
    let mut intra = IntraSpec { kind, bytes_per_s: None, latency: None };
    if let Some(keys) = named.body.and_then(|body| body.keys()) {
        intra.bytes_per_s = bandwidth(&keys);
        intra.latency = keys.get("latency").and_then(|at| at.duration());
        keys.finish();
    }
    Some(intra)
}

fn bandwidth(keys: &Keys<'_>) -> Option<u64> {
    let at = keys.get("gb_per_s")?;
    let gb_per_s = at.positive()?;
    if !(LEAST_GB_PER_S..=MOST_GB_PER_S).contains(&gb_per_s) {
        return at.expected(&format!("{LEAST_GB_PER_S} to {MOST_GB_PER_S} GB/s"));
    }
    Some((gb_per_s * BYTES_PER_GB).round() as u64)
}

/// Says of which servers the links had to be assumed.
pub(super) fn note_unknown_links(at: &At<'_>, network: &NetworkSpec, servers: &[ServerGroup]) {
    for ServerGroup { sku, .. } in servers {
        let own = network.skus.iter().find(|(name, _)| *name == sku.name).map(|(_, links)| *links);
        let says = |links: LinksSpec| {
            let nic = links.nic.is_some_and(|nic| nic.bytes_per_s.is_some() || nic.kind == NicKind::Ethernet);
            (nic, links.intra.is_some_and(|intra| intra.bytes_per_s.is_some()))
        };
        let (all, own) = (says(network.links), says(own.unwrap_or_default()));
        if !wiring::is_known(&sku.gpu.name) && !((all.0 || own.0) && (all.1 || own.1)) {
            at.log.note(format!(
                "{}: the links of a {} are not known; what is not given is that of PCIe 4",
                at.path, sku.gpu.name
            ));
        }
    }
}
