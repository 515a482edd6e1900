//! Requests to the control socket of a run, by hand.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;

use serde_json::{Value, json};

use crate::{DEADLINE, Place};

impl Place {
    /// The result of one request to the only run of this place, which has opened its socket.
    #[track_caller]
    pub fn control(&self, method: &str, params: &Value) -> Value {
        let folder = fs::read_dir(self.data().join("control")).expect("a folder of sockets");
        let socket = |path: &std::path::PathBuf| path.extension().is_some_and(|end| end == "sock");
        let mut sockets = folder.flatten().map(|entry| entry.path()).filter(socket);
        let stream = UnixStream::connect(sockets.next().expect("a socket")).expect("a run");
        stream.set_read_timeout(Some(DEADLINE)).expect("a time-out");
        let request = json!({"id": 1, "method": method, "params": params});
        writeln!(&stream, "{request}").expect("the run reads");
        for line in BufReader::new(&stream).lines() {
            let line: Value = serde_json::from_str(&line.expect("an answer")).expect("JSON");
            if line["id"] == 1 {
                assert!(line["error"].is_null(), "{line}");
                return line["result"].clone();
            }
        }
        panic!("the run closed the connection before it answered")
    }
}
