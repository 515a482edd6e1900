//! The real local model.

use e2e::Place;

#[test]
fn the_local_model_is_the_default_and_free() {
    let place = Place::new();
    let run = place.run("echo").local_model().args(["--format", "json"]);
    let done = run.args(["Say hello in one sentence."]).done().succeeded();
    assert!(done.answer().chars().any(char::is_alphabetic), "{:?}", done.answer());
    let finished = done.event("turn_finished");
    let served = finished["models"][0].as_str().expect("a model");
    assert!(served.starts_with("local/"), "the file is named: {served}");
    assert_eq!(finished["cost"], 0);
    assert!(finished["usage"]["input"].as_u64() > Some(0), "{finished}");
    assert!(finished["usage"]["output"].as_u64() > Some(0), "{finished}");
    // On a busy machine the user is told that it takes a while.
    let told = |line: &str| !line.starts_with("waiting for local");
    assert_eq!(done.stderr.lines().find(|line| told(line)), None, "llama.cpp is silent");
}

#[test]
fn a_model_file_is_named_by_its_path() {
    let place = Place::new();
    let file = std::fs::read_dir(e2e::models())
        .expect("a folder of models")
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "gguf"))
        .expect("a model in the folder");
    // One that no folder of models holds.
    let copy = place.path().join("copy.gguf");
    std::os::unix::fs::symlink(file, &copy).expect("a link");
    let copy = copy.to_str().expect("a readable path");
    let run = place.run("echo").local_model().args(["--model", copy, "Say hello."]);
    let done = run.done().succeeded();
    assert!(!done.stdout.trim().is_empty());
    let closing = done.stderr.lines().last().expect("a closing line");
    assert!(closing.starts_with("local/copy · "), "{closing}");
}

#[test]
fn without_one_it_says_where_to_put_it() {
    let place = Place::new();
    let done = place.run("echo").args(["Say hello."]).done().exited(2);
    assert!(done.stderr.contains("there is no local model"), "{}", done.stderr);
    let folder = place.data().join("models");
    assert!(done.stderr.contains(&folder.display().to_string()), "{}", done.stderr);

    let broken = place.file("broken.gguf", "GGUF and then nonsense");
    let done = place.run("echo").args(["--model", &broken, "Say hello."]).done().exited(3);
    assert!(done.stderr.contains("broken.gguf"), "{}", done.stderr);
}
