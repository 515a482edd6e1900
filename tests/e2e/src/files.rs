//! A server on loopback that has one file under every address, and knows ranges.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender};

/// Its thread ends with the test.
pub struct FileServer {
    pub url: String,
    /// For each request the byte it begins with.
    pub asked: Receiver<u64>,
}

impl FileServer {
    /// The first connection breaks after `first` bytes.
    pub fn start(file: &Path, first: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port on loopback");
        let address = listener.local_addr().expect("a bound port has an address");
        let (tell, asked) = mpsc::channel();
        let file = file.to_path_buf();
        std::thread::spawn(move || {
            let mut limit = first;
            for stream in listener.incoming().flatten() {
                // A client that goes away is its own affair.
                let _ = serve(&stream, &file, limit, &tell);
                limit = u64::MAX;
            }
        });
        Self { url: format!("http://{address}"), asked }
    }
}

fn serve(
    mut stream: &TcpStream,
    file: &PathBuf,
    limit: u64,
    tell: &Sender<u64>,
) -> std::io::Result<()> {
    let mut from = 0;
    for line in BufReader::new(stream).lines() {
        let line = line?.to_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(range) = line.strip_prefix("range: bytes=") {
            from = range.trim_end_matches('-').parse().unwrap_or(0);
        }
    }
    let _ = tell.send(from);
    let mut file = File::open(file)?;
    let total = file.metadata()?.len();
    let (status, range) = match from {
        0 => ("200 OK", String::new()),
        _ => {
            let range = format!("content-range: bytes {from}-{}/{total}\r\n", total - 1);
            ("206 Partial Content", range)
        }
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\netag: \"v\"\r\n{range}content-length: {}\r\nconnection: close\r\n\r\n",
        total - from
    )?;
    file.seek(SeekFrom::Start(from))?;
    std::io::copy(&mut file.take(limit), &mut stream)?;
    Ok(())
}
