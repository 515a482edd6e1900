//! Middleware by configuration: the redactor before pi and echo, seen from the provider's side.

use e2e::{Answer, Done, Place, Play, Run, Server};
use serde_json::{Value, json};

const TOKEN: &str = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";
const PASSWORD: &str = "Tr0ub4dor&3x";
const PEM: &str =
    "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----";

/// `xpressclaw run builder`: `harness` behind `middleware`, with the model of `server`.
fn run(place: &Place, server: &Server, harness: &str, middleware: &str) -> Run {
    let url = server.base_url();
    let config = place.file(
        "xpressclaw.yaml",
        &format!(
            "agents:\n  - {{name: builder, harness: {harness}, middleware: {middleware}, model: mock/m}}\nproviders: {{mock: {{base_url: \"{url}\", models: {{m: {{price: free}}}}}}}}\n"
        ),
    );
    let workspace = place.workspace();
    let workspace = workspace.to_str().expect("a readable path");
    place.command(["run", "builder", "--config", &config, "--workspace", workspace])
}

/// What the model was told must hold none of the secrets.
#[track_caller]
fn clean(body: &Value) {
    let body = body.to_string();
    for secret in [TOKEN, PASSWORD, "MIIEvQIBADANBgkq"] {
        assert!(!body.contains(secret), "the provider received {secret}: {body}");
    }
}

#[test]
fn the_provider_sees_placeholders_and_pi_works_with_the_originals() {
    let place = Place::new();
    let env = format!("GITHUB_TOKEN={TOKEN}\nDB_PASSWORD={PASSWORD}\nPORT=8080\n");
    std::fs::write(place.workspace().join(".env"), &env).unwrap();
    std::fs::write(place.workspace().join("key.pem"), PEM).unwrap();
    let copied = "token=[redacted:github-token:1]\nkey=[redacted:private-key:1]\n";
    let server = Server::start([
        Play::Stream(Answer::text("Reading. ").call("r1", "read", &json!({"path": ".env"})).call(
            "r2",
            "read",
            &json!({"path": "key.pem"}),
        )),
        Play::Stream(Answer::text("Writing [redacted:password:1] nowhere. ").call(
            "w",
            "write",
            &json!({"path": "copy.txt", "content": copied}),
        )),
        Play::Stream(Answer::text("The token is [redacted:github-token:1].")),
    ]);
    let done = run(&place, &server, "pi", "[redactor]")
        .env("XPRESSCLAW_LOG", "trace")
        .args(["--format", "json", &format!("Copy what .env says; the token is {TOKEN}.")])
        .done()
        .succeeded();

    // The tool that pi executed got the originals, escaped as JSON wants it.
    assert_eq!(place.read("copy.txt"), format!("token={TOKEN}\nkey={PEM}\n"));
    assert_eq!(
        done.answer(),
        format!("Reading. Writing {PASSWORD} nowhere. The token is {TOKEN}.")
    );

    let first = server.next_request().body;
    let second = server.next_request().body;
    let third = server.next_request().body;
    for body in [&first, &second, &third] {
        clean(body);
    }
    let prompt = first["messages"].to_string();
    assert!(prompt.contains("the token is [redacted:github-token:1]."), "{prompt}");
    let results = second["messages"].to_string();
    for placeholder in [
        "GITHUB_TOKEN=[redacted:github-token:1]",
        "[redacted:password:1]",
        "[redacted:private-key:1]",
    ] {
        assert!(results.contains(placeholder), "no {placeholder} in {results}");
    }
    assert!(results.contains("PORT=8080"), "{results}");
    // What the model said comes back to it as it said it.
    let history = third["messages"].to_string();
    assert!(history.contains("Writing [redacted:password:1] nowhere."), "{history}");
    assert!(history.contains("token=[redacted:github-token:1]\\\\nkey="), "{history}");

    counts_alone_are_logged(&place, &done);
}

fn counts_alone_are_logged(place: &Place, done: &Done) {
    for secret in [TOKEN, PASSWORD] {
        assert!(!done.stderr.contains(secret), "{secret} is in the program's log");
    }
    let logs = place.command(["logs", "--format", "json"]).done().succeeded();
    assert!(!logs.stdout.contains(TOKEN) && !logs.stdout.contains(PASSWORD), "{}", logs.stdout);
    let line = "kept from the model: 1 github-token (1 in all)";
    assert!(logs.stdout.contains(line), "{}", logs.stdout);
}

#[test]
fn a_chain_of_four_stands_before_any_harness() {
    let place = Place::new();
    let server = Server::start([Play::Stream(Answer::text("I know [redacted:github-token:1]."))]);
    let run = run(&place, &server, "echo", "[redactor, redactor, redactor, redactor]");
    let done = run.args([&*format!("Remember {TOKEN}.")]).done().succeeded();
    assert_eq!(done.stdout, format!("I know {TOKEN}.\n"));
    let request = server.next_request();
    clean(&request.body);
    assert_eq!(
        request.messages().last().map(|(_, text)| text.as_str()),
        Some("Remember [redacted:github-token:1].")
    );
}

#[test]
fn without_the_redactor_the_provider_sees_it_all() {
    let place = Place::new();
    let server = Server::start([Play::Stream(Answer::text("Fine."))]);
    run(&place, &server, "echo", "[]").args([TOKEN]).done().succeeded();
    assert!(server.next_request().body.to_string().contains(TOKEN), "the tests above see nothing");
}

#[test]
fn middleware_that_cannot_be_put_before_a_harness_ends_the_run_before_it_begins() {
    let place = Place::new();
    let server = Server::start([]);
    for (middleware, code, part) in [
        ("[nowhere]", 2, "no harness `nowhere`"),
        ("[echo]", 5, "`echo` is no middleware: it exports neither `xpressclaw:llm/chat`"),
    ] {
        let done = run(&place, &server, "echo", middleware).args(["Hello."]).done().exited(code);
        assert!(done.stderr.contains(part), "{}", done.stderr);
        assert_eq!(done.stdout, "");
    }
    let model = place.script(&[json!({"text": "Never said."})]);
    let done = place.command(["run", "redactor", "--model", &model, "Hello."]).done().exited(5);
    assert!(done.stderr.contains("it is middleware: it exports"), "{}", done.stderr);
    assert_eq!(server.unseen(), 0);
}
