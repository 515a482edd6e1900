//! The socket of this process: who connects is served in a task of their own.
//!
//! Fails closed: a peer that is not this user is dropped without a word, one too many is told so.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::process::geteuid;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::board::Board;
use crate::connection::{self, Peer};
use crate::folder::{Folder, FolderError, names};
use crate::protocol::{CONNECTIONS_MAX, Hello, PROTOCOL, code};

/// How long the last lines may take to reach those who read; one who does not must not keep the
/// process from ending.
const GRACE: Duration = Duration::from_millis(500);
/// After a failed accept (no descriptors left): long enough not to spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The socket could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error("cannot listen on {}", path.display())]
    Socket { path: PathBuf, source: io::Error },
}

/// The listening socket. Dropping it removes the socket; `close` also sends what is unsent.
#[derive(Debug)]
pub struct Server {
    path: PathBuf,
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

impl Server {
    /// Listens in `folder`, which is made when missing. `version` is the program's. Must run
    /// inside of the runtime.
    pub fn start(folder: &Path, board: Board, version: &str) -> Result<Self, StartError> {
        let folder = Folder::create(folder)?;
        let pid = std::process::id();
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let start = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        let (name, unready) = names(pid, start);
        let path = folder.path(&name);
        let error = |source| StartError::Socket { path: path.clone(), source };
        let listener = folder.address(&unready).and_then(UnixListener::bind).map_err(error)?;
        let private = std::fs::Permissions::from_mode(0o600);
        let ready = std::fs::set_permissions(folder.path(&unready), private)
            .and_then(|()| std::fs::rename(folder.path(&unready), &path));
        if let Err(source) = ready {
            folder.remove(&unready);
            return Err(error(source));
        }
        let stop = CancellationToken::new();
        let hello = Hello { protocol: PROTOCOL, version: version.to_owned(), pid };
        let serving = tokio::spawn(serve(listener, board, hello, stop.clone()));
        Ok(Self { path, stop, serving })
    }

    /// Where it listens.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Ends: nobody new is served, those who read get what is left, for a moment.
    pub async fn close(mut self) {
        self.stop.cancel();
        let _ = tokio::time::timeout(GRACE, &mut self.serving).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
        self.serving.abort();
        // Its name is this process's own: nobody else can have taken it.
        let _ = std::fs::remove_file(&self.path);
    }
}

async fn serve(listener: UnixListener, board: Board, hello: Hello, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection on the control socket");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Some(peer) = known(&stream) else { continue };
        match places.clone().try_acquire_owned() {
            Ok(place) => {
                let (board, hello, stop) = (board.clone(), hello.clone(), stop.clone());
                connections.spawn(async move {
                    connection::serve(stream, peer, &board, hello, stop).await;
                    drop(place);
                });
            }
            Err(_) => refuse(&stream),
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// The peer if it is this user, by the kernel's word.
fn known(stream: &UnixStream) -> Option<Peer> {
    let credentials = stream.peer_cred().ok()?;
    (credentials.uid() == geteuid().as_raw()).then(|| Peer { pid: credentials.pid() })
}

fn refuse(stream: &UnixStream) {
    let message = format!("{CONNECTIONS_MAX} connections are open; close one and try again");
    let line = connection::failure(None, code::FULL, message);
    // A fresh socket has room for a line; whoever does not get it sees the end.
    let _ = stream.try_write(line.as_bytes());
}
