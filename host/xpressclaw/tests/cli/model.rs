use serde_json::{Value, json};

use crate::home::Home;

const PROVIDERS: &str = "\
model: openai/gpt-5-mini
providers:
  openai:
    api_key: env:KEY_THAT_IS_NOT_SET
    models:
      gpt-5-mini: {context_window: 400000, price: {input: 0.25, cached: 0.025, output: 2}}
      gpt-unpriced: {}
  lab: {base_url: 'http://127.0.0.1:1/v1', models: {free-one: {price: free}}}
";

#[test]
fn configured_models_have_a_window_and_a_price() {
    let home = Home::new();
    home.configure(PROVIDERS);
    let rows = home.json(&["model", "list"]);
    let row = |name: &str| rows.iter().find(|row| row["model"] == name).unwrap().clone();
    assert_eq!(rows.len(), 3, "{rows:?}");
    let mini = row("openai/gpt-5-mini");
    assert_eq!((&mini["default"], &mini["context_window"]), (&json!(true), &json!(400_000)));
    assert_eq!(mini["provider"], "openai");
    assert_eq!(mini["price"]["cached"], json!({"nano_dollars": 25_000_000, "text": "$0.025"}));
    assert_eq!(row("openai/gpt-unpriced")["price"], Value::Null);
    assert_eq!(row("lab/free-one")["price"]["output"]["nano_dollars"], 0);
    assert_eq!(row("lab/free-one")["default"], false);

    let text = home.ok(&["model", "list"]);
    let line = |name: &str| text.lines().find(|line| line.contains(name)).unwrap().to_owned();
    let mini = line("gpt-5-mini");
    assert!(mini.starts_with("default  openai/gpt-5-mini"), "{text}");
    assert!(mini.ends_with("$0.25 in, $0.025 cached, $2.00 out"), "{text}");
    assert!(line("free-one").ends_with("  free"), "{text}");
    assert!(line("gpt-unpriced").contains("refused until it is configured"), "{text}");
}

#[test]
fn local_files_are_listed_with_what_is_wrong_with_them() {
    let home = Home::new();
    home.file("data/models/broken.gguf", "GGUF");
    let rows = home.json(&["model", "list"]);
    assert_eq!((&rows[0]["model"], &rows[0]["default"]), (&json!("local"), &json!(true)));
    assert_eq!((&rows[0]["size_bytes"], &rows[0]["price"]), (&json!(4), &Value::Null));
    assert!(!rows[0]["problem"].as_str().unwrap().is_empty());

    // Of several none is the default, and each goes by its path.
    home.file("data/models/other.gguf", "GGUF");
    let done = home.run(&["model", "list"]);
    assert!(done.stderr.contains("several local models"), "{done:?}");
    let rows = home.json(&["model", "list"]);
    assert_eq!((rows.len(), &rows[1]["default"]), (2, &json!(false)));
    assert_eq!(rows[1]["model"], rows[1]["path"]);

    home.configure("local: {model: data/models/other.gguf}\n");
    let rows = home.json(&["model", "list"]);
    let names: Vec<_> = rows.iter().map(|row| row["model"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert_eq!(names[1], "local");
}

#[test]
fn a_default_that_is_not_there_is_told() {
    let home = Home::new();
    let done = home.run(&["model", "list"]);
    assert!(done.stderr.contains("no .gguf file in"), "{done:?}");
    home.configure("model: openai/gpt-9\n");
    let done = home.run(&["model", "list"]);
    assert!(done.stderr.contains("the default, `openai/gpt-9`, is none of these"), "{done:?}");
}
