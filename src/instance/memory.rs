//! GPU memory of an instance: model weights plus the KV caches it holds.

/// Bytes in use and available, over all GPUs of the instance.
///
/// Invariant: `weights ≤ used ≤ capacity`; whoever allocates asks [`Memory::fits`] first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Memory {
    weights_bytes: u64,
    used_bytes: u64,
    capacity_bytes: u64,
}

impl Memory {
    /// Memory that holds the weights and no KV cache yet.
    pub fn new(weights_bytes: u64, capacity_bytes: u64) -> Self {
        Memory { weights_bytes, used_bytes: weights_bytes, capacity_bytes }
    }

    /// In use, weights included.
    pub fn used_bytes(&self) -> u64 {
        self.used_bytes
    }

    /// Available in all.
    pub fn capacity_bytes(&self) -> u64 {
        self.capacity_bytes
    }

    /// Whether so many more bytes fit beside `promised` ones.
    pub fn fits_beside(&self, promised: u64, bytes: u64) -> bool {
        self.used_bytes + promised + bytes <= self.capacity_bytes
    }

    /// Whether so many more bytes fit.
    pub fn fits(&self, bytes: u64) -> bool {
        self.fits_beside(0, bytes)
    }

    /// Whether so many bytes would fit if nothing but the weights were here.
    pub fn could_ever_fit(&self, bytes: u64) -> bool {
        self.weights_bytes + bytes <= self.capacity_bytes
    }

    pub(super) fn allocate(&mut self, bytes: u64) {
        debug_assert!(self.fits(bytes), "allocated without asking whether it fits");
        self.used_bytes += bytes;
    }

    pub(super) fn free(&mut self, bytes: u64) {
        debug_assert!(self.used_bytes - self.weights_bytes >= bytes, "freed more than was allocated");
        self.used_bytes -= bytes;
    }
}
