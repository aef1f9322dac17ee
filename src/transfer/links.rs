//! The links a KV cache goes over from one instance to another.
//!
//! Within a server: out of the GPUs of the one, through the server, into the GPUs of the other. Between servers: out
//! through the NICs that belong to the GPUs of the one, which are among those of its server, and in the same way at
//! the other end. A server with fewer NICs than GPUs shares them; an instance reaches one at least.

use ebbflow_actors::{EntityId, SimDuration};

use super::wiring::Wiring;
use crate::ids::ServerId;

/// Where an instance is plugged in. A message carries it, so that the network need not be told who comes and goes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Port {
    /// The address of the network.
    pub network: EntityId,
    /// The address of the instance.
    pub instance: EntityId,
    /// Its server.
    pub server: ServerId,
    /// How many GPUs of it the instance has.
    pub gpus: u32,
    /// In how many parts a cache goes: its layers if they go while the prompt is computed, else one.
    pub parts: u32,
    /// The links of the server.
    pub wiring: Wiring,
}

/// A link, one way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Link {
    /// The NICs of a server, sending.
    NicsOut(ServerId),
    /// The NICs of a server, receiving.
    NicsIn(ServerId),
    /// What connects the GPUs of a server.
    Inside(ServerId),
    /// The NICs that belong to the GPUs of an instance, sending.
    OwnNicsOut(EntityId),
    /// The NICs that belong to the GPUs of an instance, receiving.
    OwnNicsIn(EntityId),
    /// The GPUs of an instance, sending within the server.
    GpusOut(EntityId),
    /// The GPUs of an instance, receiving within the server.
    GpusIn(EntityId),
}

/// The way from one port to another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Way {
    /// The links, each with what it carries in bytes per second.
    pub links: Vec<(Link, u64)>,
    /// From the last byte sent to the last byte there.
    pub latency: SimDuration,
}

impl Port {
    /// The way of a cache from here to there.
    pub fn way_to(&self, other: &Port) -> Way {
        if self.server == other.server {
            let links = vec![
                (Link::GpusOut(self.instance), self.gpus_bytes_per_s()),
                (Link::Inside(self.server), self.wiring.intra_bytes_per_s * u64::from(self.wiring.gpus)),
                (Link::GpusIn(other.instance), other.gpus_bytes_per_s()),
            ];
            return Way { links, latency: self.wiring.intra_latency };
        }
        let links = vec![
            (Link::OwnNicsOut(self.instance), self.own_nics_bytes_per_s()),
            (Link::NicsOut(self.server), self.nics_bytes_per_s()),
            (Link::NicsIn(other.server), other.nics_bytes_per_s()),
            (Link::OwnNicsIn(other.instance), other.own_nics_bytes_per_s()),
        ];
        Way { links, latency: self.wiring.nic_latency.max(other.wiring.nic_latency) }
    }

    fn gpus_bytes_per_s(&self) -> u64 {
        self.wiring.intra_bytes_per_s * u64::from(self.gpus)
    }

    fn nics_bytes_per_s(&self) -> u64 {
        self.wiring.nic_bytes_per_s * u64::from(self.wiring.nics)
    }

    fn own_nics_bytes_per_s(&self) -> u64 {
        let Wiring { nics, gpus, nic_bytes_per_s, .. } = self.wiring;
        let own = (u64::from(nics) * u64::from(self.gpus)).div_ceil(u64::from(gpus));
        nic_bytes_per_s * own.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{IntraKind, NicKind};

    const GB: u64 = 1_000_000_000;

    /// An instance on so many of eight GPUs that share so many NICs.
    fn port(instance: u32, server: u32, gpus: u32, nics: u32) -> Port {
        let wiring = Wiring {
            nic: NicKind::Rdma,
            nic_bytes_per_s: 50 * GB,
            nics,
            nic_latency: SimDuration::from_nanos(u64::from(nics)),
            intra: IntraKind::Nvlink,
            intra_bytes_per_s: 300 * GB,
            intra_latency: SimDuration::ZERO,
            gpus: 8,
        };
        let (network, instance, server) = (EntityId(0), EntityId(instance), ServerId(server));
        Port { network, instance, server, gpus, parts: 1, wiring }
    }

    fn narrowest(from: Port, to: Port) -> u64 {
        from.way_to(&to).links.iter().map(|(_, bytes_per_s)| *bytes_per_s).min().unwrap() / GB
    }

    #[test]
    fn within_a_server_the_instance_with_fewer_gpus_is_the_narrow_end() {
        assert_eq!(narrowest(port(1, 0, 2, 8), port(2, 0, 4, 8)), 600);
        assert_eq!(narrowest(port(1, 0, 4, 8), port(2, 0, 1, 8)), 300);
    }

    #[test]
    fn between_servers_an_instance_has_the_nics_of_its_gpus_and_one_at_least() {
        assert_eq!(narrowest(port(1, 0, 8, 8), port(2, 1, 8, 8)), 400);
        assert_eq!(narrowest(port(1, 0, 8, 8), port(2, 1, 2, 8)), 100);
        assert_eq!(narrowest(port(1, 0, 1, 1), port(2, 1, 8, 8)), 50);
        assert_eq!(
            narrowest(port(1, 0, 3, 4), port(2, 1, 8, 8)),
            100,
            "three of eight GPUs reach two of four"
        );
    }

    #[test]
    fn instances_of_a_server_meet_on_its_nics_and_both_ways_are_apart() {
        let links = |from: Port, to: Port| from.way_to(&to).links.into_iter().map(|(link, _)| link);
        let (a, b, c) = (port(1, 0, 4, 1), port(2, 0, 4, 1), port(3, 1, 8, 1));
        let common: Vec<Link> = links(a, c).filter(|link| links(b, c).any(|other| other == *link)).collect();
        assert_eq!(
            common,
            [Link::NicsOut(ServerId(0)), Link::NicsIn(ServerId(1)), Link::OwnNicsIn(EntityId(3))]
        );
        assert!(links(a, c).all(|link| links(c, a).all(|other| other != link)));
        assert_eq!(a.way_to(&port(4, 2, 8, 8)).latency, SimDuration::from_nanos(8), "of the slower end");
    }
}
