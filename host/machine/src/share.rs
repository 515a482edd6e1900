//! The workspace as a share of the computer: 9P from `ninep`.

use computer::Share;
use ninep::{Export, Server};

use crate::machine::WORKSPACE_TAG;

/// One machine's view of the workspace: its open files are its own.
pub(crate) struct Workspace(Server);

impl Workspace {
    pub fn share(export: &Export) -> (String, Box<dyn Share>) {
        (WORKSPACE_TAG.to_owned(), Box::new(Self(export.server())))
    }
}

impl Share for Workspace {
    fn answer(&mut self, request: &[u8], reply: &mut Vec<u8>) {
        self.0.handle(request, reply);
    }
}
