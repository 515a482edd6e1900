//! From no model to an answer.

use e2e::{FileServer, Place};

/// Of the model that set-up brought.
fn sha256(file: &std::path::Path) -> String {
    let output = std::process::Command::new("sha256sum").arg(file).output().expect("sha256sum");
    let text = String::from_utf8(output.stdout).expect("text");
    text.split(' ').next().expect("a digest").to_owned()
}

#[test]
fn a_pulled_model_answers() {
    let place = Place::new();
    let file = std::fs::read_dir(e2e::models())
        .expect("a folder of models")
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "gguf"))
        .expect("a model in the folder");
    let server = FileServer::start(&file, 10_000_000);
    let url = "https://huggingface.co/maker/model/resolve/main/small.gguf";
    let pull = place.command(["model", "pull", url, "--sha256", &sha256(&file)]);
    let done = pull.env("XPRESSCLAW_MODEL_MIRROR", &server.url).done().succeeded();
    assert!(done.stderr.contains("trying again"), "the first connection broke: {}", done.stderr);
    let asked: Vec<u64> = server.asked.try_iter().collect();
    assert_eq!(asked, [0, 10_000_000], "what had arrived is not asked for again");
    let pulled = place.data().join("models/small.gguf");
    assert_eq!(done.stdout.trim(), pulled.display().to_string());

    place.command(["model", "default", "small"]).done().succeeded();
    // A small model that rambles ends with its window, and this one does now and then.
    let config = place.home().join("xpressclaw.yaml");
    std::fs::write(config, "local: {context_window: 512}").expect("a file");
    let done = place.run("echo").args(["Say hello."]).done().succeeded();
    assert!(!done.stdout.trim().is_empty());
    let closing = done.stderr.lines().last().expect("a closing line");
    assert!(closing.starts_with("local/small · "), "{closing}");
    let named = place.run("echo").args(["--model", "small", "Say hello."]).done().succeeded();
    assert!(!named.stdout.trim().is_empty());

    place.command(["model", "remove", "small"]).done().succeeded();
    let done = place.run("echo").args(["Say hello."]).done().exited(2);
    assert!(done.stderr.contains("there is no local model"), "{}", done.stderr);
}
