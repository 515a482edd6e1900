//! What a server can make this process hold.

use std::time::Duration;

use domain::limits::PARTS_MAX_BYTES;

/// One message of a server: a result's parts in base64, and room for the JSON around them. A longer
/// one is dropped unread, and the call that it answered runs into its time-out.
pub const MESSAGE_MAX_BYTES: usize = PARTS_MAX_BYTES / 3 * 4 + (8 << 20);
/// Tools of one server that are looked at; a model is lost among fewer.
pub const TOOLS_MAX: usize = 512;
/// Pages of one list: a server that always names a next one must end somewhere.
pub(crate) const PAGES_MAX: usize = 64;
/// A tool's description; it is paid for with every request.
pub const DESCRIPTION_MAX_BYTES: usize = 16 << 10;
/// A tool's schema, as JSON text.
pub const SCHEMA_MAX_BYTES: usize = 64 << 10;
/// A server that dies is started again so often; afterwards the minute must pass.
pub const STARTS_PER_MINUTE: usize = 3;
/// How long a server may take to end by itself after its input is closed, and again after it was
/// told to.
pub(crate) const STOP_GRACE: Duration = Duration::from_secs(2);
/// One line of a server's stderr; the rest of a longer one is dropped.
pub(crate) const STDERR_LINE_MAX_BYTES: usize = 4 << 10;
