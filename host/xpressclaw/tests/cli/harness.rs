use serde_json::json;

use crate::home::Home;

const HARNESS: &str = r#"(component
    (import "xpressclaw:llm/chat@0.1.0" (instance))
    (import "wasi:http/types@0.2.12" (instance))
    (import "vendor:gpu/compute@1.0.0" (instance $gpu))
    (component (import "hidden" (func)))
    (export "xpressclaw:harness/agent-sync@0.1.0" (instance $gpu)))"#;

fn component(home: &Home, name: &str, text: &str) {
    home.file(&format!("data/harnesses/{name}.wasm"), wat::parse_str(text).unwrap());
}

#[test]
fn components_are_listed_by_name() {
    let home = Home::new();
    component(&home, "two", "(component)");
    component(&home, "one", HARNESS);
    home.file("data/harnesses/notes.txt", "");
    let list = home.ok(&["harness", "list"]);
    let names: Vec<&str> = list.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(names, ["NAME", "one", "two"]);
    let rows = home.json(&["harness", "list"]);
    assert_eq!((&rows[1]["name"], &rows[1]["size_bytes"]), (&json!("two"), &json!(8)));
    assert!(rows[1]["path"].as_str().unwrap().ends_with("/data/harnesses/two.wasm"));
}

#[test]
fn a_component_says_what_it_can_reach() {
    let home = Home::new();
    component(&home, "one", HARNESS);
    let rows = home.json(&["harness", "inspect", "one"]);
    let row = &rows[0];
    assert_eq!((rows.len(), &row["world"]), (1, &json!("harness-sync")));
    assert_eq!(
        row["reach"],
        json!({
            "models": ["xpressclaw:llm/chat@0.1.0"],
            "network": ["wasi:http/types@0.2.12"],
            "unknown": ["vendor:gpu/compute@1.0.0"],
        })
    );
    assert_eq!(row["imports"].as_array().unwrap().len(), 3);
    assert_eq!(row["digest"].as_str().unwrap().len(), "sha256:".len() + 64);

    let path = home.data().join("harnesses/one.wasm");
    let text = home.ok(&["harness", "inspect", path.to_str().unwrap()]);
    for part in [
        "world     harness-sync (plain calls)\n",
        "\nmodels     models of the configuration, inside the budget; never a key\n",
        "\n           xpressclaw:llm/chat@0.1.0\n",
        "\nunknown    not offered by this version",
    ] {
        assert!(text.contains(part), "{part:?} in\n{text}");
    }
    assert!(!text.contains("hidden"), "{text}");
    assert!(!home.path().join("cache").exists(), "nothing is compiled");
}

#[test]
fn a_component_says_what_it_asks_for() {
    let home = Home::new();
    let asks = r#"{\"name\":\"a\",\"version\":\"1\",\"description\":\"\",\"license\":\"\",\"asks\":{\"hosts\":[\"https://example.com\"],\"machine\":true}}"#;
    component(&home, "asks", &format!("(component (@custom \"xpressclaw:harness\" \"{asks}\"))"));
    component(&home, "odd", "(component (@custom \"xpressclaw:harness\" \"{\"))");
    let row = &home.json(&["harness", "inspect", "asks"])[0];
    assert_eq!(row["asks"]["hosts"], json!(["https://example.com"]));
    let text = home.ok(&["harness", "inspect", "asks"]);
    assert!(text.contains("asks for  the network: https://example.com\n"), "{text}");
    assert!(text.contains("a machine, without which it is of no use\n"), "{text}");
    let text = home.ok(&["harness", "inspect", "odd"]);
    assert!(text.contains("asks for  it does not say\n"), "{text}");
}

#[test]
fn an_agent_of_the_configuration_stands_for_its_harness() {
    let home = Home::new();
    component(&home, "one", HARNESS);
    home.configure("agents:\n  - {name: reviewer, harness: one}\n");
    assert_eq!(home.json(&["harness", "inspect", "reviewer"])[0]["name"], "one");
}

#[test]
fn an_agents_middleware_is_shown_behind_its_harness() {
    let home = Home::new();
    component(&home, "one", HARNESS);
    let middleware = r#"(component
        (import "xpressclaw:llm/chat@0.1.0" (instance $chat))
        (export "xpressclaw:llm/chat@0.1.0" (instance $chat)))"#;
    component(&home, "cache", middleware);
    home.configure("agents:\n  - {name: reviewer, harness: one, middleware: [cache]}\n");
    let rows = home.json(&["harness", "inspect", "reviewer"]);
    let names: Vec<_> = rows.iter().map(|row| (&row["name"], &row["world"])).collect();
    assert_eq!(
        names,
        [(&json!("one"), &json!("harness-sync")), (&json!("cache"), &json!("llm-middleware"))]
    );
    assert_ne!(rows[0]["digest"], rows[1]["digest"]);
    let text = home.ok(&["harness", "inspect", "reviewer"]);
    assert!(text.contains("world     llm-middleware"), "{text}");
}

#[test]
fn what_is_no_harness_is_named() {
    let home = Home::new();
    component(&home, "idle", "(component)");
    home.file("core.wasm", wat::parse_str("(module)").unwrap());
    home.file("zip.wasm", "PK\x03\x04");
    let text = home.ok(&["harness", "inspect", "idle"]);
    assert!(text.contains("none: it is no harness"), "{text}");
    assert!(text.contains("it imports nothing"), "{text}");
    assert_eq!(home.json(&["harness", "inspect", "idle"])[0]["world"], json!(null));

    home.refused(
        &["harness", "inspect", "nothere"],
        2,
        &[
            "no harness `nothere`; there are: idle",
            "hint: put nothere.wasm into",
            "XPRESSCLAW_HARNESS_PATH",
        ],
    );
    home.refused(&["harness", "inspect", "./nothere.wasm"], 2, &["no component at ./nothere.wasm"]);
    home.refused(
        &["harness", "inspect", "./core.wasm"],
        1,
        &["is a core module", "hint: make a component"],
    );
    home.refused(
        &["harness", "inspect", "./zip.wasm"],
        1,
        &["zip.wasm is not a WebAssembly component"],
    );
}
