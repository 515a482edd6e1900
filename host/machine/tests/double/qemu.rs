//! The same in QEMU: its board `virt` has the devices of our computer, by the same drivers.

use std::path::Path;
use std::process::Stdio;

use machine::{KERNEL_ARGUMENTS, SHARE_TAG};
use machine_protocol::PORT;
use tokio::net::UnixListener;
use tokio::process::{Child, Command};

use crate::image::image;
use crate::place::{MEMORY, Place, root, soon};

/// What QEMU says when it does not start.
const ERRORS: &str = "errors";

pub async fn boot() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let workspace = tempfile::tempdir().unwrap();
    let socket = folder.path().join("port");
    let listener = UnixListener::bind(&socket).unwrap();
    let mut child = start(folder.path(), &socket, workspace.path());
    let port = tokio::select! {
        port = soon(listener.accept()) => port.unwrap().0,
        ended = child.wait() => panic!("QEMU ended: {ended:?}, {}", said(folder.path())),
    };
    Place::new(port, workspace, (child, folder)).await
}

fn start(folder: &Path, socket: &Path, workspace: &Path) -> Child {
    let (image, console) = (image(), folder.join("console"));
    let root = image.join(root().file);
    let (root, console) = (root.display(), console.display());
    let (socket, workspace) = (socket.display(), workspace.display());
    let words = [
        ("-M", "virt".to_owned()),
        ("-m", format!("{}M", MEMORY >> 20)),
        ("-kernel", image.join("Image").display().to_string()),
        ("-append", KERNEL_ARGUMENTS.to_owned()),
        ("-drive", format!("id=root,if=none,format=raw,readonly=on,file={root}")),
        ("-device", "virtio-blk-device,drive=root".to_owned()),
        ("-device", "virtio-serial-device".to_owned()),
        // The first port is the console.
        ("-chardev", format!("file,id=console,path={console}")),
        ("-device", "virtconsole,chardev=console".to_owned()),
        ("-chardev", format!("socket,id=port,path={socket}")),
        ("-device", format!("virtserialport,chardev=port,name={PORT}")),
        ("-object", "rng-random,id=random,filename=/dev/urandom".to_owned()),
        ("-device", "virtio-rng-device,rng=random".to_owned()),
        ("-fsdev", format!("local,id=share,security_model=none,path={workspace}")),
        ("-device", format!("virtio-9p-device,fsdev=share,mount_tag={SHARE_TAG}")),
    ];
    // Ends with this process, whatever ends that.
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "qemu-system-riscv64"]);
    command.args(["-nodefaults", "-nographic", "-no-reboot"]);
    for (option, value) in words {
        command.args([option, &value]);
    }
    let errors = std::fs::File::create(folder.join(ERRORS)).unwrap();
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors);
    command.kill_on_drop(true).spawn().unwrap()
}

fn said(folder: &Path) -> String {
    std::fs::read_to_string(folder.join(ERRORS)).unwrap_or_default()
}
