//! The cluster: SKUs, servers and where an instance fits.

mod catalogue;
mod deployment;
mod packing;
mod placement;
mod server;

pub use catalogue::*;
pub use deployment::{deploy, memory_of, with_kernels};
pub use packing::{NoRoom, Parcel, Spot, pack, shape_of_stages};
pub use placement::{DoesNotFit, InstanceShape, shape_of_slice, shape_on_gpus, shape_on_server};
pub use server::{GpuNews, Server, ServerStatus, Tenant};
