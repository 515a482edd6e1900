//! Where the program and its components are, and the one-time compilation of the components.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::{COMPILE_DEADLINE, Place, Run};

/// Another executable than the one just built: a release, an installed one.
const BINARY: &str = "XPRESSCLAW_BINARY";
pub const HARNESS_PATH: &str = "XPRESSCLAW_HARNESS_PATH";
pub const MODEL_PATH: &str = "XPRESSCLAW_MODEL_PATH";
pub const MACHINE_PATH: &str = "XPRESSCLAW_MACHINE_PATH";
/// The packages of `host/mcp/tests/npm`, installed.
const TEST_SERVERS: &str = "XPRESSCLAW_TEST_SERVERS";
/// The packages of `clients`, installed.
const TEST_CLIENTS: &str = "XPRESSCLAW_TEST_CLIENTS_NPM";
const TEST_CLIENTS_OF_PYTHON: &str = "XPRESSCLAW_TEST_CLIENTS_PYTHON";

/// The executable that cargo built beside this test, or the one that is named.
pub fn executable() -> PathBuf {
    if let Some(named) = env::var_os(BINARY).filter(|value| !value.is_empty()) {
        let path = PathBuf::from(named);
        assert!(path.is_file(), "{BINARY} names {}, which is no file", path.display());
        return path;
    }
    let path = profile_folder().join(format!("xpressclaw{}", env::consts::EXE_SUFFIX));
    assert!(
        path.is_file(),
        "{} is missing; build it with `cargo build -p xpressclaw`",
        path.display()
    );
    path
}

/// `<target>/<profile>`: a test runs from `deps` inside it.
fn profile_folder() -> PathBuf {
    let this = env::current_exe().expect("the test knows its own executable");
    this.ancestors().nth(2).expect("a test lies two folders deep").to_path_buf()
}

/// Compiled components outlive a run of the tests: compiling pi takes seconds.
pub fn cache() -> PathBuf {
    let cache = profile_folder().join("e2e-cache");
    fs::create_dir_all(&cache).expect("a writable target directory");
    cache
}

/// The folder of the built components.
pub fn harnesses() -> PathBuf {
    folder(HARNESS_PATH, "the built components (*.wasm)")
}

/// The file of a guest that exists for tests only.
pub fn guest(name: &str) -> PathBuf {
    harnesses().join(format!("tests/{name}.wasm"))
}

/// The folder of the local model.
pub fn models() -> PathBuf {
    folder(MODEL_PATH, "the local model (*.gguf)")
}

/// The folder of the machine's image.
pub fn machine() -> PathBuf {
    folder(MACHINE_PATH, "the machine's image")
}

/// The program of a real MCP server, for Node.js.
pub fn test_server() -> PathBuf {
    let packages = folder(TEST_SERVERS, "the installed packages of host/mcp/tests/npm");
    packages.join("@modelcontextprotocol/server-everything/dist/index.js")
}

/// The packages of npm that are clients of the endpoint.
pub fn client_packages() -> PathBuf {
    folder(TEST_CLIENTS, "the npm packages of tests/e2e/clients")
}

/// Those of Python.
pub fn client_packages_of_python() -> PathBuf {
    folder(TEST_CLIENTS_OF_PYTHON, "the Python packages of tests/e2e/clients")
}

fn folder(variable: &str, what: &str) -> PathBuf {
    let set = env::var_os(variable).filter(|value| !value.is_empty());
    let set = set.unwrap_or_else(|| {
        panic!("set {variable} to the folder of {what}; `cargo xtask test` does")
    });
    let path = PathBuf::from(set);
    assert!(path.is_dir(), "{variable} names {}, which is no folder", path.display());
    path
}

/// Makes sure that a harness is compiled, by one process at a time: tests that all compile the same
/// component at once would take minutes.
pub fn compiled(harness: &str) {
    let component = harnesses().join(format!("{harness}.wasm"));
    assert!(
        component.is_file(),
        "{} is missing; `cargo xtask test` builds it",
        component.display()
    );
    let cache = cache();
    let name = harness.replace('/', "-");
    let mark = cache.join(format!("{name}-{}-{}", stamp(&component), stamp(&executable())));
    if mark.exists() {
        return;
    }
    let lock = File::create(cache.join(format!("{name}.lock"))).expect("a lock file");
    lock.lock().expect("a lock on the compilation");
    if !mark.exists() {
        let place = Place::new();
        let script = place.script(&[serde_json::json!({"text": "warm"})]);
        let component = component.to_str().expect("a folder with a readable name");
        let run = Run::new(&place).args(["run", component, "--model", &script, "say warm"]);
        run.start().done_within(COMPILE_DEADLINE).succeeded();
        File::create(&mark).expect("a mark");
    }
}

/// Changes when the file does.
fn stamp(path: &Path) -> String {
    let metadata = fs::metadata(path).expect("metadata of a built file");
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    format!("{}-{}", metadata.len(), modified.unwrap_or_default().as_nanos())
}
