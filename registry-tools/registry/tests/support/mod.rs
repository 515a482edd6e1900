//! A gate that counts, and what tests of a real registry share.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

pub mod fake;

use std::io::Write as _;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use cache::Cache;
use registry::{Admission, Asked, Client, Gate, Options, Progress, Refused, Sources, Store};

#[allow(unused_imports, reason = "not every test has a real registry")]
pub use ::served::Served;

pub fn skopeo(arguments: &[&str]) -> Vec<u8> {
    let (command, rest) = arguments.split_first().unwrap();
    let plain = if *command == "copy" { "--src-tls-verify=false" } else { "--tls-verify=false" };
    let output = Command::new("skopeo").arg(command).arg(plain).args(rest).output().unwrap();
    if !output.status.success() {
        std::io::stderr().write_all(&output.stderr).unwrap();
    }
    assert!(output.status.success(), "skopeo {arguments:?}");
    output.stdout
}

/// Lets all through or nothing, and counts how often it was asked.
pub struct Gatekeeper {
    open: bool,
    count: AtomicUsize,
}

impl Gatekeeper {
    pub fn open() -> Arc<Self> {
        Arc::new(Self { open: true, count: AtomicUsize::new(0) })
    }

    pub fn closed() -> Arc<Self> {
        Arc::new(Self { open: false, count: AtomicUsize::new(0) })
    }

    pub fn asked(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Gate for Gatekeeper {
    async fn admit(&self, asked: &Asked<'_>) -> Result<Admission, Refused> {
        assert_eq!(artifact::Digest::of(asked.manifest), asked.digest);
        self.count.fetch_add(1, Ordering::SeqCst);
        if self.open { Ok(Admission::default()) } else { Err(Refused::new("the gate is closed")) }
    }
}

pub fn options() -> Options {
    Options {
        pause: Duration::from_millis(1),
        stall: Duration::from_secs(20),
        ..Options::default()
    }
}

pub fn client(sources: Sources) -> Client {
    Client::new(options(), sources)
}

pub fn store(cache: Cache, gate: Arc<Gatekeeper>) -> Store {
    Store::new(cache, Arc::new(client(Sources::default())), gate)
}

pub fn component() -> Vec<u8> {
    wat::parse_str(r#"(component (@custom "version" "1.0.0") (import "a:b/c@0.1.0" (instance)))"#)
        .unwrap()
}

pub fn silent() -> Progress {
    Arc::new(|_, _| ())
}
