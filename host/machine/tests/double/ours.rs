//! Our computer, as sessions have it.

use computer::{Computers, Config, Disk, Options, Share};
use machine::{KERNEL_ARGUMENTS, SHARE_TAG};
use machine_protocol::PORT;
use ninep::Export;

use crate::image::{compiled, image};
use crate::place::{MEMORY, Place, root};

pub async fn boot() -> Place {
    let workspace = tempfile::tempdir().unwrap();
    let mut server = Export::open(workspace.path()).unwrap().server();
    let share = Share::new(SHARE_TAG, move |request: &[u8], reply: &mut Vec<u8>| {
        server.handle(request, reply);
    });
    let options =
        Options { module: image().join("computer.wasm"), compiled: compiled(), threads: None };
    let root = root();
    let mut computer = Computers::start(&options, || {}).unwrap().boot(Config {
        memory: MEMORY,
        kernel: std::fs::read(image().join("Image")).unwrap().into(),
        arguments: KERNEL_ARGUMENTS.to_owned(),
        disk: Some(Disk::open(&image().join(root.file), &root.sha256).unwrap()),
        port: PORT.to_owned(),
        shares: vec![share],
    });
    let port = computer.take_port().unwrap();
    Place::new(port, workspace, computer).await
}
