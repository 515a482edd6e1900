//! What the machine asks of whoever runs it.
//!
//! Implemented by the host and handed to [`crate::Machine::run`] at each call, so that the machine
//! itself holds nothing but its state. Calls come from inside `run`, between two instructions; none may
//! block for long, and none may call back into the machine.

use alloc::vec::Vec;

/// The sector could not be read; the guest sees an I/O error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadFailed;

/// The host's side of the devices.
pub trait Host {
    /// The guest wrote to a port of its console. The firmware's console is port 0, too.
    fn console_output(&mut self, port: usize, bytes: &[u8]);

    /// Whether output of a port is taken now. While it is not, the guest's writes wait; the host says
    /// with [`crate::Machine::console_takes_again`] that this changed. Asked before each buffer, which
    /// is taken whole.
    fn console_takes(&mut self, port: usize) -> bool {
        let _ = port;
        true
    }

    /// Fills `into` with the disk's content at a byte offset. The range lies within the capacity that
    /// the machine was made with.
    ///
    /// # Errors
    /// The content cannot be read.
    fn disk_read(&mut self, offset: u64, into: &mut [u8]) -> Result<(), ReadFailed>;

    /// Fills `into` with randomness.
    fn random(&mut self, into: &mut [u8]);

    /// Answers a message of 9P to a share, counted as in [`crate::Config::shares`]: `reply`, which is
    /// empty, gets the whole answer. The message is as the guest sent it, up to five MiB of anything. A
    /// share that gives no answer is broken until the guest resets it, which is what becomes of all
    /// shares of a host that has none.
    fn share(&mut self, index: usize, request: &[u8], reply: &mut Vec<u8>) {
        let _ = (index, request, reply);
    }
}
