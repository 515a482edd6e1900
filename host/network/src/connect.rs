//! A stream to one of the checked addresses; nothing is resolved here.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

/// Tries the addresses in order, all within `limit`. Each gets an equal share of what is left, so
/// that one that never answers leaves time for the others. The last failure is the error.
#[tracing::instrument(level = "debug", skip_all, fields(server.port = port, otel.kind = "client"))]
pub(crate) async fn connect(
    addresses: &[IpAddr],
    port: u16,
    limit: Duration,
) -> io::Result<TcpStream> {
    let start = Instant::now();
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    let mut left = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
    for address in addresses {
        let share = limit.saturating_sub(start.elapsed()) / left.max(1);
        left = left.saturating_sub(1);
        match timeout(share, TcpStream::connect(SocketAddr::new(*address, port))).await {
            Ok(Ok(stream)) => {
                // Requests are written in few large pieces; waiting to fill packets only delays.
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Ok(Err(error)) => last = error,
            Err(_) => last = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(last)
}
