//! What one store may take of the host: memory, tables, instances.

use wasmtime::ResourceLimiter;

/// Linear memory of one guest. A JavaScript harness with a long conversation uses 5 to 50 MiB;
/// half a gigabyte is ten times the largest seen and still leaves a small machine alive.
pub const MEMORY_MAX_BYTES: usize = 512 << 20;

/// Elements of one table; a QuickJS component has about 3,000 functions in its table.
pub const TABLE_MAX_ELEMENTS: usize = 100_000;

/// Instances, memories and tables of one store, as the pool has them per session.
const INSTANCES_MAX: usize = 64;

/// The limiter of one store. A refused growth is a failed `memory.grow` for the guest, which its
/// allocator reports in its own way; the peak is kept for the closing line.
#[derive(Debug, Default)]
pub struct StoreLimits {
    peak_bytes: usize,
    refused: bool,
}

impl StoreLimits {
    /// The largest linear memory so far, in bytes.
    pub fn peak_bytes(&self) -> usize {
        self.peak_bytes
    }

    /// Whether a growth was ever refused: the likely cause of a trap that follows.
    pub fn refused(&self) -> bool {
        self.refused
    }
}

impl ResourceLimiter for StoreLimits {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let allowed = desired <= MEMORY_MAX_BYTES && maximum.is_none_or(|m| desired <= m);
        if allowed {
            self.peak_bytes = self.peak_bytes.max(desired);
        } else {
            self.refused = true;
        }
        Ok(allowed)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let allowed = desired <= TABLE_MAX_ELEMENTS && maximum.is_none_or(|m| desired <= m);
        self.refused |= !allowed;
        Ok(allowed)
    }

    fn instances(&self) -> usize {
        INSTANCES_MAX
    }

    fn memories(&self) -> usize {
        INSTANCES_MAX
    }

    fn tables(&self) -> usize {
        INSTANCES_MAX
    }
}
