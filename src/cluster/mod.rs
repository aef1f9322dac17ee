//! The cluster: SKUs, servers and where an instance fits.

mod catalogue;
mod placement;
mod server;

pub use catalogue::*;
pub use placement::{DoesNotFit, InstanceShape, shape_of_slice, shape_on_server};
pub use server::{Server, ServerStatus};
