//! The plainest client: curl, for what is seen on the wire.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::client::{command, output};
use crate::{Endpoint, Place, Tape};

/// What curl has seen.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    /// Status line and headers.
    pub head: String,
    pub body: String,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        let line = self.head.lines().find(|line| {
            line.split_once(':').is_some_and(|(key, _)| key.eq_ignore_ascii_case(name))
        })?;
        Some(line.split_once(':')?.1.trim())
    }
}

/// A curl that reads a stream. Killed when dropped.
pub struct Stream {
    child: std::process::Child,
    /// What came, bytes as they are.
    pub body: Tape,
}

impl Endpoint {
    /// `curl` on a path, with a token if there is one, and a body if it is to be posted.
    #[track_caller]
    pub fn curl(&self, place: &Place, token: &str, path: &str, body: Option<&str>) -> Reply {
        let mut curl = self.command(place, token, path, body);
        curl.arg("--include");
        let all = output(curl, body.unwrap_or_default());
        let (head, body) = all.split_once("\r\n\r\n").expect("headers end");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        Reply { status: status.expect("a status"), head: head.to_owned(), body: body.to_owned() }
    }

    /// The same without waiting for the end.
    #[track_caller]
    pub fn curl_begins(&self, place: &Place, token: &str, path: &str, body: &str) -> Stream {
        let mut curl = self.command(place, token, path, None);
        curl.args(["--json", body]).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = curl.spawn().expect("curl starts");
        let body = Tape::record(child.stdout.take().expect("stdout is piped"));
        Stream { child, body }
    }

    fn command(&self, place: &Place, token: &str, path: &str, body: Option<&str>) -> Command {
        let mut curl = command(Path::new("curl"), place);
        curl.args(["--silent", "--show-error", "--no-buffer", "--max-time", "60"]);
        if !token.is_empty() {
            curl.args(["--header", &format!("authorization: Bearer {token}")]);
        }
        if body.is_some() {
            curl.args(["--json", "@-"]);
        }
        curl.arg(format!("{}{path}", self.url));
        curl
    }
}

impl Stream {
    /// Waits until `text` came.
    #[track_caller]
    pub fn see(&self, text: &str) {
        let found = self.body.wait(|all| all.contains(text).then_some(()));
        found.unwrap_or_else(|all| panic!("no {text:?} in {all:?}"));
    }

    /// Goes away without a word.
    pub fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
