//! The same in QEMU: its board `virt` has the devices of our computer, by the same drivers.

use std::path::Path;
use std::process::Stdio;

use machine::{KERNEL_ARGUMENTS, SHARE_TAG};
use machine_protocol::PORT;
use tokio::net::UnixListener;
use tokio::process::{Child, Command};

use crate::image::image;
use crate::place::{MEMORY, Place, root, soon};

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
    let (folder, socket, workspace) = (folder.display(), socket.display(), workspace.display());
    let image = image();
    // Ends with this process, whatever ends that.
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "qemu-system-riscv64"]);
    command.args(["-M", "virt", "-nodefaults", "-nographic", "-no-reboot"]);
    command.arg("-m").arg(format!("{}M", MEMORY >> 20));
    command.arg("-kernel").arg(image.join("Image"));
    command.args(["-append", KERNEL_ARGUMENTS]);
    let root = image.join(root().file);
    for (backend, settings, device) in [
        (
            "-drive",
            format!("id=root,if=none,format=raw,readonly=on,file={}", root.display()),
            "virtio-blk-device,drive=root".to_owned(),
        ),
        // The first port of the console is where the kernel talks to.
        (
            "-chardev",
            format!("file,id=console,path={folder}/console"),
            "virtio-serial-device".to_owned(),
        ),
        (
            "-chardev",
            format!("socket,id=port,path={socket}"),
            "virtconsole,chardev=console".to_owned(),
        ),
        (
            "-object",
            "rng-random,id=rng,filename=/dev/urandom".to_owned(),
            format!("virtserialport,chardev=port,name={PORT}"),
        ),
        (
            "-fsdev",
            format!("local,id=share,security_model=none,path={workspace}"),
            "virtio-rng-device,rng=rng".to_owned(),
        ),
    ] {
        command.args([backend, &settings, "-device", &device]);
    }
    command.arg("-device").arg(format!("virtio-9p-device,fsdev=share,mount_tag={SHARE_TAG}"));
    let errors = std::fs::File::create(Path::new(&folder.to_string()).join("errors")).unwrap();
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors);
    command.kill_on_drop(true).spawn().unwrap()
}

fn said(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("errors")).unwrap_or_default()
}
