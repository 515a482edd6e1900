//! Debian's `docker-registry` on loopback, ended when its owner is dropped. For tests and benchmarks
//! only: what goes wrong panics.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::missing_panics_doc)]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Reports its port on stderr within this time, also on a busy machine.
const START: Duration = Duration::from_secs(60);

pub struct Served {
    pub address: String,
    child: Child,
    _folder: tempfile::TempDir,
}

impl Served {
    pub fn anonymous() -> Self {
        Self::start(tempfile::tempdir().unwrap(), "")
    }

    pub fn with_password(user: &str, password: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = Command::new("htpasswd").args(["-Bbn", "-C4", user, password]).output().unwrap();
        assert!(made.status.success(), "{made:?}");
        let path = folder.path().join("htpasswd");
        std::fs::write(&path, made.stdout).unwrap();
        let path = path.display();
        Self::start(folder, &format!("auth: {{htpasswd: {{realm: test, path: {path}}}}}\n"))
    }

    /// Keeps everything in the folder.
    fn start(folder: tempfile::TempDir, more: &str) -> Self {
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
