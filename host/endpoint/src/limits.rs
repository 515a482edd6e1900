//! Limits of the endpoint.

use std::time::Duration;

use domain::limits::REQUEST_MAX_BYTES;

/// Bytes of a request's body. What a guest may send, and a third more, because images are base64
/// here.
pub const BODY_MAX_BYTES: usize = REQUEST_MAX_BYTES / 3 * 4;
/// Of a body that is parsed where it was read, in about a millisecond; a larger one holds nobody else up.
pub(crate) const PARSED_AT_ONCE_BYTES: usize = 256 << 10;
/// Requests under way at once; more are told to come back before their body is read. A request holds
/// its body and an answer's queue, so this many usual ones (a megabyte) are a gigabyte.
pub const OPEN_REQUESTS_MAX: usize = 1_024;
/// How long a client waits while its agent is paused, before it is told when to come back: longer
/// than this, proxies and clients take a connection for dead.
pub const PAUSE_MAX: Duration = Duration::from_secs(60);
/// Between two signs of life on a stream that waits: half of what impatient proxies allow.
pub(crate) const SIGN_OF_LIFE: Duration = Duration::from_secs(10);
/// What a client is told to wait where nobody knows better.
pub(crate) const RETRY_AFTER: Duration = Duration::from_secs(1);
/// Connections at once; further ones wait in the system's queue. Each request under way has one, and
/// as many again may be kept by clients that are about to ask, or be told that it is too much.
pub const CONNECTIONS_MAX: usize = 2 * OPEN_REQUESTS_MAX;
/// From a connection, or from the last answer on it, to the end of the next request's head. Longer
/// than clients keep an idle connection, so that it is they who close it.
pub const HEAD_READ_MAX: Duration = Duration::from_secs(60);
/// Between two tries to accept, where the system had no place for a connection.
pub(crate) const ACCEPT_AGAIN: Duration = Duration::from_secs(1);
/// Of a request's body: a client that has not sent it for so long is gone.
pub(crate) const BODY_READ_MAX: Duration = Duration::from_secs(60);
/// How long a server that ends waits for answers under way.
pub const DRAIN_MAX: Duration = Duration::from_secs(30);
