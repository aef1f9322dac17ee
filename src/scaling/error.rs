//! Why a scaling operation is refused. A refused operation changes nothing.

use crate::cluster::DoesNotFit;
use crate::ids::{ApplicationId, InstanceId, ServerId};
use crate::instance::InstanceStatus;
use crate::performance::TimingError;

/// A refused scaling operation.
#[derive(Debug, thiserror::Error)]
pub enum ScalingError {
    /// The cluster configuration names no server at all.
    #[error("the cluster configuration has no server; add one to `cluster.servers`")]
    NoServerConfiguration,
    /// No such SKU.
    #[error("server configuration for `{sku}` not found; known are {known}")]
    UnknownSku {
        /// What was asked for.
        sku: String,
        /// What there is.
        known: String,
    },
    /// The model does not fit a server of that SKU.
    #[error(transparent)]
    DoesNotFit(#[from] DoesNotFit),
    /// The performance table has no row for such an instance.
    #[error(transparent)]
    NoPerformance(#[from] TimingError),
    /// No such instance, now or ever.
    #[error("there is no instance_{0} in this application")]
    UnknownInstance(InstanceId),
    /// The instance is not in a status that allows it.
    #[error("instance_{instance} is {}; only an instance that is active or scaling_up can be scaled down", .status.name())]
    WrongStatus {
        /// Which.
        instance: InstanceId,
        /// What it is.
        status: InstanceStatus,
    },
    /// Too few would stay.
    #[error(
        "instance_{instance} is needed: min_instances is {minimum} and {active} with its tag are active; scale up first, or lower min_instances"
    )]
    TooFewLeft {
        /// Which.
        instance: InstanceId,
        /// The guard.
        minimum: u32,
        /// How many there are.
        active: u32,
    },
    /// Too many would exist.
    #[error("max_instances is {0} and so many exist; scale one down first, or raise it")]
    TooManyInstances(u32),
    /// Too many would exist.
    #[error("max_servers is {0} and so many exist; scale one down first, or raise it")]
    TooManyServers(u32),
    /// The inventory is used up.
    #[error(
        "only {limit} server(s) of `{sku}` can be had at once, and so many exist; scale one down first, or raise its `limit`"
    )]
    NoneLeft {
        /// Which SKU.
        sku: String,
        /// How many there are.
        limit: u32,
    },
    /// No such server, now or ever.
    #[error("there is no server_{0} of this application")]
    UnknownServer(ServerId),
    /// The server has left already.
    #[error("server_{0} has left the cluster")]
    ServerGone(ServerId),
    /// The server belongs to another application's manager.
    #[error("server_{server} belongs to application {owner}, only whose manager may change it")]
    NotMine {
        /// Which.
        server: ServerId,
        /// Whose it is.
        owner: ApplicationId,
    },
    /// Instances are on the server.
    #[error("server_{server} holds {instances} instance(s); scale those down first")]
    HasInstances {
        /// Which.
        server: ServerId,
        /// How many.
        instances: usize,
    },
    /// No such GPU on the server.
    #[error("server_{server} has no GPU {gpu}: it has {gpus}, counted from 0")]
    NoSuchGpu {
        /// Which server.
        server: ServerId,
        /// What was asked for.
        gpu: u32,
        /// How many it has.
        gpus: u32,
    },
    /// A GPU is taken.
    #[error("GPU {gpu} of server_{server} is occupied by instance_{holder}")]
    GpuTaken {
        /// Which server.
        server: ServerId,
        /// Which GPU.
        gpu: u32,
        /// By whom.
        holder: InstanceId,
    },
    /// A GPU of a shared server is taken by another application.
    #[error("GPU {gpu} of server_{server} is occupied by instance_{holder} of application {application}")]
    GpuTakenByOthers {
        /// Which server.
        server: ServerId,
        /// Which GPU.
        gpu: u32,
        /// By whose instance.
        application: ApplicationId,
        /// By which.
        holder: InstanceId,
    },
    /// A shared server has too few free GPUs beside each other.
    #[error("server_{server} has no {gpus} free GPU(s) beside each other; {free} are free")]
    NoRoomBesideOthers {
        /// Which server.
        server: ServerId,
        /// How many are needed.
        gpus: u32,
        /// How many are free.
        free: usize,
    },
    /// A shared server stays.
    #[error("server_{0} is shared by several applications, so it stays until the end of the run")]
    Shared(ServerId),
    /// An instance needs a GPU at least, and each only once.
    #[error("the list of processors is empty or names a GPU twice")]
    BadProcessors,
    /// The chosen GPUs cannot hold the model.
    #[error("the model needs {weights_gb:.0} GB for its weights, but {gpus} GPU(s) have {memory_gb:.0} GB")]
    GpusTooSmall {
        /// What it needs.
        weights_gb: f64,
        /// How many were chosen.
        gpus: usize,
        /// What they have.
        memory_gb: f64,
    },
}

impl ScalingError {
    /// The status the user's log prints for a refused scale-down, where it has a line for that.
    pub fn logged_status(&self) -> &'static str {
        match self {
            ScalingError::WrongStatus { status, .. } => status.name(),
            ScalingError::TooFewLeft { .. } => InstanceStatus::Active.name(),
            ScalingError::HasInstances { .. } => "has_instances",
            ScalingError::Shared(_) => "shared",
            ScalingError::ServerGone(_) => InstanceStatus::ScalingDown.name(),
            _ => "unknown",
        }
    }
}
