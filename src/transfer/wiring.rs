//! How a server is wired: what a scenario says of its links, and for the rest what is known of its GPUs.
//!
//! A server has NICs, full duplex and shared by its instances, and links between its GPUs, on which every GPU sends
//! and receives so much. Units: 10⁹ bytes per second, each way. Leaves out: switches between servers (they never
//! block), rails, NUMA, and copies through host memory.
//!
//! Sources. What A100 and H100 reach was measured by Microsoft's vidur (`data/profiling/network`, send and receive,
//! MIT, commit 7d47513): 289 and 359 GB/s within a server (data sheets: 300 and 450), 7.8 and 36 GB/s between servers
//! (data sheets: 25 and 50, a ConnectX-6 or -7 per GPU), 8 to 30 µs to begin. The others were not measured: data
//! sheets, as collected in `systems/*.yaml` of NVIDIA AIConfigurator, times the 0.8 that an H100 reaches, and the NIC
//! of an H100, or what PCIe 4 leaves of it. Of AMD's MI300X it is one link of its mesh. 100 Gb/s for Ethernet, and its
//! latency, are assumptions.

use ebbflow_actors::{EntityId, SimDuration};

use super::links::Port;
use crate::ids::ServerId;
use crate::scenario::{IntraKind, IntraSpec, LinksSpec, NetworkSpec, NicKind, Sku};

const GB: f64 = 1e9;
const RDMA_LATENCY: SimDuration = SimDuration::from_nanos(30_000);
const ETHERNET_LATENCY: SimDuration = SimDuration::from_nanos(100_000);
const INTRA_LATENCY: SimDuration = SimDuration::from_nanos(8_000);
const ETHERNET_GB_S: f64 = 12.5;

/// What is known of the links of a kind of GPU, in GB/s.
struct Known {
    /// How names of such GPUs begin.
    gpu: &'static str,
    nvlink: Option<f64>,
    pcie: f64,
    rdma: f64,
}

const fn known(gpu: &'static str, nvlink: Option<f64>, pcie: f64, rdma: f64) -> Known {
    Known { gpu, nvlink, pcie, rdma }
}

const PCIE_4: f64 = 25.0;
const PCIE_5: f64 = 50.0;

const KNOWN: [Known; 8] = [
    known("a100", Some(289.0), PCIE_4, 7.8),
    known("h100", Some(359.0), PCIE_5, 36.0),
    known("h200", Some(359.0), PCIE_5, 36.0),
    known("b200", Some(720.0), PCIE_5, 36.0),
    known("mi300x", Some(51.0), PCIE_5, 36.0),
    known("l40s", None, PCIE_4, 25.0),
    known("rtx-pro-6000", None, PCIE_5, 36.0),
    known("rtx-4090", None, PCIE_4, 25.0),
];

/// For a GPU nobody knows.
const UNKNOWN: Known = known("", None, PCIE_4, 25.0);

/// The links of a server.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Wiring {
    /// What it speaks to other servers.
    pub nic: NicKind,
    /// What one NIC carries each way.
    pub nic_bytes_per_s: u64,
    /// How many it has.
    pub nics: u32,
    /// From the last byte sent to another server to the last byte there.
    pub nic_latency: SimDuration,
    /// What its GPUs are connected by.
    pub intra: IntraKind,
    /// What one GPU sends, and receives, within the server.
    pub intra_bytes_per_s: u64,
    /// From the last byte sent to another GPU to the last byte there.
    pub intra_latency: SimDuration,
    /// How many GPUs it has.
    pub gpus: u32,
}

