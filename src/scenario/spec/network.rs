//! How servers are connected, as far as a scenario says; the rest follows from their GPUs (`transfer::wiring`).

use ebbflow_actors::SimDuration;

/// The links that KV caches move over.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct NetworkSpec {
    /// Of every server.
    pub links: LinksSpec,
    /// Kinds of servers that are connected otherwise, by SKU; what is not given is that of all.
    pub skus: Vec<(String, LinksSpec)>,
    /// Whether the caches of the first layers go while the later ones are computed.
    pub overlap: bool,
}

/// The links of a server.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct LinksSpec {
    /// To other servers; none: RDMA.
    pub nic: Option<NicSpec>,
    /// Between its GPUs; none: what these GPUs come with.
    pub intra: Option<IntraSpec>,
}

/// The network interfaces of a server.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct NicSpec {
    /// What it speaks.
    pub kind: NicKind,
    /// What one carries each way; none: that of the GPU's usual server.
    pub bytes_per_s: Option<u64>,
    /// How many a server has; none: one a GPU for RDMA, one for Ethernet.
    pub per_server: Option<u32>,
    /// From the last byte sent to the last byte there; none: that of its kind.
    pub latency: Option<SimDuration>,
}

/// The links between the GPUs of a server.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct IntraSpec {
    /// What it is.
    pub kind: IntraKind,
    /// What one GPU sends, and receives, at most; none: that of its kind and GPU.
    pub bytes_per_s: Option<u64>,
    /// From the last byte sent to the last byte there; none: that of its kind.
    pub latency: Option<SimDuration>,
}

/// What servers are connected by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum NicKind {
    /// InfiniBand or RoCE, straight from GPU to GPU.
    Rdma,
    /// TCP.
    Ethernet,
}

/// What the GPUs of a server are connected by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum IntraKind {
    /// NVLink through a switch, or AMD's Infinity Fabric: every GPU at full speed to any other.
    Nvlink,
    /// PCI Express.
    Pcie,
}

impl NicKind {
    /// All kinds.
    pub const ALL: [NicKind; 2] = [NicKind::Rdma, NicKind::Ethernet];

    /// The word in scenarios and files.
    pub const fn name(self) -> &'static str {
        match self {
            NicKind::Rdma => "rdma",
            NicKind::Ethernet => "ethernet",
        }
    }
}

impl IntraKind {
    /// All kinds.
    pub const ALL: [IntraKind; 2] = [IntraKind::Nvlink, IntraKind::Pcie];

    /// The word in scenarios and files.
    pub const fn name(self) -> &'static str {
        match self {
            IntraKind::Nvlink => "nvlink",
            IntraKind::Pcie => "pcie",
        }
    }
}
