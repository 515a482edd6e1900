//! A hub of one file, on loopback: every address has it, and its digest is told as the hub tells it.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

use sha2::{Digest, Sha256};

pub struct Hub {
    pub mirror: String,
    pub sha256: String,
}

impl Hub {
    pub fn start(file: &'static [u8]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mirror = format!("http://{}", listener.local_addr().unwrap());
        let sha256: String = Sha256::digest(file).iter().map(|b| format!("{b:02x}")).collect();
        let head = format!(
            "HTTP/1.1 200 OK\r\nx-linked-etag: \"{sha256}\"\r\ncontent-length: {}\r\n\
             connection: close\r\n\r\n",
            file.len()
        );
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let lines = BufReader::new(&stream).lines();
                if lines.map_while(Result::ok).any(|line| line.is_empty()) {
                    // A client that goes away is its own affair.
                    let _ = stream.write_all(&[head.as_bytes(), file].concat());
                }
            }
        });
        Self { mirror, sha256 }
    }
}
