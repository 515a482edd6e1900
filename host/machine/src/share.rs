//! The workspace as a share of the computer: 9P from `ninep`.

use computer::Share;
use ninep::Export;

/// The share's name, by which the machine's first process mounts the workspace.
pub const SHARE_TAG: &str = "workspace";

/// One machine's view of the workspace: its open files are its own.
pub(crate) fn share(export: &Export) -> Share {
    let mut server = export.server();
    Share::new(SHARE_TAG, move |request: &[u8], reply: &mut Vec<u8>| server.handle(request, reply))
}
