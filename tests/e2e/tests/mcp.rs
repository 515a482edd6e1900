//! Tools of a real MCP server, `@modelcontextprotocol/server-everything` under Node.js, called by
//! pi and by builtin.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use e2e::{Answer, Done, Place, Play, Request, Run, Server, guest, test_server};
use serde_json::{Value, json};

const HARNESSES: [&str; 2] = ["pi", "builtin"];

/// The harness as an agent that has the server's tools, on the model of `server`.
fn agent(place: &Place, harness: &str, server: &Server, keys: &str) -> Run {
    let url = server.base_url();
    let models = "{m: {price: free, images: true}}";
    let provider = format!(
        "mock: {{type: openai, base_url: \"{url}\", api_key: \"env:MOCK_KEY\", models: {models}}}"
    );
    configured(place, harness, &format!("providers: {{{provider}}}"), keys)
        .args(["--model", "mock/m"])
        .env("MOCK_KEY", e2e::KEY)
}

/// `keys` are further ones of the agent, each with a comma before it.
fn configured(place: &Place, harness: &str, top: &str, keys: &str) -> Run {
    configured_as(place, harness, harness, top, keys)
}

/// `named` is what the configuration calls the built `harness`.
fn configured_as(place: &Place, harness: &str, named: &str, top: &str, keys: &str) -> Run {
    let command = json!(["node", test_server(), "stdio"]);
    let yaml = format!(
        "{top}\n\
         mcp_servers: {{everything: {{command: {command}}}}}\n\
         agents: [{{name: caller, harness: {named}, tools: [everything]{keys}}}]\n"
    );
    let config = place.file("xpressclaw.yaml", &yaml);
    place
        .run_agent("caller", harness)
        .args(["--config", &config])
        .env("PATH", std::env::var_os("PATH").expect("a PATH with node in it"))
}

fn sum(a: u32, b: u32) -> Answer {
    Answer::default().call("call_1", "everything__get-sum", &json!({"a": a, "b": b}))
}

/// What the model is told of its call.
fn result(request: &Request) -> String {
    let tool = |(role, text)| (role == "tool").then_some(text);
    let mut results: Vec<String> = request.messages().into_iter().filter_map(tool).collect();
    assert_eq!(results.len(), 1, "{}", request.body);
    results.remove(0)
}

/// The audit log, as `kind subject verdict by`.
fn history(place: &Place) -> Vec<String> {
    let done = place.command(["approvals", "history", "--format", "json"]).done().succeeded();
    let row = |row: Value| {
        ["kind", "subject", "verdict", "by"].map(|name| row[name].as_str().unwrap().to_owned())
    };
    done.events().into_iter().map(|event| row(event).join(" ")).collect()
}

fn update(done: &Done) -> Value {
    let over = |event: &Value| event["status"] != "in_progress";
    done.events_of("call_update").into_iter().find(over).expect("the call is over")
}

#[test]
fn a_tool_of_a_real_server_is_called_after_one_question() {
    for harness in HARNESSES {
        let place = Place::new();
        let server =
            Server::start([Play::Stream(sum(19, 23)), Play::Stream(Answer::text("It is 42."))]);
        let mut terminal = agent(&place, harness, &server, "").args(["Add."]).in_terminal();
        terminal.see("call the tool `everything.get-sum` with {");
        terminal.see("4) deny");
        terminal.line("1");
        terminal.see("It is 42.");
        let (code, output) = terminal.done();
        assert_eq!(code, 0, "{harness}: {output}");
        assert_eq!(output.matches("1) allow").count(), 1, "{harness}: {output}");

        let offered = server.next_request();
        let tools = offered.body["tools"].as_array().expect("a list of tools");
        let named = |tool: &&Value| tool["function"]["name"] == "everything__get-sum";
        let tool = tools.iter().find(named).expect("the tool is offered");
        assert_eq!(tool["function"]["description"], "Returns the sum of two numbers");
        assert_eq!(tool["function"]["parameters"]["properties"]["a"]["type"], "number");
        assert_eq!(result(&server.next_request()), "The sum of 19 and 23 is 42.", "{harness}");
        assert_eq!(history(&place), ["tool everything.get-sum allowed terminal"], "{harness}");
    }
}

