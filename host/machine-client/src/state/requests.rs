//! What is to be sent, message by message.

use std::time::{SystemTime, UNIX_EPOCH};

use machine_protocol::{FrameError, Request, encode};

use super::turns::Who;
use super::{Stage, State};

/// Bytes that are taken at once: one message with data. What comes later is then never far behind, however
/// much there is to send.
const BATCH: usize = 64 << 10;

impl State {
    pub fn has_requests(&self) -> bool {
        !self.turns.is_empty() || self.greeted || self.power_off
    }

    /// Adds to `out` what is to be sent next. Nothing before the hello, and nothing after the end.
    ///
    /// # Errors
    /// A message is longer than the protocol has room for.
    pub fn requests(&mut self, out: &mut Vec<u8>) -> Result<(), FrameError> {
        if !matches!(self.stage, Stage::Speaking) {
            return Ok(());
        }
        if std::mem::take(&mut self.greeted) {
            out.extend(encode(&clock())?);
        }
        if std::mem::take(&mut self.power_off) {
            out.extend(encode(&Request::PowerOff)?);
        }
        while out.len() < BATCH
            && let Some(who) = self.turns.next()
        {
            match who {
                Who::Process(id) => self.ask_for_process(id, out)?,
                Who::Connection(key) => self.ask_for_connection(key, out)?,
            }
        }
        Ok(())
    }

    fn ask_for_process(&mut self, id: u32, out: &mut Vec<u8>) -> Result<(), FrameError> {
        let Some(process) = self.processes.get_mut(&id) else { return Ok(()) };
        if let Some(message) = process.start() {
            // A machine's clock starts at 1970, and lags behind while the machine computes.
            out.extend(encode(&clock())?);
            out.extend(message);
        } else if let Some(request) = process.request(id) {
            out.extend(encode(&request)?);
        }
        if process.has_requests() {
            self.turns.want(Who::Process(id));
        }
        Ok(())
    }

    fn ask_for_connection(&mut self, key: u64, out: &mut Vec<u8>) -> Result<(), FrameError> {
        let Some(connection) = self.connections.get(key) else { return Ok(()) };
        if let Some(request) = connection.request() {
            out.extend(encode(&request)?);
        }
        if connection.has_requests() {
            self.turns.want(Who::Connection(key));
        }
        self.connections.tidy(key);
        Ok(())
    }
}

/// The wall clock now.
fn clock() -> Request {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Request::Clock { unix_nanos: u64::try_from(since.as_nanos()).unwrap_or(u64::MAX) }
}
