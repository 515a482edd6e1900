//! A registry on loopback, ended when the test ends; a gate that counts.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use cache::Cache;
use registry::{Admission, Asked, Client, Gate, Options, Progress, Refused, Sources, Store};

/// Reports its port on stderr within this time, also on a busy machine.
const START: Duration = Duration::from_secs(60);

pub struct Served {
    pub address: String,
    child: Child,
    _folder: tempfile::TempDir,
}

impl Served {
    pub fn anonymous() -> Self {
        Self::start("")
    }

    pub fn with_password(user: &str, password: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = Command::new("htpasswd").args(["-Bbn", "-C4", user, password]).output().unwrap();
        assert!(made.status.success(), "{made:?}");
        let path = folder.path().join("htpasswd");
        std::fs::write(&path, made.stdout).unwrap();
        let path = path.display();
        let served = Self::start(&format!("auth: {{htpasswd: {{realm: test, path: {path}}}}}\n"));
        // Read at the first request with a password.
        std::mem::forget(folder);
        served
    }

    fn start(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config.yml");
        let data = folder.path().join("data");
        let text = format!(
            "version: 0.1\nlog: {{level: info, formatter: json}}\n\
             storage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: '127.0.0.1:0'}}\n{more}",
            data.display()
        );
        std::fs::write(&config, text).unwrap();
        let mut child = Command::new("docker-registry")
            .arg("serve")
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("docker-registry; `cargo xtask test` installs it");
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (found, address) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                if let Some((_, rest)) = line.split_once("listening on ") {
                    let address: String = rest
                        .chars()
                        .take_while(|c| c.is_ascii_digit() || ".:".contains(*c))
                        .collect();
                    let _ = found.send(address);
                }
            }
        });
        let address = address.recv_timeout(START).expect("the registry says where it listens");
        Self { address, child, _folder: folder }
    }

    /// As `skopeo` writes it.
    pub fn docker(&self, rest: &str) -> String {
        format!("docker://{}/{rest}", self.address)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

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
    Client::new(options(), sources).unwrap()
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