#[test]
fn text_and_image_of_a_result_reach_the_model() {
    for harness in HARNESSES {
        let place = Place::new();
        let call = Answer::default().call("call_1", "everything__get-tiny-image", &json!({}));
        let server = Server::start([Play::Stream(call), Play::Stream(Answer::text("A logo."))]);
        let allow = ", approvals: {allow: [\"tool:everything.get-*\"]}";
        let run = agent(&place, harness, &server, allow).args(["--format", "json", "Look."]);
        let done = run.done().succeeded();
        assert_eq!(update(&done)["status"], "completed", "{harness}");
        server.next_request();
        let request = server.next_request();
        let told = result(&request);
        assert!(told.contains("Here's the image you requested:"), "{harness}: {told}");
        assert!(told.contains("The image above is the MCP logo."), "{harness}: {told}");
        let body = request.body.to_string();
        assert!(body.contains("data:image/png;base64,iVBORw0KGgo"), "{harness}: {body}");
    }
}

#[test]
fn a_no_at_the_terminal_is_told_to_the_model() {
    for harness in HARNESSES {
        let place = Place::new();
        let server =
            Server::start([Play::Stream(sum(1, 2)), Play::Stream(Answer::text("So be it."))]);
        let mut terminal = agent(&place, harness, &server, "").args(["Add."]).in_terminal();
        terminal.see("call the tool `everything.get-sum` with {");
        terminal.line("deny");
        terminal.see("So be it.");
        let (code, output) = terminal.done();
        assert_eq!(code, 0, "{harness}: {output}");
        server.next_request();
        let told = result(&server.next_request());
        assert!(
            told.contains("the tool `everything.get-sum` was denied by the user"),
            "{harness}: {told}"
        );
        assert_eq!(history(&place), ["tool everything.get-sum denied terminal"], "{harness}");
    }
}

#[test]
fn without_anybody_to_ask_a_call_is_denied_and_the_line_that_allows_it_works() {
    for harness in HARNESSES {
        let place = Place::new();
        let script = [
            json!({"tool_calls": [
                {"name": "everything__echo", "arguments": {"message": "hello"}},
            ]}),
            json!({"text": "So be it."}),
        ];
        let model = place.script(&script);
        let run = |keys: &str| {
            let run = configured(&place, harness, "", keys);
            run.args(["--model", &model, "--format", "json", "Echo."]).done().succeeded()
        };
        let denied = update(&run(""));
        assert_eq!(denied["status"], "denied", "{harness}: {denied}");
        let fix = r#"`approvals: {allow: ["tool:everything.echo"]}`"#;
        let text = denied["content"][0]["part"]["text"].as_str().expect("a text").to_owned();
        assert!(text.contains("no user is there") && text.contains(fix), "{harness}: {text}");

        let allowed = run(", approvals: {allow: [\"tool:everything.echo\"]}");
        let update = update(&allowed);
        assert_eq!(update["status"], "completed", "{harness}: {update}");
        assert_eq!(update["content"][0]["part"]["text"], "Echo: hello", "{harness}");
        assert!(allowed.events_of("ask").is_empty(), "{harness}");
    }
}

#[test]
fn middleware_stands_before_the_tools() {
    for harness in HARNESSES {
        let place = Place::new();
        let server =
            Server::start([Play::Stream(sum(19, 23)), Play::Stream(Answer::text("It is 42."))]);
        let guard = guest("tool-guard");
        let keys = format!(
            ", approvals: {{allow: [\"tool:everything.get-*\"]}}, middleware: [{}]",
            json!(guard.to_str().expect("a path of text"))
        );
        agent(&place, harness, &server, &keys).args(["Add."]).done().succeeded();

        let offered = server.next_request();
        let tools = offered.body["tools"].as_array().expect("a list of tools");
        let offers = |name: &str| tools.iter().any(|tool| tool["function"]["name"] == name);
        assert!(offers("everything__get-sum") && !offers("everything__get-env"), "{harness}");
        let told = result(&server.next_request());
        assert!(told.starts_with("The sum of 19 and 23 is 42."), "{harness}: {told}");
        assert!(told.ends_with("signed by the guard"), "{harness}: {told}");
        assert_eq!(
            history(&place),
            ["tool everything.get-sum allowed rule allow tool:everything.get-*"],
            "{harness}"
        );
    }
}

