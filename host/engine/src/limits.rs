//! What one store may take of the host: memory, tables, instances.

use wasmtime::{ResourceLimiter, Store};

/// Linear memory of one guest, all its memories together. A JavaScript harness with a long conversation uses 5 to 50 MiB;
/// half a gigabyte is ten times the largest seen and still leaves a small machine alive.
pub const MEMORY_MAX_BYTES: usize = 512 << 20;

/// Elements of one table; a QuickJS component has about 3,000 functions in its table.
pub const TABLE_MAX_ELEMENTS: usize = 100_000;

/// Core instances that one component may be made of. A QuickJS component uses 9, a middleware in
/// Rust 5; with as many middleware as an agent may have that makes 49.
pub const INSTANCES_MAX: u32 = 64;
/// Linear memories of one component: one of the harness, one of each middleware.
pub const MEMORIES_MAX: u32 = 12;
/// Tables of one component; a QuickJS component uses two, a middleware in Rust two.
pub const TABLES_MAX: u32 = 32;

/// What the pool holds ready for each session: a harness with up to three middleware. The pool is
/// shared, so a few longer chains find their place beside shorter ones.
pub(crate) const INSTANCES_USUAL: u32 = 24;
pub(crate) const MEMORIES_USUAL: u32 = 4;
pub(crate) const TABLES_USUAL: u32 = 16;

/// Memories of a pool beyond one for each session: each takes 4 GiB of the 128 TiB of addresses that
/// a process has, so these take half of them.
pub(crate) const POOL_MEMORIES: u32 = 16_000;
/// Fibers of a pool beyond one for each session, which its store keeps: they are for calls under way
/// at once. Each is two of the 65,530 mappings that Linux allows a process, a guard page and a
/// stack, and is made in advance; the memory of an idle session is three.
pub(crate) const POOL_STACKS: u32 = 2_000;

/// Bounds the handles that a guest can make without asking the host: of its own resources, tasks,
/// streams and waitable sets. wasmtime allows a million of some of them, which cost the host 100
/// bytes each and no linear memory.
pub fn limit_handles<T>(store: &mut Store<T>, handles: usize) {
    store.set_max_component_handles(handles);
    if let Some(table) = store.concurrent_resource_table() {
        table.set_max_capacity(handles);
    }
}

/// The limiter of one store. A refused growth is a failed `memory.grow` for the guest, which its
/// allocator reports in its own way; the peak is kept for the closing line.
#[derive(Debug, Default)]
pub struct StoreLimits {
    bytes: usize,
    refused: bool,
}

impl StoreLimits {
    /// All linear memories together, in bytes. They never shrink, so this is the peak.
    pub fn peak_bytes(&self) -> usize {
        self.bytes
    }

    /// Whether a growth was ever refused: the likely cause of a trap that follows.
    pub fn refused(&self) -> bool {
        self.refused
    }
}

impl ResourceLimiter for StoreLimits {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.bytes.saturating_add(desired.saturating_sub(current));
        let allowed = total <= MEMORY_MAX_BYTES && maximum.is_none_or(|m| desired <= m);
        if allowed {
            self.bytes = total;
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
        INSTANCES_MAX as usize
    }

    fn memories(&self) -> usize {
        MEMORIES_MAX as usize
    }

    fn tables(&self) -> usize {
        TABLES_MAX as usize
    }
}
