//! `model pull` from a hub on loopback.

use serde_json::json;

use crate::home::Home;
use crate::hub::Hub;

const URL: &str = "https://huggingface.co/maker/model/resolve/main/small.gguf";
const FILE: &[u8] = b"GGUF and so on";
const OTHER: &[u8] = b"GGUF and something else";

#[test]
fn a_file_with_the_given_digest_is_kept() {
    let home = Home::new();
    let hub = Hub::start(FILE);
    let pull = ["model", "pull", URL, "--sha256", &hub.sha256];
    let done = home.run_with(&pull, &[("XPRESSCLAW_MODEL_MIRROR", &hub.mirror)]);
    assert_eq!(done.code, 0, "{done:?}");
    let path = home.data().join("models/small.gguf");
    assert_eq!(done.stdout, format!("{}\n", path.display()), "the path is the data");
    assert!(done.stderr.contains("downloading 14 bytes"), "{done:?}");
    assert!(!done.stderr.contains('\r'), "no line is rewritten outside of a terminal: {done:?}");
    assert_eq!(std::fs::read(&path).unwrap(), FILE);

    let again = home.run_with(&pull, &[("XPRESSCLAW_MODEL_MIRROR", &hub.mirror)]);
    assert!(again.code == 0 && again.stderr.contains("was there"), "{again:?}");

    // Another file under the same name is not overwritten.
    let other = Hub::start(OTHER);
    let pull = ["model", "pull", URL, "--sha256", &other.sha256];
    let done = home.run_with(&pull, &[("XPRESSCLAW_MODEL_MIRROR", &other.mirror)]);
    assert!(done.code == 1 && done.stderr.contains("model remove small"), "{done:?}");
    // … and one that is not what was meant is not kept.
    let wrong = ["model", "pull", URL, "--name", "wrong", "--sha256", &hub.sha256];
    let done = home.run_with(&wrong, &[("XPRESSCLAW_MODEL_MIRROR", &other.mirror)]);
    assert!(done.code == 1 && done.stderr.contains("do not use the file"), "{done:?}");
    assert!(!home.data().join("models/wrong.gguf").exists());
}

#[test]
fn a_server_is_trusted_once_and_held_to_its_word() {
    let home = Home::new();
    let (hub, changed) = (Hub::start(FILE), Hub::start(OTHER));
    let trusting = ["model", "pull", URL, "--trust-server-digest", "--format", "json"];
    let done = home.run_with(&trusting, &[("XPRESSCLAW_MODEL_MIRROR", &hub.mirror)]);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.stderr.contains("is recorded"), "{done:?}");
    let row: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!((&row["sha256"], &row["change"]), (&json!(hub.sha256), &json!("downloaded")));

    home.ok(&["model", "remove", "small"]);
    for pull in [&["model", "pull", URL][..], &trusting] {
        let done = home.run_with(pull, &[("XPRESSCLAW_MODEL_MIRROR", &changed.mirror)]);
        assert!(done.code == 1 && done.stderr.contains(&hub.sha256), "{done:?}");
        assert!(!home.data().join("models/small.gguf").exists());
    }
    let done = home.run_with(&["model", "pull", URL], &[("XPRESSCLAW_MODEL_MIRROR", &hub.mirror)]);
    assert_eq!(done.code, 0, "the recorded digest is enough: {done:?}");
}

#[test]
fn a_mirror_is_https_or_this_machine() {
    let home = Home::new();
    for mirror in ["http://mirror.example.com", "nonsense", "ftp://127.0.0.1"] {
        let pull = ["model", "pull", "qwen3-0.6b"];
        let done = home.run_with(&pull, &[("XPRESSCLAW_MODEL_MIRROR", mirror)]);
        assert!(done.code == 2 && done.stderr.contains("must be an https URL"), "{done:?}");
    }
}

#[test]
fn a_file_that_is_not_the_catalogue_s_is_refused_by_its_size() {
    let home = Home::new();
    let hub = Hub::start(FILE);
    let done = home
        .run_with(&["model", "pull", "qwen3-0.6b"], &[("XPRESSCLAW_MODEL_MIRROR", &hub.mirror)]);
    assert!(done.code == 1 && done.stderr.contains("14 bytes where 639446688"), "{done:?}");
}
