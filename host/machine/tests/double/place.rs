//! A machine whose agent is spoken to, and what tests ask of it.

use std::any::Any;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use machine_client::{
    Chunk, Client, Command, Connection, Exit, OnConnection, Process, Program, Size, Stream,
};
use serde::Deserialize;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;

use crate::image::image;

/// Far above what any of this takes, also on a host that is busy.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// Bytes of a machine's memory.
pub const MEMORY: usize = 256 << 20;

pub struct Place {
    pub client: Client,
    pub workspace: TempDir,
    pub connections: mpsc::UnboundedReceiver<Connection>,
    /// Dropping it ends the machine.
    _machine: Box<dyn Any>,
}

/// What is used of `machine.json`.
#[derive(Deserialize)]
pub struct Manifest {
    pub roots: Vec<Root>,
}

#[derive(Deserialize)]
pub struct Root {
    pub variant: String,
    pub file: String,
    pub sha256: String,
}

/// The root that machines get.
pub fn root() -> Root {
    let text = std::fs::read(image().join("machine.json")).unwrap();
    let manifest: Manifest = serde_json::from_slice(&text).unwrap();
    manifest.roots.into_iter().find(|root| root.variant == "base").unwrap()
}

impl Place {
    /// Of a machine whose port this stream is.
    pub async fn new(
        port: impl AsyncRead + AsyncWrite + Send + 'static,
        workspace: TempDir,
        machine: impl Any,
    ) -> Self {
        let (connected, connections) = mpsc::unbounded_channel();
        let connected = Mutex::new(connected);
        let on_connection: OnConnection =
            Arc::new(move |connection| drop(connected.lock().unwrap().send(connection)));
        let client = Client::new(port, on_connection);
        soon(client.ready()).await.unwrap();
        Self { client, workspace, connections, _machine: Box::new(machine) }
    }

    pub fn script(&self, text: &str) -> Process {
        self.client.start(command(text))
    }

    /// What a script comes to, in one line.
    pub async fn sh(&self, text: &str) -> String {
        finish(&self.script(text)).await
    }
}

pub fn command(text: &str) -> Command {
    Command {
        program: Program::Script(text.into()),
        cwd: None,
        env: Vec::new(),
        timeout_ms: None,
        pty: None,
    }
}

pub fn size(columns: u16, rows: u16) -> Size {
    Size { columns, rows }
}

/// All that comes: `stdout|stderr|exit`.
pub async fn finish(process: &Process) -> String {
    soon(finish_at_last(process)).await
}

async fn finish_at_last(process: &Process) -> String {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    loop {
        let chunks = process.read(usize::MAX).await.unwrap();
        if chunks.is_empty() {
            break;
        }
        for Chunk { stream, data } in chunks {
            match stream {
                Stream::Stdout => stdout.extend(data),
                Stream::Stderr => stderr.extend(data),
            }
        }
    }
    let exit = match process.exit().await.unwrap() {
        Exit::Code(code) => code.to_string(),
        Exit::Signal(number) => format!("signal {number}"),
        Exit::TimedOut => "timed out".to_owned(),
    };
    format!("{}|{}|{exit}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr))
}

/// The output until this is in it.
pub async fn see(process: &Process, text: &str) -> String {
    soon(see_at_last(process, text)).await
}

async fn see_at_last(process: &Process, text: &str) -> String {
    let mut seen = String::new();
    while !seen.contains(text) {
        let chunks = process.read(usize::MAX).await.unwrap();
        assert!(!chunks.is_empty(), "`{text}` does not come: {seen}");
        chunks.iter().for_each(|chunk| seen += &String::from_utf8_lossy(&chunk.data));
    }
    seen
}

/// All of it.
pub async fn type_in(process: &Process, mut data: &[u8]) {
    while !data.is_empty() {
        let taken = soon(process.write(data)).await.unwrap();
        data = &data[taken..];
    }
}

/// Ends a test that would wait for ever.
pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future).await.expect("it blocks")
}
