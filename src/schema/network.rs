//! `cluster.network`: the links that KV caches move over.

use super::cluster;
use super::forms::{Form, Object, any, count, flag, list, number, time, words};
use crate::scenario::{IntraKind, NicKind};

/// The section.
pub fn form() -> Form {
    links(Object::default())
        .key(
            "overlap",
            flag().about("whether the layers of a cache go while the prompt is computed").otherwise(false),
        )
        .key("skus", list(sku(), 0).about("kinds of servers that are connected otherwise"))
        .form()
}

fn sku() -> Form {
    links(Object::default().must("sku", cluster::sku().about("kind of server"))).form()
}

fn links(object: Object<'_>) -> Object<'_> {
    object
        .key("nic", nic().about("to other servers; `rdma` unless given"))
        .key("intra", intra().about("between the GPUs of a server; what they come with unless given"))
}

fn nic() -> Form {
    let settings = || {
        Object::default()
            .key("gb_per_s", bandwidth().about("of one NIC, each way"))
            .key("per_server", count(1).with("maximum", 1024).about("NICs of a server"))
            .key("latency", time().about("from the last byte sent to the last byte there"))
            .form()
    };
    named(NicKind::ALL.map(|kind| (kind.name(), about_nic(kind))), settings)
}

fn intra() -> Form {
    let settings = || {
        Object::default()
            .key("gb_per_s", bandwidth().about("of one GPU, each way"))
            .key("latency", time().about("from the last byte sent to the last byte there"))
            .form()
    };
    named(IntraKind::ALL.map(|kind| (kind.name(), about_intra(kind))), settings)
}

fn bandwidth() -> Form {
    number(0.001, 1e6).unit("GB/s")
}

const fn about_nic(kind: NicKind) -> &'static str {
    match kind {
        NicKind::Rdma => "InfiniBand or RoCE; what A100s or H100s reach, a NIC per GPU",
        NicKind::Ethernet => "TCP; 12.5 GB/s, a NIC per server",
    }
}

const fn about_intra(kind: IntraKind) -> &'static str {
    match kind {
        IntraKind::Nvlink => "NVLink through a switch, or what AMD has for it",
        IntraKind::Pcie => "PCI Express",
    }
}

/// A name, or one name with its settings.
fn named(kinds: [(&'static str, &'static str); 2], settings: impl Fn() -> Form) -> Form {
    let names = words(kinds.map(|(name, about)| (name, about.to_owned())));
    let mapping = kinds
        .into_iter()
        .fold(Object::default(), |object, (name, about)| object.key(name, settings().about(about)));
    any([names, mapping.one()])
}
