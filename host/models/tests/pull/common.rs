//! A folder, a file of some length, and a download that does not wait long.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use models::{Digest, Download, Downloader, Event, Expected, Fetched, Mirror, Options, PullError};
use sha2::Digest as _;
use tempfile::TempDir;
use url::Url;

use crate::server::Server;

/// What a test waits for at most: one that hangs must fail.
pub const PATIENCE: Duration = Duration::from_secs(60);
pub const URL: &str = "https://huggingface.co/maker/model/resolve/main/model.gguf";
pub const V1: &str = "\"one\"";
pub const V2: &str = "\"two\"";

/// A model file of 300,000 bytes in which no two places look alike.
pub fn file(seed: u32) -> Arc<Vec<u8>> {
    let mut bytes = b"GGUF".to_vec();
    let mut state = seed.wrapping_mul(2_654_435_761).max(1);
    while bytes.len() < 300_000 {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        bytes.extend(state.to_le_bytes());
    }
    Arc::new(bytes)
}

pub fn sha256(bytes: &[u8]) -> Digest {
    let digits: String = sha2::Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect();
    digits.parse().unwrap()
}

pub struct Place {
    pub folder: TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("models/model.gguf")
    }

    pub fn partial(&self) -> PathBuf {
        self.folder.path().join("models/.model.gguf.partial")
    }

    pub fn download(&self, expected: Digest) -> Download {
        Download {
            url: Url::parse(URL).unwrap(),
            place: self.path(),
            expected: Expected::Known(expected),
            size: None,
        }
    }

    /// The files beside the model that are not locks.
    pub fn left_over(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path().join("models")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> =
            names.filter(|name| name != "model.gguf" && !name.ends_with(".lock")).collect();
        names.sort();
        names
    }
}

/// Options for a test: the server stands for the hub, and waits are short.
pub fn options(server: &Server) -> Options {
    Options {
        mirror: Some(Mirror::new(&server.mirror()).unwrap()),
        wait: Duration::from_millis(1),
        space_margin: 0,
        ..Options::default()
    }
}

/// A download that is given up at the first trouble.
pub fn impatient(server: &Server) -> Options {
    Options { retries: 0, ..options(server) }
}

/// Runs a download; returns what came of it and what happened meanwhile.
pub async fn run(
    options: Options,
    download: &Download,
) -> (Result<Fetched, PullError>, Vec<Event>) {
    let mut events = Vec::new();
    let downloader = Downloader::new(options).unwrap();
    let mut tell = |event| events.push(event);
    let fetched = tokio::time::timeout(PATIENCE, downloader.fetch(download, &mut tell));
    let fetched = fetched.await.expect("the download hangs");
    (fetched, events)
}
