//! Terminals: several ports, each a stream of bytes in both directions.
//!
//! Port 0 is the kernel's console and has a size, which may change; the others carry bytes between the
//! host and programs of the guest. Input waits here, bounded, until the driver has buffers for it; output
//! goes to the host as it comes.
//!
//! VIRTIO 1.2, section 5.3 "Console Device". The message about a new size carries rows before columns:
//! that is how Linux reads it, although the specification has them the other way round.

use super::Work;
use super::queue::Broken;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

/// Device type.
pub const ID: u32 = 3;

const SIZE: u64 = 1;
const MULTIPORT: u64 = 1 << 1;
/// What the device offers.
pub const FEATURES: u64 = SIZE | MULTIPORT;

/// Input that waits for the guest, per port. A host that has more must keep it and ask again.
pub const MAX_INPUT: usize = 64 << 10;

/// Control messages that wait for the guest: every port has a handful at start.
const MAX_CONTROL: usize = 256;

const CONTROL_RECEIVE: usize = 2;
const CONTROL_SEND: usize = 3;

/// Bytes of a control message without what follows in some.
const CONTROL_BYTES: usize = 8;

/// Events of control messages.
mod event {
    pub const DEVICE_READY: u16 = 0;
    pub const PORT_ADD: u16 = 1;
    pub const PORT_READY: u16 = 3;
    pub const CONSOLE_PORT: u16 = 4;
    pub const RESIZE: u16 = 5;
    pub const PORT_OPEN: u16 = 6;
    pub const PORT_NAME: u16 = 7;
}

/// One stream.
#[derive(Clone, Debug)]
struct Port {
    /// What the guest finds it by, in `/sys/class/virtio-ports/*/name`.
    name: String,
    input: VecDeque<u8>,
    /// Whether a program of the guest has it open.
    open: bool,
}

/// The device.
#[derive(Clone, Debug)]
pub struct Console {
    ports: Vec<Port>,
    columns: u16,
    rows: u16,
    control: VecDeque<Vec<u8>>,
}

impl Console {
    /// A console of that size and further ports of these names.
    pub fn new(columns: u16, rows: u16, names: &[&str]) -> Self {
        let port = |name: &str| Port { name: name.into(), input: VecDeque::new(), open: false };
        let ports = core::iter::once("console").chain(names.iter().copied()).map(port).collect();
        Self { ports, columns, rows, control: VecDeque::new() }
    }

    pub(super) fn queues(&self) -> usize {
        2 + 2 * self.ports.len()
    }

    pub(super) fn config(&self) -> Vec<u8> {
        let mut config = Vec::new();
        config.extend_from_slice(&self.columns.to_le_bytes());
        config.extend_from_slice(&self.rows.to_le_bytes());
        config.extend_from_slice(&(self.ports.len() as u32).to_le_bytes());
        config
    }

    pub(super) fn reset(&mut self) {
        self.control.clear();
        for port in &mut self.ports {
            port.open = false;
            port.input.clear();
        }
    }

    /// Hands in input for a port; returns how many bytes were taken.
    pub fn input(&mut self, port: usize, bytes: &[u8]) -> usize {
        let Some(port) = self.ports.get_mut(port) else { return 0 };
        let taken = bytes.len().min(MAX_INPUT - port.input.len().min(MAX_INPUT));
        port.input.extend(bytes.iter().take(taken));
        taken
    }

    /// Takes input of port 0 for the firmware's console.
    pub fn take(&mut self, size: usize) -> Vec<u8> {
        self.ports.first_mut().map_or_else(Vec::new, |port| {
            let size = size.min(port.input.len());
            port.input.drain(..size).collect()
        })
    }

    /// Whether a program of the guest has the port open.
    pub fn is_open(&self, port: usize) -> bool {
        self.ports.get(port).is_some_and(|port| port.open)
    }

