//! A run of QEMU: its memory is a file, which is what there is to compare when it has ended.

use super::layout::{MEMORY, START};
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// A run takes two seconds; one that takes this long has met a program that does not end there.
const DEADLINE: Duration = Duration::from_secs(120);

/// RV64GC without what the processor model has beyond it and ours has not. Sstc is left out because the
/// firmware decides who may use it, depending on its version.
const PROCESSOR: &str = "rv64,h=false,zba=false,zbb=false,zbc=false,zbs=false,sstc=false";

/// What is left of a run.
pub struct Ended {
    /// Memory from [`START`] on.
    pub memory: Vec<u8>,
    /// Why the guest did not come to its end; how far it came is in memory.
    pub failure: Option<String>,
}

/// Boots `image` at [`START`] by OpenSBI and waits until the guest has switched off.
pub fn run(image: &[u8]) -> Ended {
    let folder = Folder::new();
    let (kernel, memory) = (folder.0.join("image"), folder.0.join("memory"));
    std::fs::write(&kernel, image).expect("the image can be written");
    let mut command = Command::new("qemu-system-riscv64");
    command.args(["-M", "virt,memory-backend=ram", "-cpu", PROCESSOR]);
    command.args([
        "-smp",
        "1",
        "-display",
        "none",
        "-monitor",
        "none",
        "-nodefaults",
        "-no-reboot",
    ]);
    command.args(["-serial", "stdio", "-m", &format!("{}M", MEMORY >> 20)]);
    let backend = "memory-backend-file,id=ram,share=on";
    command.args(["-object", &format!("{backend},size={MEMORY},mem-path={}", memory.display())]);
    command.arg("-kernel").arg(&kernel);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .expect("QEMU starts (Debian: qemu-system-misc and opensbi, other names elsewhere)");
    let mut output = child.stdout.take().expect("a pipe");
    let (ended, end) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut text = Vec::new();
        // Its output ends when it does.
        let result = output.read_to_end(&mut text);
        ended.send(()).ok();
        result.map(|_| String::from_utf8_lossy(&text).into_owned())
    });
    let in_time = end.recv_timeout(DEADLINE).is_ok();
    if !in_time {
        child.kill().expect("QEMU can be ended");
    }
    let result = child.wait_with_output().expect("QEMU's status");
    let console = reader.join().expect("no panic").expect("QEMU's output");
    let errors = String::from_utf8_lossy(&result.stderr);
    let mut bytes = std::fs::read(&memory).expect("QEMU's memory can be read");
    bytes.drain(..(START - riscv::BASE) as usize);
    let failure = if !in_time {
        Some(format!("QEMU did not end in {DEADLINE:?}\n{console}\n{errors}"))
    } else if !result.status.success() {
        Some(format!("QEMU: {}\n{console}\n{errors}", result.status))
    } else {
        None
    };
    Ended { memory: bytes, failure }
}

/// A folder that is removed in the end, also after a panic.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new() -> Self {
        let nanoseconds = std::time::UNIX_EPOCH.elapsed().map_or(0, |time| time.as_nanos());
        let name = format!("riscv-privileged-{}-{nanoseconds}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).expect("a folder for QEMU's files can be made");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

fn remove(folder: &Path) {
    // What cannot be removed stays for whoever cleans the folder of temporary files.
    std::fs::remove_dir_all(folder).ok();
}