#[test]
fn a_harness_that_asks_by_itself_causes_one_question_for_each_call() {
    for (times, questions) in [("", 1), ("twice ", 2)] {
        let place = Place::new();
        let model = place.script(&[json!({"text": "Unused."})]);
        let harness = json!(guest("hostile").to_str().expect("a path of text")).to_string();
        let act = format!("ask-first {times}everything__get-sum {{\"a\": 19, \"b\": 23}}");
        let run = configured_as(&place, "tests/hostile", &harness, "", "");
        let mut terminal = run.args(["--model", &model, &act]).in_terminal();
        for _ in 0..questions {
            terminal.see("call the tool `everything.get-sum` with {");
            terminal.see("4) deny");
            terminal.line("1");
        }
        terminal.see("The sum of 19 and 23 is 42.");
        let (code, output) = terminal.done();
        assert_eq!(code, 0, "{output}");
        assert_eq!(output.matches("1) allow").count(), questions, "{output}");
        let mut expected = vec![
            "tool everything.get-sum allowed terminal",
            "tool everything.get-sum allowed the approval of this very call",
        ];
        // The approval was for one call.
        expected.extend(vec!["tool everything.get-sum allowed terminal"; questions - 1]);
        assert_eq!(history(&place), expected);
    }
}

#[test]
fn a_server_that_is_not_there_is_named_and_the_turn_goes_on() {
    for harness in HARNESSES {
        let place = Place::new();
        let model = place.script(&[json!({"text": "Without it."})]);
        let config = place.file(
            "xpressclaw.yaml",
            &format!(
                "mcp_servers: {{files: {{command: [no-such-program]}}}}\n\
                 agents: [{{name: caller, harness: {harness}, tools: [files]}}]\n"
            ),
        );
        let run = |format: &str| {
            let run = place.run_agent("caller", harness).args(["--config", &config]);
            run.args(["--model", &model, "--format", format, "Go."]).done().succeeded()
        };
        let done = run("json");
        let event = done.event("server");
        assert_eq!(event["server"], "files");
        assert_eq!(event["hint"], "see `mcp_servers.files` in xpressclaw.yaml");
        let message = event["message"].as_str().expect("a message");
        assert!(message.contains("`no-such-program` was not found; install it"), "{message}");
        assert!(done.events_of("refused").is_empty(), "the sandbox refused nothing");
        assert_eq!(done.answer(), "Without it.");
        let shown = run("text").stderr;
        assert!(shown.contains("MCP server `files`: its command"), "{shown}");
    }
}

