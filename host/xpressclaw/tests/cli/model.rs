use serde_json::{Value, json};

use crate::home::Home;

/// What can be used now; after it the list goes on with the catalogue.
fn usable(home: &Home) -> Vec<Value> {
    let rows = home.json(&["model", "list"]);
    rows.into_iter().filter(|row| row["kind"] == "model").collect()
}

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
    let rows = usable(&home);
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
    let rows = usable(&home);
    assert_eq!((&rows[0]["model"], &rows[0]["default"]), (&json!("local"), &json!(true)));
    assert_eq!((&rows[0]["size_bytes"], &rows[0]["price"]), (&json!(4), &Value::Null));
    assert!(!rows[0]["problem"].as_str().unwrap().is_empty());

    // Of several none is the default, and each goes by its path.
    home.file("data/models/other.gguf", "GGUF");
    let done = home.run(&["model", "list"]);
    assert!(done.stderr.contains("several local models"), "{done:?}");
    let rows = usable(&home);
    assert_eq!((rows.len(), &rows[1]["default"]), (2, &json!(false)));
    assert_eq!(rows[1]["model"], rows[1]["path"]);

    home.configure("local: {model: data/models/other.gguf}\n");
    let rows = usable(&home);
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

#[test]
fn the_catalogue_says_what_a_model_needs() {
    let home = Home::new();
    let rows = home.json(&["model", "list"]);
    let offer = rows.iter().find(|row| row["model"] == "qwen3-4b").unwrap();
    assert_eq!((&offer["kind"], &offer["licence"]), (&json!("catalogue"), &json!("Apache-2.0")));
    assert_eq!((&offer["tools"], &offer["path"]), (&json!(true), &Value::Null));
    assert!(offer["memory_bytes"].as_u64() > offer["size_bytes"].as_u64(), "{offer}");
    assert!(offer["url"].as_str().unwrap().starts_with("https://huggingface.co/Qwen/"), "{offer}");
    assert_eq!(offer["sha256"].as_str().unwrap().len(), 64);

    home.file("data/models/qwen3-4b.gguf", "GGUF");
    let text = home.ok(&["model", "list"]);
    let line = text.lines().find(|line| line.starts_with("qwen3-4b ")).unwrap();
    assert!(line.contains("2.3 GiB") && line.contains("here"), "{line}");
}

#[test]
fn what_nobody_vouches_for_is_not_pulled() {
    let home = Home::new();
    let url = "https://example.com/some.gguf";
    let known = "48ab3034d0dd401fbc721eb1df3217902fee7dab9078992d66431f09b7750201";
    for (args, because) in [
        (&["nonsense"][..], &["the catalogue has no model `nonsense`", "qwen3-4b"][..]),
        (&[url], &["nothing says what this file must be", "--trust-server-digest"]),
        (&[url, "--sha256", "123"], &["--sha256", "64 hexadecimal digits"]),
        (&[url, "--sha256", known, "--trust-server-digest"], &["cannot be used with"]),
        (&["qwen3-4b", "--sha256", known], &["has its name and its SHA-256"]),
        (&["https://example.com/x", "--sha256", known], &["--name"]),
        (&["https://example.com/a-00001-of-00002.gguf", "--sha256", known], &["several parts"]),
        (&["https://[", "--sha256", known], &["this URL cannot be used"]),
    ] {
        home.refused(&[&["model", "pull"], args].concat(), 2, because);
    }
    home.refused(
        &["model", "pull", "http://127.0.0.1:1/x.gguf", "--sha256", known],
        1,
        &["is not HTTPS"],
    );
}

#[test]
fn the_recorded_default_is_local_and_removal_forgets_it() {
    let home = Home::new();
    home.refused(&["model", "default"], 2, &["there is no local model", "model pull"]);
    home.refused(&["model", "default", "one"], 2, &["there is no local model `one`"]);
    home.file("data/models/one.gguf", "GGUF");
    home.file("data/models/two.gguf", "GGUF");
    home.refused(&["model", "default"], 2, &["there are several", "model default NAME"]);
    home.refused(&["model", "default", "one"], 2, &["cannot be the default"]);
    // Whether a file can be used is checked above; from here on the record counts.
    home.file("data/models/default.json", r#"{"model": "two.gguf"}"#);
    let default = home.json(&["model", "default"]);
    assert!(default[0]["path"].as_str().unwrap().ends_with("data/models/two.gguf"), "{default:?}");
    assert_eq!(usable(&home)[1]["model"], "local");

    // The configuration goes before the record.
    home.configure("local: {model: data/models/one.gguf}\n");
    let default = home.json(&["model", "default"]);
    assert!(default[0]["path"].as_str().unwrap().ends_with("one.gguf"), "{default:?}");
    home.configure("");

    let in_use = std::fs::File::open(home.data().join("models/two.gguf")).unwrap();
    in_use.lock_shared().unwrap();
    home.refused(&["model", "remove", "two"], 1, &["in use by another process"]);
    drop(in_use);
    let removed = home.json(&["model", "remove", "two"]);
    assert_eq!(removed[0]["change"], "removed");
    let default = home.ok(&["model", "default"]);
    assert!(default.trim().ends_with("one.gguf"), "the only one that is left: {default}");
    home.refused(&["model", "remove", "two"], 2, &["there is no model two"]);
    home.refused(&["model", "remove", "../two"], 2, &["not a downloaded model"]);

    home.file("data/models/default.json", r#"{"model": "two.gguf"}"#);
    home.refused(&["model", "default"], 2, &["two.gguf is gone"]);
}
