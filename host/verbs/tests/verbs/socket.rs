//! The verbs over lines of JSON, as programs in the machine speak them (`docs/xclaw-socket.md`).

use std::sync::Arc;

use async_trait::async_trait;
use domain::{Answer, Question, User};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use verbs::socket::Door;

use crate::bench::{Bench, messages, store};

struct Client {
    stream: BufReader<DuplexStream>,
    served: JoinHandle<std::io::Result<()>>,
}

impl Client {
    fn of(bench: &Bench) -> Self {
        let (near, far) = tokio::io::duplex(4096);
        let served = tokio::spawn(Door::new(bench.ctx.clone(), bench.turn.clone()).serve(far));
        Self { stream: BufReader::new(near), served }
    }

    async fn send(&mut self, line: &str) {
        self.stream.write_all(line.as_bytes()).await.unwrap();
        self.stream.write_all(b"\n").await.unwrap();
    }

    async fn receive(&mut self) -> Value {
        let mut line = String::new();
        self.stream.read_line(&mut line).await.unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    async fn call(&mut self, method: &str, params: Value) -> Value {
        let request = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params});
        self.send(&request.to_string()).await;
        let answer = self.receive().await;
        assert_eq!((&answer["jsonrpc"], &answer["id"]), (&json!("2.0"), &json!(7)));
        answer
    }

    async fn result(&mut self, method: &str, params: Value) -> Value {
        let answer = self.call(method, params).await;
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// Code, kind and message of an error.
    async fn error(&mut self, method: &str, params: Value) -> (i64, String, String) {
        let answer = self.call(method, params).await;
        assert!(answer.get("result").is_none(), "{method}: {answer}");
        failure(&answer)
    }
}

