//! Wrong usage: exit code 2, a message that names the mistake, nothing done.

use e2e::{Done, Place};
use serde_json::json;

/// Runs echo with a script, unless the arguments name a model; it must be refused.
#[track_caller]
fn refused(place: &Place, args: &[&str]) -> Done {
    let model = place.script(&[json!({"text": "This must not be said."})]);
    let run = place.command(["run", "echo"]).args(args.iter().copied());
    let run = if args.contains(&"--model") { run } else { run.args(["--model", &model]) };
    let done = run.done().exited(2);
    assert_eq!(done.stdout, "");
    assert_eq!(place.spends(), []);
    done
}

#[test]
fn what_cannot_be_used_is_named() {
    for (args, expected) in [
        (&["--allow-net", "ftp://example.com", "hi"][..], "`ftp://example.com` cannot be granted"),
        (&["--allow-net", "example.com", "hi"], "`example.com` cannot be granted"),
        (&["--budget", "1.5e3", "hi"], "`1.5e3` is not an amount"),
        (&["--budget", "a lot", "hi"], "`a lot` is not an amount"),
        (&["--session", "a/b", "hi"], "`a/b` holds `/`"),
        (&["--session", "..", "hi"], "not a session's name"),
        (&["--session", "", "hi"], "not a session's name"),
        (&["--model", "nobody/m", "hi"], "no model `nobody/m`"),
        (&["--model", "script:missing.jsonl", "hi"], "missing.jsonl"),
        (&["--format", "xml", "hi"], "possible values: text, json"),
        (&["--config", "missing.yaml", "hi"], "no configuration at missing.yaml"),
        (&["--workspace", "/dev/null", "hi"], "/dev/null"),
        (&["--frobnicate", "hi"], "--frobnicate"),
        (&[""], "the prompt is empty"),
        (&[" \n\t"], "the prompt is empty"),
    ] {
        let place = Place::new();
        let done = refused(&place, args);
        assert!(done.stderr.starts_with("error: "), "{args:?}: {}", done.stderr);
        assert!(done.stderr.contains(expected), "{args:?}: {}", done.stderr);
    }
}

#[test]
fn an_unknown_harness_is_answered_with_the_known_ones() {
    let place = Place::new();
    let done = place.command(["run", "nope", "hi"]).done().exited(2);
    assert!(done.stderr.contains("no harness `nope`; there are: "), "{}", done.stderr);
    assert!(done.stderr.contains("echo") && done.stderr.contains("pi"), "{}", done.stderr);
    assert!(done.stderr.contains("nope.wasm"), "{}", done.stderr);

    let done = place.command(["run", "./nope.wasm", "hi"]).done().exited(2);
    assert!(done.stderr.contains("no component at ./nope.wasm"), "{}", done.stderr);
}

#[test]
fn what_is_no_harness_is_refused() {
    let place = Place::new();
    let model = place.script(&[json!({"text": "Hello."})]);
    for (content, expected) in [
        (&b"#!/bin/sh\n"[..], "is text; a harness is a component in binary form"),
        (b"\0asm\x01\0\0\0", "core module"),
        (b"\0asm\x0d\0\x01\0", "it is no harness"),
    ] {
        let path = place.path().join("thing.wasm");
        std::fs::write(&path, content).expect("a file");
        let path = path.to_str().expect("a readable path");
        let done = place.command(["run", path, "--model", &model, "hi"]).done().exited(5);
        assert!(done.stderr.contains(expected), "{}", done.stderr);
    }
}

#[test]
fn a_mistake_in_the_configuration_is_named_with_its_place() {
    for (yaml, expected) in [
        ("modle: local\n", "xpressclaw.yaml:1:1: unknown key `modle`; did you mean `model`?"),
        (
            "budget:\n  dayly: $1\n",
            "xpressclaw.yaml:2:3: unknown key `budget.dayly`; did you mean `daily`?",
        ),
        ("providers: {openai: {api_key: sk-abc}}\n", "write `env:NAME` or `file:PATH`"),
        ("model: [\n", "xpressclaw.yaml:"),
    ] {
        let place = Place::new();
        let config = place.file("xpressclaw.yaml", yaml);
        let done = refused(&place, &["--config", &config, "hi"]);
        assert!(done.stderr.contains(expected), "{}", done.stderr);
        assert!(!done.stderr.contains("sk-abc"), "{}", done.stderr);
    }
}

#[test]
fn a_configuration_in_the_working_directory_is_found() {
    let place = Place::new();
    std::fs::write(place.home().join("xpressclaw.yaml"), "modle: x\n").expect("a file");
    let done = place.command(["run", "echo", "hi"]).done().exited(2);
    assert!(done.stderr.contains("did you mean `model`?"), "{}", done.stderr);
}

#[test]
fn a_missing_key_names_the_variable() {
    let place = Place::new();
    let config = place.file(
        "xpressclaw.yaml",
        "providers: {mock: {base_url: \"http://127.0.0.1:9/v1\", api_key: \"env:NO_SUCH_KEY\"}}",
    );
    let done = place.run("echo").args(["--config", &config, "--model", "mock/m", "hi"]).done();
    let done = done.exited(2);
    assert!(done.stderr.contains("the environment has no `NO_SUCH_KEY`"), "{}", done.stderr);
    assert!(done.stderr.contains("hint: export NO_SUCH_KEY="), "{}", done.stderr);
}
