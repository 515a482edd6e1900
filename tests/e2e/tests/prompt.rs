//! Where the prompt comes from.

use e2e::{Answer, Place, Play, Server};
use serde_json::json;

#[test]
fn a_piped_prompt_is_read_to_its_end() {
    let place = Place::new();
    let server = Server::start([Play::Stream(Answer::text("Read."))]);
    let text = "line one\nline two\n".repeat(2_000);
    let run = place.run_with("echo", &server, "{price: free}").stdin(&text);
    assert_eq!(run.done().succeeded().stdout, "Read.\n");
    assert_eq!(server.next_request().messages(), [("user".to_owned(), text)]);
}

#[test]
fn an_argument_goes_before_the_pipe() {
    let place = Place::new();
    let server = Server::start([Play::Stream(Answer::text("Read."))]);
    let run = place.run_with("echo", &server, "{price: free}").args(["argument"]);
    run.stdin("pipe").done().succeeded();
    assert_eq!(server.next_request().messages(), [("user".to_owned(), "argument".to_owned())]);
}

#[test]
fn an_empty_pipe_is_no_prompt() {
    let place = Place::new();
    let model = place.script(&[json!({"text": "This must not be said."})]);
    for stdin in [Some(""), Some(" \n"), None] {
        let run = place.run("echo").args(["--model", &model]);
        let run = match stdin {
            Some(text) => run.stdin(text),
            None => run,
        };
        let done = run.done().exited(2);
        assert!(done.stderr.contains("the prompt is empty"), "{stdin:?}: {}", done.stderr);
    }
}
