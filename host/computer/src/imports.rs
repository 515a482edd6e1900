//! What the module asks of the host: `components/computer/src/host.rs` is the other side.
//!
//! Every address and size comes from the module and is checked: the module is ours, and a bug in it must
//! not become one of the host.

use std::sync::Arc;

use wasmtime::{Caller, Linker, Memory, StoreLimits};

use crate::disk::Disk;
use crate::share::Share;
use crate::turns::Task;

/// The import namespace.
const HOST: &str = "host";

/// The console.
const CONSOLE: u32 = 0;
/// The port that carries bytes.
pub const PORT: u32 = 1;

/// Bytes of a panic's message that are kept.
const MESSAGE_MAX: usize = 4096;

const OK: u32 = 0;
const FAILED: u32 = 1;

/// The host's side of one instance.
pub struct Side {
    pub task: std::sync::Weak<Task>,
    pub disk: Option<Arc<Disk>>,
    pub shares: Vec<Share>,
    pub limits: StoreLimits,
    /// There once the instance is.
    pub memory: Option<Memory>,
    /// What a panic of the module said.
    pub panic: Option<String>,
}

/// The module named bytes that it does not have.
#[derive(Debug, thiserror::Error)]
#[error("the module named {size} bytes at {address:#x}, which it does not have")]
struct Outside {
    address: u32,
    size: u32,
}

/// Where bytes are in the memory.
fn range(all: &[u8], address: u32, size: u32) -> Result<std::ops::Range<usize>, Outside> {
    let at = address as usize;
    let end = at.checked_add(size as usize).filter(|end| *end <= all.len());
    Ok(at..end.ok_or(Outside { address, size })?)
}

/// The bytes at an address, and the host's side.
fn bytes<'a>(
    caller: &'a mut Caller<'_, Side>,
    address: u32,
    size: u32,
) -> wasmtime::Result<(&'a mut [u8], &'a mut Side)> {
    let memory = caller.data().memory.ok_or(Outside { address, size })?;
    let (all, side) = memory.data_and_store_mut(caller);
    let range = range(all, address, size)?;
    Ok((&mut all[range], side))
}

/// Adds the imports.
pub fn add_to_linker(linker: &mut Linker<Side>) -> wasmtime::Result<()> {
    linker.func_wrap(HOST, "console_output", console_output)?;
    linker.func_wrap(HOST, "console_takes", console_takes)?;
    linker.func_wrap(HOST, "disk_read", disk_read)?;
    linker.func_wrap(HOST, "random", random)?;
    linker.func_wrap(HOST, "share", share)?;
    linker.func_wrap(HOST, "panicked", panicked)?;
    Ok(())
}

fn console_output(
    mut caller: Caller<'_, Side>,
    port: u32,
    address: u32,
    size: u32,
) -> wasmtime::Result<()> {
    let (bytes, side) = bytes(&mut caller, address, size)?;
    if let Some(task) = side.task.upgrade() {
        match port {
            CONSOLE => task.wires.console(bytes),
            PORT => task.wires.output(bytes),
            _ => {}
        }
    }
    Ok(())
}

fn console_takes(caller: Caller<'_, Side>, port: u32) -> u32 {
    let takes = || caller.data().task.upgrade().is_none_or(|task| task.wires.takes());
    (port != PORT || takes()).into()
}

fn disk_read(
    mut caller: Caller<'_, Side>,
    offset: u64,
    address: u32,
    size: u32,
) -> wasmtime::Result<u32> {
    let (into, side) = bytes(&mut caller, address, size)?;
    let read = side.disk.as_ref().map(|disk| disk.read_at(offset, into));
    Ok(match read {
        Some(Ok(())) => OK,
        Some(Err(error)) => {
            tracing::warn!(%error, offset, size, "a disk cannot be read");
            FAILED
        }
        None => FAILED,
    })
}

fn random(mut caller: Caller<'_, Side>, address: u32, size: u32) -> wasmtime::Result<()> {
    let (into, _) = bytes(&mut caller, address, size)?;
    Ok(getrandom::fill(into)?)
}

/// The guest sees a device that broke where there is no such share, or an answer that does not fit.
fn share(
    mut caller: Caller<'_, Side>,
    index: u32,
    address: u32,
    size: u32,
    reply_address: u32,
    room: u32,
) -> wasmtime::Result<u32> {
    let memory = caller.data().memory.ok_or(Outside { address, size })?;
    let (all, side) = memory.data_and_store_mut(&mut caller);
    let request = range(all, address, size)?;
    let Some(share) = side.shares.get_mut(index as usize) else { return Ok(0) };
    let reply = share.answer(&all[request]);
    let Some(size) = u32::try_from(reply.len()).ok().filter(|size| *size <= room) else {
        return Ok(0);
    };
    let into = range(all, reply_address, size)?;
    all[into].copy_from_slice(reply);
    Ok(size)
}

fn panicked(mut caller: Caller<'_, Side>, address: u32, size: u32) -> wasmtime::Result<()> {
    let (text, side) = bytes(&mut caller, address, size)?;
    let kept = &text[..text.len().min(MESSAGE_MAX)];
    side.panic = Some(String::from_utf8_lossy(kept).into_owned());
    Ok(())
}
