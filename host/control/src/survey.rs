//! Every process of a data directory, asked for its sessions.

use std::path::{Path, PathBuf};

use futures::StreamExt;
use futures::stream;

use crate::client::{Client, ClientError};
use crate::folder::{Folder, FolderError};
use crate::protocol::{Hello, Info, Request, Sessions};

/// Processes that are asked at once: each answers in a millisecond or not at all.
const AT_ONCE: usize = 16;

/// One process that answered.
#[derive(Debug)]
pub struct Found {
    pub socket: PathBuf,
    pub hello: Hello,
    pub sessions: Vec<Info>,
}

/// What a look around came to.
#[derive(Debug, Default)]
pub struct Survey {
    /// Ordered by their sockets' names.
    pub found: Vec<Found>,
    /// Those that live and did not answer.
    pub failed: Vec<(PathBuf, ClientError)>,
}

/// Asks all of them. What dead ones left is removed.
pub async fn survey(folder: &Path) -> Result<Survey, FolderError> {
    let Some(folder) = Folder::open(folder)? else { return Ok(Survey::default()) };
    let names = folder.sockets()?;
    let mut survey = Survey::default();
    let mut asked = stream::iter(&names)
        .map(|name| {
            let folder = &folder;
            async move { (name, ask(folder, name).await) }
        })
        .buffered(AT_ONCE);
    while let Some((name, answer)) = asked.next().await {
        match answer {
            Ok(found) => survey.found.push(found),
            // It ended while it was asked, or long before.
            Err(ClientError::Dead) => folder.remove(name),
            Err(ClientError::Closed) => {}
            Err(error) => survey.failed.push((folder.path(name), error)),
        }
    }
    Ok(survey)
}

async fn ask(folder: &Folder, name: &str) -> Result<Found, ClientError> {
    let mut client = Client::connect_in(folder, name).await?;
    let Sessions { sessions } = client.call(&Request::List {}).await?;
    Ok(Found { socket: folder.path(name), hello: client.hello().clone(), sessions })
}
