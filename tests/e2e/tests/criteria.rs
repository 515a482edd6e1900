//! The scripts of `tests/criteria` run as they are: what was promised is shown with the real program.

use std::path::Path;
use std::process::Command;

use e2e::{cache, compiled, executable, harnesses, models};

/// A local model reads pi's prompt in it, which takes a minute or two on a busy machine; the script
/// bounds its own waits.
#[test]
fn budgets() {
    compiled("pi");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../criteria/budgets.sh");
    let done = Command::new("bash")
        .arg(script)
        .env("XPRESSCLAW_BINARY", executable())
        .env("XPRESSCLAW_CACHE_DIR", cache())
        .env("XPRESSCLAW_HARNESS_PATH", harnesses())
        .env("XPRESSCLAW_MODEL_PATH", models())
        .output()
        .expect("bash");
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{out}{err}");
    assert!(out.ends_with("all criteria met\n"), "{out}");
}