impl Wiring {
    /// Of servers of this kind.
    pub fn of(network: &NetworkSpec, sku: &Sku) -> Self {
        let gpu = find(&sku.gpu.name).unwrap_or(&UNKNOWN);
        let own = network.skus.iter().find(|(name, _)| *name == sku.name);
        let own = own.map_or(LinksSpec::default(), |(_, links)| *links);
        let nic = own.nic.or(network.links.nic);
        let intra = own.intra.or(network.links.intra);
        let native = if gpu.nvlink.is_some() && sku.gpus > 1 { IntraKind::Nvlink } else { IntraKind::Pcie };
        let intra = intra.unwrap_or(IntraSpec { kind: native, bytes_per_s: None, latency: None });
        let kind = nic.map_or(NicKind::Rdma, |nic| nic.kind);
        let (nic_gb_s, nics, nic_latency) = match kind {
            NicKind::Rdma => (gpu.rdma, sku.gpus, RDMA_LATENCY),
            NicKind::Ethernet => (ETHERNET_GB_S, 1, ETHERNET_LATENCY),
        };
        let intra_gb_s = match intra.kind {
            IntraKind::Nvlink => gpu.nvlink.unwrap_or(gpu.pcie),
            IntraKind::Pcie => gpu.pcie,
        };
        Wiring {
            nic: kind,
            nic_bytes_per_s: nic.and_then(|nic| nic.bytes_per_s).unwrap_or((nic_gb_s * GB).round() as u64),
            nics: nic.and_then(|nic| nic.per_server).unwrap_or(nics),
            nic_latency: nic.and_then(|nic| nic.latency).unwrap_or(nic_latency),
            intra: intra.kind,
            intra_bytes_per_s: intra.bytes_per_s.unwrap_or((intra_gb_s * GB).round() as u64),
            intra_latency: intra.latency.unwrap_or(INTRA_LATENCY),
            gpus: sku.gpus,
        }
    }
}

/// Whether something is known of the links of this kind of GPU.
pub fn is_known(gpu: &str) -> bool {
    find(gpu).is_some()
}

fn find(gpu: &str) -> Option<&'static Known> {
    let gpu = gpu.to_ascii_lowercase().replace([' ', '_'], "-");
    KNOWN.iter().find(|known| gpu.starts_with(known.gpu))
}

/// Plugs instances into the network of a cluster.
#[derive(Clone, Debug)]
pub struct Cabling {
    /// The address of the network.
    pub network: EntityId,
    /// What the scenario says.
    pub spec: NetworkSpec,
    /// Layers of the model that is served.
    pub layers: u32,
}

impl Cabling {
    /// The port of an instance on so many GPUs of a server.
    pub fn port(&self, instance: EntityId, gpus: u32, (server, sku): (ServerId, &Sku)) -> Port {
        Port {
            network: self.network,
            instance,
            server,
            gpus,
            parts: if self.spec.overlap { self.layers.max(1) } else { 1 },
            wiring: Wiring::of(&self.spec, sku),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::known_skus;
    use crate::scenario::NicSpec;

    fn wiring(network: &NetworkSpec, sku: &str) -> Wiring {
        let skus = known_skus();
        Wiring::of(network, skus.iter().find(|known| known.name == sku).unwrap())
    }

    #[test]
    fn without_a_word_a_server_has_what_its_gpus_come_with() {
        let h100 = wiring(&NetworkSpec::default(), "dgx-h100");
        assert_eq!((h100.nic, h100.nics, h100.nic_bytes_per_s), (NicKind::Rdma, 8, 36_000_000_000));
        assert_eq!((h100.intra, h100.intra_bytes_per_s), (IntraKind::Nvlink, 359_000_000_000));
        assert_eq!(wiring(&NetworkSpec::default(), "dgx-a100").intra_bytes_per_s, 289_000_000_000);
    }

    #[test]
    fn what_is_said_of_a_sku_goes_before_what_is_said_of_all() {
        let nic = |kind, bytes_per_s| {
            let nic = NicSpec { kind, bytes_per_s, per_server: Some(2), latency: None };
            LinksSpec { nic: Some(nic), intra: None }
        };
        let network = NetworkSpec {
            links: nic(NicKind::Ethernet, None),
            skus: vec![("dgx-a100".to_owned(), nic(NicKind::Rdma, Some(25_000_000_000)))],
            overlap: false,
        };
        let (a100, h100) = (wiring(&network, "dgx-a100"), wiring(&network, "dgx-h100"));
        assert_eq!((a100.nic, a100.nic_bytes_per_s, a100.nics), (NicKind::Rdma, 25_000_000_000, 2));
        assert_eq!((h100.nic, h100.nic_bytes_per_s, h100.nics), (NicKind::Ethernet, 12_500_000_000, 2));
    }

    #[test]
    fn names_of_gpus_are_known_however_they_are_written() {
        assert!(["h100-80gb-pcap", "H200", "RTX PRO 6000", "rtx_4090"].into_iter().all(is_known));
        assert!(!is_known("gaudi3"));
    }
}
