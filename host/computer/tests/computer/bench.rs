//! Computers to test with.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use computer::{Computer, Computers, Config, Options, State};

/// Where the machine's parts are; the host's own variable.
const FOLDER: &str = "XPRESSCLAW_MACHINE_PATH";

/// Whatever is waited for comes long before this.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Enough for every program here.
pub const MEMORY: usize = 8 << 20;

fn module() -> PathBuf {
    let folder = std::env::var_os(FOLDER);
    let folder =
        folder.unwrap_or_else(|| panic!("{FOLDER} is not set; `cargo xtask test` sets it"));
    Path::new(&folder).join("computer.wasm")
}

/// Compiled code of this test program's processes, so that only the first of them compiles.
fn compiled() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled")
}

/// Threads with the real module.
pub fn computers(threads: usize) -> Arc<Computers> {
    static LOADING: OnceLock<std::sync::Mutex<()>> = OnceLock::new();
    let _one_compiles = LOADING.get_or_init(Default::default).lock();
    with_module(threads, &module(), &compiled())
}

pub fn with_module(threads: usize, module: &Path, compiled: &Path) -> Arc<Computers> {
    let threads = NonZeroUsize::new(threads);
    let options = Options { module: module.into(), compiled: compiled.into(), threads };
    Computers::start(&options, || {}).unwrap()
}

pub fn config(program: Vec<u8>) -> Config {
    Config {
        memory: MEMORY,
        kernel: program.into(),
        arguments: String::new(),
        disk: None,
        port: "port".into(),
        shares: Vec::new(),
    }
}

/// What becomes of it.
pub async fn end(computer: &Computer) -> State {
    let mut state = computer.state();
    let ended = state.wait_for(|state| *state != State::Running);
    tokio::time::timeout(DEADLINE, ended).await.expect("it ends").unwrap().clone()
}

/// Waits for a condition on what a computer has done.
pub async fn until(mut condition: impl FnMut() -> bool) {
    let poll = async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, poll).await.expect("what was waited for");
}
