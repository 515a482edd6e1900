//! A folder of the host: carries messages of 9P between the guest's kernel and whoever answers them.
//!
//! A request is the readable part of a chain, its answer goes into the writable part, at once and in
//! order. What the messages mean is the host's business ([`crate::Host::share`]); nothing of a folder is
//! kept here, so a copy of the machine has none of it either.
//!
//! VIRTIO 1.2 has a number for this device ("9P transport") and no section. What it is stands in Linux
//! (`net/9p/trans_virtio.c`, `include/uapi/linux/virtio_9p.h`): one queue, one feature, and a
//! configuration of the tag's length in two bytes and the tag.

use alloc::string::String;
use alloc::vec::Vec;

use super::Work;
use super::queue::{Broken, Chain};

/// Device type.
pub const ID: u32 = 9;

const MOUNT_TAG: u64 = 1;
/// What the device offers.
pub const FEATURES: u64 = MOUNT_TAG;

/// What one message counts for, in bytes moved: looking up and opening a file takes the host about as
/// long as a thousand instructions of the guest do.
const MESSAGE_BYTES: u64 = 16 << 10;

/// The device.
#[derive(Clone, Debug)]
pub struct Share {
    index: usize,
    tag: String,
}

impl Share {
    /// The share that the host knows by that number, and the guest by that tag. Linux mounts nothing
    /// whose tag is longer than a page.
    pub fn new(index: usize, tag: &str) -> Self {
        Self { index, tag: tag.into() }
    }

    pub(super) fn config(&self) -> Vec<u8> {
        let size = u16::try_from(self.tag.len()).unwrap_or(u16::MAX);
        let mut config = size.to_le_bytes().to_vec();
        config.extend(self.tag.bytes().take(size.into()));
        config
    }

    pub(super) fn work(&mut self, work: &mut Work<'_>) -> Result<(), Broken> {
        while let Some(chain) = work.next(0)? {
            let written = self.message(&chain, work)?;
            work.finish(0, &chain, written)?;
        }
        Ok(())
    }

    /// Has a message answered; returns the bytes of the answer. One that does not fit cannot be given,
    /// and one that there is not cannot be waited for: both are the end of the device.
    fn message(&self, chain: &Chain, work: &mut Work<'_>) -> Result<usize, Broken> {
        let request = chain.read(work.memory)?;
        let mut reply = Vec::new();
        work.host.share(self.index, &request, &mut reply);
        work.moved += MESSAGE_BYTES + (request.len() + reply.len()) as u64;
        if reply.is_empty() || reply.len() > chain.capacity() {
            return Err(Broken);
        }
        chain.write(work.memory, &reply)
    }
}