#[test]
fn builtin_runs_the_calls_of_one_answer_together() {
    let place = Place::new();
    let script = [
        json!({"tool_calls": [
            {"name": "odd__echo", "arguments": {}},
            {"name": "bash", "arguments": {"command": "true"}},
            {"name": "odd__echo", "arguments": {}},
            {"name": "list", "arguments": {}},
        ]}),
        json!({"text": "Done."}),
    ];
    let model = place.script(&script);
    // It answers neither call before it has both.
    let server =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../host/mcp/tests/servers/over_stdio.py");
    let command = json!(["python3", server.to_str().expect("a path of text"), "meets"]);
    let notes = json!({"NOTES": place.path().join("notes").to_str().expect("a path of text")});
    let config = place.file(
        "xpressclaw.yaml",
        &format!(
            "mcp_servers: {{odd: {{command: {command}, env: {notes}}}}}\n\
             agents: [{{name: caller, harness: builtin, tools: [odd]}}]\n\
             approvals: {{allow: [\"tool:odd.*\"]}}\n"
        ),
    );
    let run = place.run_agent("caller", "builtin").args(["--config", &config, "--model", &model]);
    let run = run.env("PATH", std::env::var_os("PATH").expect("a PATH with python3 in it"));
    let done = run.args(["--format", "json", "Go."]).done().succeeded();
    let updates = done.events_of("call_update");
    let ended = |id: &str| {
        let over = |event: &&Value| event["id"] == id && event["status"] != "in_progress";
        let event = updates.iter().find(over).expect("the call is over");
        let text = event["content"][0]["part"]["text"].as_str().expect("a text");
        (event["status"].as_str().expect("a status"), text)
    };
    for id in ["call_1", "call_3"] {
        let (status, text) = ended(id);
        assert_eq!(status, "completed", "{id}: {text}");
        assert!(text.starts_with("met by call "), "{id}: {text}");
    }
    // Nothing waits for what there is no machine for, and nothing behind it is left out.
    assert!(ended("call_2").1.starts_with("no machine attached"), "{}", ended("call_2").1);
    assert_eq!(ended("call_4").0, "completed");
}

/// A server over HTTP that writes down the keys it gets; killed when dropped.
struct OverHttp {
    child: Child,
    url: String,
}

impl OverHttp {
    fn start(place: &Place, mode: &str) -> Self {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../host");
        let mut child = Command::new("python3")
            .arg(crates.join("mcp/tests/servers/over_http.py"))
            .arg(mode)
            .env("NOTES", place.path().join("notes"))
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python");
        let mut url = String::new();
        let stdout = child.stdout.take().expect("stdout is piped");
        BufReader::new(stdout).read_line(&mut url).expect("an address");
        Self { child, url: url.trim().to_owned() }
    }
}

impl Drop for OverHttp {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_key_of_a_server_over_http_reaches_that_server_and_nothing_else() {
    let key = "k3y-0f-th3-s3rv3r-5f4e3d2c1b0a";
    for (mode, called) in [("plain", true), ("403", false), ("500", false)] {
        let place = Place::new();
        let server = OverHttp::start(&place, mode);
        let script = [
            json!({"tool_calls": [{"name": "web__echo", "arguments": {}}]}),
            json!({"text": "Done."}),
        ];
        let model = place.script(&script);
        let yaml = format!(
            "mcp_servers: {{web: {{url: \"{}/mcp\", headers: {{authorization: env:WEB_AUTH}}}}}}\n\
             agents: [{{name: caller, harness: builtin, tools: [web]}}]\n\
             approvals: {{allow: [\"tool:web.*\"]}}\n",
            server.url
        );
        let config = place.file("xpressclaw.yaml", &yaml);
        let run = place.run_agent("caller", "builtin").args(["--config", &config]);
        let run = run.args(["--model", &model, "--format", "json", "--log-level", "trace", "Go."]);
        let done = run.env("WEB_AUTH", format!("Bearer {key}")).done().succeeded();
        let status = if called { "completed" } else { "failed" };
        assert_eq!(update(&done)["status"], status, "{mode}: {}", done.stdout);
        assert!(done.stderr.contains("TRACE"), "the log is whole");
        assert!(!done.stdout.contains(key) && !done.stderr.contains(key), "{mode}");
        assert_eq!(place.files_holding(key), [place.path().join("notes")], "{mode}");
    }
}

#[test]
fn plain_http_to_another_machine_is_refused_before_anything_runs() {
    let place = Place::new();
    let config = place.file(
        "xpressclaw.yaml",
        "mcp_servers: {web: {url: \"http://192.168.1.2:8000/mcp\"}}\n\
         agents: [{name: caller, harness: builtin, tools: [web]}]\n",
    );
    let run = place.run_agent("caller", "builtin").args(["--config", &config, "Go."]);
    let done = run.done().exited(2);
    assert!(done.stderr.contains("write `https`, or open a tunnel"), "{}", done.stderr);
}
