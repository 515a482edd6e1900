//! Limits of the endpoint.

use std::time::Duration;

use domain::limits::REQUEST_MAX_BYTES;

/// Bytes of a request's body. What a guest may send, and a third more, because images are base64
/// here.
pub const BODY_MAX_BYTES: usize = REQUEST_MAX_BYTES / 3 * 4;
/// Requests under way at once; more are told to come back. Each holds a connection, a history and an
/// answer's queue, so this many are some gigabytes at worst.
pub const OPEN_REQUESTS_MAX: usize = 1_024;
/// How long a client waits while its agent is paused, before it is told when to come back: longer
/// than this, proxies and clients take a connection for dead.
pub const PAUSE_MAX: Duration = Duration::from_secs(60);
/// Between two signs of life on a stream that waits: half of what impatient proxies allow.
pub(crate) const SIGN_OF_LIFE: Duration = Duration::from_secs(10);
/// What a client is told to wait where nobody knows better.
pub(crate) const RETRY_AFTER: Duration = Duration::from_secs(1);
/// Of a request's head and body: a client that sends nothing for so long is gone.
pub(crate) const BODY_READ_MAX: Duration = Duration::from_secs(60);
/// How long a server that ends waits for answers under way.
pub(crate) const DRAIN_MAX: Duration = Duration::from_secs(30);