    /// Changes the size of port 0.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        (self.columns, self.rows) = (columns, rows);
        let mut message = control(0, event::RESIZE, 0);
        message.extend_from_slice(&rows.to_le_bytes());
        message.extend_from_slice(&columns.to_le_bytes());
        self.tell(message);
    }

    /// Queues a control message. A guest that never takes any loses what is too much.
    fn tell(&mut self, message: Vec<u8>) {
        if self.control.len() < MAX_CONTROL {
            self.control.push_back(message);
        }
    }

    pub(super) fn work(&mut self, work: &mut Work<'_>) -> Result<(), Broken> {
        let multiport = work.features & MULTIPORT != 0;
        if multiport {
            self.hear(work)?;
            self.say(work)?;
        }
        let ports = if multiport { self.ports.len() } else { 1 };
        for port in 0..ports {
            let receive = if port == 0 { 0 } else { 2 + 2 * port };
            self.receive(port, receive, work)?;
            send(port, receive + 1, work)?;
        }
        Ok(())
    }

    /// Input for the guest.
    fn receive(&mut self, port: usize, queue: usize, work: &mut Work<'_>) -> Result<(), Broken> {
        let input = &mut self.ports[port].input;
        while !input.is_empty() {
            let Some(chain) = work.next(queue)? else { break };
            let size = chain.capacity().min(input.len());
            let bytes: Vec<u8> = input.drain(..size).collect();
            let written = chain.write(work.memory, &bytes)?;
            work.moved += written as u64;
            work.finish(queue, &chain, written)?;
        }
        Ok(())
    }

    /// Control messages for the guest.
    fn say(&mut self, work: &mut Work<'_>) -> Result<(), Broken> {
        while !self.control.is_empty() {
            let Some(chain) = work.next(CONTROL_RECEIVE)? else { break };
            let message = self.control.pop_front().unwrap_or_default();
            let written = chain.write(work.memory, &message)?;
            work.finish(CONTROL_RECEIVE, &chain, written)?;
        }
        Ok(())
    }

    /// Control messages from the guest.
    fn hear(&mut self, work: &mut Work<'_>) -> Result<(), Broken> {
        while let Some(chain) = work.next(CONTROL_SEND)? {
            let message = chain.read_start(work.memory, CONTROL_BYTES)?;
            if let Some(&[a, b, c, d, e, f, g, h]) = message.first_chunk() {
                let port = u32::from_le_bytes([a, b, c, d]);
                self.answer(port, u16::from_le_bytes([e, f]), u16::from_le_bytes([g, h]));
            }
            work.finish(CONTROL_SEND, &chain, 0)?;
        }
        Ok(())
    }

    fn answer(&mut self, port: u32, event: u16, value: u16) {
        let known = self.ports.get_mut(port as usize);
        match (event, known) {
            (event::DEVICE_READY, _) if value == 1 => {
                for port in 0..self.ports.len() as u32 {
                    self.tell(control(port, event::PORT_ADD, 1));
                }
            }
            (event::PORT_READY, Some(found)) if value == 1 => {
                let mut name = control(port, event::PORT_NAME, 1);
                name.extend_from_slice(found.name.as_bytes());
                if port == 0 {
                    self.tell(control(port, event::CONSOLE_PORT, 1));
                    self.resize(self.columns, self.rows);
                }
                self.tell(name);
                // The host's side is always open: it keeps or drops what comes.
                self.tell(control(port, event::PORT_OPEN, 1));
            }
            (event::PORT_OPEN, Some(found)) => found.open = value != 0,
            _ => {}
        }
    }
}

/// Output of the guest.
fn send(port: usize, queue: usize, work: &mut Work<'_>) -> Result<(), Broken> {
    while work.host.console_takes(port) {
        let Some(chain) = work.next(queue)? else { break };
        for buffer in &chain.readable {
            let bytes = work.memory.get(buffer.address, buffer.size).ok_or(Broken)?;
            work.host.console_output(port, bytes);
            work.moved += bytes.len() as u64;
        }
        work.finish(queue, &chain, 0)?;
    }
    Ok(())
}

fn control(port: u32, event: u16, value: u16) -> Vec<u8> {
    let mut message = port.to_le_bytes().to_vec();
    message.extend_from_slice(&event.to_le_bytes());
    message.extend_from_slice(&value.to_le_bytes());
    message
}
