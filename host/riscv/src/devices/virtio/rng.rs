//! The entropy device: fills what the driver asks for with the host's randomness.
//!
//! VIRTIO 1.2, section 5.4 "Entropy Device".

use super::Work;
use super::queue::Broken;
use alloc::vec;

/// Device type.
pub const ID: u32 = 4;

/// The most bytes given for one request; a driver asks again for more.
const MAX_BYTES: usize = 4096;

/// The device, which has no state.
#[derive(Clone, Copy, Debug)]
pub struct Rng;

impl Rng {
    pub(super) fn work(&mut self, work: &mut Work<'_>) -> Result<(), Broken> {
        while let Some(chain) = work.next(0)? {
            let mut bytes = vec![0; chain.capacity().min(MAX_BYTES)];
            work.host.random(&mut bytes);
            let written = chain.write(work.memory, &bytes)?;
            work.moved += written as u64;
            work.finish(0, &chain, written)?;
        }
        Ok(())
    }
}
