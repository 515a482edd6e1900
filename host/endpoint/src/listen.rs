//! Connections: how many, how long a silent one is kept, and how all of them end.
//!
//! The loop is ours, and not `axum::serve`, for what that leaves open: a time limit for a request's
//! head, a bound on connections, and an end. Its connections go on by themselves after their server
//! is dropped, so one that never reads its answer would keep a call, and the process, for ever.

use std::future::Future;
use std::io::ErrorKind;
use std::pin::pin;
use std::sync::Arc;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::limits::{ACCEPT_AGAIN, CONNECTIONS_MAX, DRAIN_MAX, HEAD_READ_MAX};
use crate::server::{Endpoint, router};

/// Serves until `end` resolves, then lets answers under way come to their end, for 30 s at most, and
/// drops what is left: no connection is open when this resolves. Dropped while it waits for answers,
/// it cuts them. Calls that were dropped settle in [`llm::Pipeline::drain`].
pub async fn serve(
    listener: TcpListener,
    endpoint: Endpoint,
    end: impl Future<Output = ()> + Send,
) {
    let router = router(endpoint);
    let connections = TaskTracker::new();
    let (closing, stopped) = (CancellationToken::new(), CancellationToken::new());
    {
        // Whatever drops this future, too, ends the connections.
        let _close = closing.clone().drop_guard();
        let accepting = accept(&listener, |stream, place| {
            let connection = connection(stream, router.clone(), closing.clone(), stopped.clone());
            connections.spawn(async move {
                connection.await;
                drop(place);
            });
        });
        tokio::select! {
            () = end => {}
            () = accepting => {}
        }
    }
    // Whoever connects from now on is refused by the system.
    drop(listener);
    connections.close();
    let stop = stopped.drop_guard();
    if timeout(DRAIN_MAX, connections.wait()).await.is_err() {
        tracing::warn!(open = connections.len(), "connections are cut: their time is over");
        drop(stop);
        connections.wait().await;
    }
}

type Place = tokio::sync::OwnedSemaphorePermit;

/// Takes connections for ever, as long as there are places.
async fn accept(listener: &TcpListener, mut take: impl FnMut(TcpStream, Place)) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    // The semaphore is never closed.
    while let Ok(place) = places.clone().acquire_owned().await {
        match listener.accept().await {
            Ok((stream, _)) => take(stream, place),
            // Of that one connection.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::ConnectionAborted
                        | ErrorKind::ConnectionRefused
                        | ErrorKind::ConnectionReset
                ) => {}
            // Mostly the limit of open files, which passes as connections end.
            Err(error) => {
                tracing::error!(%error, "cannot accept a connection");
                sleep(ACCEPT_AGAIN).await;
            }
        }
    }
}

async fn connection(
    stream: TcpStream,
    router: Router,
    closing: CancellationToken,
    stopped: CancellationToken,
) {
    // An event of a stream is a small packet, which must not wait for the last one's receipt.
    let _ = stream.set_nodelay(true);
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_READ_MAX);
    let service = TowerToHyperService::new(router);
    let mut serving = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let served = tokio::select! {
        biased;
        () = stopped.cancelled() => return,
        served = serving.as_mut() => served,
        () = closing.cancelled() => {
            // Ends it at once, or after the answer that is under way.
            serving.as_mut().graceful_shutdown();
            tokio::select! {
                biased;
                () = stopped.cancelled() => return,
                served = serving => served,
            }
        }
    };
    if let Err(error) = served {
        // Clients go away as they like.
        tracing::debug!(%error, "a connection ended");
    }
}