fn failure(answer: &Value) -> (i64, String, String) {
    let error = &answer["error"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (error["code"].as_i64().unwrap(), text(&error["data"]["kind"]), text(&error["message"]))
}

#[tokio::test]
async fn every_verb_answers_as_json() {
    let store = store();
    let mut pi = Bench::new(&store, "pi");
    let mut client = Client::of(&pi);
    let id = client.result("memory.add", json!({"text": "crabs are red", "tags": ["sea"]})).await;
    let note = json!({"id": id, "text": "crabs are red", "tags": ["sea"]});
    let listed = client.result("memory.list", json!({})).await;
    assert!(listed[0]["created"].is_u64(), "{listed}");
    for (member, value) in note.as_object().unwrap() {
        assert_eq!(&listed[0][member], value);
    }
    let found = client.result("memory.search", json!({"query": "red", "limit": 1})).await;
    assert_eq!(found[0]["note"], listed[0]);
    assert!(found[0]["score"].is_f64());
    assert_eq!(client.result("memory.delete", json!({"id": id})).await, Value::Null);
    assert_eq!(client.result("memory.list", json!({"before": null})).await, json!([]));

    let id = client.result("task.create", json!({"title": "count crabs"})).await;
    let done = client.result("task.update", json!({"id": id, "status": "done"})).await;
    assert_eq!((&done["status"], &done["title"]), (&json!("done"), &json!("count crabs")));
    assert_eq!((&done["detail"], &done["parent"]), (&json!(""), &Value::Null));
    assert_eq!(client.result("task.get", json!({"id": id})).await, done);
    assert_eq!(client.result("task.list", json!({"status": "done"})).await, json!([done]));
    assert_eq!(client.result("task.list", json!({"status": "open"})).await, json!([]));

    assert_eq!(client.result("budget.status", json!({})).await, json!([]));
    client.result("log.write", json!({"level": "warn", "message": "low tide"})).await;
    assert_eq!(messages(&store), [(store::log::Level::Warn, "low tide".to_owned())]);
    let version = client.result("version.get", json!({})).await;
    assert_eq!(version["contract"], json!(verbs::CONTRACT));
    assert_eq!(
        pi.told(),
        [
            "memory.add: crabs are red",
            "memory.delete: 1",
            "task.create: count crabs",
            "task.update: done: count crabs"
        ]
    );
}

#[tokio::test]
async fn errors_have_their_code_and_say_what_is_wrong() {
    let pi = Bench::new(&store(), "pi");
    let mut client = Client::of(&pi);
    for (method, params, code, kind, says) in [
        ("memory.delete", json!({"id": "99"}), -32001, "not-found", "99"),
        ("memory.add", json!({}), -32602, "invalid", "`text`"),
        ("memory.add", json!({"text": ""}), -32602, "invalid", "text"),
        ("memory.add", json!({"text": 1}), -32602, "invalid", "string"),
        ("memory.add", json!({"text": "x", "tag": "y"}), -32602, "invalid", "`tag`"),
        ("memory.list", json!({"limit": 0}), -32602, "invalid", "limit"),
        ("memory.list", json!({"limit": -1}), -32602, "invalid", "-1"),
        ("task.update", json!({"id": "1", "status": "gone"}), -32602, "invalid", "`gone`"),
        ("version.get", json!({"of": "pi"}), -32602, "invalid", "`of`"),
        ("ask", json!({"question": "which?"}), -32002, "denied", "no user"),
        ("memory.drop", json!({}), -32601, "", "`memory.drop`"),
        ("", json!({}), -32601, "", "no method"),
    ] {
        let (found, of_kind, message) = client.error(method, params).await;
        assert_eq!((found, of_kind.as_str()), (code, kind), "{method}: {message}");
        assert!(message.contains(says), "{method}: `{says}` is not in `{message}`");
    }
    // After all that the connection serves on.
    client.result("version.get", json!({})).await;
}

#[tokio::test]
async fn what_is_no_request_is_answered_and_the_next_is_read() {
    let pi = Bench::new(&store(), "pi");
    let mut client = Client::of(&pi);
    for (line, code) in [
        ("memory add", -32700),
        ("{\"jsonrpc\":\"2.0\",", -32700),
        ("[]", -32600),
        ("[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"version.get\"}]", -32600),
        ("null", -32600),
        ("{}", -32600),
        ("{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"version.get\"}", -32600),
        ("{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"version.get\"}", -32600),
        ("{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"version.get\"}", -32600),
        ("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"version.get\",\"params\":[]}", -32600),
    ] {
        client.send(line).await;
        let answer = client.receive().await;
        assert_eq!((failure(&answer).0, &answer["id"]), (code, &Value::Null), "{line}");
    }
    client.stream.write_all(b"\xff\xfe\n").await.unwrap();
    assert_eq!(failure(&client.receive().await).0, -32700);
    // Empty lines are nothing, and what has no id is done without an answer.
    client.send("\n \r").await;
    client.send(r#"{"jsonrpc":"2.0","method":"memory.add","params":{"text":"quiet"}}"#).await;
    client.send(r#"{"jsonrpc":"2.0","id":"x","method":"memory.list"}"#).await;
    let answer = client.receive().await;
    assert_eq!((&answer["id"], &answer["result"][0]["text"]), (&json!("x"), &json!("quiet")));
}

#[tokio::test]
async fn a_line_without_end_ends_the_connection() {
    let pi = Bench::new(&store(), "pi");
    let client = Client::of(&pi);
    let (reader, mut writer) = tokio::io::split(client.stream.into_inner());
    let endless = tokio::spawn(async move {
        let part = [b'x'; 64 << 10];
        // Until the host hangs up.
        while writer.write_all(&part).await.is_ok() {}
    });
    let mut line = String::new();
    let mut reader = BufReader::new(reader);
    reader.read_line(&mut line).await.unwrap();
    let answer: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(failure(&answer).0, -32600);
    client.served.await.unwrap().unwrap();
    endless.await.unwrap();
}

/// Answers the second question at once, and the first when told to.
struct Slow(Notify);

#[async_trait]
impl User for Slow {
    async fn ask(&self, question: &Question) -> Option<Answer> {
        if question.text == "first?" {
            self.0.notified().await;
        }
        Some(Answer { text: question.text.clone(), by: "test".into() })
    }
}

#[tokio::test]
async fn answers_come_as_they_are_ready_and_a_closed_connection_asks_no_more() {
    let user = Arc::new(Slow(Notify::new()));
    let store = store();
    let mut pi = Bench::with(&store, "pi", user.clone());
    let mut client = Client::of(&pi);
    client.send(r#"{"jsonrpc":"2.0","id":1,"method":"ask","params":{"question":"first?"}}"#).await;
    client.send(r#"{"jsonrpc":"2.0","id":2,"method":"ask","params":{"question":"second?"}}"#).await;
    assert_eq!(client.receive().await["result"], json!("second?"));
    user.0.notify_one();
    assert_eq!(client.receive().await["id"], json!(1));
    client.send(r#"{"jsonrpc":"2.0","id":3,"method":"ask","params":{"question":"first?"}}"#).await;
    // Served behind it, so that it is under way.
    client.result("version.get", json!({})).await;
    drop(client.stream);
    client.served.await.unwrap().unwrap();
    let told = pi.told();
    assert_eq!(told.len(), 5, "three questions and two answers: {told:?}");
    // A cancelled turn ends a question.
    let mut client = Client::of(&pi);
    client.send(r#"{"jsonrpc":"2.0","id":4,"method":"ask","params":{"question":"first?"}}"#).await;
    pi.turn.cancel();
    let (code, kind, _) = failure(&client.receive().await);
    assert_eq!((code, kind.as_str()), (-32003, "cancelled"));
}

#[tokio::test]
async fn a_connection_acts_for_its_own_agent_alone() {
    let store = store();
    let (pi, other) = (Bench::new(&store, "pi"), Bench::new(&store, "other"));
    let (mut pi, mut other) = (Client::of(&pi), Client::of(&other));
    pi.result("memory.add", json!({"text": "of pi"})).await;
    assert_eq!(other.result("memory.list", json!({})).await, json!([]));
    let (code, _, _) = other.error("memory.list", json!({"agent": "pi"})).await;
    assert_eq!(code, -32602);
}
